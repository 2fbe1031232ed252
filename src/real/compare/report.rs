//! What came out of a comparison, and how it is shown.

use std::io::{self, Write};
use std::time::Duration;

use super::Tolerance;
use crate::time::SimTime;

/// One event, in one run or in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// In both.
    Both {
        /// Where.
        host: String,
        /// What.
        what: String,
        /// When in the simulation.
        sim: SimTime,
        /// When on the kernel.
        real: SimTime,
        /// How far off it might have been, if it was off by more.
        allowed: Option<Duration>,
    },
    /// In the simulation only.
    OnlySim {
        /// Where.
        host: String,
        /// What.
        what: String,
        /// When.
        sim: SimTime,
    },
    /// On the kernel only.
    OnlyReal {
        /// Where.
        host: String,
        /// What.
        what: String,
        /// When.
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
    pub const fn parts(&self) -> bool {
        !matches!(self, Row::Both { allowed: None, .. })
    }

    fn host_and_what(&self) -> (&str, &str) {
        match self {
            Row::Both { host, what, .. }
            | Row::OnlySim { host, what, .. }
            | Row::OnlyReal { host, what, .. } => (host, what),
        }
    }
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Every event that was compared, by time.
    pub rows: Vec<Row>,
    /// What was allowed.
    pub tolerance: Tolerance,
}

impl Report {
    /// Whether the runs agree in order, results and counts, and in time within the tolerance.
    pub fn agrees(&self) -> bool {
        !self.rows.iter().any(Row::parts)
    }

    /// Where they part.
    pub fn partings(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.parts())
    }

    /// How many events both runs have.
    pub fn pairs(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Both { .. })).count()
    }

    /// Writes both runs side by side, a line an event, and the verdict. `kernel` is what the real one is called.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write, kernel: &str) -> io::Result<()> {
        writeln!(out, "{:>12} {:>12} {:>11}   {:8}  event", "simulation", kernel, "difference", "host")?;
        for row in &self.rows {
            let time = |t: Option<SimTime>| t.map_or("-".to_owned(), |t| t.to_string());
            let (host, what) = row.host_and_what();
            let mark = if row.parts() { '!' } else { ' ' };
            let difference = difference(row);
            writeln!(
                out,
                "{:>12} {:>12} {difference:>11} {mark} {host:8}  {what}",
                time(row.sim()),
                time(row.real())
            )?;
        }
        self.verdict(out, kernel)
    }

    fn verdict(&self, out: &mut dyn Write, kernel: &str) -> io::Result<()> {
        let pairs = self.pairs();
        let Some(first) = self.partings().next() else {
            return writeln!(out, "simulation and {kernel} agree in all {pairs} events");
        };
        let (host, what) = first.host_and_what();
        let how = match first {
            Row::Both { allowed, .. } => {
                let allowed = allowed.unwrap_or_default();
                format!("off by {}, allowed {:.3} s", difference(first).trim(), allowed.as_secs_f64())
            }
            Row::OnlySim { .. } => format!("not on {kernel}"),
            Row::OnlyReal { .. } => "not in the simulation".to_owned(),
        };
        let times = self.partings().count();
        writeln!(out, "simulation and {kernel} part {times} times in {} events, first at", self.rows.len())?;
        writeln!(out, "    {host}: {what} ({how})")
    }
}

/// How much later on the kernel, in seconds.
fn difference(row: &Row) -> String {
    let Row::Both { sim, real, .. } = row else { return String::new() };
    let sign = if real >= sim { '+' } else { '-' };
    let (later, earlier) = if real >= sim { (*real, *sim) } else { (*sim, *real) };
    format!("{sign}{:.6}", (later - earlier).as_secs_f64())
}
