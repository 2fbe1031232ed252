//! What lies under the programs: a kernel as it is, or a laboratory.

use std::io;
use std::os::fd::BorrowedFd;

use crate::router::Met;
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind};

/// The ground a play is given on. Sans-waiting: the performance waits for all of it at once.
pub(crate) trait Ground {
    /// Goes to where programs of the `host`-th host are to be forked.
    fn enter(&mut self, host: usize) -> io::Result<()>;

    /// What there is to wait for.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>>;

    /// Takes in what has come and moves on what is due.
    fn move_on(&mut self, now: SimTime) -> io::Result<()>;

    /// When something is due.
    fn next_deadline(&self) -> Option<SimTime>;

    /// Does what a fault does to the network.
    fn strike(&mut self, now: SimTime, host: usize, fault: FaultKind) -> io::Result<()>;

    /// Whether there are wires of our own: then a host can be off.
    fn has_wires(&self) -> bool;

    /// Whether a kernel's timer will still end a silence.
    fn awaits_timer(&self) -> io::Result<bool>;

    /// What was seen on the wire, from the `from`-th event on.
    fn events_from(&self, from: usize) -> Vec<Event>;

    /// What the faults of a host's link have met.
    fn met(&self, host: usize) -> Met;
}
