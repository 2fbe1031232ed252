//! From a scenario to a play.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::loopback::{address, fresh_port};
use super::place::BUFFER;
use super::{Host, Place, Play, Run, Stdin, program};
use crate::echo::Command;
use crate::os::sim::Limits;
use crate::os::unix::Machine;
use crate::router::{DropRule, LinkId};
use crate::scenario::{self, Expectation, Scenario};
use crate::sim::{IpVersion, host_addrs, router_addr};

impl Play {
    /// The scenario as a play for this place. On the loopback ports are the kernel's, and so are addresses.
    ///
    /// # Errors
    ///
    /// No port is free; or a program means an address that nobody has.
    pub fn of(scenario: &Scenario, place: Place) -> io::Result<Play> {
        let addressing = Addressing::new(scenario, place)?;
        let mut ports = BTreeMap::new();
        let mut hosts = Vec::with_capacity(scenario.hosts.len());
        for (n, host) in scenario.hosts.iter().enumerate() {
            let addrs = addressing.addrs[n].clone();
            let mut runs = Vec::new();
            if let Some(words) = &host.program {
                let command = words
                    .command(scenario.ip, &scenario.variables, |name| addressing.of(name))
                    .map_err(io::Error::other)?;
                let command = match place {
                    Place::Loopback => relocate(command, &addrs, &mut ports)?,
                    Place::Laboratory => command,
                };
                runs.extend((0..host.count).map(|nth| run(host, &command, nth)));
            }
            if host.limits != (Limits { descriptors: host.limits.descriptors, ..Limits::default() }) {
                let what = "of a real host only the descriptors of a process can be limited";
                return Err(io::Error::other(format!("{}: {what}", host.name)));
            }
            // The scenario's own come later, and so win.
            let set = host.set.iter().chain(&scenario.set);
            let buffer = set.clone().rfind(|(key, _)| key == BUFFER);
            hosts.push(Host {
                name: host.name.clone(),
                link: host.link.clone(),
                mtu: host.mtu.unwrap_or(host.link.mtu),
                set: set.filter(|(key, _)| scenario.is_of_kernel(key)).cloned().collect(),
                machine: Machine {
                    abi: host.abi,
                    addr: addrs.first().copied().filter(|_| place == Place::Loopback),
                    buffer: buffer.and_then(|(_, octets)| octets.parse().ok()),
                },
                limits: host.limits,
                grace: host.grace,
                addrs,
                runs,
            });
        }
        Ok(Play {
            hosts,
            faults: scenario.faults.clone(),
            until: Duration::from_nanos(scenario.until.as_nanos()),
            router: vec![router_addr(scenario.ip)],
            seed: scenario.seed,
            drops: drops(scenario),
            ports: ports.into_values().collect(),
            netstat: scenario.netstat,
            ps: scenario.ps,
        })
    }
}

/// Makes a scenario expect what can be seen at `place`; what it expects and nobody sees there is taken out and named.
///
/// Connections' states are a kernel's own business, and nobody watches the wire of a loopback.
pub fn expected_at(scenario: &mut Scenario, place: Place) -> Vec<String> {
    scenario.on_loopback = place == Place::Loopback;
    let mut unseen = Vec::new();
    let asked = scenario.clone();
    for host in &mut scenario.hosts {
        let expected = host.expect.of(0, &asked);
        let mut take_out = |what: &str, is_expected: bool| {
            unseen.extend(is_expected.then(|| format!("{} {what}", host.name)));
        };
        let has_wire = place == Place::Laboratory;
        take_out("states", expected.states.is_some());
        take_out("segments", expected.segments.is_some() && !has_wire);
        take_out("retransmissions", expected.retransmissions.is_some() && !has_wire);
        let tables = host.expect.overrides.iter_mut().map(|it| &mut it.instead);
        for table in tables.chain([&mut host.expect.base]) {
            let blind = Expectation { states: None, ..std::mem::take(table) };
            *table = match has_wire {
                true => blind,
                false => Expectation { segments: None, retransmissions: None, ..blind },
            };
        }
    }
    unseen
}

/// Who is where.
struct Addressing<'a> {
    scenario: &'a Scenario,
    /// Every host's addresses.
    addrs: Vec<Vec<IpAddr>>,
}

impl Addressing<'_> {
    fn new(scenario: &Scenario, place: Place) -> io::Result<Addressing<'_>> {
        let mut next = 0;
        let mut on_loopback = |_| match scenario.ip {
            IpVersion::V4 => {
                next += 1;
                address(next)
            }
            IpVersion::V6 => Ok(Ipv6Addr::LOCALHOST.into()),
        };
        let hosts = scenario.hosts.iter().enumerate();
        let addrs = hosts.map(|(n, host)| match place {
            Place::Loopback => (0..host.addrs).map(&mut on_loopback).collect(),
            Place::Laboratory => Ok(host_addrs(scenario.ip, n, host.addrs.into())),
        });
        Ok(Addressing { scenario, addrs: addrs.collect::<io::Result<_>>()? })
    }

    /// As the scenario resolves: a host's name, or `server.2` for its second address.
    fn of(&self, name: &str) -> Option<IpAddr> {
        let (name, nth) = match name.split_once('.') {
            Some((name, nth)) => (name, nth.parse::<usize>().ok()?.checked_sub(1)?),
            None => (name, 0),
        };
        let n = self.scenario.hosts.iter().position(|host| host.name == name)?;
        self.addrs[n].get(nth).copied()
    }
}

/// On the loopback: to a port that is free now in place of each that is named; and a server listens where nobody
/// outside this machine can come, unless its host has several addresses.
fn relocate(command: Command, addrs: &[IpAddr], ports: &mut BTreeMap<u16, u16>) -> io::Result<Command> {
    let mut moved = |port: u16, addr: IpAddr| match ports.get(&port) {
        Some(port) => Ok(SocketAddr::new(addr, *port)),
        None => fresh_port(addr).map(|fresh| {
            ports.insert(port, fresh);
            SocketAddr::new(addr, fresh)
        }),
    };
    Ok(match command {
        Command::Server(mut server) => {
            let listen = match addrs {
                [addr] => *addr,
                _ => server.listen.ip(),
            };
            server.listen = moved(server.listen.port(), listen)?;
            Command::Server(server)
        }
        Command::Client(mut client) => {
            let addr = client.server.ip();
            if !addr.is_loopback() {
                return Err(io::Error::other(format!("nobody on this machine's loopback has {addr}")));
            }
            client.server = moved(client.server.port(), addr)?;
            Command::Client(client)
        }
    })
}

fn run(host: &scenario::Host, command: &Command, nth: u32) -> Run {
    let (name, serves) = (command.name().to_owned(), matches!(command, Command::Server(_)));
    let command = command.clone();
    Run {
        name,
        program: program(move |os| command.clone().run(os)),
        start: host.start + host.every * nth,
        stdin: host.file().map_or_else(|| Stdin::Terminal(host.typed.clone()), Stdin::File),
        serves,
    }
}

fn drops(scenario: &Scenario) -> Vec<DropRule> {
    let link = |name: &str| {
        let n = scenario.hosts.iter().position(|host| host.name == name);
        LinkId(n.expect("rules are checked to name hosts"))
    };
    let rules = scenario.hosts.iter().flat_map(|host| &host.drops);
    rules.map(|rule| rule.on_links(link)).collect()
}
