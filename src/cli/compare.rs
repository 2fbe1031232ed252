//! `echosim compare`: both arms side by side.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::choice::Changes;
use super::duration::announce;
use super::{Exit, complain};
use crate::compare::fidelity::{Entry, Plan, page, survey};
use crate::compare::random::{Random, Record, Verdict};
use crate::compare::{Recording, Report, Scope, Tolerance, kernel, machine, side_by_side};
use crate::report::to_file;
use crate::scenario::{BUILT_IN, Scenario};
use crate::stage::RealStage;

/// `echosim compare`
#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    /// The scenario: a name from --list, or a TOML file
    #[arg(value_name = "NAME|FILE", required_unless_present_any = ["all", "random"])]
    scenario: Option<String>,

    /// Every scenario from --list, in a laboratory and made shorter, and a page about it
    #[arg(long, conflicts_with = "scenario")]
    all: bool,

    /// So many random scenarios; those that part are run again, made smaller and written to --folder
    #[arg(long, value_name = "N", conflicts_with_all = ["scenario", "all", "everything"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    random: Option<u32>,

    /// Where results of random scenarios are kept: those of the same --seed that are there are not run again
    ///
    /// They are of the build and the kernel that they were made with: another takes another folder.
    #[arg(long, value_name = "FOLDER", default_value = "random", conflicts_with_all = ["scenario", "all"])]
    folder: PathBuf,

    /// A page about the random scenarios
    #[arg(long, value_name = "FILE", requires = "random")]
    page: Option<PathBuf>,

    /// Segments, calls and times, too, where they are left to each TCP
    #[arg(long, conflicts_with = "all")]
    everything: bool,

    /// Keep what the kernel did in this file, for --against
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "random"])]
    record: Option<PathBuf>,

    /// Hold the simulation against what --record kept, not against this machine's kernel
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "random", "record"])]
    against: Option<PathBuf>,

    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "docs/fidelity.md", conflicts_with_all = ["scenario", "random"])]
    output: PathBuf,

    /// How far a time may be off, in per cent, besides a granule of the kernel's timer wheel and what this machine is late
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    tolerance: f64,

    #[command(flatten)]
    changes: Changes,
}

impl Compare {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        if !(0.0..=1_000.0).contains(&self.tolerance) {
            return complain(err, &"--tolerance: expected per cent from 0 to 1000");
        }
        if let Err(refusal) = self.changes.refuse_others_tcp("compare") {
            return complain(err, &refusal);
        }
        let tolerance = Tolerance { share: self.tolerance / 100.0, ..Tolerance::MEASURED };
        match (&self.scenario, self.random) {
            (Some(name), _) => self.one(name, tolerance, out, err),
            (None, Some(scenarios)) => self.random(scenarios, tolerance, out, err),
            (None, None) => self.all(tolerance, out, err),
        }
    }

    fn one(
        &self,
        name: &str,
        tolerance: Tolerance,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<Exit> {
        let scenario = match self.changes.load(name) {
            Ok(scenario) => scenario,
            Err(refusal) => return complain(err, &refusal),
        };
        let scope = if self.everything { Scope::Everything } else { Scope::of(name) };
        let compared = match &self.against {
            Some(file) => against(file, &scenario, scope, tolerance),
            None => {
                announce(&scenario, err)?;
                self.with_kernel(&scenario, scope, tolerance)
            }
        };
        match compared {
            Ok((report, kernel)) => {
                report.write(out, &kernel)?;
                if let Some((what, why)) = scope.less() {
                    writeln!(out, "compared: {what}, in order; {why} (--everything compares all of it)")?;
                }
                Ok(if report.agrees() { Exit::AsExpected } else { Exit::Different })
            }
            Err(what) => complain(err, &what),
        }
    }

    /// Against this machine's kernel, whose name comes with the report.
    fn with_kernel(
        &self,
        scenario: &Scenario,
        scope: Scope,
        tolerance: Tolerance,
    ) -> Result<(Report, String), String> {
        let runs = side_by_side(scenario, scope, RealStage::of(scenario), tolerance)
            .map_err(|error| error.to_string())?;
        if let Some(file) = &self.record {
            let recording = Recording::new(kernel(), &runs.real);
            to_file(file, |out| recording.write(out))
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok((runs.report, kernel()))
    }

    fn random(
        &self,
        scenarios: u32,
        tolerance: Tolerance,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<Exit> {
        if !self.changes.set.is_empty() || self.changes.until.is_some() {
            return complain(err, &"--random: scenarios are as they are drawn, without --set and --until");
        }
        let seed = self.changes.seed.unwrap_or(1);
        let random = Random { scenarios, seed, folder: self.folder.clone() };
        let bar = match random.known() {
            Ok(known) => progress(scenarios, known),
            Err(error) => return complain(err, &error),
        };
        let mut done = 0;
        let mut tell = |record: &Record| {
            done += 1;
            bar.inc(1);
            let how = match record.verdict {
                Verdict::Agrees => "agrees",
                Verdict::AgreesRepeated => "agrees when run again",
                Verdict::PartsOnWire => "parts on the wire",
                Verdict::Parts => "parts",
                Verdict::NotRun => "not run",
            };
            let first = record.first.as_ref().map_or(String::new(), |first| format!(": {first}"));
            let line = format!("{done:4} scenario {seed}-{}: {how}{first}", record.nth);
            if bar.is_hidden() {
                // Its output may go unread.
                _ = writeln!(err, "{line}");
            } else if !matches!(record.verdict, Verdict::Agrees) {
                bar.println(line);
            }
        };
        let summary = match random.run(tolerance, &mut tell) {
            Ok(summary) => summary,
            Err(error) => return complain(err, &error),
        };
        bar.finish_and_clear();
        summary.write(out, &kernel(), |nth| random.file(nth))?;
        if let Some(file) = &self.page {
            let written = to_file(file, |out| summary.page(out, &random, (&kernel(), &machine())));
            if let Err(error) = written {
                return complain(err, &format!("{}: {error}", file.display()));
            }
        }
        let all_agree = summary.count(&[Verdict::Parts, Verdict::PartsOnWire, Verdict::NotRun]) == 0;
        Ok(if all_agree { Exit::AsExpected } else { Exit::Different })
    }

    fn all(&self, tolerance: Tolerance, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        let file = self.output.display();
        // Sooner than after all the runs.
        let folder = self.output.parent().filter(|folder| *folder != Path::new(""));
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return complain(
                err,
                &format!("{file}: there is no folder {folder} here; --output FILE names another"),
            );
        }
        let mut plans = Vec::new();
        for built_in in BUILT_IN {
            let plan = match self.changes.load(built_in.name) {
                Ok(scenario) if !scenario.can_be_real() => continue,
                Ok(scenario) => Plan::new(built_in.name, &scenario),
                Err(refusal) => return complain(err, &format!("{}: {refusal}", built_in.name)),
            };
            match plan {
                Ok(plan) => plans.push(plan),
                Err(error) => return complain(err, &error),
            }
        }
        let mut progress = Progress { count: plans.len(), done: 0, err: &mut *err };
        let entries = match survey(plans, tolerance, &mut |entry| progress.tell(entry)) {
            Ok(entries) => entries,
            Err(error) => return complain(err, &error),
        };
        if let Some(Err(why)) = entries.iter().map(|entry| &entry.found).find(|found| found.is_err()) {
            return complain(err, &format!("{why}; {file} is not written"));
        }
        let written = to_file(&self.output, |out| page(out, &entries, tolerance, (&kernel(), &machine())));
        if let Err(error) = written {
            return complain(err, &format!("{file}: {error}"));
        }
        let agree = entries.iter().filter(|entry| entry.agrees()).count();
        writeln!(out, "simulation and {} agree in {agree} of {} scenarios: {file}", kernel(), entries.len())?;
        Ok(if agree == entries.len() { Exit::AsExpected } else { Exit::Different })
    }
}

/// What is done, line by line.
struct Progress<'a> {
    count: usize,
    done: usize,
    err: &'a mut dyn Write,
}

impl Progress<'_> {
    fn tell(&mut self, entry: &Entry) {
        self.done += 1;
        let how = match &entry.found {
            Ok(finding) if finding.report.agrees() => format!("agrees in {} events", finding.report.pairs()),
            Ok(finding) => format!("parts in {} events", finding.report.partings().count()),
            Err(why) => format!("not played: {why}"),
        };
        // Its output may go unread.
        _ = writeln!(self.err, "{:2}/{} {}: {how}", self.done, self.count, entry.plan.name);
    }
}

/// Against a recording, whose kernel's name comes with the report.
fn against(
    file: &Path,
    scenario: &Scenario,
    scope: Scope,
    tolerance: Tolerance,
) -> Result<(Report, String), String> {
    let of_file = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| of_file(&error))?;
    let recording = Recording::read(&text).map_err(|error| of_file(&format!("no recording: {error}")))?;
    let report = recording.compare(scenario, scope, tolerance).map_err(|error| error.to_string())?;
    Ok((report, recording.kernel))
}

/// How far a survey is; on a terminal alone. It has no thread of its own, for programs are forked meanwhile.
fn progress(scenarios: u32, known: u32) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{wide_bar} {pos} of {len} scenarios, {eta} left").expect("a template");
    ProgressBar::new(scenarios.into()).with_style(style).with_position(known.into())
}
