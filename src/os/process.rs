//! Process ids and exit statuses.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Signal;

/// A process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pid(u32);

impl Pid {
    /// The ancestor of all, who adopts orphans and waits for them.
    pub const INIT: Pid = Pid(1);

    /// The id of this number.
    pub const fn from_raw(raw: u32) -> Pid {
        Pid(raw)
    }

    /// Its number.
    pub const fn as_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// For whom `waitpid` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Any child: −1 in C.
    Any,
    /// This one.
    Pid(Pid),
}

/// How a process ended, as `wait` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStatus {
    /// It called `exit` with this status, 0 to 255.
    Exited(u8),
    /// This signal killed it.
    Signaled(Signal),
}

impl WaitStatus {
    /// WIFEXITED and WEXITSTATUS: what it gave to `exit`, if it did.
    pub const fn exit_status(self) -> Option<u8> {
        match self {
            WaitStatus::Exited(status) => Some(status),
            WaitStatus::Signaled(_) => None,
        }
    }

    /// WIFSIGNALED and WTERMSIG: the signal that killed it, if one did.
    pub const fn term_signal(self) -> Option<Signal> {
        match self {
            WaitStatus::Exited(_) => None,
            WaitStatus::Signaled(signal) => Some(signal),
        }
    }
}
