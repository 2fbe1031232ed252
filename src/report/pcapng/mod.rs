//! `--pcapng FILE`: the packets for Wireshark.

mod block;
mod comment;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use self::block::{Way, enhanced_packet, interface, name_resolution, section_header};
use self::comment::Comments;
use super::RunInfo;
use crate::story::flights;
use crate::timeline::{Direction, Event, Kind};

/// Writes a capture: of one host, every packet that left it or came to it; of all, with an interface each, every
/// packet once.
///
/// Times are in nanoseconds from the start of the run, which is the start of 1970. Host names are in the file, and a
/// comment stands at every packet that is worth one: at one that was lost there stands why. Packets whose octets the
/// timeline does not have are left out.
///
/// In a capture of all hosts a packet is on its sender's interface, when it left; an ICMP error is there when it came.
/// Wireshark follows connections across interfaces, and would take the second sight of a packet for a retransmission.
///
/// # Errors
///
/// What `out` says.
pub fn pcapng(out: &mut dyn Write, run: &RunInfo, events: &[Event], on: Option<&str>) -> io::Result<()> {
    let is_wanted = |event: &Event| match (on, &event.kind) {
        (Some(on), _) => on == &*event.host,
        (None, Kind::Segment(segment)) => segment.dir == Direction::Out,
        (None, Kind::Icmp(icmp)) => icmp.dir == Direction::In,
        (None, _) => false,
    };
    let comments = Comments::of(events, &flights(events));
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
            out.write_all(&enhanced_packet(interface, event.t, packet, way, &comments.at(at)))?;
        }
    }
    Ok(())
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

#[cfg(all(feature = "cli", test))]
mod tests;
