//! The network between the hosts: a link for each, and one router in the middle. Sans-IO.
//!
//! ```text
//!            link 0                 link 1
//! client ──────────────▶ router ──────────────▶ server
//!         FromHost pipe           ToHost pipe
//! ```
//!
//! A packet goes through two pipes, one direction of a link each: it waits for the wire, is put on it at the
//! link's bandwidth, and travels for its latency ([`LinkConfig`]). Between the two the router forwards it, or
//! answers with an ICMP error. On the way chance or a fault may strike, and every packet that is lost is
//! recorded with its reason.

mod chance;
mod config;
mod fault;
mod flight;
mod forward;
mod injected;
mod link;
mod middlebox;
mod pipe;
mod rule;
mod segment;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::time::SimTime;
use crate::timeline::{LostReason, Recorder};
use flight::Flight;
use link::Link;
use pipe::{Arrival, Heading, PipeId};
use rule::{Rule, Verdict};

pub use config::LinkConfig;
pub use fault::Met;
pub use middlebox::{MiddleboxConfig, Unknown};
pub use rule::{Action, Place, Refusal, RuleConfig, RuleId};

/// A host's link: its place in the order in which the hosts were attached.
///
/// A [`Router`] takes only its own; one that it never gave out is a broken invariant and panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub usize);

/// All links, and the router they meet at.
///
/// Packets go in with [`receive`](Self::receive). After that, after [`handle_timeout`](Self::handle_timeout), and
/// after a fault, take out what [`transmit`](Self::transmit) has, then call `handle_timeout` when it is
/// [`next_deadline`](Self::next_deadline). `now` never runs backwards.
#[derive(Debug)]
pub struct Router {
    /// The router's own, one a family.
    addrs: Vec<IpAddr>,
    seed: u64,
    recorder: Recorder,
    links: Vec<Link>,
    routes: BTreeMap<IpAddr, LinkId>,
    rules: Vec<Rule>,
    flight: Flight,
    /// Packets that are at their host now.
    outbox: VecDeque<(LinkId, Bytes)>,
}

impl Router {
    /// A router with these addresses of its own, one a family: ICMP errors come from them. All chance comes from
    /// `seed`; losses are recorded in the name of the host `router`.
    pub fn new(addrs: Vec<IpAddr>, seed: u64, recorder: Recorder) -> Router {
        Router {
            addrs,
            seed,
            recorder: recorder.for_host("router"),
            links: Vec::new(),
            routes: BTreeMap::new(),
            rules: Vec::new(),
            flight: Flight::default(),
            outbox: VecDeque::new(),
        }
    }

    /// Attaches a host by a link of its own; packets for `addrs` go there.
    ///
    /// # Panics
    ///
    /// If one of the addresses is taken.
    pub fn attach(&mut self, name: &str, addrs: &[IpAddr], config: LinkConfig) -> LinkId {
        let id = LinkId(self.links.len());
        for &addr in addrs {
            let taken = self.routes.insert(addr, id).is_some() || self.addrs.contains(&addr);
            assert!(!taken, "{name} cannot have {addr}: it is taken");
        }
        self.links.push(Link::new(id, name, config, self.seed));
        id
    }

    /// The name of the host on this link.
    pub fn name(&self, link: LinkId) -> &str {
        &self.links[link.0].name
    }

    /// The link that packets for this address go to, if there is one.
    pub fn route(&self, addr: IpAddr) -> Option<LinkId> {
        self.routes.get(&addr).copied()
    }

    /// The host puts a packet on its link at this moment.
    pub fn receive(&mut self, now: SimTime, from: LinkId, packet: Bytes) {
        if let Some((packet, verdict)) = self.by_rules(now, Place::Sender, from, packet) {
            self.enter_by(now, PipeId { link: from, heading: Heading::FromHost }, packet, verdict);
        }
    }

    /// Moves on every packet that is at the end of a link by `now`.
    pub fn handle_timeout(&mut self, now: SimTime) {
        while let Some((id, packet)) = self.flight.land(now) {
            let link = &mut self.links[id.link.0];
            match &mut link.pipe(id.heading).held {
                Some(held) => {
                    held.push_back(packet);
                    link.met.held += 1;
                }
                None => self.arrive(now, id, packet),
            }
        }
    }

    /// When the next packet comes to the end of a link.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.flight.next_due()
    }

    /// A packet that arrives at a host now.
    pub fn transmit(&mut self) -> Option<(LinkId, Bytes)> {
        self.outbox.pop_front()
    }

    /// A packet goes into a pipe, and later comes out of it, once or twice; or is lost.
    fn enter(&mut self, now: SimTime, id: PipeId, packet: Bytes) {
        self.enter_by(now, id, packet, Verdict::default());
    }

    /// The same for one that a rule may have something to say about.
    fn enter_by(&mut self, now: SimTime, id: PipeId, packet: Bytes, verdict: Verdict) {
        if verdict.duplicate {
            self.enter_late(now, id, packet.clone(), verdict.delay);
        }
        self.enter_late(now, id, packet, verdict.delay);
    }

    /// The same for one that travels so much longer.
    fn enter_late(&mut self, now: SimTime, id: PipeId, packet: Bytes, delay: Duration) {
        match self.links[id.link.0].enter(now, id.heading, packet.len()) {
            Ok(passage) => {
                let duplicate = passage.duplicate.map(|arrival| (arrival, packet.clone()));
                self.depart(id, passage.packet.later(delay), packet);
                if let Some((arrival, packet)) = duplicate {
                    self.depart(id, arrival.later(delay), packet);
                }
            }
            // The near end of a narrow link is a router's, too: a tunnel's, or a modem's.
            Err(LostReason::TooBig) if id.heading == Heading::FromHost => self.too_big(now, id.link, &packet),
            Err(reason) => self.lose(now, &packet, reason),
        }
    }

    fn depart(&mut self, id: PipeId, arrival: Arrival, packet: Bytes) {
        let packet = match arrival.flipped {
            Some(bit) => flip(packet, bit),
            None => packet,
        };
        self.flight.depart(arrival.due, id, packet);
    }

    /// A packet comes out of a pipe.
    fn arrive(&mut self, now: SimTime, id: PipeId, packet: Bytes) {
        match id.heading {
            Heading::FromHost => self.forward(now, id.link, packet),
            Heading::ToHost if self.links[id.link.0].down => self.lose_at_dead_host(now, id.link, &packet),
            Heading::ToHost if self.links[id.link.0].paused => self.lose_at_paused(now, id.link, &packet),
            Heading::ToHost if self.links[id.link.0].off => self.lose_at_interface(now, id.link, &packet),
            Heading::ToHost => self.outbox.push_back((id.link, packet)),
        }
    }

    fn lose(&self, now: SimTime, packet: &Bytes, reason: LostReason) {
        self.recorder.lost(now, packet, reason);
    }
}

fn flip(packet: Bytes, bit: usize) -> Bytes {
    let mut bytes = writable(packet);
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes.freeze()
}

/// The packet's own bytes if they have no other holder, or a copy.
fn writable(packet: Bytes) -> BytesMut {
    packet.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]))
}

#[cfg(test)]
mod tests;
