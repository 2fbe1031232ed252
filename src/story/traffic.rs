//! The packets of a run: which became which, and those of one end of a connection.

use std::collections::BTreeMap;

use super::{Fate, Flight, Reset, Story, flights, resets};
use crate::timeline::{ConnectionId, Direction, Event, Icmp, Kind, SegmentEvent};

/// Packets, paired.
pub(super) struct Packets {
    /// The flight that began at an event.
    departures: BTreeMap<usize, Flight>,
    /// Where the packet that arrived at an event was sent.
    origins: BTreeMap<usize, usize>,
    resets: BTreeMap<usize, Reset>,
}

impl Packets {
    fn of(events: &[Event]) -> Packets {
        let (mut departures, mut origins) = (BTreeMap::new(), BTreeMap::new());
        for flight in flights(events) {
            if let Fate::Arrived(at) = flight.fate {
                origins.insert(at, flight.sent);
            }
            if !flight.copy {
                departures.insert(flight.sent, flight);
            }
        }
        Packets { departures, origins, resets: resets(events) }
    }
}

impl<'a> Story<'a> {
    fn packets(&self) -> &Packets {
        self.packets.get_or_init(|| Packets::of(self.events))
    }

    /// Where the packet that arrived at `at` was sent.
    pub(crate) fn origin(&self, at: usize) -> Option<usize> {
        self.packets().origins.get(&at).copied()
    }

    /// The way of a packet that was sent.
    pub(crate) fn flight(&self, sent: usize) -> Option<&Flight> {
        self.packets().departures.get(&sent)
    }

    /// Why a RST was sent.
    pub(crate) fn reset(&self, sent: usize) -> Option<&Reset> {
        self.packets().resets.get(&sent)
    }

    pub(crate) fn segment(&self, at: usize) -> Option<&'a SegmentEvent> {
        match &self.events[at].kind {
            Kind::Segment(segment) => Some(segment),
            _ => None,
        }
    }

    /// Segments of one end of a connection that left or came before `before`, with their places.
    pub(crate) fn segments(
        &self,
        host: &str,
        id: ConnectionId,
        dir: Direction,
        before: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a SegmentEvent)> {
        let own = move |segment: &SegmentEvent| match dir {
            Direction::Out => (segment.src, segment.dst) == (id.local, id.remote),
            Direction::In => (segment.dst, segment.src) == (id.local, id.remote),
        };
        self.events[..before].iter().enumerate().filter_map(move |(at, event)| match &event.kind {
            Kind::Segment(segment) if segment.dir == dir && &*event.host == host && own(segment) => {
                Some((at, segment))
            }
            _ => None,
        })
    }

    /// ICMP errors that `host` was told about a connection, before `before` and from `since` on.
    pub(crate) fn told(
        &self,
        host: &str,
        id: ConnectionId,
        since: usize,
        before: usize,
    ) -> Vec<(usize, &'a Icmp)> {
        let told = |(at, event): (usize, &'a Event)| match &event.kind {
            Kind::Icmp(icmp) if icmp.dir == Direction::In && icmp.about == (id.local, id.remote) => {
                (&*event.host == host).then_some((at, icmp))
            }
            _ => None,
        };
        self.events[..before].iter().enumerate().skip(since).filter_map(told).collect()
    }
}
