//! Whether a run went as its scenario expects.

use std::io::{self, Write};

use super::Exit;
use super::request::Run;
use super::show;
use crate::scenario::{Observed, Outcome, Tolerance, judge};

/// How many differences are shown. A crowd of a hundred has a hundred of them, all alike.
const SHOWN: usize = 10;

/// Writes every difference, and the command that repeats the run.
///
/// What is in the outcome comes behind what was seen while the run went on. A run that `--until` cut short is not judged: what was expected may still have come.
pub(super) fn verdict(run: &Run, seen: Observed, outcome: &Outcome, err: &mut dyn Write) -> io::Result<Exit> {
    if run.shortened && outcome.cut {
        writeln!(err, "stopped by --until at {}: not held against what is expected", outcome.end)?;
        return Ok(Exit::AsExpected);
    }
    if !run.unseen.is_empty() {
        writeln!(
            err,
            "not held against what is expected, for nobody sees it here: {}",
            run.unseen.join(", ")
        )?;
    }
    // A kernel has other things to do as well.
    let tolerance = if run.real { Tolerance::default() } else { Tolerance::NONE };
    let differences = judge(&run.scenario, seen, outcome, tolerance);
    if differences.is_empty() {
        return Ok(Exit::AsExpected);
    }
    for difference in differences.iter().take(SHOWN) {
        writeln!(err, "{}", difference.place)?;
        writeln!(err, "    expected  {}", difference.expected)?;
        writeln!(err, "    got       {}", difference.got)?;
    }
    if differences.len() > SHOWN {
        writeln!(err, "and {} more differences", differences.len() - SHOWN)?;
    }
    writeln!(err, "to see it again: {}", show::info(run).command())?;
    Ok(Exit::Different)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::pictures::Pictures;
    use crate::scenario;

    fn run(name: &str, shortened: bool) -> Run {
        let (name, scenario) = (name.to_owned(), scenario::load(name).unwrap());
        Run {
            name,
            scenario,
            trace: None,
            pictures: Pictures::default(),
            real: false,
            shortened,
            unseen: Vec::new(),
        }
    }

    fn judge(run: &Run, outcome: &Outcome) -> (Exit, String) {
        let mut err = Vec::new();
        let exit = verdict(run, Observed::new(&run.scenario), outcome, &mut err).unwrap();
        (exit, String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_failed_expectation_is_shown_with_the_command_that_repeats_it() {
        let (exit, err) = judge(&run("connect-refused", false), &Outcome::default());
        assert_eq!(exit, Exit::Different);
        let (difference, command) = err.split_once("to see it again: ").unwrap();
        assert_eq!(
            difference,
            "client fails\n    expected  connect ECONNREFUSED after 10ms\n    got       no failure\n"
        );
        assert!(command.starts_with("echosim --scenario connect-refused "), "{command}");
    }

    #[test]
    fn of_many_differences_the_first_are_shown_and_the_rest_counted() {
        let (_, err) = judge(&run("crowd", false), &Outcome::default());
        assert_eq!(err.lines().filter(|line| line.starts_with("    expected  ")).count(), SHOWN);
        // Each of a hundred prints nothing and does not exit; and the server waits for no child.
        assert!(err.contains("\nand 191 more differences\n"), "{err}");
    }

    #[test]
    fn a_run_cut_short_on_demand_is_not_judged() {
        let cut = Outcome { cut: true, ..Outcome::default() };
        assert_eq!(judge(&run("crash", true), &cut).0, Exit::AsExpected);
        // This one was not asked to stop early, and that one ended by itself.
        assert_eq!(judge(&run("crash", false), &cut).0, Exit::Different);
        assert_eq!(judge(&run("crash", true), &Outcome::default()).0, Exit::Different);
    }
}
