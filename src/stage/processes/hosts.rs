//! What a host's processes are to run, and how they differ from others of this machine.

use std::io;
use std::net::IpAddr;

use crate::echo::Command;
use crate::os::sim::Limits;
use crate::os::unix::Persona;
use crate::scenario::Scenario;

/// The key of the sockets' buffers: a program asks for them itself.
pub(in crate::stage) const BUFFER: &str = "buffer";

/// A host, as processes of this machine.
pub(in crate::stage) struct RealHost {
    /// What it runs; `None` leaves it idle.
    pub(in crate::stage) command: Option<Command>,
    /// In what it differs from this machine.
    pub(in crate::stage) persona: Persona,
}

impl RealHost {
    /// Every host of a scenario, where the hosts have these addresses.
    ///
    /// # Errors
    ///
    /// A limit that a kernel has not.
    pub(in crate::stage) fn all(scenario: &Scenario, addrs: &[Vec<IpAddr>]) -> io::Result<Vec<RealHost>> {
        let commands = scenario.commands(&scenario.variables, addrs).map_err(io::Error::other)?;
        let host = |(host, command): (&crate::scenario::Host, _)| {
            if host.limits != (Limits { descriptors: host.limits.descriptors, ..Limits::default() }) {
                let what = "of a real host only the descriptors of a process can be limited";
                return Err(io::Error::other(format!("{}: {what}", host.name)));
            }
            // The scenario's own come later, and so win.
            let buffer = host.set.iter().chain(&scenario.set).rfind(|(key, _)| key == BUFFER);
            let buffer = buffer.and_then(|(_, octets)| octets.parse().ok());
            Ok(RealHost { command, persona: Persona { abi: host.abi, addr: None, buffer } })
        };
        scenario.hosts.iter().zip(commands).map(host).collect()
    }
}
