//! From a scenario to a play.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{Action, Fault, Host, Input, Place, Play, Run, Victim, fresh_port, loopback_addr, program};
use crate::echo::Command;
use crate::os::Signal;
use crate::router::{DropRule, LinkId};
use crate::scenario::{self, Scenario};
use crate::sim::{IpVersion, host_addrs, router_addr};

/// How long a host that shuts down waits between SIGTERM and SIGKILL: "5 to 20 seconds" (ch. 5.16).
const GRACE: Duration = Duration::from_secs(10);

impl Play {
    /// The scenario as a play for this place. On the loopback hosts share one address, and ports are the kernel's.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn of(scenario: &Scenario, place: Place) -> io::Result<Play> {
        let addressing = Addressing::new(scenario, place);
        let mut ports = BTreeMap::new();
        let mut hosts = Vec::with_capacity(scenario.hosts.len());
        for (n, host) in scenario.hosts.iter().enumerate() {
            let mut runs = Vec::new();
            if let Some(words) = &host.program {
                let command = words
                    .command(scenario.ip, &scenario.variables, |name| addressing.of(name))
                    .expect("the file's programs are checked");
                let command = addressing.relocate(command, &mut ports)?;
                runs.extend((0..host.count).map(|nth| run(host, &command, nth)));
            }
            // The scenario's own come later, and so win.
            let set = host.set.iter().chain(&scenario.set).filter(|(key, _)| is_of_kernel(key)).cloned();
            hosts.push(Host {
                name: host.name.clone(),
                addrs: host_addrs(scenario.ip, n, host.addrs.into()),
                link: host.link.clone(),
                set: set.collect(),
                runs,
            });
        }
        Ok(Play {
            hosts,
            faults: scenario.faults.iter().map(fault).collect(),
            until: Duration::from_nanos(scenario.until.as_nanos()),
            router: vec![router_addr(scenario.ip)],
            seed: scenario.seed,
            drops: drops(scenario),
        })
    }
}

/// Who is where.
struct Addressing<'a> {
    scenario: &'a Scenario,
    /// Everybody's address, on the loopback.
    shared: Option<IpAddr>,
}

impl Addressing<'_> {
    fn new(scenario: &Scenario, place: Place) -> Addressing<'_> {
        let shared = (place == Place::Loopback).then(|| match scenario.ip {
            IpVersion::V4 => loopback_addr(),
            IpVersion::V6 => Ipv6Addr::LOCALHOST.into(),
        });
        Addressing { scenario, shared }
    }

    fn of(&self, name: &str) -> Option<IpAddr> {
        let n = self.scenario.hosts.iter().position(|host| host.name == name)?;
        self.shared.or_else(|| host_addrs(self.scenario.ip, n, 1).first().copied())
    }

    /// On the loopback: to the shared address, and to a port that is free now in place of each that is named.
    fn relocate(&self, command: Command, ports: &mut BTreeMap<u16, u16>) -> io::Result<Command> {
        let Some(addr) = self.shared else { return Ok(command) };
        let mut moved = |port: u16| match ports.get(&port) {
            Some(port) => Ok(SocketAddr::new(addr, *port)),
            None => fresh_port(addr).map(|fresh| {
                ports.insert(port, fresh);
                SocketAddr::new(addr, fresh)
            }),
        };
        Ok(match command {
            Command::Server(mut server) => {
                server.listen = moved(server.listen.port())?;
                Command::Server(server)
            }
            Command::Client(mut client) => {
                client.server = moved(client.server.port())?;
                Command::Client(client)
            }
        })
    }
}

fn run(host: &scenario::Host, command: &Command, nth: u32) -> Run {
    let input = |typed: &scenario::Typed| {
        let what = match &typed.what {
            scenario::Input::Line(line) => Input::Line(line.clone()),
            scenario::Input::Eof => Input::Eof,
        };
        (Duration::from_nanos(typed.at.as_nanos()), what)
    };
    let (name, serves) = (command.name().to_owned(), matches!(command, Command::Server(_)));
    let command = command.clone();
    Run {
        name,
        program: program(move |os| command.clone().run(os)),
        start: host.start + host.every * nth,
        typed: host.typed.iter().map(input).collect(),
        serves,
    }
}

fn fault(fault: &scenario::Fault) -> Fault {
    use scenario::Action as Told;
    let action = match fault.action {
        Told::Crash => Action::Crash,
        Told::Boot => Action::Boot,
        Told::Shutdown => Action::Shutdown { grace: GRACE },
        Told::Kill { process, signal } => Action::Kill {
            process: match process {
                scenario::Victim::Child => Victim::Child,
                scenario::Victim::Parent => Victim::Parent,
            },
            signal: Signal::from_name(signal).expect("signals are checked"),
        },
        Told::Partition(way) => Action::Partition(way),
        Told::Repair(way) => Action::Repair(way),
        Told::Hold(way) => Action::Hold(way),
        Told::Release(way) => Action::Release(way),
        Told::Unreachable(what) => Action::Unreachable(what),
        Told::Reachable => Action::Reachable,
    };
    Fault { trigger: fault.trigger.clone(), delay: fault.delay, host: fault.host.clone(), action }
}

fn drops(scenario: &Scenario) -> Vec<DropRule> {
    let link = |name: &str| {
        let n = scenario.hosts.iter().position(|host| host.name == name);
        LinkId(n.expect("rules are checked to name hosts"))
    };
    let rules = scenario.hosts.iter().flat_map(|host| &host.drops);
    rules.map(|rule| rule.on_links(link)).collect()
}

/// Keys of links and of the world are not the kernel's business.
fn is_of_kernel(key: &str) -> bool {
    !scenario::WORLD_KEYS.iter().any(|(world, _)| *world == key)
}
