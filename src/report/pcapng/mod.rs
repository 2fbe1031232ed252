//! `--pcapng FILE`: the packets for Wireshark.

mod block;
mod comment;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use self::block::{LinkType, Way, enhanced_packet, interface, name_resolution, section_header};
use self::comment::Comments;
use super::RunInfo;
use crate::packet::ethernet;
use crate::story::{Reset, ResetReader};
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
    let mut capture = Capture::begin(out, run, on)?;
    capture.write(out, events.to_vec())?;
    capture.finish(out)
}

/// A capture that is written while the run goes on, some thousand events at a time.
///
/// A packet is written with the events after those that it is among, when what has become of it is known. Of one that is
/// on its way for longer than that, which a link may hold, the file does not say what became of it.
pub(crate) struct Capture {
    /// The one host whose packets are written.
    on: Option<String>,
    interfaces: BTreeMap<Arc<str>, (u32, LinkType)>,
    named: BTreeSet<IpAddr>,
    /// The events that were written last, and those that are yet to be.
    window: Vec<Event>,
    /// Where in it those begin.
    pending: usize,
    reader: ResetReader,
    /// The resets in the window, by their places in it.
    resets: BTreeMap<usize, Reset>,
}

impl Capture {
    pub(crate) fn begin(out: &mut dyn Write, run: &RunInfo, on: Option<&str>) -> io::Result<Capture> {
        out.write_all(&section_header("echosim", &[&run.sentence, &run.command()]))?;
        Ok(Capture {
            on: on.map(str::to_owned),
            interfaces: BTreeMap::new(),
            named: BTreeSet::new(),
            window: Vec::new(),
            pending: 0,
            reader: ResetReader::default(),
            resets: BTreeMap::new(),
        })
    }

    /// Takes in the next events, and writes those before them.
    pub(crate) fn write(&mut self, out: &mut dyn Write, events: Vec<Event>) -> io::Result<()> {
        let until = self.window.len();
        for event in events {
            let at = self.window.len();
            if let Some(reset) = self.reader.read(at, &event) {
                self.resets.insert(at, reset);
            }
            self.window.push(event);
        }
        self.write_pending(out, until)
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.write_pending(out, self.window.len())
    }

    fn write_pending(&mut self, out: &mut dyn Write, until: usize) -> io::Result<()> {
        if self.pending == until {
            return Ok(());
        }
        let pending = self.pending..until;
        let comments = Comments::of(&self.window, &self.resets);
        let mut names = BTreeMap::new();
        for event in &self.window[pending.clone()] {
            let Some((dir, own)) = seen(event) else { continue };
            if dir == Direction::Out && self.named.insert(own) {
                names.insert(own, &*event.host);
            }
            if self.wants(event) && !self.interfaces.contains_key(&event.host) {
                // Nothing is sent on a shared segment before somebody has been asked for.
                let is_shared = matches!(event.kind, Kind::Neighbour(_));
                let link = if is_shared { LinkType::Ethernet } else { LinkType::Raw };
                self.interfaces.insert(event.host.clone(), (self.interfaces.len() as u32, link));
                out.write_all(&interface(&event.host, link))?;
            }
        }
        if !names.is_empty() {
            out.write_all(&name_resolution(&names))?;
        }
        for at in pending.clone() {
            let event = &self.window[at];
            if self.wants(event)
                && let Some((dir, _)) = seen(event)
                && let Some(packet) = &event.packet
                && let Some(&(interface, link)) = self.interfaces.get(&event.host)
            {
                let header = match link {
                    LinkType::Ethernet => ethernet::header(packet),
                    LinkType::Raw => None,
                };
                let header = header.as_ref().map_or(&[][..], |header| header);
                let way = match dir {
                    Direction::In => Way::Inbound,
                    Direction::Out => Way::Outbound,
                };
                out.write_all(&enhanced_packet(interface, event.t, (header, packet), way, &comments.at(at)))?;
            }
        }
        self.window.drain(..pending.start);
        let moved = std::mem::take(&mut self.resets).into_iter();
        self.resets = moved.filter_map(|(at, it)| Some((at.checked_sub(pending.start)?, it))).collect();
        self.pending = pending.len();
        Ok(())
    }

    fn wants(&self, event: &Event) -> bool {
        match (&self.on, &event.kind) {
            (Some(on), _) => **on == *event.host,
            (None, Kind::Segment(segment)) => segment.dir == Direction::Out,
            (None, Kind::Icmp(icmp)) => icmp.dir == Direction::In,
            (None, Kind::Neighbour(message)) => message.dir == Direction::Out,
            (None, _) => false,
        }
    }
}

/// Whether a capture on the event's host sees a packet, which way it goes, and the host's own address in it.
fn seen(event: &Event) -> Option<(Direction, IpAddr)> {
    let (dir, src, dst) = match &event.kind {
        Kind::Segment(segment) => (segment.dir, segment.src.ip(), segment.dst.ip()),
        Kind::Icmp(icmp) => (icmp.dir, icmp.src, icmp.dst),
        Kind::Neighbour(message) => (message.dir, message.sender, message.target),
        _ => return None,
    };
    Some((dir, if dir == Direction::Out { src } else { dst }))
}

#[cfg(all(feature = "cli", test))]
mod tests;
