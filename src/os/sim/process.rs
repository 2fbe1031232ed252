//! The process table's entries.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SimOs;
use super::signal_state::SignalState;
use super::wait_queue::{Blocked, Ticket};
use super::wchan::Wchan;
use crate::os::line_buffer::LineBuffer;
use crate::os::{Pid, WaitStatus};
use crate::timeline::interned_option;

/// A process, from fork until its parent has waited for it.
pub(super) struct Process {
    pub(super) name: Arc<str>,
    pub(super) parent: Pid,
    /// Children that live, and those that wait to be waited for.
    pub(super) children: BTreeSet<Pid>,
    pub(super) zombies: BTreeSet<Pid>,
    pub(super) state: State,
    /// SIGSTOP came: it has no turn until SIGCONT does.
    pub(super) is_stopped: bool,
    /// Its turn came meanwhile.
    pub(super) is_due: bool,
    /// What it slept on when its turn came.
    pub(super) slept_on: Option<(Wchan, Option<&'static str>)>,
    /// Open files by descriptor: keys into the open-file table.
    pub(super) descriptors: Vec<Option<usize>>,
    pub(super) signals: SignalState<SimOs>,
    /// The terminal it was started from.
    pub(super) terminal: u32,
    pub(super) stdout: LineBuffer,
    pub(super) stderr: LineBuffer,
}

/// What a process is doing.
#[derive(Debug)]
pub(super) enum State {
    /// It waits for its turn.
    Ready,
    /// It has its turn.
    Running,
    /// It waits for something to happen.
    Sleeping { ticket: Ticket, blocked: Blocked, within: Option<&'static str> },
    /// It has ended.
    Zombie(WaitStatus),
}

impl Process {
    pub(super) fn is_alive(&self) -> bool {
        !matches!(self.state, State::Zombie(_))
    }
}

/// A line of `ps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Process id.
    pub pid: Pid,
    /// Its parent's.
    pub ppid: Pid,
    /// Its program's name.
    pub name: Arc<str>,
    /// What it is doing.
    pub state: ProcessState,
    /// What it sleeps on, if it sleeps.
    pub sleeping_on: Option<Wchan>,
    /// The function that a real kernel says it sleeps in (`/proc/PID/wchan`); `None` of a simulated one.
    pub kernel: Option<String>,
    /// The library function it sleeps in: `readline`, `fgets`.
    #[serde(deserialize_with = "interned_option")]
    pub within: Option<Name>,
}

/// A name that lives for ever; under this one, or serde would want to borrow it.
type Name = &'static str;

/// `STAT` of `ps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProcessState {
    /// Running, or about to.
    Running,
    /// Asleep until something happens.
    Sleeping,
    /// Stopped by a signal.
    Stopped,
    /// Ended, and its parent has not waited for it.
    Zombie,
}

impl ProcessState {
    /// The letter `ps` prints.
    pub const fn letter(self) -> char {
        match self {
            ProcessState::Running => 'R',
            ProcessState::Sleeping => 'S',
            ProcessState::Stopped => 'T',
            ProcessState::Zombie => 'Z',
        }
    }
}

impl ProcessInfo {
    pub(super) fn of(pid: Pid, process: &Process) -> ProcessInfo {
        let (state, sleeping_on, within) = match &process.state {
            State::Ready | State::Running => (ProcessState::Running, None, None),
            State::Sleeping { blocked, within, .. } => (ProcessState::Sleeping, Some(blocked.wchan), *within),
            State::Zombie(_) => (ProcessState::Zombie, None, None),
        };
        let (state, sleeping_on, within) = match (process.is_stopped, process.slept_on) {
            (false, _) => (state, sleeping_on, within),
            (true, Some((wchan, within))) => (ProcessState::Stopped, Some(wchan), within),
            (true, None) => (ProcessState::Stopped, sleeping_on, within),
        };
        ProcessInfo {
            pid,
            ppid: process.parent,
            name: process.name.clone(),
            state,
            sleeping_on,
            kernel: None,
            within,
        }
    }
}
