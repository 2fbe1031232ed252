//! Which arrival, or loss, belongs to which departure.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use crate::timeline::{Direction, Event, Icmp, Kind, LostPacket, SegmentEvent};

/// What a packet keeps on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Segment { ends: (SocketAddr, SocketAddr), flags: String, seq: u32, ack: Option<u32>, len: usize },
    Icmp { ends: (IpAddr, IpAddr), type_code: (u8, u8), about: (SocketAddr, SocketAddr) },
}

impl From<&SegmentEvent> for Key {
    fn from(segment: &SegmentEvent) -> Key {
        let SegmentEvent { src, dst, flags, seq, ack, len, .. } = *segment;
        Key::Segment { ends: (src, dst), flags: flags.to_string(), seq, ack, len }
    }
}

impl From<&Icmp> for Key {
    fn from(icmp: &Icmp) -> Key {
        let Icmp { src, dst, type_code, about, .. } = *icmp;
        Key::Icmp { ends: (src, dst), type_code, about }
    }
}

/// A packet's way: the event it left with, and the one it arrived or was lost with, by index.
pub(super) type Flight = (usize, usize);

/// Every flight that ended, in the order of the ends.
///
/// Of packets that are all alike the first to leave is the first to arrive; one that arrives with none on the way
/// is a second copy of the last.
pub(super) fn flights(events: &[Event]) -> Vec<Flight> {
    let mut sky = Sky { events, on_the_way: BTreeMap::new(), last: BTreeMap::new() };
    let ends = |(n, event): (usize, &Event)| match &event.kind {
        Kind::Segment(segment) => sky.packet(n, segment.dir, segment.into()),
        Kind::Icmp(icmp) => sky.packet(n, icmp.dir, icmp.into()),
        Kind::Lost { packet: LostPacket::Segment(segment), .. } => {
            sky.packet(n, Direction::In, segment.into())
        }
        Kind::Lost { packet: LostPacket::Icmp(icmp), .. } => sky.packet(n, Direction::In, icmp.into()),
        Kind::Lost { packet: LostPacket::Malformed(_), .. } => sky.wreck(event).map(|out| (out, n)),
        _ => None,
    };
    events.iter().enumerate().filter_map(ends).collect()
}

struct Sky<'a> {
    events: &'a [Event],
    on_the_way: BTreeMap<Key, VecDeque<usize>>,
    last: BTreeMap<Key, usize>,
}

impl Sky<'_> {
    fn packet(&mut self, n: usize, dir: Direction, key: Key) -> Option<Flight> {
        match dir {
            Direction::Out => {
                self.on_the_way.entry(key).or_default().push_back(n);
                None
            }
            Direction::In => {
                let first = self.on_the_way.get_mut(&key).and_then(VecDeque::pop_front);
                let out = first.or_else(|| self.last.get(&key).copied())?;
                self.last.insert(key, out);
                Some((out, n))
            }
        }
    }

    /// A corrupt packet was the one on the way that it differs from in the fewest bits.
    fn wreck(&mut self, event: &Event) -> Option<usize> {
        let bits = |out: usize| {
            let (wreck, sent) = (event.packet.as_ref()?, self.events[out].packet.as_ref()?);
            let differ = || wreck.iter().zip(sent).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
            (wreck.len() == sent.len()).then(differ)
        };
        let all = self.on_the_way.values().flatten().copied();
        let (_, out) = all.filter_map(|out| Some((bits(out)?, out))).min()?;
        self.on_the_way.values_mut().for_each(|outs| outs.retain(|it| *it != out));
        Some(out)
    }
}
