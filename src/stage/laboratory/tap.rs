//! What a link carried, as the timeline has it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::packet::{self, Flags, Packet, Segment};
use crate::time::SimTime;
use crate::timeline::{Direction, Recorder, Retransmission};

/// Looks at one host's end of its link.
pub(super) struct Tap {
    recorder: Recorder,
    /// How often a segment left that takes up room in the sequence space.
    sent: BTreeMap<(SocketAddr, SocketAddr, u32), u32>,
}

impl Tap {
    pub(super) fn new(recorder: Recorder) -> Tap {
        Tap { recorder, sent: BTreeMap::new() }
    }

    /// A packet left the host, or came to it. False if it is neither TCP nor an ICMP error: a kernel says other
    /// things as well, and would get no answer here.
    pub(super) fn see(&mut self, now: SimTime, dir: Direction, packet: &Bytes) -> bool {
        match packet::parse(packet) {
            Ok(Packet::Tcp(segment)) => {
                let again = if dir == Direction::Out { self.retransmission(&segment) } else { None };
                self.recorder.segment(now, dir, &segment, packet, again, None);
                true
            }
            Ok(Packet::Icmp(error)) => {
                self.recorder.icmp(now, dir, &error, packet);
                true
            }
            Ok(Packet::Neighbour(message)) => {
                self.recorder.neighbour(now, dir, &message, packet);
                true
            }
            Err(_) => false,
        }
    }

    /// The kernel does not say that it sends again: it is seen by the number, which was there before.
    fn retransmission(&mut self, segment: &Segment) -> Option<Retransmission> {
        let is_syn = segment.flags.has(Flags::SYN);
        if segment.len == 0 && !is_syn && !segment.flags.has(Flags::FIN) {
            return None;
        }
        let count = self.sent.entry((segment.src, segment.dst, segment.seq.get())).or_insert(0);
        let nth = *count;
        *count += 1;
        (nth > 0).then_some(Retransmission { nth, limit: None, next: None })
    }
}
