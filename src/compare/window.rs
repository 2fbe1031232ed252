//! The windows that segments offer, in octets.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::packet::{Flags, TcpOptions};
use crate::timeline::{Event, Kind};

/// How far the windows of one segment may be apart, beside what a unit of their scale is: Linux offers whole segments,
/// and this is a full-sized one's data.
const SEGMENT: u64 = 1_460;

/// A window as it was offered.
#[derive(Clone, Copy)]
pub(super) struct Window {
    octets: u64,
    unit: u64,
}

impl Window {
    /// Both windows in octets, if they are further apart than they may be.
    pub(super) fn parts(self, other: Window) -> Option<(u64, u64)> {
        let allowed = SEGMENT + self.unit.max(other.unit);
        (self.octets.abs_diff(other.octets) > allowed).then_some((self.octets, other.octets))
    }
}

/// The window of every segment: scaled as both SYNs agreed (RFC 7323, 2.2).
pub(super) fn windows(events: &[Event]) -> Vec<Option<Window>> {
    let mut scales: BTreeMap<(SocketAddr, SocketAddr), Option<u8>> = BTreeMap::new();
    let read = |event: &Event| {
        let Kind::Segment(segment) = &event.kind else { return None };
        let (flow, back) = ((segment.src, segment.dst), (segment.dst, segment.src));
        if segment.flags.has(Flags::SYN) {
            scales
                .insert(flow, event.packet.as_ref().and_then(|packet| TcpOptions::read(packet).window_scale));
            return Some(Window { octets: u64::from(segment.win), unit: 1 });
        }
        let both = |flow| scales.get(&flow).copied().flatten();
        let shift = both(flow).filter(|_| both(back).is_some()).unwrap_or(0);
        Some(Window { octets: u64::from(segment.win) << shift, unit: 1 << shift })
    };
    events.iter().map(read).collect()
}
