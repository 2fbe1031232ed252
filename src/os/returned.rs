//! What a call returns in C, and its arguments as the timeline has them.

use std::net::SocketAddr;

use crate::errno::Errno;
use crate::os::{Action, Child, Disposition, Fd, Pid, PollFd, Signal, SocketOption, WaitStatus};
use crate::timeline::{ChildStatus, Octets, Polled, SignalHandler, SystemCall};

/// What the call of C returns where it does not fail.
pub(in crate::os) trait Returned {
    fn value(&self) -> i64 {
        0
    }
}

impl Returned for () {}
impl Returned for SocketAddr {}
impl Returned for crate::os::SignalSet {}
impl Returned for Option<Errno> {}
impl Returned for (Fd, Fd) {}

impl Returned for usize {
    fn value(&self) -> i64 {
        *self as i64
    }
}

impl Returned for Fd {
    fn value(&self) -> i64 {
        self.as_raw().into()
    }
}

impl Returned for (Fd, SocketAddr) {
    fn value(&self) -> i64 {
        self.0.value()
    }
}

impl Returned for Pid {
    fn value(&self) -> i64 {
        self.as_raw().into()
    }
}

impl Returned for (Pid, WaitStatus) {
    fn value(&self) -> i64 {
        self.0.value()
    }
}

impl Returned for Option<(Pid, WaitStatus)> {
    fn value(&self) -> i64 {
        self.as_ref().map_or(0, Returned::value)
    }
}

/// The octets that a call read, if it did.
pub(in crate::os) fn data<E>(buf: &[u8], result: &Result<usize, E>) -> Option<Octets> {
    result.as_ref().ok().map(|len| Octets::new(&buf[..*len]))
}

pub(in crate::os) fn set_option(fd: Fd, option: SocketOption) -> SystemCall {
    let (level, name, value) = option.posix();
    SystemCall::SetSockOpt { fd: fd.as_raw(), level, option: name, value }
}

pub(in crate::os) fn polled(fds: &[PollFd]) -> Vec<Polled> {
    fds.iter().map(|fd| Polled::new(fd.fd.as_raw(), fd.events.bits(), fd.revents.bits())).collect()
}

pub(in crate::os) fn child_status(status: WaitStatus) -> ChildStatus {
    match status {
        WaitStatus::Exited(status) => ChildStatus::Exited(status),
        WaitStatus::Signaled(signal) => ChildStatus::Signaled(signal.name()),
    }
}

pub(in crate::os) fn wait_pid<E>(
    child: Child,
    nohang: bool,
    result: &Result<Option<(Pid, WaitStatus)>, E>,
) -> SystemCall {
    let child = match child {
        Child::Any => None,
        Child::Pid(pid) => Some(pid.as_raw()),
    };
    let ended = result.as_ref().ok().copied().flatten();
    SystemCall::WaitPid { child, status: ended.map(|(_, status)| child_status(status)), nohang }
}

pub(in crate::os) fn action<O>(signal: Signal, action: &Action<O>) -> SystemCall {
    let handler = match action.disposition {
        Disposition::Default => SignalHandler::Default,
        Disposition::Ignore => SignalHandler::Ignore,
        Disposition::Handle(_) => SignalHandler::Function,
    };
    let (mask, restart) = (action.mask.bits(), action.restart);
    SystemCall::SigAction { signal: signal.name(), handler, mask, restart }
}
