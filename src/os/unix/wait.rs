//! Waiting that a caught signal interrupts, and that loses none.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;

use super::UnixOs;
use super::errors::errno;
use super::file::File;
use super::names::ours;
use super::raw;
use super::signals::block;
use crate::os::{Errno, Signal, SignalSet};

/// Why a wait is over.
pub(super) enum Woken {
    /// So many descriptors are ready; 0 if the time has passed.
    Ready(usize),
    /// A handler is due.
    Interrupted,
}

impl UnixOs {
    /// Waits for descriptors, or `timeout`, or a signal that has a handler.
    pub(super) fn pause(&self, fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<Woken, Errno> {
        let signals = self.process.signals.borrow();
        let caught = signals.caught();
        let end = timeout.map(|span| Instant::now() + span);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let result = if caught == SignalSet::EMPTY {
                ppoll(fds, left, None)
            } else {
                // Between the look at what was noted and the wait nothing may be noted: the handler would run too
                // early, and the wait would last for ever (UNP 20.5).
                let before = block(caught)?;
                let result = if signals.has_deliverable() {
                    Err(nix::errno::Errno::EINTR)
                } else {
                    ppoll(fds, left, Some(before))
                };
                before.thread_set_mask().map_err(errno)?;
                result
            };
            match result {
                Ok(ready) => return Ok(Woken::Ready(ready)),
                Err(nix::errno::Errno::EINTR) if signals.has_deliverable() => return Ok(Woken::Interrupted),
                Err(nix::errno::Errno::EINTR) => {} // stopped and continued, say: no concern of ours
                Err(error) => return Err(errno(error)),
            }
        }
    }

    /// Makes attempts until one does not say `EAGAIN`, waiting in between for `fd` to be ready for `events`.
    ///
    /// A handler that runs meanwhile ends the call with `EINTR`, unless it was set with SA_RESTART. A socket's timeout ends it with
    /// `EAGAIN`, and lets no handler restart it (signal(7)).
    pub(super) async fn block<T>(
        &self,
        fd: crate::os::Fd,
        events: PollFlags,
        mut attempt: impl FnMut(&File) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let end = self.timeout(fd, events).map(|span| Instant::now() + span);
        loop {
            let woken = {
                let files = self.process.files.borrow();
                let file = files.get(fd)?;
                let left = end.map(|end| end.saturating_duration_since(Instant::now()));
                match attempt(file) {
                    Err(Errno::EAGAIN) if left == Some(Duration::ZERO) => return Err(Errno::EAGAIN),
                    Err(Errno::EAGAIN) => self.pause(&mut [PollFd::new(file.as_fd(), events)], left)?,
                    Err(Errno::EINTR) => Woken::Interrupted,
                    result => return result,
                }
            };
            if let Woken::Interrupted = woken
                && self.process.signals.borrow().has_deliverable()
                && (!self.run_handlers().await || end.is_some())
            {
                return Err(Errno::EINTR);
            }
        }
    }

    /// How long a call on this descriptor waits at the most, if a socket option says so.
    pub(super) fn timeout(&self, fd: crate::os::Fd, events: PollFlags) -> Option<Duration> {
        self.process.files.borrow().get(fd).ok()?.timeouts.get().of(events)
    }

    /// Whether a call on this descriptor waits in `ppoll`, and not in itself.
    pub(super) fn waits_in_poll(&self, fd: crate::os::Fd, events: PollFlags) -> bool {
        self.is_catching() || self.timeout(fd, events).is_some()
    }

    /// Makes attempts until one gives a value, waiting in between for a child to end.
    pub(super) async fn block_for_child<T>(
        &self,
        mut attempt: impl FnMut(bool) -> Result<Option<T>, Errno>,
    ) -> Result<T, Errno> {
        loop {
            let caught = self.process.signals.borrow().caught();
            if caught == SignalSet::EMPTY {
                match attempt(false) {
                    Ok(Some(value)) => return Ok(value),
                    Err(Errno::EINTR) | Ok(None) => continue,
                    Err(errno) => return Err(errno),
                }
            }
            // SIGCHLD as well: while it is blocked it waits for us, even if by default it is ignored.
            let awaited = caught.with(Signal::SIGCHLD);
            let before = block(awaited)?;
            let mut result = attempt(true);
            if let Ok(None) = result
                && !self.process.signals.borrow().has_deliverable()
            {
                take_signal(awaited, caught);
                // If it was SIGCHLD the child is ours, even if a handler that is due now would wait for it too.
                result = attempt(true);
            }
            before.thread_set_mask().map_err(errno)?;
            if let Some(value) = result? {
                return Ok(value);
            }
            if self.process.signals.borrow().has_deliverable() && !self.run_handlers().await {
                return Err(Errno::EINTR);
            }
        }
    }
}

/// Waits for one of `awaited` in place of its handler, which it notes to be due.
fn take_signal(awaited: SignalSet, caught: SignalSet) {
    let set: SigSet = awaited.iter().map(super::names::native).collect();
    if let Some(signal) = set.wait().ok().and_then(ours)
        && caught.has(signal)
    {
        raw::note_again(signal);
    }
}

/// Whether `fd` is ready now.
pub(super) fn is_ready(fd: BorrowedFd<'_>, events: PollFlags) -> bool {
    ppoll(&mut [PollFd::new(fd, events)], Some(Duration::ZERO), None).is_ok_and(|ready| ready > 0)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn ppoll(fds: &mut [PollFd<'_>], timeout: Option<Duration>, mask: Option<SigSet>) -> nix::Result<usize> {
    nix::poll::ppoll(fds, timeout.map(TimeSpec::from), mask).map(|ready| ready as usize)
}

/// Where there is no `ppoll` a signal that comes just before the wait is seen only after it.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn ppoll(fds: &mut [PollFd<'_>], timeout: Option<Duration>, mask: Option<SigSet>) -> nix::Result<usize> {
    use nix::poll::PollTimeout;
    let before =
        mask.map(|mask| mask.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK)).transpose()?;
    let timeout = timeout.map_or(PollTimeout::NONE, |span| span.try_into().unwrap_or(PollTimeout::MAX));
    let result = nix::poll::poll(fds, timeout).map(|ready| ready as usize);
    if let Some(before) = before {
        before.thread_set_mask()?;
    }
    result
}
