//! What goes wrong in a scenario, and when.

use std::fmt;
use std::time::Duration;

use super::trigger::Trigger;
use crate::packet::Unreachable;
use crate::timeline::{FaultKind, Victim, Way};

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
    pub kind: FaultKind,
    /// Whether it may come to nothing: meet no packet, call or process.
    pub may_miss: bool,
}

/// What a scenario's file says of a fault besides its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Details {
    pub(super) way: Way,
    pub(super) code: Unreachable,
    pub(super) process: Victim,
    pub(super) signal: &'static str,
}

/// A kind of fault as a file writes it: its name, which of the keys `way`, `code`, `process` and `signal` it has, and
/// what it is.
pub(super) type Written = (&'static str, &'static [&'static str], fn(Details) -> FaultKind);

/// Every fault that a file can write.
pub(super) const WRITTEN: &[Written] = &[
    ("crash", &[], |_| FaultKind::Crash),
    ("boot", &[], |_| FaultKind::Boot),
    ("shutdown", &[], |_| FaultKind::Shutdown),
    ("kill", &["process", "signal"], |it| FaultKind::Kill { process: it.process, signal: it.signal }),
    ("partition", &["way"], |it| FaultKind::Partition(it.way)),
    ("repair", &["way"], |it| FaultKind::Repair(it.way)),
    ("hold", &["way"], |it| FaultKind::Hold(it.way)),
    ("release", &["way"], |it| FaultKind::Release(it.way)),
    ("unreachable", &["code"], |it| FaultKind::Unreachable(it.code)),
    ("reachable", &[], |_| FaultKind::Reachable),
];

/// The signals that a fault can send, and that can kill a process.
pub const SIGNALS: [&str; 9] =
    ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM"];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_it_is_called() {
        let details =
            Details { way: Way::Both, code: Unreachable::Host, process: Victim::Child, signal: "SIGTERM" };
        for (name, _, kind) in WRITTEN {
            assert_eq!(kind(details).name(), *name);
        }
    }
}
