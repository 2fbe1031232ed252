//! The packets of a run: which became which, and those of one end of a connection.

use std::collections::BTreeMap;

use super::{Flight, Reset, Story, flights, resets};
use crate::timeline::{ConnectionId, Direction, Event, Icmp, Kind, SegmentEvent};

/// Places in the timeline, in order, by the end of a connection that they belong to: its addresses as its host sees
/// them, and that host.
type ByEnd<'a> = BTreeMap<ConnectionId, BTreeMap<&'a str, Vec<usize>>>;

/// Packets, paired, and sorted by the connection that they belong to.
pub(super) struct Packets<'a> {
    /// The flight that began at an event.
    departures: BTreeMap<usize, Flight>,
    /// Where the packet that arrived at an event, or was lost, was sent.
    origins: BTreeMap<usize, usize>,
    resets: BTreeMap<usize, Reset>,
    /// Segments that left or came.
    segments: ByEnd<'a>,
    /// ICMP errors that came.
    icmp: ByEnd<'a>,
    /// Segments that were lost, by the end of the connection that sent them.
    lost: BTreeMap<ConnectionId, Vec<usize>>,
}

impl<'a> Packets<'a> {
    fn of(events: &'a [Event]) -> Packets<'a> {
        let (mut departures, mut origins) = (BTreeMap::new(), BTreeMap::new());
        for flight in flights(events) {
            if let Some(at) = flight.end() {
                origins.insert(at, flight.sent);
            }
            if !flight.copy {
                departures.insert(flight.sent, flight);
            }
        }
        let (mut segments, mut icmp) = (ByEnd::new(), ByEnd::new());
        let mut lost = BTreeMap::<ConnectionId, Vec<usize>>::new();
        let note = |table: &mut ByEnd<'a>, host: &'a str, id: ConnectionId, at: usize| {
            table.entry(id).or_default().entry(host).or_default().push(at);
        };
        for (at, event) in events.iter().enumerate() {
            match &event.kind {
                Kind::Segment(it) => note(&mut segments, &event.host, it.connection(), at),
                Kind::Icmp(it) if it.dir == Direction::In => {
                    note(&mut icmp, &event.host, ConnectionId::new(it.about.0, it.about.1), at);
                }
                kind @ Kind::Lost { .. } => {
                    if let Some(it) = kind.segment() {
                        lost.entry(ConnectionId::new(it.src, it.dst)).or_default().push(at);
                    }
                }
                _ => {}
            }
        }
        Packets { departures, origins, resets: resets(events), segments, icmp, lost }
    }
}

/// Those of a list of places, in order, that are before an event.
fn up_to(places: Option<&Vec<usize>>, before: usize) -> &[usize] {
    let places = places.map_or(&[][..], Vec::as_slice);
    &places[..places.partition_point(|at| *at < before)]
}

impl<'a> Story<'a> {
    fn packets(&self) -> &Packets<'a> {
        self.packets.get_or_init(|| Packets::of(self.events))
    }

    /// Where the packet that arrived at `at`, or was lost, was sent.
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
        let own = up_to(self.packets().segments.get(&id).and_then(|hosts| hosts.get(host)), before).iter();
        let segments = own.filter_map(|&at| Some((at, self.segment(at)?)));
        segments.filter(move |(_, segment)| segment.dir == dir)
    }

    /// Where segments were lost that one end of a connection sent, before an event.
    pub(crate) fn losses(&self, id: ConnectionId, before: usize) -> &[usize] {
        up_to(self.packets().lost.get(&id), before)
    }

    /// ICMP errors that `host` was told about a connection, before `before` and from `since` on.
    pub(crate) fn told(
        &self,
        host: &str,
        id: ConnectionId,
        since: usize,
        before: usize,
    ) -> Vec<(usize, &'a Icmp)> {
        let told = up_to(self.packets().icmp.get(&id).and_then(|hosts| hosts.get(host)), before).iter();
        let icmp = |&at: &usize| match &self.events[at].kind {
            Kind::Icmp(icmp) => Some((at, &**icmp)),
            _ => None,
        };
        told.skip_while(|at| **at < since).filter_map(icmp).collect()
    }
}
