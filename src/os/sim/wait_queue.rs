//! Who sleeps on what.

use std::collections::{BTreeMap, BTreeSet};

use super::wchan::Wchan;
use crate::errno::Errno;
use crate::os::Pid;
use crate::stack::SocketId;
use crate::time::SimTime;

/// Something that can happen and that a process can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    /// Anything about this socket changed.
    Socket(SocketId),
    /// Something was typed at this terminal.
    Terminal(u32),
    /// This pipe was written to, read from, or lost an end.
    Pipe(usize),
    /// A child of this process ended.
    Child(Pid),
}

/// Why a call cannot be answered yet: what to sleep on, and until when at the latest.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    pub(super) on: Vec<Channel>,
    pub(super) until: Option<SimTime>,
    pub(super) wchan: Wchan,
}

impl Blocked {
    pub(super) fn on(channel: Channel, wchan: Wchan) -> Blocked {
        Blocked { on: vec![channel], until: None, wchan }
    }
}

/// Why an attempt at a call gave no result.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    Failed(Errno),
    Blocked(Blocked),
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Failed(errno)
    }
}

impl From<Blocked> for Stop {
    fn from(blocked: Blocked) -> Stop {
        Stop::Blocked(blocked)
    }
}

/// The place of one sleep in all queues it stands in; later sleeps have greater ones.
pub(super) type Ticket = u64;

/// Every sleeper, by what it sleeps on and in the order in which they lay down. Nothing here is ever searched
/// from end to end: a packet costs the same with one sleeper as with ten thousand.
#[derive(Debug, Default)]
pub(super) struct WaitQueues {
    channels: BTreeMap<(Channel, Ticket), Pid>,
    alarms: BTreeSet<(SimTime, Ticket, Pid)>,
    tickets: Ticket,
}

impl WaitQueues {
    pub(super) fn insert(&mut self, pid: Pid, blocked: &Blocked) -> Ticket {
        self.tickets += 1;
        let ticket = self.tickets;
        self.channels.extend(blocked.on.iter().map(|channel| ((*channel, ticket), pid)));
        self.alarms.extend(blocked.until.map(|t| (t, ticket, pid)));
        ticket
    }

    pub(super) fn remove(&mut self, pid: Pid, ticket: Ticket, blocked: &Blocked) {
        for channel in &blocked.on {
            self.channels.remove(&(*channel, ticket));
        }
        if let Some(t) = blocked.until {
            self.alarms.remove(&(t, ticket, pid));
        }
    }

    /// Who sleeps on `channel`, the longest sleeper first.
    pub(super) fn sleepers(&self, channel: Channel) -> Vec<Pid> {
        self.channels.range((channel, 0)..=(channel, Ticket::MAX)).map(|(_, pid)| *pid).collect()
    }

    /// When the first sleeper's time is up.
    pub(super) fn next_alarm(&self) -> Option<SimTime> {
        self.alarms.first().map(|(t, ..)| *t)
    }

    /// The first sleeper whose time is up.
    pub(super) fn due(&self, now: SimTime) -> Option<Pid> {
        self.alarms.first().filter(|(t, ..)| *t <= now).map(|(.., pid)| *pid)
    }
}
