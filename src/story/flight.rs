//! Which sending became which arrival: the timeline has both ends of a packet's way, and pictures need the way.

use std::collections::{BTreeMap, VecDeque};

use crate::packet::headers_len;
use crate::timeline::{Direction, Event, Kind, LostReason};

/// A packet's way; numbers are places in the list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    /// Where it was sent.
    pub(crate) sent: usize,
    /// What became of it.
    pub(crate) fate: Fate,
    /// The network made it: a second arrival of what was sent once.
    pub(crate) copy: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrived.
    Arrived(usize),
    /// It was lost, on its way or by the host it came to.
    Lost(usize),
    /// The timeline ends before.
    Underway,
}

impl Flight {
    /// Where it ended, if it did.
    pub(crate) fn end(&self) -> Option<usize> {
        match self.fate {
            Fate::Arrived(at) | Fate::Lost(at) => Some(at),
            Fate::Underway => None,
        }
    }

    /// Why it was lost, if it was.
    pub(crate) fn lost(&self, events: &[Event]) -> Option<LostReason> {
        let Fate::Lost(at) = self.fate else { return None };
        match events[at].kind {
            Kind::Lost { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// Every packet's way, in the order they were sent; copies stand behind all others.
///
/// What was sent first of several packets that are the same to the octet arrives first.
pub(crate) fn flights(events: &[Event]) -> Vec<Flight> {
    let mut pairing = Pairing::default();
    for (at, event) in events.iter().enumerate() {
        if let Some(dir) = event.kind.direction() {
            pairing.see(at, event, dir);
        } else if let Kind::Lost { reason, .. } = &event.kind {
            pairing.lose(events, at, *reason);
        }
    }
    pairing.flights.append(&mut pairing.copies);
    pairing.flights
}

/// What a packet keeps on its way.
type Mark = Vec<u8>;

#[derive(Default)]
struct Pairing {
    flights: Vec<Flight>,
    copies: Vec<Flight>,
    /// Flights whose end has not been seen, by what they look like.
    underway: BTreeMap<Mark, VecDeque<usize>>,
    /// The last flight that looked like this and has ended.
    ended: BTreeMap<Mark, usize>,
}

impl Pairing {
    fn see(&mut self, at: usize, event: &Event, dir: Direction) {
        let mark = mark(event);
        if dir == Direction::Out {
            self.underway.entry(mark).or_default().push_back(self.flights.len());
            self.flights.push(Flight { sent: at, fate: Fate::Underway, copy: false });
        } else if let Some(flight) = self.land(&mark) {
            self.flights[flight].fate = Fate::Arrived(at);
        } else if let Some(&original) = self.ended.get(&mark) {
            let sent = self.flights[original].sent;
            self.copies.push(Flight { sent, fate: Fate::Arrived(at), copy: true });
        }
    }

    fn lose(&mut self, events: &[Event], at: usize, reason: LostReason) {
        let event = &events[at];
        let mark = mark(event);
        if let Some(flight) = self.land(&mark) {
            self.flights[flight].fate = Fate::Lost(at);
            return;
        }
        match self.ended.get(&mark).copied() {
            Some(flight) => {
                let before = self.flights[flight];
                // A host that turns away what has just come to it; otherwise the network lost a copy.
                let here =
                    |arrival: usize| events[arrival].host == event.host && events[arrival].t == event.t;
                match before.fate {
                    Fate::Arrived(arrival) if here(arrival) => self.flights[flight].fate = Fate::Lost(at),
                    _ => self.copies.push(Flight { sent: before.sent, fate: Fate::Lost(at), copy: true }),
                }
            }
            None if reason == LostReason::Corrupt => {
                if let Some(mark) = self.likest(&mark)
                    && let Some(flight) = self.land(&mark)
                {
                    self.flights[flight].fate = Fate::Lost(at);
                }
            }
            None => {}
        }
    }

    fn land(&mut self, mark: &Mark) -> Option<usize> {
        let queue = self.underway.get_mut(mark)?;
        let flight = queue.pop_front()?;
        if queue.is_empty() {
            self.underway.remove(mark);
        }
        self.ended.insert(mark.clone(), flight);
        Some(flight)
    }

    /// What a corrupted packet was before: the one underway that differs from it in the fewest bits.
    fn likest(&self, mark: &Mark) -> Option<Mark> {
        // Also in a field that says how long it is.
        let differing = |other: &&Mark| {
            other.iter().zip(mark).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>()
        };
        self.underway.keys().min_by_key(differing).cloned()
    }
}

/// The packet's headers without what routers change on the way: the hop limit and, in IPv4, the header's checksum. Data
/// may have been cut off, and TCP's checksum tells one from another.
fn mark(event: &Event) -> Mark {
    let Some(packet) = &event.packet else { return drawn(&event.kind).into_bytes() };
    let mut mark = packet[..headers_len(packet)].to_vec();
    let changed: &[usize] = match mark.first().map(|octet| octet >> 4) {
        Some(4) => &[8, 10, 11],
        Some(6) => &[7],
        _ => &[],
    };
    for &at in changed {
        if let Some(octet) = mark.get_mut(at) {
            *octet = 0;
        }
    }
    mark
}

/// What a packet looks like whose octets were not kept.
fn drawn(kind: &Kind) -> String {
    match (kind.segment(), kind.icmp()) {
        (Some(it), _) => format!("{} {} {} {} {:?} {}", it.src, it.dst, it.flags, it.seq, it.ack, it.len),
        (_, Some(it)) => format!("{} {} {:?} {:?}", it.src, it.dst, it.what, it.about),
        _ => String::new(),
    }
}

#[cfg(all(feature = "cli", test))]
mod tests;
