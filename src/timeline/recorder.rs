//! The pen that every layer holds: clones of one [`Recorder`] write to one [`Timeline`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::event::{
    Direction, Event, Icmp, Kind, LostPacket, LostReason, Neighbour, Probe, Retransmission, SegmentEvent,
};
use crate::packet::{Flags, IcmpError, NeighbourMessage, Packet, Segment, Seq, headers_len, with_checksum};
use crate::time::SimTime;

/// Everything that happened in a run, in time order; ties stand in the order they were recorded.
#[derive(Debug, Default)]
pub struct Timeline {
    events: Vec<Event>,
    /// How many events were taken out before these.
    drained: usize,
    /// The first event that another reader has yet to read, if there is one: it is not drained.
    awaited: Option<usize>,
    /// Octets of the packets of `events`.
    octets: u64,
    /// Whether packets lack TCP's checksum, which is computed when they are read.
    leaves_out_checksums: bool,
    /// Initial sequence number by sender and receiver, for numbers relative to it.
    origins: BTreeMap<(SocketAddr, SocketAddr), Seq>,
    /// Of hosts whose clocks have stood still: from which time of theirs on they are so much behind.
    shifts: BTreeMap<Arc<str>, Vec<(SimTime, Duration)>>,
    /// How many events are kept at the most: the newest.
    limit: Option<usize>,
    /// Of how many events the packets are kept with their data: of the newest.
    whole: Option<usize>,
}

impl Timeline {
    /// The events so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn segment_event(&mut self, dir: Direction, segment: &Segment) -> SegmentEvent {
        let way = (segment.src, segment.dst);
        let back = (segment.dst, segment.src);
        if segment.flags.has(Flags::SYN) {
            let before = self.origins.insert(way, segment.seq);
            if segment.ack.is_none() && dir == Direction::Out && before != Some(segment.seq) {
                // A new connection between the same two ends: the old answers' numbers mean nothing to it.
                self.origins.remove(&back);
            }
        }
        // A stack that forgot the connection (or was never asked) answers from outside it: then the only
        // numbers in it are the other side's.
        let origin = |key| self.origins.get(&key).copied();
        let relative = |seq: Seq, isn: Option<Seq>| isn.map_or(seq.get(), |isn| seq - isn);
        let seq = relative(segment.seq, origin(way));
        let ack = segment.ack.map(|ack| relative(ack, origin(back)));
        SegmentEvent {
            dir,
            src: segment.src,
            dst: segment.dst,
            flags: segment.flags,
            seq,
            ack,
            win: segment.win,
            len: segment.len,
            retransmission: None,
            probe: None,
        }
    }

    fn icmp_event(&self, dir: Direction, error: &IcmpError) -> Icmp {
        let about = (error.about.src, error.about.dst);
        let quoted = error.about.seq;
        let seq = self.origins.get(&about).map_or(quoted.get(), |first| quoted - *first);
        Icmp {
            dir,
            src: error.src,
            dst: error.dst,
            what: error.what,
            type_code: error.type_code(),
            about,
            seq,
        }
    }

    /// Makes the packets of events what they would be on a wire.
    fn complete(&self, events: &mut [Event]) {
        if !self.leaves_out_checksums {
            return;
        }
        // A packet is sent and arrives: it is the same.
        let mut known: BTreeMap<usize, Bytes> = BTreeMap::new();
        for packet in events.iter_mut().filter_map(|event| event.packet.as_mut()) {
            let address = packet.as_ptr() as usize;
            let complete = known.entry(address).or_insert_with(|| with_checksum(packet));
            *packet = complete.clone();
        }
    }

    /// Lets go of what is more than is to be kept.
    fn shorten(&mut self) {
        if let Some(whole) = self.whole
            && let Some(at) = self.events.len().checked_sub(whole + 1)
        {
            self.cut(at);
        }
        if let Some(limit) = self.limit.filter(|limit| self.events.len() > *limit) {
            // Some more at once, so that the rest is not moved for each of them.
            let gone = self.events.len() - limit + limit / 8;
            self.octets -= octets(&self.events[..gone]);
            self.events.drain(..gone);
            self.drained += gone;
        }
    }

    /// Leaves of an event's packet its headers.
    fn cut(&mut self, at: usize) {
        let Some(packet) = &self.events[at].packet else { return };
        let headers = headers_len(packet);
        if headers == packet.len() {
            return;
        }
        let whole = if self.leaves_out_checksums { with_checksum(packet) } else { packet.clone() };
        self.octets -= (packet.len() - headers) as u64;
        // A copy: a part would keep all of it.
        self.events[at].packet = Some(Bytes::copy_from_slice(&whole[..headers]));
    }

    fn lost_packet(&mut self, packet: &Packet) -> LostPacket {
        match packet {
            Packet::Tcp(segment) => LostPacket::Segment(self.segment_event(Direction::Out, segment)),
            Packet::Icmp(error) => LostPacket::Icmp(self.icmp_event(Direction::Out, error)),
            Packet::Neighbour(message) => LostPacket::Neighbour(neighbour_event(Direction::Out, message)),
        }
    }
}

fn neighbour_event(dir: Direction, message: &NeighbourMessage) -> Neighbour {
    let NeighbourMessage { what, sender, mac, target } = *message;
    Neighbour { dir, what, sender, mac, target }
}

/// Writes one host's events to the run's [`Timeline`]; cheap to clone, and free of cost when [off](Self::off).
#[derive(Clone, Debug)]
pub struct Recorder {
    host: Arc<str>,
    timeline: Option<Arc<Mutex<Timeline>>>,
}

impl Recorder {
    /// A recorder for `host` on a new, empty timeline.
    pub fn new(host: &str) -> Recorder {
        Recorder { host: host.into(), timeline: Some(Arc::default()) }
    }

    /// A recorder that keeps nothing.
    pub fn off(host: &str) -> Recorder {
        Recorder { host: host.into(), timeline: None }
    }

    /// The same timeline, written to in the name of another host.
    pub fn for_host(&self, host: &str) -> Recorder {
        Recorder { host: host.into(), timeline: self.timeline.clone() }
    }

    /// Whose events these are.
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// From now on packets lack TCP's checksum, as on a host that leaves it to its card. A reader of the timeline
    /// finds them complete.
    pub fn leave_out_checksums(&self) {
        if let Some(mut timeline) = self.lock() {
            timeline.leaves_out_checksums = true;
        }
    }

    /// Keeps so many events at the most from now on: the newest.
    pub(crate) fn limit(&self, events: usize) {
        if let Some(mut timeline) = self.lock() {
            timeline.limit = Some(events);
            timeline.shorten();
        }
    }

    /// Keeps from now on the data of packets only for so many of the newest events; for all of them if `None`. Headers
    /// are kept of all.
    pub(crate) fn keep_data(&self, events: Option<usize>) {
        if let Some(mut timeline) = self.lock() {
            timeline.whole = events;
        }
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.timeline.is_some()
    }

    /// Says that the host's clock, which stood at `own`, has missed so much in all: from then on events are that much later
    /// than it says.
    pub(crate) fn shift(&self, own: SimTime, missed: Duration) {
        if let Some(mut timeline) = self.lock() {
            timeline.shifts.entry(self.host.clone()).or_default().push((own, missed));
        }
    }

    /// Writes an event; `kind` is only made if the recorder is on.
    pub fn record(&self, t: SimTime, kind: impl FnOnce() -> Kind) {
        if let Some(mut timeline) = self.lock() {
            self.push(&mut timeline, t, kind(), None);
        }
    }

    /// Writes that a segment left or came, with what the stack knows of it; `packet` is the one it is in.
    pub fn segment(
        &self,
        t: SimTime,
        dir: Direction,
        segment: &Segment,
        packet: &Bytes,
        retransmission: Option<Retransmission>,
        probe: Option<Probe>,
    ) {
        if let Some(mut timeline) = self.lock() {
            let shown = timeline.segment_event(dir, segment);
            let kind =
                Kind::Segment(SegmentEvent { retransmission: retransmission.map(Box::new), probe, ..shown });
            self.push(&mut timeline, t, kind, Some(packet));
        }
    }

    /// Writes that an ICMP error left or came, in `packet`.
    pub fn icmp(&self, t: SimTime, dir: Direction, error: &IcmpError, packet: &Bytes) {
        if let Some(mut timeline) = self.lock() {
            let kind = Kind::Icmp(Box::new(timeline.icmp_event(dir, error)));
            self.push(&mut timeline, t, kind, Some(packet));
        }
    }

    /// Writes that a message of ARP or of Neighbor Discovery left or came, in `packet`.
    pub fn neighbour(&self, t: SimTime, dir: Direction, message: &NeighbourMessage, packet: &Bytes) {
        if let Some(mut timeline) = self.lock() {
            let kind = Kind::Neighbour(Box::new(neighbour_event(dir, message)));
            self.push(&mut timeline, t, kind, Some(packet));
        }
    }

    /// Writes that a packet was lost; it may be anything.
    pub fn lost(&self, t: SimTime, bytes: &Bytes, reason: LostReason) {
        if let Some(mut timeline) = self.lock() {
            let read = if timeline.leaves_out_checksums { crate::packet::view } else { crate::packet::parse };
            let packet = match read(bytes) {
                Ok(packet) => timeline.lost_packet(&packet),
                Err(_) => LostPacket::Malformed(bytes.len()),
            };
            let kind = Kind::Lost { packet: Box::new(packet), reason };
            self.push(&mut timeline, t, kind, Some(bytes));
        }
    }

    fn push(&self, timeline: &mut Timeline, own: SimTime, mut kind: Kind, packet: Option<&Bytes>) {
        let mut t = own;
        if let Some(shifts) = timeline.shifts.get(&self.host) {
            t += missed(shifts, |since| since <= own);
            if let Kind::Call(call) = &mut kind {
                // What began at the moment at which the clock stood began before it did.
                let began = call.since;
                call.since += missed(shifts, |since| since < began);
            }
        }
        timeline.octets += packet.map_or(0, |packet| packet.len() as u64);
        timeline.events.push(Event { t, host: self.host.clone(), kind, packet: packet.cloned() });
        timeline.shorten();
    }

    /// How many events it holds, and how many octets of packets.
    pub(crate) fn kept(&self) -> (usize, u64) {
        self.lock().map_or((0, 0), |timeline| (timeline.events.len(), timeline.octets))
    }

    /// How many events were recorded so far.
    pub fn len(&self) -> usize {
        self.lock().map_or(0, |timeline| timeline.drained + timeline.events.len())
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events from the `from`-th on, copied out. Those that were [drained](Recorder::drain), or are more than is
    /// kept, are missing.
    pub fn events_from(&self, from: usize) -> Vec<Event> {
        let Some(timeline) = self.lock() else { return Vec::new() };
        let first = from.saturating_sub(timeline.drained);
        let mut events = timeline.events.get(first..).unwrap_or(&[]).to_vec();
        timeline.complete(&mut events);
        events
    }

    /// Takes the events out that were recorded since the last call. A consumer that drains while a run goes on, from
    /// whichever thread, sees every event once and in order, and the timeline stays as short as it is often drained.
    pub fn drain(&self) -> Vec<Event> {
        let Some(mut timeline) = self.lock() else { return Vec::new() };
        let here = timeline.events.len();
        let until =
            timeline.awaited.map_or(here, |awaited| here.min(awaited.saturating_sub(timeline.drained)));
        let rest = timeline.events.split_off(until);
        let mut events = std::mem::replace(&mut timeline.events, rest);
        timeline.drained += events.len();
        timeline.octets -= octets(&events);
        timeline.complete(&mut events);
        events
    }

    /// Says that the events from this one on are yet to be read: they are not drained. A scenario's script reads them.
    #[cfg(feature = "cli")]
    pub(crate) fn await_from(&self, from: Option<usize>) {
        if let Some(mut timeline) = self.lock() {
            timeline.awaited = from;
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Timeline>> {
        let timeline = self.timeline.as_ref()?;
        // A panic elsewhere does not unwrite what was recorded before it.
        Some(timeline.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a clock has missed by the last of its pauses that is such.
fn missed(shifts: &[(SimTime, Duration)], is_such: impl Fn(SimTime) -> bool) -> Duration {
    shifts.iter().rev().find(|(since, _)| is_such(*since)).map_or(Duration::ZERO, |(_, missed)| *missed)
}

fn octets(events: &[Event]) -> u64 {
    events.iter().filter_map(|event| event.packet.as_ref()).map(|packet| packet.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "10.0.2.1:49152";
    const SERVER: &str = "10.0.1.1:9877";

    fn segment(src: &str, dst: &str, flags: Flags, seq: u32, ack: Option<u32>) -> Segment {
        let address = |text: &str| text.parse().expect("an address");
        let (seq, ack) = (Seq::new(seq), ack.map(Seq::new));
        Segment { src: address(src), dst: address(dst), flags, seq, ack, win: 1, len: 0, hop_limit: 64 }
    }

    /// The acknowledgment of the client's last segment, as it is shown.
    fn shown_ack(syns: &[u32]) -> Option<u32> {
        let mut timeline = Timeline::default();
        let (syn, ack) = (Flags::SYN, Flags::ACK);
        timeline.segment_event(Direction::Out, &segment(CLIENT, SERVER, syn, syns[0], None));
        let answer = segment(SERVER, CLIENT, syn.with(ack), 5_000, Some(syns[0] + 1));
        timeline.segment_event(Direction::Out, &answer);
        for isn in &syns[1..] {
            timeline.segment_event(Direction::Out, &segment(CLIENT, SERVER, syn, *isn, None));
        }
        let last = segment(CLIENT, SERVER, ack, syns[syns.len() - 1] + 1, Some(5_001));
        timeline.segment_event(Direction::Out, &last).ack
    }

    #[test]
    fn a_syn_that_is_sent_or_lost_again_leaves_the_answers_numbers_relative() {
        assert_eq!(shown_ack(&[100]), Some(1));
        assert_eq!(shown_ack(&[100, 100]), Some(1));
    }

    /// A long run keeps millions: with the 40 octets of a bare segment's packet, an event is to take no more than 200.
    #[test]
    fn an_event_takes_no_more_than_160_octets() {
        assert!(size_of::<Event>() <= 160, "{}", size_of::<Event>());
    }

    #[test]
    fn the_syn_of_a_new_connection_forgets_the_old_answers() {
        assert_eq!(shown_ack(&[100, 700]), Some(5_001));
    }
}
