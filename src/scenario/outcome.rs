//! What a run leaves behind.

use std::sync::Arc;

use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::Event;

/// Everything a finished run is judged by.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The sockets, if [`Scenario::netstat`](super::Scenario::netstat) asked for them.
    pub netstat: Option<Netstat>,
}

/// A process that is still alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// On which host.
    pub host: Arc<str>,
    /// Its process id.
    pub pid: u32,
    /// Its program's name.
    pub process: Arc<str>,
    /// The system call it sleeps in.
    pub call: &'static str,
    /// The book's function that made the call: `fgets`, `readline`, `str_echo`.
    pub within: Option<&'static str>,
}

impl Waiting {
    /// What it sleeps in, as its program knows it.
    pub fn on(&self) -> &'static str {
        self.within.unwrap_or(self.call)
    }
}

/// Every host's sockets at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Netstat {
    /// When.
    pub t: SimTime,
    /// Hosts in the scenario's order; `None` for one that is down.
    pub hosts: Vec<(Arc<str>, Option<Vec<SocketInfo>>)>,
}
