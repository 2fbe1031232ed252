//! Bursts that are read where they lie.
//!
//! smoltcp copies what arrives into a ring, and from there to the program. A packet of many segments that brings just what
//! is expected next stays as it came instead. Of it smoltcp is shown what it acknowledges, but no data, so that its numbers
//! of what the peer sends stay behind by what has passed it by: what it is shown is moved back by as much, and what it
//! sends is put right (`wire.rs`). While it has anything unread, or out of order, everything goes its way.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::{Connection, Cx, Owner};
use crate::packet::{Flags, Segment};
use crate::timeline::TcpState;

#[derive(Debug, Default)]
pub(super) struct Bursts {
    /// The data of each that are not read.
    unread: VecDeque<Bytes>,
    octets: usize,
    /// Whether there ever was one.
    any: bool,
}

impl Bursts {
    /// Octets that are not read.
    pub(super) fn len(&self) -> usize {
        self.octets
    }

    fn push(&mut self, data: Bytes) {
        self.any = true;
        self.octets += data.len();
        self.unread.push_back(data);
    }

    /// Copies from the beginning as much as there is, or as `buf` has room for; with `peek` it stays there.
    pub(super) fn read(&mut self, buf: &mut [u8], peek: bool) -> usize {
        let mut read = 0;
        for data in &mut self.unread {
            let len = data.len().min(buf.len() - read);
            buf[read..][..len].copy_from_slice(&data[..len]);
            read += len;
            if !peek {
                data.advance(len);
            }
        }
        if !peek {
            self.octets -= read;
            self.unread.retain(|data| !data.is_empty());
        }
        read
    }
}

impl Connection {
    /// A segment from the peer; its checksum has been verified.
    pub(crate) fn receive(&mut self, cx: &mut Cx<'_>, segment: &Segment, packet: Bytes) {
        if self.is_next_burst(cx, segment) {
            self.highest = segment.seq_end();
            self.engine.pass_by(segment.len);
            self.bursts.push(packet.slice(packet.len() - segment.len..));
            self.engine.hold(self.held());
            self.delayed_ack.on_data_in(cx.now);
            self.cork(cx);
            self.receive_rest(cx, segment);
        } else if self.overflows(segment) {
            // RFC 9293, 3.10.7.4: an acknowledgment is the answer to what lies outside the window.
            self.receive_rest(cx, segment);
            self.acknowledge(cx);
        } else {
            let beyond = segment.len > 0 && self.highest.before(segment.seq_end());
            if beyond && self.has_room_for(segment) {
                self.highest = segment.seq_end();
            }
            self.process(cx, segment, packet);
        }
    }

    /// Whether the segment is many, brings data and no more, and all that came before it is in order.
    fn is_next_burst(&self, cx: &Cx<'_>, segment: &Segment) -> bool {
        !cx.cuts_segments
            && segment.len > self.mss
            && (segment.flags == Flags::ACK || segment.flags == Flags::ACK.with(Flags::PSH))
            && segment.seq == self.highest
            && self.highest == self.expected()
            && segment.ack.is_some_and(|ack| ack.at_or_before(self.nxt))
            && receives(self.state)
            && self.owner == Owner::Process
            && !self.read_shut
            && self.engine.socket(|socket| socket.recv_queue()) == 0
            && self.has_room_for(segment)
    }

    /// Whether it is data behind bursts that nobody has read, more than the window has room for.
    fn overflows(&self, segment: &Segment) -> bool {
        self.bursts.len() > 0
            && receives(self.state)
            && self.owner == Owner::Process
            && !segment.flags.has(Flags::RST)
            && !self.has_room_for(segment)
    }

    fn has_room_for(&self, segment: &Segment) -> bool {
        let buffer = self.engine.socket(|socket| socket.recv_capacity());
        segment.len == 0 || segment.seq_end().at_or_before(self.read_to + buffer as u32)
    }

    /// What a segment says besides its data, if it says anything new.
    fn receive_rest(&mut self, cx: &mut Cx<'_>, segment: &Segment) {
        let acknowledges = segment.ack.is_some_and(|ack| self.una.before(ack));
        if acknowledges || self.window_of(segment) != self.peer_window {
            let rest = Segment { flags: Flags::ACK, seq: self.expected(), len: 0, ..segment.clone() };
            self.process(cx, &rest, crate::packet::emit_segment(&rest, &[]));
        } else {
            self.keepalive.heard(cx, &self.options);
            self.persist.heard();
        }
    }

    /// Reads what has come in order: smoltcp has nothing that does not follow the bursts.
    pub(super) fn read_unread(&mut self, buf: &mut [u8], peek: bool) -> usize {
        let of_bursts = self.bursts.read(buf, peek);
        let read = of_bursts + self.engine.read(&mut buf[of_bursts..], peek);
        if !peek {
            self.read_to += read as u32;
            self.engine.hold(self.held());
        }
        read
    }

    /// How much of the window the unread bursts take, in the units it is advertised in.
    fn held(&self) -> u16 {
        let units = self.bursts.len().div_ceil(1 << self.scale);
        u16::try_from(units).unwrap_or(u16::MAX)
    }

    /// Acknowledges the bursts that nothing has acknowledged yet, and says when there is twice the room that there was
    /// (RFC 9293, 3.8.6.2.2), as smoltcp does for its ring.
    pub(super) fn acknowledge_bursts(&mut self, cx: &mut Cx<'_>) {
        if !self.bursts.any || !receives(self.engine.state()) {
            return;
        }
        let room = self.receive_window();
        let has_opened = room > 0 && room / 2 >= self.window;
        if has_opened || self.acked.before(self.expected()) {
            self.acknowledge(cx);
        }
    }

    fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        self.acked = self.expected();
        self.window = self.receive_window();
        let ack = self.made(Flags::ACK, self.acceptable_seq());
        self.delayed_ack.cancel();
        self.send(cx, &ack, crate::packet::emit_segment(&ack, &[]), None);
    }

    /// The window to be advertised.
    fn receive_window(&self) -> u16 {
        let room = self.engine.socket(|socket| socket.recv_capacity() - socket.recv_queue());
        u16::try_from(room >> self.scale).unwrap_or(u16::MAX).saturating_sub(self.held())
    }
}

/// Data may still come.
fn receives(state: TcpState) -> bool {
    matches!(state, TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2)
}
