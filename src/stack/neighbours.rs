//! The other hosts of the segment: who has answered, who is asked, and what waits for the answer.
//!
//! ARP (RFC 826; RFC 1122, 2.3.2) and IPv6's Neighbor Discovery (RFC 4861, 7.3) follow one state machine, as in Linux. 4.4BSD
//! asks with what it sends, and tells nobody that no answer came.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::profile::{NeighbourRules, Profile};
use crate::packet::{Mac, NeighbourMessage, Resolution, Segment, Unreachable, emit_icmp, emit_neighbour};
use crate::time::SimTime;
use crate::timeline::{Direction, Probe, Recorder, Retransmission};

/// A segment that leaves, and what the stack knows of it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) segment: Segment,
    pub(crate) packet: Bytes,
    pub(crate) again: Option<Retransmission>,
    pub(crate) probe: Option<Probe>,
}

impl Outgoing {
    fn place(&self) -> (SocketAddr, SocketAddr, crate::packet::Seq) {
        (self.segment.src, self.segment.dst, self.segment.seq)
    }
}

/// What is known of a neighbour (RFC 4861, 7.3.2; Linux's names).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asked so often in vain; the next thing happens then.
    Incomplete { asked: u32, next: SimTime },
    /// It has answered, or TCP got on.
    Reachable,
    /// That was too long ago.
    Stale,
    /// Something was sent to it since; until then TCP may get on.
    Delay { until: SimTime },
    /// It is asked itself.
    Probe { asked: u32, next: SimTime },
    /// It does not answer.
    Failed,
    /// 4.4BSD: it does not answer, and is not asked until then.
    Rejected { until: SimTime },
}

#[derive(Debug)]
struct Entry {
    state: State,
    mac: Option<Mac>,
    /// It was last known to be there.
    confirmed: SimTime,
    /// Something was last sent to it.
    used: SimTime,
    /// TCP has got on; what is sent next confirms it.
    gets_on: bool,
    waiting: VecDeque<Outgoing>,
    /// 4.4BSD: when it was last asked.
    last_asked: Option<SimTime>,
}

impl Entry {
    fn new(state: State, now: SimTime) -> Entry {
        Entry {
            state,
            mac: None,
            confirmed: now,
            used: now,
            gets_on: false,
            waiting: VecDeque::new(),
            last_asked: None,
        }
    }
}

/// The neighbours of one host.
#[derive(Debug)]
pub(crate) struct Neighbours {
    own: Vec<IpAddr>,
    /// How long an answer is believed. Random, so that not all hosts ask at once (RFC 4861, 6.3.2).
    reachable: Duration,
    entries: BTreeMap<IpAddr, Entry>,
    /// ICMP errors of this host to itself.
    errors: VecDeque<Bytes>,
}

/// What a host's neighbours work with.
pub(crate) struct Wire<'a> {
    pub(crate) now: SimTime,
    pub(crate) profile: &'a Profile,
    pub(crate) recorder: &'a Recorder,
    pub(crate) out: &'a mut VecDeque<Bytes>,
}

impl Wire<'_> {
    fn after(&self, wait: Duration) -> SimTime {
        self.profile.rounded(self.now, self.now + wait)
    }

    fn send(&mut self, outgoing: Outgoing) {
        let Outgoing { segment, packet, again, probe } = outgoing;
        self.recorder.segment(self.now, Direction::Out, &segment, &packet, again, probe);
        self.out.push_back(packet);
    }

    fn say(&mut self, message: &NeighbourMessage, asked: Option<Mac>) {
        let packet = emit_neighbour(message, asked);
        self.recorder.neighbour(self.now, Direction::Out, message, &packet);
        self.out.push_back(packet);
    }
}

impl Neighbours {
    /// A host with these addresses, which knows nobody yet.
    pub(crate) fn new(own: &[IpAddr], profile: &Profile, seed: u64) -> Neighbours {
        let reachable = match profile.neighbours {
            NeighbourRules::Kernel { reachable, .. } => {
                // Not the host's own generator: no other number is to change with it.
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(u64::MAX);
                reachable.mul_f64(rng.random_range(0.5..1.5))
            }
            NeighbourRules::Berkeley { keep, .. } => keep,
        };
        Neighbours { own: own.to_vec(), reachable, entries: BTreeMap::new(), errors: VecDeque::new() }
    }

    /// Knows nobody any more, and lets go of what waits.
    pub(crate) fn forget(&mut self) {
        self.entries.clear();
    }

    /// Sends a segment to its neighbour, or keeps it until that has answered.
    pub(crate) fn output(&mut self, wire: &mut Wire<'_>, outgoing: Outgoing) {
        let dst = outgoing.segment.dst.ip();
        if self.own.contains(&dst) {
            return wire.send(outgoing);
        }
        match wire.profile.neighbours {
            NeighbourRules::Kernel { delay, .. } => self.output_kernel(wire, dst, outgoing, delay),
            NeighbourRules::Berkeley { tries, rejects, .. } => {
                self.output_berkeley(wire, dst, outgoing, tries, rejects)
            }
        }
    }

    fn output_kernel(&mut self, wire: &mut Wire<'_>, dst: IpAddr, outgoing: Outgoing, delay: Duration) {
        let entry = self.entries.entry(dst).or_insert_with(|| Entry::new(State::Failed, wire.now));
        Neighbours::age(entry, wire.now, self.reachable);
        entry.used = wire.now;
        if std::mem::take(&mut entry.gets_on) && entry.mac.is_some() {
            entry.confirmed = wire.now;
        }
        match entry.state {
            State::Failed | State::Rejected { .. } => {
                entry.waiting.push_back(outgoing);
                self.solicit(wire, dst);
            }
            State::Incomplete { .. } => {
                // What waits is not sent again: it has not been sent yet.
                let waits = entry.waiting.iter().any(|other| other.place() == outgoing.place());
                if !(waits && outgoing.segment.seq_len() > 0) {
                    entry.waiting.push_back(outgoing);
                }
            }
            State::Stale => {
                entry.state = State::Delay { until: wire.after(delay) };
                wire.send(outgoing);
            }
            State::Reachable | State::Delay { .. } | State::Probe { .. } => wire.send(outgoing),
        }
    }

    /// An answer is believed for so long.
    fn age(entry: &mut Entry, now: SimTime, reachable: Duration) {
        if entry.state == State::Reachable && now > entry.confirmed + reachable {
            entry.state = State::Stale;
        }
    }

    /// Asks everybody for the first time.
    fn solicit(&mut self, wire: &mut Wire<'_>, dst: IpAddr) {
        let NeighbourRules::Kernel { retransmit, .. } = wire.profile.neighbours else { return };
        let next = wire.after(retransmit);
        self.set_state(dst, State::Incomplete { asked: 1, next });
        self.ask(wire, dst, None);
    }

    fn set_state(&mut self, dst: IpAddr, state: State) {
        if let Some(entry) = self.entries.get_mut(&dst) {
            entry.state = state;
        }
    }

    fn ask(&self, wire: &mut Wire<'_>, target: IpAddr, known: Option<Mac>) {
        let Some(sender) = self.own.iter().copied().find(|own| own.is_ipv4() == target.is_ipv4()) else {
            return;
        };
        let mac = Mac::of(sender);
        wire.say(&NeighbourMessage { what: Resolution::Request, sender, mac, target }, known);
    }

    /// 4.4BSD's `arpresolve`: one packet is kept, the newest; each second that brings one brings a request.
    fn output_berkeley(
        &mut self,
        wire: &mut Wire<'_>,
        dst: IpAddr,
        outgoing: Outgoing,
        tries: u32,
        rejects: Duration,
    ) {
        const BETWEEN: Duration = Duration::from_secs(1);
        let now = wire.now;
        let entry = self.entries.entry(dst).or_insert_with(|| Entry::new(State::Failed, now));
        let asked = match entry.state {
            State::Rejected { until } if now < until => return,
            State::Reachable if now <= entry.confirmed + self.reachable => return wire.send(outgoing),
            State::Incomplete { asked, .. } => asked,
            _ => 0,
        };
        entry.waiting.clear();
        entry.waiting.push_back(outgoing);
        if entry.last_asked.is_some_and(|last| now < last + BETWEEN) {
            return;
        }
        if asked >= tries {
            entry.waiting.clear();
            entry.state = State::Rejected { until: now + rejects };
            return;
        }
        entry.last_asked = Some(now);
        entry.state = State::Incomplete { asked: asked + 1, next: now };
        self.ask(wire, dst, None);
    }

    /// A message has come.
    pub(crate) fn receive(&mut self, wire: &mut Wire<'_>, message: &NeighbourMessage) {
        let NeighbourMessage { what, sender, mac, target } = *message;
        if what == Resolution::Request && !self.own.contains(&target) {
            return;
        }
        let is_asked = what == Resolution::Request;
        let now = wire.now;
        let known = self.entries.contains_key(&sender);
        // RFC 826: an answer that nobody has asked for makes no entry.
        if known || is_asked {
            let is_kernel = matches!(wire.profile.neighbours, NeighbourRules::Kernel { .. });
            let entry = self.entries.entry(sender).or_insert_with(|| Entry::new(State::Failed, now));
            let is_news = entry.mac.replace(mac) != Some(mac);
            if !is_asked || !is_kernel {
                entry.state = State::Reachable;
                entry.confirmed = now;
            } else if is_news || matches!(entry.state, State::Incomplete { .. } | State::Failed) {
                // Its question does not say that it hears us (RFC 4861, 7.2.3).
                entry.state = State::Stale;
            }
            let waiting = std::mem::take(&mut entry.waiting);
            for outgoing in waiting {
                self.output(wire, outgoing);
            }
        }
        if is_asked {
            let own = Mac::of(target);
            let answer =
                NeighbourMessage { what: Resolution::Reply, sender: target, mac: own, target: sender };
            wire.say(&answer, Some(mac));
        }
    }

    /// TCP has got on with this host, so that it need not be asked (RFC 4861, 7.3.1).
    pub(crate) fn gets_on(&mut self, with: IpAddr) {
        if let Some(entry) = self.entries.get_mut(&with) {
            entry.gets_on = true;
        }
    }

    fn deadline(&self, entry: &Entry, rules: NeighbourRules) -> Option<SimTime> {
        let NeighbourRules::Kernel { delay, .. } = rules else { return None };
        match entry.state {
            State::Incomplete { next, .. } | State::Probe { next, .. } => Some(next),
            State::Delay { until } => Some(until),
            // Whoever was spoken to a moment before is asked; whoever was not is only no longer believed.
            State::Reachable => {
                let end = entry.confirmed + self.reachable;
                (entry.used + delay >= end).then_some(end)
            }
            State::Stale | State::Failed | State::Rejected { .. } => None,
        }
    }

    /// When [`handle_timeout`](Neighbours::handle_timeout) has something to do.
    pub(crate) fn next_deadline(&self, profile: &Profile) -> Option<SimTime> {
        self.entries.values().filter_map(|entry| self.deadline(entry, profile.neighbours)).min()
    }

    /// Asks again, gives up, or doubts what it believed.
    pub(crate) fn handle_timeout(&mut self, wire: &mut Wire<'_>) {
        let rules = wire.profile.neighbours;
        let NeighbourRules::Kernel { solicitations, retransmit, delay, .. } = rules else { return };
        let is_due = |entry: &Entry| self.deadline(entry, rules).is_some_and(|at| at <= wire.now);
        let due: Vec<IpAddr> =
            self.entries.iter().filter(|(_, entry)| is_due(entry)).map(|(addr, _)| *addr).collect();
        for addr in due {
            let Some(entry) = self.entries.get_mut(&addr) else { continue };
            let next = wire.after(retransmit);
            let state = match entry.state {
                State::Reachable => State::Delay { until: wire.after(delay) },
                State::Delay { .. } if wire.now <= entry.confirmed + delay => State::Reachable,
                State::Delay { .. } => State::Probe { asked: 1, next },
                State::Probe { asked, .. } if asked < solicitations => {
                    State::Probe { asked: asked + 1, next }
                }
                State::Incomplete { asked, .. } if asked < solicitations => {
                    State::Incomplete { asked: asked + 1, next }
                }
                State::Probe { .. } | State::Incomplete { .. } => State::Failed,
                State::Stale | State::Failed | State::Rejected { .. } => continue,
            };
            entry.state = state;
            match state {
                State::Probe { .. } => {
                    let known = entry.mac;
                    self.ask(wire, addr, known);
                }
                State::Incomplete { .. } => self.ask(wire, addr, None),
                State::Failed => {
                    entry.mac = None;
                    self.give_up(addr);
                }
                _ => {}
            }
        }
    }

    /// RFC 1122, 2.3.2.2 and 3.3.3: what waits for a neighbour that does not answer is unreachable, and TCP is told as if a
    /// router had said so.
    fn give_up(&mut self, addr: IpAddr) {
        let Some(entry) = self.entries.get_mut(&addr) else { return };
        let waiting = std::mem::take(&mut entry.waiting);
        self.errors.extend(waiting.iter().filter_map(|outgoing| {
            emit_icmp(outgoing.segment.src.ip(), Unreachable::Host, &outgoing.packet).ok()
        }));
    }

    /// An ICMP error of this host to itself.
    pub(crate) fn poll_error(&mut self) -> Option<Bytes> {
        self.errors.pop_front()
    }
}
