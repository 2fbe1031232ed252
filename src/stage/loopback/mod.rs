//! The machine's loopback as the network between the hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use super::processes::{self, FoundSocket, Meter, Network, RealHost};
use crate::echo::Command;
use crate::echo::server::Service;
use crate::scenario::{Outcome, Scenario};
use crate::sim::IpVersion;
use crate::timeline::Recorder;

/// Runs a scenario on this machine's loopback. No fault can strike a link there.
pub(super) fn run(scenario: &Scenario) -> io::Result<Outcome> {
    let (loopback, hosts) = Loopback::new(scenario)?;
    processes::run(scenario, hosts, loopback, Recorder::new("world"), Meter::start()?)
}

/// Nothing but the kernel as it is; only that all hosts share it has to be known.
struct Loopback {
    /// Every host's addresses.
    addrs: Vec<Vec<IpAddr>>,
    /// Whether each host runs a server.
    serves: Vec<bool>,
    /// The servers' ports: sockets that have none of them are not the scenario's.
    ports: Vec<u16>,
}

impl Loopback {
    fn new(scenario: &Scenario) -> io::Result<(Loopback, Vec<RealHost>)> {
        let addrs = addresses(scenario)?;
        let mut hosts = RealHost::all(scenario, &addrs)?;
        let mut ports = BTreeMap::new();
        for (host, addrs) in hosts.iter_mut().zip(&addrs) {
            host.persona.addr = addrs.first().copied();
            if let Some(command) = &mut host.command {
                relocate(command, addrs, &mut ports)?;
            }
        }
        let serves = hosts.iter().map(|host| matches!(host.command, Some(Command::Server(_)))).collect();
        Ok((Loopback { addrs, serves, ports: ports.into_values().collect() }, hosts))
    }
}

impl Network for Loopback {
    fn owns(&self, host: usize, socket: &FoundSocket, held: &BTreeSet<u32>) -> bool {
        let (local, remote) = (socket.info.local, socket.info.remote);
        let is_served = |addr: SocketAddr| self.ports.contains(&addr.port());
        if !is_served(local) && !remote.is_some_and(is_served) {
            return false;
        }
        let has_it = |addrs: &Vec<IpAddr>| addrs.contains(&local.ip());
        let mut with_this_address = (0..self.addrs.len()).filter(|n| has_it(&self.addrs[*n]));
        match (with_this_address.next(), with_this_address.next()) {
            (Some(only), None) => only == host,
            // The host's addresses are others' as well (::1). Of a connection that no process holds any more only its
            // port tells whose it was.
            _ if socket.inode == 0 => self.serves.iter().position(|it| *it == is_served(local)) == Some(host),
            _ => held.contains(&socket.inode),
        }
    }
}

/// Every host's addresses. IPv6 has only one on a loopback.
fn addresses(scenario: &Scenario) -> io::Result<Vec<Vec<IpAddr>>> {
    let mut next = 0;
    let mut address = |_| match scenario.ip {
        IpVersion::V4 => {
            next += 1;
            loopback_address(next)
        }
        IpVersion::V6 => Ok(Ipv6Addr::LOCALHOST.into()),
    };
    scenario.hosts.iter().map(|host| (0..host.addrs).map(&mut address).collect()).collect()
}

/// To a port that is free now in place of each that is named; and a server listens where no other machine can connect
/// to it, unless its host has several addresses.
fn relocate(command: &mut Command, addrs: &[IpAddr], ports: &mut BTreeMap<u16, u16>) -> io::Result<()> {
    let mut relocated = |port: u16, addr: IpAddr| match ports.get(&port) {
        Some(port) => Ok(SocketAddr::new(addr, *port)),
        None => fresh_port(addr).map(|fresh| {
            ports.insert(port, fresh);
            SocketAddr::new(addr, fresh)
        }),
    };
    match command {
        Command::Server(server) => {
            let addr = if let [only] = addrs { *only } else { server.listen.ip() };
            server.listen = relocated(server.listen.port(), addr)?;
            if let Service::Proxy(proxy) = &mut server.service {
                proxy.server = relocated(proxy.server.port(), on_loopback(proxy.server)?)?;
            }
        }
        Command::Client(client) => {
            client.server = relocated(client.server.port(), on_loopback(client.server)?)?;
            if let (Some(bind), [only]) = (&mut client.bind, addrs) {
                bind.set_ip(*only);
            }
        }
    }
    Ok(())
}

fn on_loopback(addr: SocketAddr) -> io::Result<IpAddr> {
    let ip = addr.ip();
    match ip.is_loopback() {
        true => Ok(ip),
        false => Err(io::Error::other(format!("{ip} is no address of this machine's loopback"))),
    }
}

/// An address of the loopback that this process has to itself, where the system has more than one (Linux: all of
/// 127.0.0.0/8).
pub fn loopback_addr() -> IpAddr {
    loopback_address(1).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// The `nth` of them, from 1. Processes far apart in time may get the same: their ports are their own all the same.
fn loopback_address(nth: u8) -> io::Result<IpAddr> {
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
    fn a_fresh_port_is_neither_another_servers_nor_a_clients() {
        let addr = Ipv4Addr::LOCALHOST.into();
        let (first, second) = (fresh_port(addr).unwrap(), fresh_port(addr).unwrap());
        assert_ne!(first, second, "though the first is not in use yet");
        assert!([first, second].iter().all(|port| (10_000..32_768).contains(port)));
    }
}
