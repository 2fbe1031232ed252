//! The tasks that wait for one socket.

use std::task::Waker;

use crate::stack::Readiness;

/// Which half of a socket a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Read,
    Write,
}

/// Any number of tasks may wait for each side, as with tokio's `readable` and `writable`.
#[derive(Default)]
pub(super) struct Waits {
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

impl Waits {
    pub(super) fn add(&mut self, side: Side, waker: &Waker) {
        let waiting = match side {
            Side::Read => &mut self.readers,
            Side::Write => &mut self.writers,
        };
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    /// Moves those whose side is ready to `wakers`.
    pub(super) fn ready(&mut self, readiness: Readiness, wakers: &mut Vec<Waker>) {
        if readiness.readable || readiness.error {
            wakers.append(&mut self.readers);
        }
        if readiness.writable || readiness.error {
            wakers.append(&mut self.writers);
        }
    }

    pub(super) fn wake_all(self) {
        self.readers.into_iter().chain(self.writers).for_each(Waker::wake);
    }
}
