//! The network between the processes.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;

use crate::router::Met;
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::FaultKind;

/// A socket, and the inode by which a process has it open; 0 if none has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundSocket {
    pub(crate) info: SocketInfo,
    pub(in crate::stage) inode: u32,
}

/// What connects the hosts. It never waits: that is done for it and for the processes at once. What is not said here is
/// as on a kernel's own network, on which nothing is to be done.
pub(in crate::stage) trait Network {
    /// Goes to where processes of this host are to be forked and sockets are to be asked for.
    fn enter(&mut self, _host: usize) -> io::Result<()> {
        Ok(())
    }

    /// Descriptors that can be read when a packet has come.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// Takes in the packets that have come and moves on those that are due.
    fn move_on(&mut self, _now: SimTime) -> io::Result<()> {
        Ok(())
    }

    /// When a packet is due.
    fn next_deadline(&self) -> Option<SimTime> {
        None
    }

    /// Does to a host's link what the fault does to it. Of a host that is switched off nothing comes any more.
    fn strike(&mut self, _now: SimTime, _host: usize, _fault: FaultKind) -> io::Result<()> {
        Ok(())
    }

    /// What the faults of a host's link have met.
    fn met(&self, _host: usize) -> Met {
        Met::default()
    }

    /// How many packets each rule has taken.
    fn taken(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Whether a kernel has a timer running that may send something.
    fn awaits_timer(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// Whether a socket that was found where this host is belongs to it; its processes hold those of the inodes `held`.
    fn owns(&self, _host: usize, _socket: &FoundSocket, _held: &BTreeSet<u32>) -> bool {
        true
    }
}
