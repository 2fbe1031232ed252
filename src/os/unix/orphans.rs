//! Processes that end with the one that made them, however that ends (SIGKILL too).

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::poll::PollFlags;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};

use super::event_pipe::high;
use super::wait::is_ready;

/// The process that forked this one shall take it along.
///
/// Made before the fork: only so can the child tell a parent that has just died from one that it never had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent(Pid);

impl Parent {
    /// This process, which is about to fork.
    pub(crate) fn this() -> Parent {
        Parent(getpid())
    }

    /// The process that forked this one.
    pub(crate) fn of_this() -> Parent {
        Parent(getppid())
    }

    /// In the child: asks the kernel for `signal` when the parent has ended (Linux; elsewhere nothing happens).
    ///
    /// To be said again after a change of credentials, with which the kernel forgets it (prctl(2)).
    ///
    /// # Errors
    ///
    /// `Interrupted` if it has ended already: then no signal will come.
    pub(crate) fn takes_along(self, signal: Signal) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(signal)?;
        _ = signal;
        if getppid() == self.0 { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}

/// Kills a process group when the process that holds this has ended.
///
/// It is a pipe of which that process alone has the writing end. All members of the group have the reading end, which
/// is set (F_SETOWN, F_SETSIG and O_ASYNC of fcntl(2)) to kill the group when it can be read: nothing is ever written,
/// so that is when the writing end is closed.
#[derive(Debug)]
pub(crate) struct GroupGuard {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl GroupGuard {
    /// # Errors
    ///
    /// Out of descriptors.
    pub(crate) fn new() -> io::Result<GroupGuard> {
        let (reader, writer) = nix::unistd::pipe()?;
        Ok(GroupGuard { reader: high(reader)?, writer: high(writer)? })
    }

    /// The descriptor that the group has to keep open; it must not have the other.
    pub(crate) fn number(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// After the fork, in the process that holds it: what is to be kept.
    pub(crate) fn hold(self) -> OwnedFd {
        self.writer
    }

    /// In the child, when it leads its process group and has closed the writing end.
    ///
    /// # Errors
    ///
    /// `Interrupted` if the holder has ended already.
    pub(crate) fn watches_this_group(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        super::raw::kill_group_on_input(&self.reader, nix::unistd::getpgrp())?;
        let has_ended = is_ready(self.reader.as_fd(), PollFlags::POLLIN);
        if has_ended { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}
