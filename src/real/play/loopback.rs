//! The machine's loopback as the network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::BorrowedFd;

use super::Ground;
use crate::router::Met;
use crate::scenario::Action;
use crate::time::SimTime;
use crate::timeline::Event;

/// Nothing but the kernel as it is.
pub(super) struct Loopback;

impl Ground for Loopback {
    fn enter(&mut self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    fn move_on(&mut self, _: SimTime) -> io::Result<()> {
        Ok(())
    }

    fn next_deadline(&self) -> Option<SimTime> {
        None
    }

    fn strike(&mut self, _: SimTime, _: usize, action: Action) -> io::Result<()> {
        Err(io::Error::other(format!("{} takes a laboratory", action.name())))
    }

    fn has_wires(&self) -> bool {
        false
    }

    fn awaits_timer(&self) -> io::Result<bool> {
        Ok(false)
    }

    fn events_from(&self, _: usize) -> Vec<Event> {
        Vec::new()
    }

    fn met(&self, _: usize) -> Met {
        Met::default()
    }
}

/// An address of the loopback that this process has to itself, where the system has more than one (Linux: all of
/// 127.0.0.0/8).
pub fn loopback_addr() -> IpAddr {
    address(1).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The `nth` of them, from 1. Processes far apart in time may get the same: their ports are their own all the same.
pub(super) fn address(nth: u8) -> io::Result<IpAddr> {
    if !cfg!(target_os = "linux") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    if nth == u8::MAX {
        return Err(io::Error::other("the loopback of one process has 254 addresses"));
    }
    let [_, _, middle, low] = std::process::id().to_be_bytes();
    Ok(Ipv4Addr::new(127, 64 | (middle & 0x3f), low, nth).into())
}

/// A port of `addr` that is free now.
///
/// # Errors
///
/// What `bind` says.
pub fn fresh_port(addr: IpAddr) -> io::Result<u16> {
    TcpListener::bind(SocketAddr::new(addr, 0))?.local_addr().map(|addr| addr.port())
}
