//! Results as C's numbers.

use std::net::SocketAddr;

use super::{Errno, Fd, Pid, SignalSet, WaitStatus};

/// What the call of C returns where it does not fail.
pub(super) trait Returned {
    fn value(&self) -> i64 {
        0
    }
}

impl Returned for () {}
impl Returned for SocketAddr {}
impl Returned for SignalSet {}
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
