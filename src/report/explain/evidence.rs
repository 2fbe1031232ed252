//! The timeline, read once: its packets paired, its hosts known by address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::packet::Flags;
use crate::story::{Fate, Faults, Flight, Hosts, Reset, flights, resets};
use crate::time::SimTime;
use crate::timeline::{Direction, Event, FaultKind, Icmp, Kind, SegmentEvent};

/// Local and remote address of a connection, seen from one of its ends.
pub(super) type Ends = (SocketAddr, SocketAddr);

pub(super) struct Evidence<'a> {
    pub(super) events: &'a [Event],
    /// The flight that began at an event.
    departures: BTreeMap<usize, Flight>,
    /// Where the packet that arrived at an event was sent.
    origins: BTreeMap<usize, usize>,
    resets: BTreeMap<usize, Reset>,
    pub(super) hosts: Hosts<'a>,
    pub(super) faults: Faults<'a>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(events: &'a [Event]) -> Evidence<'a> {
        let (mut departures, mut origins) = (BTreeMap::new(), BTreeMap::new());
        for flight in flights(events) {
            if let Fate::Arrived(at) = flight.fate {
                origins.insert(at, flight.sent);
            }
            if !flight.copy {
                departures.insert(flight.sent, flight);
            }
        }
        let (hosts, faults) = (Hosts::of(events), Faults::of(events));
        Evidence { events, departures, origins, resets: resets(events), hosts, faults }
    }

    pub(super) fn t(&self, at: usize) -> SimTime {
        self.events[at].t
    }

    /// A host's name by its address, or the address.
    pub(super) fn name(&self, addr: IpAddr) -> String {
        self.hosts.name(addr)
    }

    /// Where the packet that arrived at `at` was sent.
    pub(super) fn origin(&self, at: usize) -> Option<usize> {
        self.origins.get(&at).copied()
    }

    pub(super) fn flight(&self, sent: usize) -> Option<&Flight> {
        self.departures.get(&sent)
    }

    pub(super) fn reset(&self, sent: usize) -> Option<&Reset> {
        self.resets.get(&sent)
    }

    pub(super) fn segment(&self, at: usize) -> Option<&'a SegmentEvent> {
        match &self.events[at].kind {
            Kind::Segment(segment) => Some(segment),
            _ => None,
        }
    }

    /// `the segment`, `the SYN`, `the keepalive`.
    pub(super) fn packet(&self, at: usize) -> String {
        match self.segment(at) {
            Some(SegmentEvent { note: Some(note), .. }) => format!("the {note}"),
            Some(segment) if segment.flags.has(Flags::SYN) => "the SYN".to_owned(),
            Some(segment) if segment.flags.has(Flags::FIN) && segment.len == 0 => "the FIN".to_owned(),
            _ => "the segment".to_owned(),
        }
    }

    /// Segments of one end of a connection that left or came before `before`, with their places.
    pub(super) fn segments(
        &self,
        host: &str,
        ends: Ends,
        dir: Direction,
        before: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, &'a SegmentEvent)> {
        let own = move |segment: &SegmentEvent| match dir {
            Direction::Out => (segment.src, segment.dst) == ends,
            Direction::In => (segment.dst, segment.src) == ends,
        };
        self.events[..before].iter().enumerate().filter_map(move |(at, event)| match &event.kind {
            Kind::Segment(segment) if segment.dir == dir && &*event.host == host && own(segment) => {
                Some((at, segment))
            }
            _ => None,
        })
    }

    /// ICMP errors that `host` was told about a connection, before `before` and from `since` on.
    pub(super) fn told(&self, host: &str, ends: Ends, since: usize, before: usize) -> Vec<(usize, &'a Icmp)> {
        let told = |(at, event): (usize, &'a Event)| match &event.kind {
            Kind::Icmp(icmp)
                if icmp.dir == Direction::In && icmp.about == ends && &*event.host == host && at >= since =>
            {
                Some((at, icmp))
            }
            _ => None,
        };
        self.events[..before].iter().enumerate().filter_map(told).collect()
    }

    /// The last fault before `before` that is one of those wanted.
    pub(super) fn fault(
        &self,
        before: usize,
        wanted: impl Fn(FaultKind, &str) -> bool,
    ) -> Option<(usize, FaultKind, &'a str)> {
        self.events[..before].iter().enumerate().rev().find_map(|(at, event)| match &event.kind {
            Kind::Fault { fault, target } if wanted(*fault, target) => Some((at, *fault, target.as_str())),
            _ => None,
        })
    }
}
