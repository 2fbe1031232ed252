//! Rules for chosen packets: what is lost, late, doubled, damaged or refused, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::chance::{Chance, strikes};
use super::{LinkId, Router};
use crate::packet::{self, Flags, Packet, Segment, Unreachable};
use crate::time::SimTime;
use crate::timeline::LostReason;

/// What becomes of the packets that match: `{ from = "client", flags = "P.", nth = 2 }`. `H` is what hosts are known by.
///
/// Every packet counts, so a retransmission is the next match. A rule counts what it matches even if another rule loses it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleConfig<H = LinkId> {
    /// Where it stands.
    pub place: Place,
    /// What becomes of them.
    pub action: Action,
    /// The host that sends; `None` is any.
    pub from: Option<H>,
    /// The host they are for; `None` is any.
    pub to: Option<H>,
    /// TCP segments with exactly these control bits; `None` is any packet.
    pub flags: Option<Flags>,
    /// TCP segments from this port or to it.
    pub port: Option<u16>,
    /// IP packets of more octets than that.
    pub longer: Option<usize>,
    /// IP packets of fewer octets than that.
    pub shorter: Option<usize>,
    /// The n-th connection that passes the rule, counted from 1.
    pub connection: Option<u64>,
    /// The first packet of a connection after at least so long in which nothing passed on it.
    pub idle: Option<Duration>,
    /// From when on it is there.
    pub since: SimTime,
    /// Until when; `None` is for good.
    pub until: Option<SimTime>,
    /// The share of them that it takes, 0 to 1.
    pub probability: f64,
    /// The first match that is taken, counted from 1 (0 is taken for 1).
    pub nth: u64,
    /// How many are taken from there on; `u64::MAX` for all of them.
    pub count: u64,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the host that sends: what it loses is never on a link.
    Sender,
    /// In the router, or in the switch of a shared segment.
    Router,
}

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is lost.
    Drop,
    /// It arrives so much later; others may overtake it.
    Delay(Duration),
    /// It arrives twice.
    Duplicate,
    /// It arrives with a bit flipped, its last octet's lowest.
    Corrupt,
    /// It is lost, and its sender is told.
    Reject(Refusal),
}

/// How a firewall tells the sender of a packet that it does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By a RST, as if from its destination.
    Reset,
    /// By ICMP.
    Icmp(Unreachable),
}

impl<H> Default for RuleConfig<H> {
    /// Drops every packet in the router.
    fn default() -> RuleConfig<H> {
        RuleConfig {
            place: Place::Router,
            action: Action::Drop,
            from: None,
            to: None,
            flags: None,
            port: None,
            longer: None,
            shorter: None,
            connection: None,
            idle: None,
            since: SimTime::ZERO,
            until: None,
            probability: 1.0,
            nth: 1,
            count: u64::MAX,
        }
    }
}

impl<H> RuleConfig<H> {
    /// The same rule where hosts are known by something else.
    pub fn with_hosts<I>(&self, host: impl Fn(&H) -> I) -> RuleConfig<I> {
        RuleConfig {
            place: self.place,
            action: self.action,
            from: self.from.as_ref().map(&host),
            to: self.to.as_ref().map(&host),
            flags: self.flags,
            port: self.port,
            longer: self.longer,
            shorter: self.shorter,
            connection: self.connection,
            idle: self.idle,
            since: self.since,
            until: self.until,
            probability: self.probability,
            nth: self.nth,
            count: self.count,
        }
    }
}

/// A rule given to [`Router::add_rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(usize);

/// A rule at work.
#[derive(Debug)]
pub(super) struct Rule {
    config: RuleConfig,
    chance: Chance,
    matched: u64,
    taken: u64,
    /// The connections that have passed, if the rule tells them apart: which one it is, and when something last passed on it.
    connections: BTreeMap<[SocketAddr; 2], (u64, SimTime)>,
}

/// A packet as a rule sees it.
struct Seen<'a> {
    from: LinkId,
    to: Option<LinkId>,
    segment: Option<&'a Segment>,
    octets: usize,
}

/// What becomes of a packet by all rules together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    lost: bool,
    refused: Option<Refusal>,
    pub(super) delay: Duration,
    pub(super) duplicate: bool,
    corrupt: bool,
}

impl Rule {
    fn is_spent(&self) -> bool {
        self.taken >= self.config.count
    }

    /// Whether the packet is one of those to be taken.
    fn takes(&mut self, now: SimTime, packet: &Seen<'_>) -> bool {
        let fits = self.fits_connection(now, packet) & self.fits(packet);
        let is_there = now >= self.config.since && self.config.until.is_none_or(|until| now < until);
        if !fits || !is_there {
            return false;
        }
        let probability = self.config.probability;
        if probability < 1.0 && strikes(self.chance.draw().loss, probability).is_none() {
            return false;
        }
        self.matched += 1;
        let taken = self.matched >= self.config.nth && !self.is_spent();
        self.taken += u64::from(taken);
        taken
    }

    fn fits(&self, packet: &Seen<'_>) -> bool {
        let config = &self.config;
        let of_segment = |wanted: &dyn Fn(&Segment) -> bool| packet.segment.is_some_and(wanted);
        config.from.is_none_or(|from| from == packet.from)
            && config.to.is_none_or(|to| Some(to) == packet.to)
            && config.flags.is_none_or(|flags| of_segment(&|it| it.flags == flags))
            && config.port.is_none_or(|port| of_segment(&|it| it.src.port() == port || it.dst.port() == port))
            && config.longer.is_none_or(|octets| packet.octets > octets)
            && config.shorter.is_none_or(|octets| packet.octets < octets)
    }

    /// Takes note of the connection, and says whether it is one that the rule is for, at this moment.
    fn fits_connection(&mut self, now: SimTime, packet: &Seen<'_>) -> bool {
        let (wanted, idle) = (self.config.connection, self.config.idle);
        if wanted.is_none() && idle.is_none() {
            return true;
        }
        let Some(segment) = packet.segment else { return false };
        let mut ends = [segment.src, segment.dst];
        ends.sort();
        let next = self.connections.len() as u64 + 1;
        let (nth, last) = self.connections.entry(ends).or_insert((next, now));
        let silence = now - std::mem::replace(last, now);
        wanted.is_none_or(|wanted| wanted == *nth) && idle.is_none_or(|idle| silence >= idle)
    }
}

impl Router {
    /// Adds a rule. All of them are asked about every packet.
    pub fn add_rule(&mut self, config: RuleConfig) -> RuleId {
        // Streams of chance that no link has.
        let chance = Chance::new(self.seed, u64::MAX - self.rules.len() as u64);
        self.rules.push(Rule { config, chance, matched: 0, taken: 0, connections: BTreeMap::new() });
        RuleId(self.rules.len() - 1)
    }

    /// How many packets the rule has taken.
    pub fn taken_by(&self, rule: RuleId) -> u64 {
        self.rules[rule.0].taken
    }

    /// How many packets each rule has taken, in the order in which they were added.
    pub fn taken(&self) -> impl Iterator<Item = u64> {
        self.rules.iter().map(|rule| rule.taken)
    }

    /// What the rules at this place make of a packet; `None` if it is lost.
    pub(super) fn by_rules(
        &mut self,
        now: SimTime,
        place: Place,
        from: LinkId,
        packet: Bytes,
    ) -> Option<(Bytes, Verdict)> {
        // Only a rule that still has something to take is worth reading the packet for.
        if !self.rules.iter().any(|rule| rule.config.place == place && !rule.is_spent()) {
            return Some((packet, Verdict::default()));
        }
        let parsed = packet::parse(&packet);
        let (to, segment) = match &parsed {
            Ok(Packet::Tcp(segment)) => (self.route(segment.dst.ip()), Some(segment)),
            Ok(Packet::Icmp(error)) => (self.route(error.dst), None),
            Ok(Packet::Neighbour(message)) => (self.route(message.target), None),
            Err(_) => (None, None),
        };
        let seen = Seen { from, to, segment, octets: packet.len() };
        let mut verdict = Verdict::default();
        for rule in self.rules.iter_mut().filter(|rule| rule.config.place == place) {
            if rule.takes(now, &seen) {
                match rule.config.action {
                    Action::Drop => verdict.lost = true,
                    Action::Delay(by) => verdict.delay += by,
                    Action::Duplicate => verdict.duplicate = true,
                    Action::Corrupt => verdict.corrupt = true,
                    Action::Reject(how) => verdict.refused = Some(how),
                }
            }
        }
        match verdict {
            Verdict { lost: true, .. } => self.lose(now, &packet, LostReason::Dropped),
            Verdict { refused: Some(Refusal::Icmp(what)), .. } => {
                self.refuse(now, &packet, LostReason::Rejected, what);
            }
            Verdict { refused: Some(Refusal::Reset), .. } => {
                self.lose(now, &packet, LostReason::Rejected);
                if let Some(reset) = segment.and_then(Segment::reset) {
                    self.send_reset(now, from, &reset);
                }
            }
            Verdict { corrupt: true, .. } => {
                let last = packet.len().saturating_sub(1);
                let packet = if packet.is_empty() { packet } else { super::flip(packet, last * 8) };
                return Some((packet, verdict));
            }
            _ => return Some((packet, verdict)),
        }
        None
    }
}
