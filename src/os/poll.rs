//! What `poll` is asked and what it answers.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use super::Fd;

/// Conditions of a descriptor (`poll(2)`), with Linux's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollEvents(u16);

impl PollEvents {
    /// Nothing.
    pub const NONE: PollEvents = PollEvents(0);
    /// POLLIN: a read will not block. It may answer 0, or an error.
    pub const IN: PollEvents = PollEvents(0x0001);
    /// POLLOUT: a write will not block.
    pub const OUT: PollEvents = PollEvents(0x0004);
    /// POLLERR: an error waits; told whether asked for or not.
    pub const ERR: PollEvents = PollEvents(0x0008);
    /// POLLHUP: both halves are shut, or a pipe's other end is; told whether asked for or not.
    pub const HUP: PollEvents = PollEvents(0x0010);
    /// POLLNVAL: no such descriptor; told whether asked for or not.
    pub const NVAL: PollEvents = PollEvents(0x0020);
    /// POLLRDHUP: the peer has shut its half.
    pub const RDHUP: PollEvents = PollEvents(0x2000);

    const NAMES: [(PollEvents, &'static str); 6] = [
        (PollEvents::IN, "POLLIN"),
        (PollEvents::OUT, "POLLOUT"),
        (PollEvents::ERR, "POLLERR"),
        (PollEvents::HUP, "POLLHUP"),
        (PollEvents::NVAL, "POLLNVAL"),
        (PollEvents::RDHUP, "POLLRDHUP"),
    ];

    /// The conditions of these bits.
    pub const fn from_bits(bits: u16) -> PollEvents {
        PollEvents(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether any condition of `other` is among these.
    pub const fn any(self, other: PollEvents) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those asked for in `asked`, and those told unasked (POLLERR, POLLHUP, POLLNVAL).
    pub(super) const fn answer(self, asked: PollEvents) -> PollEvents {
        PollEvents(self.0 & (asked.0 | Self::ERR.0 | Self::HUP.0 | Self::NVAL.0))
    }

    /// These if `condition` holds, else nothing.
    pub(super) const fn when(self, condition: bool) -> PollEvents {
        if condition { self } else { PollEvents::NONE }
    }
}

impl BitOr for PollEvents {
    type Output = PollEvents;

    fn bitor(self, other: PollEvents) -> PollEvents {
        PollEvents(self.0 | other.0)
    }
}

impl BitOrAssign for PollEvents {
    fn bitor_assign(&mut self, other: PollEvents) {
        *self = *self | other;
    }
}

impl fmt::Display for PollEvents {
    /// As strace writes them: `POLLIN|POLLHUP`, `0` if there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            PollEvents::NAMES.iter().filter(|(event, _)| self.any(*event)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "0" } else { "" })?;
        f.write_str(&names.join("|"))
    }
}

/// One descriptor to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollFd {
    /// The descriptor.
    pub fd: Fd,
    /// What is asked for.
    pub events: PollEvents,
    /// What `poll` found.
    pub revents: PollEvents,
}

impl PollFd {
    /// Watches `fd` for `events`.
    pub const fn new(fd: Fd, events: PollEvents) -> PollFd {
        PollFd { fd, events, revents: PollEvents::NONE }
    }
}
