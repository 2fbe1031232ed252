//! The namespaces, and the router that moves packets between them in real time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use bytes::Bytes;

use super::namespace::{Namespace, become_root};
use super::timers;
use super::wire::Tap;
use crate::os::unix::be_prompt;
use crate::packet;
use crate::real::play::{Ground, Host, Play};
use crate::router::{LinkId, Met, Router};
use crate::time::SimTime;
use crate::timeline::{Direction, Event, FaultKind, Recorder};

/// Every host of a play in a namespace of its own.
pub(crate) struct Laboratory {
    router: Router,
    recorder: Recorder,
    places: Vec<Place>,
    buffer: Vec<u8>,
}

struct Place {
    host: Host,
    link: LinkId,
    /// `None` while the host is off.
    namespace: Option<Namespace>,
    tap: Tap,
}

/// Octets of the largest IP packet.
const LARGEST: usize = 1 << 16;

impl Laboratory {
    /// # Errors
    ///
    /// What this machine lacks.
    pub(crate) fn new(play: &Play) -> io::Result<Laboratory> {
        become_root()?;
        // The kernel may wake us up to 50 µs late to save power: not here.
        nix::sys::prctl::set_timerslack(1)?;
        // Without the right to it the machine should be quiet.
        _ = be_prompt();
        let recorder = Recorder::new("world");
        let mut router = Router::new(play.router.clone(), play.seed, recorder.clone());
        let mut places = Vec::with_capacity(play.hosts.len());
        for host in &play.hosts {
            let link = router.attach(&host.name, &host.addrs, host.link.clone());
            let tap = Tap::new(recorder.for_host(&host.name));
            places.push(Place { host: host.clone(), link, namespace: Some(boot(host)?), tap });
        }
        for rule in &play.drops {
            router.drop_rule(rule.clone());
        }
        Ok(Laboratory { router, recorder, places, buffer: vec![0; LARGEST] })
    }

    /// Packets from the hosts to the router.
    fn collect(&mut self, now: SimTime) -> io::Result<()> {
        for place in &mut self.places {
            let Some(namespace) = &place.namespace else { continue };
            loop {
                match namespace.device.recv(&mut self.buffer) {
                    Ok(len) => {
                        let packet = Bytes::copy_from_slice(&self.buffer[..len]);
                        if place.tap.see(now, Direction::Out, &packet) {
                            self.router.receive(now, place.link, packet);
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
            let Some(place) = self.places.iter_mut().find(|place| place.link == link) else { continue };
            let Some(namespace) = &place.namespace else { continue };
            // A packet that was corrupted on its way arrives all the same, and is for the kernel to refuse.
            place.tap.see(now, Direction::In, &bytes);
            match namespace.device.send(&bytes) {
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

fn boot(host: &Host) -> io::Result<Namespace> {
    Namespace::new(&host.addrs, host.mtu, &host.set)
}

impl Ground for Laboratory {
    fn enter(&mut self, host: usize) -> io::Result<()> {
        match &self.places[host].namespace {
            Some(namespace) => namespace.enter(),
            None => Err(io::Error::other(format!("{} is off", self.places[host].host.name))),
        }
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.places.iter().filter_map(|place| Some(place.namespace.as_ref()?.device.as_fd())).collect()
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
        let place = &mut self.places[host];
        let (router, link) = (&mut self.router, place.link);
        match fault {
            FaultKind::Crash => {
                router.host_down(now, link, true);
                place.namespace = None;
            }
            FaultKind::Boot => {
                place.namespace = Some(boot(&place.host)?);
                router.host_down(now, link, false);
            }
            FaultKind::Partition(way) => router.partition(now, link, way),
            FaultKind::Repair(way) => router.repair(link, way),
            FaultKind::Hold(way) => router.hold(link, way),
            FaultKind::Release(way) => router.release(now, link, way),
            FaultKind::Unreachable(what) => router.unreachable(link, Some(what)),
            FaultKind::Reachable => router.unreachable(link, None),
            FaultKind::Kill { .. } | FaultKind::Shutdown => {}
        }
        self.deliver(now)
    }

    fn has_wires(&self) -> bool {
        true
    }

    fn awaits_timer(&self) -> io::Result<bool> {
        for namespace in self.places.iter().filter_map(|place| place.namespace.as_ref()) {
            namespace.enter()?;
            if timers::running()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn events_from(&self, from: usize) -> Vec<Event> {
        self.recorder.events_from(from)
    }

    fn met(&self, host: usize) -> Met {
        self.router.met(self.places[host].link)
    }
}
