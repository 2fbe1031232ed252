//! A middlebox that knows flows: a NAT, a load balancer, a firewall with connection tracking.
//!
//! It stands on a host's link, at the router's end. A flow begins with a SYN, and is forgotten when nothing has passed for some
//! time, in either direction; what comes of it then is for nobody, and the two ends are not told that it is so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::pipe::{Heading, PipeId};
use super::{LinkId, Router};
use crate::packet::{Flags, Packet, Segment, Unreachable, emit_segment};
use crate::time::SimTime;
use crate::timeline::{Direction, LostReason};

/// What a middlebox is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiddleboxConfig {
    /// A flow is forgotten that nothing has passed on for so long; `None` is never.
    pub idle: Option<Duration>,
    /// What is done with a segment of a flow that it does not know.
    pub unknown: Unknown,
    /// Whether a segment in the middle of a flow makes it known again.
    pub picks_up: bool,
    /// How many flows it can know; with one more it forgets the one that was silent the longest.
    pub flows: usize,
}

impl Default for MiddleboxConfig {
    /// One that never forgets, and drops what it does not know.
    fn default() -> MiddleboxConfig {
        MiddleboxConfig { idle: None, unknown: Unknown::Silent, picks_up: false, flows: 65_536 }
    }
}

/// What becomes of a segment of a flow that is not known. It never reaches its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It is dropped.
    Silent,
    /// Its sender is sent a RST, as if from its destination.
    Reset,
    /// So are both ends.
    ResetBoth,
    /// Its sender is told by ICMP.
    Icmp(Unreachable),
}

/// Both ends of a flow, the lower first.
type Flow = [SocketAddr; 2];

#[derive(Debug)]
pub(super) struct Middlebox {
    config: MiddleboxConfig,
    /// When something last passed on each.
    flows: BTreeMap<Flow, SimTime>,
    silent: BTreeSet<(SimTime, Flow)>,
}

impl Middlebox {
    pub(super) fn new(config: MiddleboxConfig) -> Middlebox {
        Middlebox { config, flows: BTreeMap::new(), silent: BTreeSet::new() }
    }

    /// A failover to a machine that knows nothing.
    pub(super) fn forget(&mut self) {
        self.flows.clear();
        self.silent.clear();
    }

    /// Whether a segment may pass.
    fn passes(&mut self, now: SimTime, segment: &Segment) -> bool {
        let mut flow = [segment.src, segment.dst];
        flow.sort();
        self.expire(now);
        let opens = segment.flags.has(Flags::SYN) && segment.ack.is_none();
        let is_reset = segment.flags.has(Flags::RST);
        let is_known = self.flows.contains_key(&flow);
        if !(is_known || opens || self.config.picks_up && !is_reset) {
            return false;
        }
        self.remove(flow);
        if !is_reset {
            if self.flows.len() >= self.config.flows
                && let Some((_, silent)) = self.silent.first().copied()
            {
                self.remove(silent);
            }
            self.flows.insert(flow, now);
            self.silent.insert((now, flow));
        }
        true
    }

    fn expire(&mut self, now: SimTime) {
        let Some(idle) = self.config.idle else { return };
        while let Some((last, flow)) = self.silent.first().copied().filter(|(last, _)| *last + idle < now) {
            debug_assert_eq!(self.flows.get(&flow), Some(&last));
            self.remove(flow);
        }
    }

    fn remove(&mut self, flow: Flow) {
        if let Some(last) = self.flows.remove(&flow) {
            self.silent.remove(&(last, flow));
        }
    }
}

impl Router {
    /// Puts a middlebox on the link of a host, behind those that are there.
    pub fn add_middlebox(&mut self, link: LinkId, config: MiddleboxConfig) {
        self.links[link.0].middleboxes.push(Middlebox::new(config));
    }

    /// Whether a packet passes the middleboxes of the two links. One that does not is lost, and perhaps answered.
    pub(super) fn passes_middleboxes(
        &mut self,
        now: SimTime,
        from: LinkId,
        to: LinkId,
        packet: &Bytes,
    ) -> bool {
        if self.links[from.0].middleboxes.is_empty() && self.links[to.0].middleboxes.is_empty() {
            return true;
        }
        let Ok(Packet::Tcp(segment)) = crate::packet::parse(packet) else { return true };
        for link in [from, to] {
            let link = &mut self.links[link.0];
            let mut middleboxes = link.middleboxes.iter_mut();
            let unknown = middleboxes.find_map(|it| (!it.passes(now, &segment)).then_some(it.config.unknown));
            if let Some(unknown) = unknown {
                link.met.unknown_flow += 1;
                self.turn_away(now, (from, to), packet, &segment, unknown);
                return false;
            }
        }
        true
    }

    fn turn_away(
        &mut self,
        now: SimTime,
        (from, to): (LinkId, LinkId),
        packet: &Bytes,
        segment: &Segment,
        unknown: Unknown,
    ) {
        if let Unknown::Icmp(what) = unknown {
            return self.refuse(now, packet, LostReason::UnknownFlow, what);
        }
        self.lose(now, packet, LostReason::UnknownFlow);
        if unknown == Unknown::Silent || segment.flags.has(Flags::RST) {
            return;
        }
        if let Some(reset) = segment.reset() {
            self.send_reset(now, from, &reset);
        }
        if unknown == Unknown::ResetBoth {
            // Whoever waits for this segment takes its number for the next one.
            let (flags, ack) = (Flags::RST.with(Flags::ACK), segment.ack);
            let flags = if ack.is_some() { flags } else { Flags::RST };
            self.send_reset(now, to, &Segment { flags, ack, len: 0, win: 0, ..segment.clone() });
        }
    }

    /// A RST that is made on the way in the name of the other end.
    pub(super) fn send_reset(&mut self, now: SimTime, link: LinkId, reset: &Segment) {
        let packet = emit_segment(reset, &[]);
        self.recorder.segment(now, Direction::Out, reset, &packet, None, None);
        self.enter(now, PipeId { link, heading: Heading::ToHost }, packet);
    }
}
