//! What goes wrong in a scenario, and when.

use std::fmt;
use std::time::Duration;

use super::trigger::Trigger;
use crate::packet::Unreachable;
use crate::timeline::{FaultKind, ResetAim, ResetEnds, Victim, Way};

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
    pub(super) to: ResetEnds,
    pub(super) aim: ResetAim,
}

impl Default for Details {
    fn default() -> Details {
        // SIGTERM is kill(1)'s.
        Details {
            way: Way::Both,
            code: Unreachable::Host,
            process: Victim::Parent,
            signal: "SIGTERM",
            to: ResetEnds::Both,
            aim: ResetAim::Exact,
        }
    }
}

/// Every fault that a file can write, with these details.
pub(super) fn written(it: Details) -> [FaultKind; 16] {
    [
        FaultKind::Crash,
        FaultKind::Boot,
        FaultKind::Shutdown,
        FaultKind::Kill { process: it.process, signal: it.signal },
        FaultKind::Partition(it.way),
        FaultKind::Repair(it.way),
        FaultKind::Hold(it.way),
        FaultKind::Release(it.way),
        FaultKind::Unreachable(it.code),
        FaultKind::Reachable,
        FaultKind::LinkDown,
        FaultKind::LinkUp,
        FaultKind::Pause,
        FaultKind::Resume,
        FaultKind::Forget,
        FaultKind::Reset { ends: it.to, aim: it.aim },
    ]
}

/// The keys of a fault in a file, besides those that all have.
pub(super) const fn keys(fault: FaultKind) -> &'static [&'static str] {
    match fault {
        FaultKind::Kill { .. } => &["process", "signal"],
        FaultKind::Partition(_) | FaultKind::Repair(_) | FaultKind::Hold(_) | FaultKind::Release(_) => {
            &["way"]
        }
        FaultKind::Unreachable(_) => &["code"],
        FaultKind::Reset { .. } => &["to", "aim"],
        FaultKind::Crash
        | FaultKind::Boot
        | FaultKind::Shutdown
        | FaultKind::Reachable
        | FaultKind::LinkDown
        | FaultKind::LinkUp
        | FaultKind::Pause
        | FaultKind::Resume
        | FaultKind::Forget => &[],
    }
}

/// The signals that a fault can send: those that can kill a process, and those that stop it and let it go on.
pub const SIGNALS: [&str; 11] = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTOP", "SIGCONT",
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.host)
    }
}
