//! The machine's loopback as the network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Ground;
use crate::router::Met;
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind};

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

    fn strike(&mut self, _: SimTime, _: usize, fault: FaultKind) -> io::Result<()> {
        Err(io::Error::other(format!("{} takes a laboratory", fault.name())))
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

/// A port of `addr` that is free now. It is none of those that the kernel gives to clients, which could take it before
/// the server does, and processes begin to look for theirs far from each other.
///
/// # Errors
///
/// What `bind` says.
pub fn fresh_port(addr: IpAddr) -> io::Result<u16> {
    /// Below Linux's `net.ipv4.ip_local_port_range` and the dynamic ports of RFC 6335.
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 22_768;
    /// Shares no factor with the number of ports: as many processes in a row begin at as many ports.
    const STRIDE: u32 = 977;
    /// What was found for another server may not be in use yet.
    static FOUND: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() % PORTS * STRIDE + FOUND.fetch_add(1, Ordering::Relaxed) % PORTS;
    let ports = (first..first + PORTS).map(|nth| (FIRST + nth % PORTS) as u16);
    for port in ports {
        match TcpListener::bind(SocketAddr::new(addr, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound.map(|_| port),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_port_is_nobody_elses_and_no_clients() {
        let addr = Ipv4Addr::LOCALHOST.into();
        let (first, second) = (fresh_port(addr).unwrap(), fresh_port(addr).unwrap());
        assert_ne!(first, second, "though nobody uses the first yet");
        assert!([first, second].iter().all(|port| (10_000..32_768).contains(port)));
    }
}
