//! What befalls hosts and links.

use std::time::Duration;

use super::World;
use crate::router::Way;
use crate::timeline::Kind;

impl World {
    /// The host loses its power. Not a packet leaves it; what it had sent before is on its way still.
    ///
    /// False if it was off already, or there is no such host.
    pub fn crash(&mut self, host: &str) -> bool {
        self.note("crash", host, None);
        self.switch_off(host)
    }

    /// Power again: a new stack in the old one's place, with other sequence numbers, and its programs from the
    /// start. False if it was not off.
    pub fn boot(&mut self, host: &str) -> bool {
        self.note("boot", host, None);
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
        self.note("shutdown", host, None);
        self.on_host(host, |machine, now| machine.shutdown(now, grace)).is_some()
    }

    /// Cuts the host's link, both ways or one.
    pub fn partition(&mut self, host: &str, way: Way) -> bool {
        self.note("partition", host, one_way(way));
        self.on_link(host, |router, now, link| router.partition(now, link, way))
    }

    /// Mends the host's link.
    pub fn repair(&mut self, host: &str, way: Way) -> bool {
        self.note("repair", host, one_way(way));
        self.on_link(host, |router, _, link| router.repair(link, way))
    }

    /// Keeps what travels on the host's link.
    pub fn hold(&mut self, host: &str, way: Way) -> bool {
        self.note("hold", host, one_way(way));
        self.on_link(host, |router, _, link| router.hold(link, way))
    }

    /// Lets go what was held.
    pub fn release(&mut self, host: &str, way: Way) -> bool {
        self.note("release", host, one_way(way));
        self.on_link(host, |router, now, link| router.release(now, link, way))
    }

    /// The router answers packets for the host with this ICMP error; with `None` no longer.
    pub fn unreachable(&mut self, host: &str, answer: Option<crate::packet::Unreachable>) -> bool {
        match answer {
            Some(what) => self.note("unreachable", host, Some(what.to_string())),
            None => self.note("reachable", host, None),
        }
        self.on_link(host, |router, _, link| router.unreachable(link, answer))
    }

    /// Writes into the timeline that a fault struck a host or its link.
    pub fn note(&self, fault: &'static str, target: &str, detail: Option<String>) {
        let target = target.to_owned();
        self.recorder.for_host("world").record(self.now(), || Kind::Fault { fault, target, detail });
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

/// What to say of a fault of one direction.
fn one_way(way: Way) -> Option<String> {
    match way {
        Way::Both => None,
        Way::ToHost => Some("packets to it".to_owned()),
        Way::FromHost => Some("packets from it".to_owned()),
    }
}
