//! Faults of hosts and links.

use std::time::Duration;

use super::World;
use crate::timeline::{FaultKind, Kind, Way};

impl World {
    /// The host loses its power. Not a packet leaves it; what it had sent before is on its way still.
    ///
    /// False if it was off already, or there is no such host.
    pub fn crash(&mut self, host: &str) -> bool {
        self.note(FaultKind::Crash, host);
        self.switch_off(host)
    }

    /// Power again: a new stack in the old one's place, with other sequence numbers, and its programs from the
    /// start. False if it was not off.
    pub fn boot(&mut self, host: &str) -> bool {
        self.note(FaultKind::Boot, host);
        let Some(place) = self.place(host) else { return false };
        if place.is_on.replace(true) {
            return false;
        }
        place.stirred.set(true);
        let (own, link) = (place.node.own, place.link);
        self.on_router(|router, now| router.host_down(now, link, false));
        self.sim.bounce(own);
        true
    }

    /// `shutdown -h now` (ch. 5.16): SIGTERM to every process, SIGKILL after `grace`, then off.
    pub fn shutdown(&mut self, host: &str, grace: Duration) -> bool {
        self.note(FaultKind::Shutdown, host);
        self.on_host(host, |machine, now| machine.shutdown(now, grace)).is_some()
    }

    /// Cuts the host's link, both ways or one.
    pub fn partition(&mut self, host: &str, way: Way) -> bool {
        self.note(FaultKind::Partition(way), host);
        self.on_link(host, |router, now, link| router.partition(now, link, way))
    }

    /// Mends the host's link.
    pub fn repair(&mut self, host: &str, way: Way) -> bool {
        self.note(FaultKind::Repair(way), host);
        self.on_link(host, |router, _, link| router.repair(link, way))
    }

    /// Keeps what travels on the host's link.
    pub fn hold(&mut self, host: &str, way: Way) -> bool {
        self.note(FaultKind::Hold(way), host);
        self.on_link(host, |router, _, link| router.hold(link, way))
    }

    /// Lets go what was held.
    pub fn release(&mut self, host: &str, way: Way) -> bool {
        self.note(FaultKind::Release(way), host);
        self.on_link(host, |router, now, link| router.release(now, link, way))
    }

    /// The router answers packets for the host with this ICMP error; with `None` no longer.
    pub fn unreachable(&mut self, host: &str, answer: Option<crate::packet::Unreachable>) -> bool {
        self.note(answer.map_or(FaultKind::Reachable, FaultKind::Unreachable), host);
        self.on_link(host, |router, _, link| router.unreachable(link, answer))
    }

    /// Writes into the timeline that a fault struck a host or its link.
    pub fn note(&self, fault: FaultKind, target: &str) {
        let target = target.to_owned();
        self.recorder.for_host("world").record(self.now(), || Kind::Fault { fault, target });
    }

    pub(super) fn switch_off(&mut self, host: &str) -> bool {
        let Some(place) = self.place(host) else { return false };
        if !place.is_on.replace(false) {
            return false;
        }
        let (own, link) = (place.node.own, place.link);
        self.on_router(|router, now| router.host_down(now, link, true));
        self.sim.crash(own);
        true
    }

    fn on_link(
        &mut self,
        host: &str,
        strike: impl FnOnce(&mut crate::router::Router, crate::time::SimTime, crate::router::LinkId),
    ) -> bool {
        let Some(link) = self.link(host) else { return false };
        self.on_router(|router, now| strike(router, now, link));
        self.router.move_on();
        true
    }
}
