//! What came of random scenarios: a line of JSON each, in a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{RandomError, Record, Verdict};

/// Results by their scenarios, and the file that they are kept in.
pub(super) struct Results {
    path: PathBuf,
    file: File,
    records: BTreeMap<u32, Record>,
}

/// What came of all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// By scenario.
    pub records: Vec<Record>,
}

impl Results {
    /// Those of a seed that are there already. A line that was cut off by an end of the machine does not count.
    pub(super) fn open(folder: &Path, seed: u64) -> Result<Results, RandomError> {
        let path = folder.join(format!("{seed}.ndjson"));
        let failed = |source| RandomError::File { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let records = records.map(|record: Record| (record.nth, record)).collect();
        let mut file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Results { path, file, records })
    }

    pub(super) fn has(&self, nth: u32) -> bool {
        self.records.contains_key(&nth)
    }

    pub(super) fn add(&mut self, record: Record) -> Result<(), RandomError> {
        let line = serde_json::to_string(&record).map_err(io::Error::from);
        let written = line.and_then(|line| self.file.write_all(format!("{line}\n").as_bytes()));
        written.map_err(|source| RandomError::File { path: self.path.clone(), source })?;
        self.records.insert(record.nth, record);
        Ok(())
    }

    pub(super) fn summary(self, scenarios: u32) -> Summary {
        Summary { records: self.records.into_values().filter(|record| record.nth < scenarios).collect() }
    }
}

impl Summary {
    /// How many have such a verdict.
    pub fn count(&self, verdicts: &[Verdict]) -> usize {
        self.records.iter().filter(|record| verdicts.contains(&record.verdict)).count()
    }

    /// Writes the figures, and where each parts that does.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write, kernel: &str, file: impl Fn(u32) -> PathBuf) -> io::Result<()> {
        use Verdict::{Agrees, AgreesRepeated, NotRun, Parts, PartsOnWire};
        let run = self.records.len() - self.count(&[NotRun]);
        let agree = self.count(&[Agrees, AgreesRepeated]);
        let share = if run == 0 { 0.0 } else { agree as f64 / run as f64 * 100.0 };
        let pairs: usize = self.records.iter().map(|record| record.pairs).sum();
        writeln!(
            out,
            "simulation and {kernel} agree in every event of {agree} of {run} scenarios ({share:.1} %), {} of them when run \
             again; {} part on the wire alone, {} where a program sees it",
            self.count(&[AgreesRepeated]),
            self.count(&[PartsOnWire]),
            self.count(&[Parts]),
        )?;
        let agreeing = self.records.iter().filter(|record| matches!(record.verdict, Agrees | AgreesRepeated));
        let mut worst: Vec<Duration> = agreeing.map(|record| record.worst).collect();
        worst.sort();
        let millis = |span: Option<&Duration>| span.map_or(0.0, |span| span.as_secs_f64() * 1e3);
        writeln!(
            out,
            "{pairs} events are in both; of a scenario that agrees the time furthest off is off by {:.1} ms in the median \
             and {:.1} ms at the most",
            millis(worst.get(worst.len() / 2)),
            millis(worst.last()),
        )?;
        for record in &self.records {
            let first = record.first.as_deref().unwrap_or_default();
            match record.verdict {
                Agrees | AgreesRepeated => {}
                NotRun => writeln!(out, "{}: not run: {first}", record.nth)?,
                PartsOnWire | Parts => writeln!(out, "{}: {first}", file(record.nth).display())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(nth: u32, verdict: Verdict, first: Option<&str>) -> Record {
        let worst = Duration::from_millis(u64::from(nth));
        Record { nth, verdict, pairs: 10, worst, first: first.map(str::to_owned) }
    }

    #[test]
    fn results_that_are_there_are_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path(), 7).unwrap();
        results.add(record(1, Verdict::Agrees, None)).unwrap();
        results.add(record(2, Verdict::Parts, Some("client: exit(1)"))).unwrap();
        // The machine went down while a line was written.
        let path = folder.path().join("7.ndjson");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"nth\":3,")).unwrap();
        let mut results = Results::open(folder.path(), 7).unwrap();
        assert_eq!([0, 1, 2, 3].map(|nth| results.has(nth)), [false, true, true, false]);
        results.add(record(3, Verdict::Agrees, None)).unwrap();
        let results = Results::open(folder.path(), 7).unwrap();
        assert_eq!(results.summary(3).records.len(), 2);
        assert!(!Results::open(folder.path(), 8).unwrap().has(1), "another seed's");
    }

    #[test]
    fn the_summary_has_the_figures_and_names_what_parts() {
        let records = vec![
            record(0, Verdict::Agrees, None),
            record(1, Verdict::AgreesRepeated, None),
            record(2, Verdict::PartsOnWire, Some("client: > S seq 0 (not on Linux)")),
            record(3, Verdict::NotRun, Some("no namespace")),
        ];
        let mut out = Vec::new();
        let file = |nth| PathBuf::from(format!("random/1-{nth}.toml"));
        Summary { records }.write(&mut out, "Linux", file).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "simulation and Linux agree in every event of 2 of 3 scenarios (66.7 %), 1 of them when run again; \
             1 part on the wire alone, 0 where a program sees it\n\
             40 events are in both; of a scenario that agrees the time furthest off is off by 1.0 ms in the median and \
             1.0 ms at the most\n\
             random/1-2.toml: client: > S seq 0 (not on Linux)\n\
             3: not run: no namespace\n"
        );
    }
}
