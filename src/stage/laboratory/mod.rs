//! The laboratory: real kernels' TCP, our network between them (Linux).
//!
//! ```text
//! namespace "client"          this process           namespace "server"
//! echo-client ─ TCP ─ TUN ══▶ Router, in real time ══▶ TUN ─ TCP ─ echo-server
//! ```
//!
//! Each host is a network namespace whose only link is a TUN device (a TAP device on a shared segment), and between all of them lies the very
//! [`Router`] of the simulation. So a kernel meets the same partition, loss and ICMP errors as a simulated stack, and
//! they are recorded alike. A crash is a link that carries nothing more; after a boot the host is a fresh namespace,
//! which knows nothing of the connections of the old one.
//!
//! Needs `/dev/net/tun`, and root or unprivileged user namespaces. Where it may, it asks for real-time priority, so that
//! a busy machine does not make the links slower.

mod interface;
mod namespace;
mod sysctl;
mod tap;
mod timers;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use bytes::Bytes;

use super::processes::{self, Meter, Network, RealHost};
use crate::os::unix::{Parent, be_prompt};
use crate::packet::{self, Mac, ethernet};
use crate::router::{LinkId, Met, Router};
use crate::scenario::{Outcome, Scenario};
use crate::sim::router_addr;
use crate::time::SimTime;
use crate::timeline::{Direction, FaultKind, Recorder};
pub(crate) use namespace::{Namespace, become_root};
use tap::Tap;

/// Runs a scenario in a laboratory.
pub(super) fn run(scenario: &Scenario, parent: Parent) -> io::Result<Outcome> {
    let hosts = RealHost::all(scenario, &scenario.addrs())?;
    let recorder = Recorder::new("world");
    become_root(parent)?;
    // The kernel may wake us up to 50 µs late to save power: not here.
    nix::sys::prctl::set_timerslack(1)?;
    // Without the right to it the machine should be quiet.
    _ = be_prompt();
    // Before there are hosts: what runs in a host's namespace keeps it alive.
    let meter = Meter::start()?;
    let laboratory = Laboratory::new(scenario, &recorder)?;
    processes::run(scenario, hosts, laboratory, recorder, meter)
}

/// Every host in a namespace of its own, and the router that moves packets between them in real time.
struct Laboratory<'a> {
    scenario: &'a Scenario,
    router: Router,
    ends: Vec<LinkEnd>,
    /// Those of hosts that have crashed: to take one down takes the kernel milliseconds, in which no packet would move.
    dead: Vec<Namespace>,
    buffer: Vec<u8>,
}

/// A host's end of its link.
struct LinkEnd {
    link: LinkId,
    /// `None` while the host is off.
    namespace: Option<Namespace>,
    tap: Tap,
    /// Its Ethernet address, on a shared segment.
    mac: Option<Mac>,
}

/// Octets of the largest IP packet.
pub(crate) const LARGEST: usize = 1 << 16;

impl Laboratory<'_> {
    /// # Errors
    ///
    /// What this machine lacks.
    fn new<'a>(scenario: &'a Scenario, recorder: &Recorder) -> io::Result<Laboratory<'a>> {
        let own = vec![router_addr(scenario.ip)];
        let mut router = Router::new(own, scenario.seed, recorder.clone());
        let mut ends = Vec::with_capacity(scenario.hosts.len());
        for (n, (host, addrs)) in scenario.hosts.iter().zip(scenario.addrs()).enumerate() {
            let link = router.attach(&host.name, &addrs, host.link.clone());
            let tap = Tap::new(recorder.for_host(&host.name));
            if host.lan {
                router.share(link);
            }
            let mac = host.lan.then(|| Mac::of(addrs[0]));
            ends.push(LinkEnd { link, namespace: Some(boot(scenario, n)?), tap, mac });
        }
        let link =
            |name: &str| ends[scenario.host_index(name).expect("rules are checked to name hosts")].link;
        for rule in &scenario.rules {
            router.add_rule(rule.config.with_hosts(|host| link(host)));
        }
        scenario.hosts_that_are_reset().for_each(|host| router.watch(link(host)));
        for middlebox in &scenario.middleboxes {
            router.add_middlebox(link(&middlebox.link), middlebox.config);
        }
        Ok(Laboratory { scenario, router, ends, dead: Vec::new(), buffer: vec![0; LARGEST] })
    }

    /// Packets from the hosts to the router.
    fn collect(&mut self, now: SimTime) -> io::Result<()> {
        for end in &mut self.ends {
            let Some(namespace) = &end.namespace else { continue };
            loop {
                match namespace.device.recv(&mut self.buffer) {
                    Ok(len) => {
                        let frame = &self.buffer[..len];
                        let payload = if end.mac.is_some() { ethernet::payload(frame) } else { Some(frame) };
                        let Some(packet) = payload.map(Bytes::copy_from_slice) else { continue };
                        if end.tap.see(now, Direction::Out, &packet) {
                            self.router.receive(now, end.link, packet);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Packets from the router to the hosts.
    fn deliver(&mut self, now: SimTime) -> io::Result<()> {
        while let Some((link, bytes)) = self.router.transmit() {
            let Some(end) = self.ends.iter_mut().find(|end| end.link == link) else { continue };
            let Some(namespace) = &end.namespace else { continue };
            // A packet that was corrupted on its way arrives all the same, and is for the kernel to refuse.
            end.tap.see(now, Direction::In, &bytes);
            let sent = match end.mac {
                None => namespace.device.send(&bytes),
                Some(mac) => namespace.device.send(&framed(mac, &bytes)),
            };
            match sent {
                Ok(_) => {}
                // An interface may be without room; a header that was corrupted is refused with EINVAL.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if packet::parse(&bytes).is_err() => _ = error,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A fresh namespace for a host; its kernel's settings are the host's and the scenario's, which come later and so win.
fn boot(scenario: &Scenario, n: usize) -> io::Result<Namespace> {
    let host = &scenario.hosts[n];
    let settings = host.set.iter().chain(&scenario.set).filter(|(key, _)| scenario.is_of_kernel(key));
    let settings = settings.map(|(key, value)| (key.as_str(), value.as_str()));
    Namespace::new(&scenario.addrs()[n], host.mtu.unwrap_or(host.link.mtu), host.lan, settings)
}

/// The frame that brings a packet to a host. A header that was corrupted is for its IP to refuse.
fn framed(mac: Mac, packet: &[u8]) -> Vec<u8> {
    const GROUP: u8 = 1;
    let mut header = ethernet::header(packet).unwrap_or([0; ethernet::HEADER]);
    if header[0] & GROUP == 0 {
        header[..mac.0.len()].copy_from_slice(&mac.0);
    }
    [&header, packet].concat()
}

impl Network for Laboratory<'_> {
    fn enter(&mut self, host: usize) -> io::Result<()> {
        match &self.ends[host].namespace {
            Some(namespace) => namespace.enter(),
            None => Err(io::Error::other(format!("{} is off", self.scenario.hosts[host].name))),
        }
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.ends.iter().filter_map(|end| Some(end.namespace.as_ref()?.device.as_fd())).collect()
    }

    fn move_on(&mut self, now: SimTime) -> io::Result<()> {
        // Each packet goes on when it was due, not when we came round to it: lateness does not add up.
        while let Some(due) = self.router.next_deadline().filter(|due| *due <= now) {
            self.router.handle_timeout(due);
        }
        self.deliver(now)?;
        self.collect(now)
    }

    fn next_deadline(&self) -> Option<SimTime> {
        self.router.next_deadline()
    }

    fn strike(&mut self, now: SimTime, host: usize, fault: FaultKind) -> io::Result<()> {
        // What was sent before it strikes is on its way.
        self.move_on(now)?;
        match fault {
            FaultKind::Crash => self.dead.extend(self.ends[host].namespace.take()),
            FaultKind::Boot => self.ends[host].namespace = Some(boot(self.scenario, host)?),
            FaultKind::LinkDown | FaultKind::LinkUp => {
                if let Some(namespace) = &self.ends[host].namespace {
                    namespace.enter()?;
                    interface::set(interface::WIRE, fault == FaultKind::LinkUp)?;
                }
            }
            _ => {}
        }
        self.router.strike(now, self.ends[host].link, fault);
        self.deliver(now)
    }

    fn met(&self, host: usize) -> Met {
        self.router.met(self.ends[host].link)
    }

    fn taken(&self) -> Vec<u64> {
        self.router.taken().collect()
    }

    fn awaits_timer(&mut self) -> io::Result<bool> {
        for namespace in self.ends.iter().filter_map(|end| end.namespace.as_ref()) {
            namespace.enter()?;
            if timers::running()? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
