//! What goes wrong in a scenario, and when.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::trigger::Trigger;
use crate::packet::Unreachable;
use crate::router::Way;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which line of the file describes it; 0 if none does.
    pub line: usize,
    /// When it strikes.
    pub trigger: Trigger,
    /// How long after the trigger.
    pub delay: Duration,
    /// The host it strikes, or whose link.
    pub host: String,
    /// What happens.
    pub action: Action,
    /// Whether it may come to nothing: meet no packet, call or process.
    pub may_miss: bool,
}

/// What a fault does to its host or its host's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The host stops at once, saying nothing (UNP 5.14).
    Crash,
    /// The host starts anew, remembering nothing (UNP 5.15).
    Boot,
    /// The host ends its processes, closes what they had open, and stops (UNP 5.16).
    Shutdown,
    /// A process is sent a signal (UNP 5.12).
    Kill {
        /// Which process.
        process: Victim,
        /// `SIGKILL`, `SIGTERM` …
        signal: &'static str,
    },
    /// The link loses every packet.
    Partition(Way),
    /// The link is whole again.
    Repair(Way),
    /// The link keeps every packet.
    Hold(Way),
    /// The link delivers what it kept, and the rest as usual.
    Release(Way),
    /// The router answers packets to the host with an ICMP error.
    Unreachable(Unreachable),
    /// The router forwards packets to the host again.
    Reachable,
}

/// Which process of a host is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Victim {
    /// The youngest that was forked and still lives.
    Child,
    /// The one the scenario started.
    #[default]
    Parent,
}

/// The signals that a fault can send, and that can kill a process.
pub const SIGNALS: [&str; 9] =
    ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM"];

impl Action {
    /// The word for it in a scenario: `crash`, `partition` …
    pub const fn name(self) -> &'static str {
        match self {
            Action::Crash => "crash",
            Action::Boot => "boot",
            Action::Shutdown => "shutdown",
            Action::Kill { .. } => "kill",
            Action::Partition(_) => "partition",
            Action::Repair(_) => "repair",
            Action::Hold(_) => "hold",
            Action::Release(_) => "release",
            Action::Unreachable(_) => "unreachable",
            Action::Reachable => "reachable",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.name(), self.host)
    }
}
