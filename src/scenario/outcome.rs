//! What a run leaves behind.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::os::sim::ProcessInfo;
use crate::sim::WorldError;
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::Event;
pub use crate::timeline::Waiting;

/// Why a simulated run could not be finished.
#[derive(Debug, Error)]
#[error("{scenario}: {source}")]
pub struct RunError {
    pub(crate) scenario: String,
    pub(crate) source: WorldError,
}

/// Everything a finished run is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The whole timeline.
    pub events: Vec<Event>,
    /// When the run ended.
    pub end: SimTime,
    /// Whether it was stopped at [`Scenario::until`](super::Scenario::until) with something still to come.
    pub cut: bool,
    /// Processes alive at the end, by host and then by pid.
    pub waiting: Vec<Waiting>,
    /// Faults that met no packet, call or process, by index into
    /// [`Scenario::faults`](super::Scenario::faults).
    pub missed: Vec<usize>,
    /// How many packets each of [`Scenario::rules`](super::Scenario::rules) has taken.
    #[serde(default)]
    pub taken: Vec<u64>,
    /// The sockets, if [`Scenario::netstat`](super::Scenario::netstat) asked for them.
    pub netstat: Option<Netstat>,
    /// The processes, if [`Scenario::ps`](super::Scenario::ps) asked for them.
    pub ps: Option<Ps>,
    /// When the machine was late itself, by time: of a real run.
    pub stalls: Vec<Stall>,
}

/// A processor of this machine that woke late: whatever it was to do then was late by as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stall {
    /// When it was to wake.
    pub t: SimTime,
    /// How much later it did.
    pub late: Duration,
}

/// Every host's sockets at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Netstat {
    /// The moment of the look.
    pub t: SimTime,
    /// Hosts in the scenario's order; `None` for one that is down.
    pub hosts: Vec<(Arc<str>, Option<Vec<SocketInfo>>)>,
}

/// Every host's processes at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ps {
    /// The moment of the look.
    pub t: SimTime,
    /// Hosts in the scenario's order; `None` for one that is down.
    pub hosts: Vec<(Arc<str>, Option<Vec<ProcessInfo>>)>,
}
