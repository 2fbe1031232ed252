//! `--pcapng FILE`: the packets for Wireshark.

mod block;
mod comment;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use self::block::{Sight, Way, enhanced_packet, interface, name_resolution, section_header};
use self::comment::Comments;
use super::RunInfo;
use super::flight::{Flight, flights};
use crate::timeline::{Direction, Event, Kind};

/// Writes the packets that left a host or came to one as a capture: of one host, or of all with an interface each.
///
/// Times are in nanoseconds from the start of the run, which is the start of 1970. Host names are in the file, and a
/// comment stands at every packet that is worth one: a packet that was lost is only on its sender's interface, and
/// there stands why. Packets whose octets the timeline does not have are left out.
///
/// In a capture of all hosts a packet that arrives is there twice, with one packet id (epb_packetid). Wireshark follows
/// connections across interfaces all the same, and takes the second sight for a retransmission: besides what was sent
/// again it flags arrivals. In a capture of one host it flags what was sent again, and nothing else.
///
/// # Errors
///
/// What `out` says.
pub fn pcapng(out: &mut dyn Write, run: &RunInfo, events: &[Event], on: Option<&str>) -> io::Result<()> {
    write(out, run, events, |event| on.is_none_or(|on| on == &*event.host))
}

/// Writes each packet once, as it left its host; an ICMP error as it arrived. So Wireshark's analysis is right in one
/// capture of all hosts, which is otherwise as [`pcapng`]'s.
///
/// # Errors
///
/// What `out` says.
pub fn pcapng_as_sent(out: &mut dyn Write, run: &RunInfo, events: &[Event]) -> io::Result<()> {
    write(out, run, events, |event| match &event.kind {
        Kind::Segment(segment) => segment.dir == Direction::Out,
        Kind::Icmp(icmp) => icmp.dir == Direction::In,
        _ => false,
    })
}

fn write(
    out: &mut dyn Write,
    run: &RunInfo,
    events: &[Event],
    is_wanted: impl Fn(&Event) -> bool,
) -> io::Result<()> {
    let flights = flights(events);
    let comments = Comments::of(events, &flights);
    let ids = ids(&flights);
    out.write_all(&section_header("echosim", &[&run.sentence, &run.command()]))?;
    let mut interfaces: BTreeMap<&str, u32> = BTreeMap::new();
    let mut names: BTreeMap<IpAddr, &str> = BTreeMap::new();
    for event in events {
        let Some((dir, own)) = seen(event) else { continue };
        let host: &str = &event.host;
        if dir == Direction::Out {
            names.insert(own, host);
        }
        if is_wanted(event) && !interfaces.contains_key(host) {
            interfaces.insert(host, interfaces.len() as u32);
            out.write_all(&interface(host))?;
        }
    }
    out.write_all(&name_resolution(&names))?;
    for (at, event) in events.iter().enumerate() {
        if is_wanted(event)
            && let Some((dir, _)) = seen(event)
            && let Some(packet) = &event.packet
            && let Some(&interface) = interfaces.get(&*event.host)
        {
            let way = match dir {
                Direction::In => Way::Inbound,
                Direction::Out => Way::Outbound,
            };
            let (id, comment) = (ids.get(&at).map_or(at, |sent| *sent) as u64, &comments.at(at));
            out.write_all(&enhanced_packet(Sight { interface, t: event.t, packet, way, id, comment }))?;
        }
    }
    Ok(())
}

/// For every arrival where its packet was sent: that is the packet's id, wherever it is seen.
fn ids(flights: &[Flight]) -> BTreeMap<usize, usize> {
    flights.iter().filter_map(|flight| Some((flight.end()?, flight.sent))).collect()
}

/// Whether a capture on the event's host sees a packet, which way it goes, and the host's own address in it.
fn seen(event: &Event) -> Option<(Direction, IpAddr)> {
    let (dir, src, dst) = match &event.kind {
        Kind::Segment(segment) => (segment.dir, segment.src.ip(), segment.dst.ip()),
        Kind::Icmp(icmp) => (icmp.dir, icmp.src, icmp.dst),
        _ => return None,
    };
    Some((dir, if dir == Direction::Out { src } else { dst }))
}

#[cfg(test)]
mod tests;
