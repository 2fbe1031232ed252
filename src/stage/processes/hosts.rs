//! What a host's processes are to run, and how they differ from others of this machine.

use std::io;
use std::net::IpAddr;

use crate::echo::Command;
use crate::os::sim::Limits;
use crate::os::unix::Persona;
use crate::scenario::Scenario;
use crate::stack::profile::CongestionControl;
use crate::stack::{Profile, System};

/// The keys of what a program asks for itself, at each socket.
pub(in crate::stage) const OF_SOCKETS: [&str; 2] = ["buffer", "congestion"];

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
            let set = |name| host.set.iter().chain(&scenario.set).rfind(|(key, _)| key == name);
            let buffer = set("buffer").and_then(|(_, octets)| octets.parse().ok());
            let congestion = set("congestion").and_then(|(_, name)| CongestionControl::from_name(name));
            let congestion = Some(congestion.unwrap_or(Profile::of(System::REAL).congestion).name());
            Ok(RealHost { command, persona: Persona { abi: host.abi, addr: None, buffer, congestion } })
        };
        scenario.hosts.iter().zip(commands).map(host).collect()
    }
}
