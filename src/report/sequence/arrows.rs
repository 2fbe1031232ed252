//! A packet's way as an arrow.

use std::collections::BTreeMap;

use super::columns::Positions;
use super::{Arrow, ArrowEnd, Manner};
use crate::packet::Flags;
use crate::report::wording;
use crate::story::{Fate, Flight};
use crate::timeline::{Event, Icmp, Kind, SegmentEvent};

/// Data longer than this is not shown, in octets.
const SHORT: usize = 24;

/// The arrows that begin at each event.
pub(super) fn by_sending(
    events: &[Event],
    flights: &[Flight],
    positions: &Positions<'_>,
) -> BTreeMap<usize, Vec<Arrow>> {
    let mut arrows: BTreeMap<usize, Vec<Arrow>> = BTreeMap::new();
    for flight in flights {
        if let Some(arrow) = arrow(events, flight, positions) {
            arrows.entry(flight.sent).or_default().push(arrow);
        }
    }
    arrows
}

fn arrow(events: &[Event], flight: &Flight, positions: &Positions<'_>) -> Option<Arrow> {
    let event = &events[flight.sent];
    let from = positions.host(&event.host)?;
    let end = match flight.fate {
        Fate::Arrived(at) => ArrowEnd::Arrived(events[at].t),
        Fate::Lost(at) => {
            let reason = flight.lost(events)?;
            ArrowEnd::Lost { t: events[at].t, column: positions.host(&events[at].host)?, reason }
        }
        Fate::Underway => ArrowEnd::Underway,
    };
    let arrow = match &event.kind {
        Kind::Segment(segment) => Arrow {
            from,
            to: positions.addr(segment.dst.ip(), from),
            end,
            manner: manner(segment),
            label: label(segment),
            data: data(event, segment),
            note: note(segment),
            copy: flight.copy,
        },
        Kind::Icmp(icmp) => Arrow {
            from,
            to: positions.addr(icmp.dst, from),
            end,
            manner: Manner::Icmp,
            label: icmp_label(icmp),
            data: None,
            note: None,
            copy: flight.copy,
        },
        Kind::Neighbour(message) => Arrow {
            from,
            to: positions.addr(message.target, from),
            end,
            manner: Manner::Ack,
            label: wording::neighbour(message),
            data: None,
            note: None,
            copy: flight.copy,
        },
        _ => return None,
    };
    Some(arrow)
}

fn manner(segment: &SegmentEvent) -> Manner {
    let bare = segment.len == 0 && ![Flags::SYN, Flags::FIN].iter().any(|&bit| segment.flags.has(bit));
    if segment.flags.has(Flags::RST) {
        Manner::Reset
    } else if segment.retransmission.is_some() || segment.probe.is_some() {
        Manner::Again
    } else if bare {
        Manner::Ack
    } else {
        Manner::Plain
    }
}

/// `[P.] 7:13, ack 7`: shorter than tcpdump's line, as a picture has less room.
fn label(segment: &SegmentEvent) -> String {
    let SegmentEvent { seq, len, ack, .. } = *segment;
    let counts = [Flags::SYN, Flags::FIN, Flags::RST].iter().any(|&bit| segment.flags.has(bit));
    let mut numbers = Vec::new();
    if len > 0 {
        numbers.push(format!("{seq}:{}", seq.wrapping_add(len as u32)));
    } else if counts || ack.is_none() {
        numbers.push(format!("seq {seq}"));
    }
    numbers.extend(ack.map(|ack| format!("ack {ack}")));
    format!("{} {}", wording::flags(segment.flags), numbers.join(", "))
}

fn icmp_label(icmp: &Icmp) -> String {
    let family = if icmp.dst.is_ipv4() { "ICMP" } else { "ICMP6" };
    format!("{family} {}", icmp.what.name())
}

fn note(segment: &SegmentEvent) -> Option<String> {
    let again = segment.retransmission.as_ref().map(|again| match again.limit {
        Some(limit) => format!("retransmission {}/{limit}", again.nth),
        None => format!("retransmission {}", again.nth),
    });
    // A probe says better what it is than the number of its sending.
    segment.probe.map(|probe| probe.to_string()).or(again)
}

/// The segment's data stands at the end of its packet.
fn data(event: &Event, segment: &SegmentEvent) -> Option<String> {
    let packet = event.packet.as_ref()?;
    let start = packet.len().checked_sub(segment.len)?;
    let text = std::str::from_utf8(&packet[start..]).ok()?;
    (!text.is_empty() && text.len() <= SHORT).then(|| format!("{text:?}"))
}
