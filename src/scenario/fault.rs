//! What goes wrong in a scenario, and when.

use std::fmt;
use std::time::Duration;

use super::trigger::Trigger;
use crate::timeline::FaultKind;

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

/// The signals that a fault can send, and that can kill a process.
pub const SIGNALS: [&str; 9] =
    ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM"];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.host)
    }
}
