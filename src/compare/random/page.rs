//! The page about random scenarios, in Markdown.

use std::fs;
use std::io::{self, Write};

use super::{Random, Summary, Verdict};

impl Summary {
    /// Writes the page: the figure, and every scenario that parts, as small as it parts. `kernel` and `machine` are what they
    /// are called.
    ///
    /// # Errors
    ///
    /// What `out` says, or a file of a scenario.
    pub fn page(
        &self,
        out: &mut dyn Write,
        random: &Random,
        (kernel, machine): (&str, &str),
    ) -> io::Result<()> {
        use Verdict::{Agrees, AgreesRepeated, NotRun, Parts, PartsOnWire};
        let run = self.records.len() - self.count(&[NotRun]);
        let agree = self.count(&[Agrees, AgreesRepeated]);
        writeln!(out, "# Random scenarios\n")?;
        writeln!(
            out,
            "Scenarios were drawn over the keys of the language (links, losses, reordering, faults by time and by event, options \
             of sockets and programs, settings of the TCP, several clients and connections, hundreds of lines, IPv4 and IPv6) and \
             run twice: in the simulation with `--stack linux`, and as real processes on {kernel} with the simulation's router \
             between them in real time. [fidelity.md](fidelity.md) says when two runs agree. What is given to the hosts \
             (what is typed, faults, the end) is given in the simulation where the kernel had it. A scenario that parts is run \
             twice more, alone: what a repetition heals was the machine.\n"
        )?;
        let share = if run == 0 { 0.0 } else { agree as f64 / run as f64 * 100.0 };
        writeln!(
            out,
            "**{agree} of {run} scenarios agree in every event ({share:.1} %)**, {} of them when run again. {} part on the wire \
             alone, {} where a program could see it. {} events are in both runs.\n",
            self.count(&[AgreesRepeated]),
            self.count(&[PartsOnWire]),
            self.count(&[Parts]),
            self.records.iter().map(|record| record.pairs).sum::<usize>(),
        )?;
        writeln!(out, "Measured on {machine}. This page is written by\n")?;
        let Random { scenarios, seed, .. } = random;
        writeln!(out, "    echosim compare --random {scenarios} --seed {seed} --page docs/random.md")?;
        for record in self.records.iter().filter(|record| matches!(record.verdict, Parts | PartsOnWire)) {
            let first = record.first.as_deref().unwrap_or_default();
            writeln!(out, "\n## Scenario {}\n\nFirst parts `{first}`.\n\n```toml", record.nth)?;
            // What is said of it stands above.
            let text = fs::read_to_string(random.file(record.nth))?;
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .try_for_each(|line| writeln!(out, "{line}"))?;
            writeln!(out, "```")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Record;
    use super::*;

    #[test]
    fn the_page_has_the_figure_and_each_scenario_that_parts() {
        let folder = tempfile::tempdir().unwrap();
        let random = Random { scenarios: 3, seed: 7, folder: folder.path().to_owned() };
        fs::write(random.file(1), "# > S seq 0\nname = \"Random\"\n").unwrap();
        let record = |nth, verdict, first: Option<&str>| Record {
            nth,
            verdict,
            pairs: 5,
            worst: Duration::ZERO,
            first: first.map(str::to_owned),
        };
        let records = vec![
            record(0, Verdict::Agrees, None),
            record(1, Verdict::Parts, Some("client: > S seq 0")),
            record(2, Verdict::AgreesRepeated, None),
        ];
        let mut page = Vec::new();
        Summary { records }.page(&mut page, &random, ("Linux 6.18", "a machine")).unwrap();
        let page = String::from_utf8(page).unwrap();
        for expected in [
            "**2 of 3 scenarios agree in every event (66.7 %)**, 1 of them when run again. 0 part on the wire alone, 1 where",
            "    echosim compare --random 3 --seed 7 --page docs/random.md\n",
            "## Scenario 1\n\nFirst parts `client: > S seq 0`.\n\n```toml\nname = \"Random\"\n```\n",
        ] {
            assert!(page.contains(expected), "{page}");
        }
    }
}
