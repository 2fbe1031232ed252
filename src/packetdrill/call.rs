//! The calls of a script: POSIX's, with what each takes.

use std::time::Duration;

use super::assertion::Assertion;
use crate::stack::{How, SocketInfo, SocketOption};

/// A descriptor, as the script numbers it.
pub(super) type Fd = i64;

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    Socket,
    Bind(Fd),
    Listen(Fd, usize),
    Accept(Fd),
    Connect(Fd),
    /// `read` and `recv`: octets that there is room for.
    Read(Fd, usize, Flags),
    /// `write` and `send`: octets that are written.
    Write(Fd, usize, Flags),
    Shutdown(Fd, How),
    Close(Fd),
    SetOption(Fd, SocketOption),
    SetQuickAck(Fd, bool),
    /// SO_ERROR, which has to be this number.
    Error(Fd, i64),
    /// F_GETFL
    Flags(Fd),
    /// F_SETFL: whether O_NONBLOCK is among them.
    SetNonblocking(Fd, bool),
    /// SIOCINQ, which has to be so many octets.
    Unread(Fd, i64),
    /// TCP_INFO, of which all this has to hold.
    Info(Fd, Vec<Assertion>),
    /// What is watched, and for how long at most; `None` is for ever.
    Poll(Vec<Watched>, Option<Duration>),
}

/// MSG_DONTWAIT and MSG_PEEK.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flags {
    pub(super) dont_wait: bool,
    pub(super) peek: bool,
}

/// A `struct pollfd`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Watched {
    pub(super) fd: Fd,
    /// POLLIN and so on, as bits.
    pub(super) events: i64,
    /// What has to come of it.
    pub(super) revents: i64,
}

/// O_RDWR, as Linux numbers it.
pub(super) const O_RDWR: i64 = 2;
/// O_NONBLOCK, as Linux numbers it on most machines.
pub(super) const O_NONBLOCK: i64 = 0o4000;
/// The events of `poll(2)`, as Linux numbers them.
pub(super) const POLL: [(&str, i64); 7] = [
    ("POLLIN", POLLIN),
    ("POLLOUT", POLLOUT),
    ("POLLERR", POLLERR),
    ("POLLHUP", POLLHUP),
    ("POLLRDHUP", POLLRDHUP),
    ("POLLRDNORM", 0x40),
    ("POLLWRNORM", 0x100),
];
pub(super) const POLLIN: i64 = 1;
pub(super) const POLLOUT: i64 = 4;
pub(super) const POLLERR: i64 = 8;
pub(super) const POLLHUP: i64 = 0x10;
pub(super) const POLLRDHUP: i64 = 0x2000;

/// What a call that succeeded gives back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// Its value.
    pub(super) value: i64,
    /// What it wrote into its arguments, in their order.
    pub(super) written: Vec<i64>,
}

impl Answer {
    pub(super) fn of(value: i64) -> Answer {
        Answer { value, written: Vec::new() }
    }

    /// What TCP_INFO says in the fields that are asked for.
    pub(super) fn of_info(info: &SocketInfo, asked: &[Assertion]) -> Answer {
        Answer { value: 0, written: asked.iter().map(|assertion| assertion.value(info)).collect() }
    }
}

impl Call {
    /// Whether the call may write that into its arguments.
    pub(super) fn may_write(&self, written: &[i64]) -> bool {
        match self {
            Call::Info(_, all) => all.iter().zip(written).all(|(assertion, value)| assertion.holds(*value)),
            _ => written == self.writes(),
        }
    }

    /// What the call has to write into its arguments, in their order.
    pub(super) fn writes(&self) -> Vec<i64> {
        match self {
            Call::Error(_, expected) | Call::Unread(_, expected) => vec![*expected],
            Call::Poll(watched, _) => watched.iter().map(|watched| watched.revents).collect(),
            _ => Vec::new(),
        }
    }
}
