//! A real run, kept in a file: a simulation can be held against it where there is no such kernel.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::side_by_side::as_real;
use super::{CompareError, Report, Scope, Tolerance};
use crate::packet::Flags;
use crate::scenario::{Outcome, Scenario, Stall};
use crate::stage::RealStage;
use crate::timeline::{Event, Kind};

/// What a kernel did in one run of a scenario.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The kernel.
    pub kernel: String,
    /// When this machine was late itself.
    stalls: Vec<Stall>,
    events: Vec<Event>,
}

/// The first line of the file; an event a line follows.
#[derive(Serialize, Deserialize)]
struct Head {
    kernel: String,
    stalls: Vec<Stall>,
}

impl Recording {
    /// Of a run that is over. Of packets only those of SYNs are kept, which say how windows are scaled.
    pub fn new(kernel: String, run: &Outcome) -> Recording {
        let is_syn = |event: &Event| match &event.kind {
            Kind::Segment(segment) => segment.flags.has(Flags::SYN),
            _ => false,
        };
        let kept =
            |event: &Event| Event { packet: event.packet.clone().filter(|_| is_syn(event)), ..event.clone() };
        Recording { kernel, stalls: run.stalls.clone(), events: run.events.iter().map(kept).collect() }
    }

    /// Writes it, a line of JSON for each event.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let head = Head { kernel: self.kernel.clone(), stalls: self.stalls.clone() };
        serde_json::to_writer(&mut *out, &head)?;
        for event in &self.events {
            out.write_all(b"\n")?;
            serde_json::to_writer(&mut *out, event)?;
        }
        out.write_all(b"\n")
    }

    /// Reads one that was [written](Recording::write).
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and in which line.
    pub fn read(text: &str) -> serde_json::Result<Recording> {
        let mut lines = text.lines();
        let Head { kernel, stalls } = serde_json::from_str(lines.next().unwrap_or_default())?;
        let events = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(Recording { kernel, stalls, events })
    }

    /// Runs the scenario in the simulation, as Linux, and holds that against the recording.
    ///
    /// # Errors
    ///
    /// A run that could not be finished.
    pub fn compare(
        &self,
        scenario: &Scenario,
        scope: Scope,
        tolerance: Tolerance,
    ) -> Result<Report, CompareError> {
        let sim = as_real(scenario, RealStage::of(scenario)).run()?;
        Ok(scope.compare(&sim.events, &self.events, &self.stalls, tolerance))
    }
}
