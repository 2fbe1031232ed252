//! What came out of a comparison, and how it is shown.

use std::io::{self, Write};
use std::time::Duration;

use super::Tolerance;
use crate::time::SimTime;

/// The times of one event in both runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// How long after its cause it was in the simulation.
    pub sim: Duration,
    /// The same on the kernel.
    pub real: Duration,
    /// How far off it may be.
    pub allowed: Duration,
}

impl Timing {
    /// How far off it is, one way or the other.
    pub fn off(&self) -> Duration {
        self.real.abs_diff(self.sim)
    }

    /// Whether that is more than it may be.
    pub fn is_off(&self) -> bool {
        self.off() > self.allowed
    }

    /// How much later on the kernel, in seconds.
    pub fn later(&self) -> f64 {
        self.real.as_secs_f64() - self.sim.as_secs_f64()
    }
}

/// One event, in one run or in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// In both.
    Both {
        /// The host of the event.
        host: String,
        /// The event in words.
        what: String,
        /// When in the simulation.
        sim: SimTime,
        /// When on the kernel.
        real: SimTime,
        /// How well the times agree.
        timing: Timing,
        /// The windows that its segment offers in the simulation and on the kernel, in octets, if they are not the same.
        windows: Option<(u64, u64)>,
    },
    /// In the simulation only.
    OnlySim {
        /// The host of the event.
        host: String,
        /// The event in words.
        what: String,
        /// When it was.
        sim: SimTime,
    },
    /// On the kernel only.
    OnlyReal {
        /// The host of the event.
        host: String,
        /// The event in words.
        what: String,
        /// When it was.
        real: SimTime,
    },
}

impl Row {
    /// When it was in the simulation.
    pub const fn sim(&self) -> Option<SimTime> {
        match self {
            Row::Both { sim, .. } | Row::OnlySim { sim, .. } => Some(*sim),
            Row::OnlyReal { .. } => None,
        }
    }

    /// When it was on the kernel.
    pub const fn real(&self) -> Option<SimTime> {
        match self {
            Row::Both { real, .. } | Row::OnlyReal { real, .. } => Some(*real),
            Row::OnlySim { .. } => None,
        }
    }

    /// Whether the two runs part here.
    pub fn parts(&self) -> bool {
        self.timing().is_none_or(Timing::is_off) || self.windows().is_some()
    }

    /// How well the times agree, of an event that is in both.
    pub const fn timing(&self) -> Option<&Timing> {
        match self {
            Row::Both { timing, .. } => Some(timing),
            Row::OnlySim { .. } | Row::OnlyReal { .. } => None,
        }
    }

    /// The windows that its segment offers in the simulation and on the kernel, in octets, if they are not the same.
    pub const fn windows(&self) -> Option<(u64, u64)> {
        match self {
            Row::Both { windows, .. } => *windows,
            Row::OnlySim { .. } | Row::OnlyReal { .. } => None,
        }
    }

    /// Where it was, and what.
    pub fn host_and_what(&self) -> (&str, &str) {
        match self {
            Row::Both { host, what, .. }
            | Row::OnlySim { host, what, .. }
            | Row::OnlyReal { host, what, .. } => (host, what),
        }
    }
}

/// How late the kernel's timers were, all together: by more or less than those of the simulation.
///
/// A timer is late by anything up to a granule of the timer wheel, in both runs. So one of them says little, but the
/// mean of many has to be the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// How much later the kernel's were in the mean, in granules.
    pub mean: f64,
    /// How many there were.
    pub timers: usize,
}

impl Drift {
    /// Three standard deviations of one difference: of two numbers that may be anything from 0 to 1.
    const CHANCE: f64 = 3.0 * 0.408;
    /// What is a kernel's own work, which every one of many timers is late by.
    const WORK: f64 = 0.25;

    /// Whether that is more than chance.
    pub fn is_off(&self) -> bool {
        let chance = Drift::CHANCE / (self.timers as f64).sqrt();
        self.timers >= 4 && self.mean.abs() > chance.max(Drift::WORK)
    }
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Every event that was compared, by time.
    pub rows: Vec<Row>,
    /// What was allowed.
    pub tolerance: Tolerance,
    /// How late the timers were.
    pub drift: Drift,
    /// The simulated run has segments, and the real one could not show any.
    pub wire_unwatched: bool,
}

impl Report {
    /// Whether the runs agree in order, results and counts, and in time within the tolerance.
    pub fn agrees(&self) -> bool {
        !self.rows.iter().any(Row::parts) && !self.drift.is_off()
    }

    /// Where they part.
    pub fn partings(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.parts())
    }

    /// From now on times may differ as they like.
    pub(super) fn forgive_times(&mut self) {
        for row in &mut self.rows {
            if let Row::Both { timing, .. } = row {
                timing.allowed = Duration::MAX;
            }
        }
        self.drift = Drift { mean: 0.0, timers: 0 };
    }

    /// How many events both runs have.
    pub fn pairs(&self) -> usize {
        self.rows.iter().filter(|row| row.timing().is_some()).count()
    }

    /// Whether both runs have the same events in the same order, whatever their times.
    pub fn agrees_in_order(&self) -> bool {
        self.pairs() == self.rows.len()
    }

    /// The first event that parts the runs, and how; or that their timers do.
    pub fn first_parting(&self) -> Option<String> {
        let Some(first) = self.partings().next() else {
            let Drift { mean, timers } = self.drift;
            return self.drift.is_off().then(|| format!("{timers} timers are {mean:+.2} granules later"));
        };
        let (host, what) = first.host_and_what();
        Some(format!("{host}: {what} ({})", how(first, "Linux")))
    }

    /// The event whose times are furthest apart.
    pub fn worst(&self) -> Option<(&Row, &Timing)> {
        let timed = self.rows.iter().filter_map(|row| Some((row, row.timing()?)));
        timed.max_by_key(|(_, timing)| timing.off())
    }

    /// Writes both runs side by side, a line an event, and the verdict. `kernel` is what the real one is called.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write, kernel: &str) -> io::Result<()> {
        let wide = kernel.chars().count().max(12);
        writeln!(out, "{:>12} {kernel:>wide$} {:>11}   {:8}  event", "simulation", "difference", "host")?;
        for row in &self.rows {
            let time = |t: Option<SimTime>| t.map_or("-".to_owned(), |t| t.to_string());
            let (host, what) = row.host_and_what();
            let mark = if row.parts() { '!' } else { ' ' };
            let difference = difference(row);
            writeln!(
                out,
                "{:>12} {:>wide$} {difference:>11} {mark} {host:8}  {what}",
                time(row.sim()),
                time(row.real())
            )?;
        }
        self.verdict(out, kernel)
    }

    fn verdict(&self, out: &mut dyn Write, kernel: &str) -> io::Result<()> {
        let pairs = self.pairs();
        let Some(first) = self.partings().next() else {
            if self.drift.is_off() {
                let Drift { mean, timers } = self.drift;
                let than = if mean > 0.0 { "later" } else { "earlier" };
                return writeln!(
                    out,
                    "simulation and {kernel} have the same {pairs} events, but its {timers} timers fire {:.2} granules of \
                     the timer wheel {than}, in the mean",
                    mean.abs()
                );
            }
            let wire = if self.wire_unwatched { "; segments were not watched" } else { "" };
            return writeln!(out, "simulation and {kernel} agree in all {pairs} events{wire}");
        };
        let (host, what) = first.host_and_what();
        let how = how(first, kernel);
        let times = self.partings().count();
        writeln!(out, "simulation and {kernel} part {times} times in {} events, first at", self.rows.len())?;
        writeln!(out, "    {host}: {what} ({how})")
    }
}

/// How an event parts the runs.
fn how(row: &Row, kernel: &str) -> String {
    match row {
        Row::Both { windows: Some((sim, real)), .. } => format!("window {sim}, and {real} on {kernel}"),
        Row::Both { timing, .. } => {
            format!("off by {:+.6} s, allowed {:.3} s", timing.later(), timing.allowed.as_secs_f64())
        }
        Row::OnlySim { .. } => format!("not on {kernel}"),
        Row::OnlyReal { .. } => "not in the simulation".to_owned(),
    }
}

/// How much later on the kernel, in seconds.
fn difference(row: &Row) -> String {
    let Row::Both { sim, real, .. } = row else { return String::new() };
    let sign = if real >= sim { '+' } else { '-' };
    let (later, earlier) = if real >= sim { (*real, *sim) } else { (*sim, *real) };
    format!("{sign}{:.6}", (later - earlier).as_secs_f64())
}
