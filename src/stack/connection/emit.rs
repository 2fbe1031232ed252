//! What leaves a connection: counted, held back, cut to the path's MTU, recorded.

use bytes::Bytes;

use super::wire::Sent;
use super::{Connection, Cx};
use crate::packet::{Flags, Packet, Segment, Seq};
use crate::timeline::{Direction, Retransmission, TcpState};

/// What becomes of a bare acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acks {
    AtOnce,
    /// If it acknowledges something new, it waits for company as long as the profile says.
    MayWait,
}

/// The segments that a packet is cut into.
fn pieces(packet: &Bytes, largest: usize) -> impl Iterator<Item = (Segment, Bytes)> {
    let pieces = crate::packet::split_segment(packet, largest).into_iter();
    pieces.filter_map(|piece| match crate::packet::view(&piece) {
        Ok(Packet::Tcp(segment)) => Some((segment, piece)),
        _ => None,
    })
}

impl Connection {
    /// Takes over what the engine sent.
    pub(super) fn emit(&mut self, cx: &mut Cx<'_>, acks: Acks) {
        while let Some(Sent { mut packet, segment: cut }) = self.engine.sent() {
            let Ok(Packet::Tcp(mut segment)) = crate::packet::view(&packet) else {
                unreachable!("smoltcp sends well-formed segments");
            };
            if segment.flags.has(Flags::FIN) && segment.len > 0 {
                // RFC 9293, 3.9.1.2 (MUST-61): PSH in the last segment. smoltcp leaves it out beside FIN.
                segment.flags = segment.flags.with(Flags::PSH);
                packet = crate::packet::pushed(&packet);
            }
            let bare = segment.flags == Flags::ACK && segment.len == 0;
            if bare && segment.seq != self.acceptable_seq() {
                segment.seq = self.acceptable_seq();
                packet = crate::packet::renumbered(&packet, segment.seq);
            }
            let is_new = segment.ack.is_some_and(|ack| self.acked.before(ack));
            self.note_ack(&segment);
            if bare && is_new && acks == Acks::MayWait {
                if let Some((segment, packet)) = self.delayed_ack.hold(cx.now, (segment, packet), cx.profile)
                {
                    self.send(cx, &segment, packet, None);
                }
                continue;
            }
            if segment.ack.is_some() {
                self.delayed_ack.cancel();
            }
            if let Some(octets) = cut {
                self.segment_size = Some(octets.get().into());
            }
            if segment.len > 0 {
                self.sent_to = segment.seq_end();
                self.sent_at = Some(cx.now);
            }
            self.emit_segment(cx, segment, packet);
        }
        if let Some((segment, at)) = self.newest.take() {
            self.tail = Some((segment, cx.out[at].clone()));
        }
    }

    /// The number of a segment without data: SND.NXT (RFC 9293, 3.10.7.4), but none that the peer's window has
    /// no room for. smoltcp goes back on SND.NXT when it retransmits; two ends that both did would drop each
    /// other's acknowledgments for ever, for they lie before the window, or behind one that has shut.
    pub(super) fn acceptable_seq(&self) -> Seq {
        let edge = self.una + self.peer_window;
        if edge.before(self.nxt) { edge } else { self.nxt }
    }

    fn emit_segment(&mut self, cx: &mut Cx<'_>, segment: Segment, packet: Bytes) {
        match self.largest_packet(cx, packet.len() - segment.len) {
            Some(largest) if packet.len() > largest => {
                for (segment, piece) in pieces(&packet, largest) {
                    self.count_and_send(cx, segment, piece);
                }
            }
            _ => self.count_and_send(cx, segment, packet),
        }
    }

    /// Octets of the largest packet that may leave, as far as the engine does not know.
    fn largest_packet(&self, cx: &Cx<'_>, headers: usize) -> Option<usize> {
        let segment = self.segment_size.filter(|_| cx.cuts_segments).map(|octets| headers + octets);
        segment.into_iter().chain(self.path_mtu).min()
    }

    fn note_ack(&mut self, segment: &Segment) {
        if let Some(ack) = segment.ack {
            self.acked = ack;
            self.window = segment.win;
        }
    }

    fn count_and_send(&mut self, cx: &mut Cx<'_>, segment: Segment, packet: Bytes) {
        if segment.seq_len() == 0 {
            self.send(cx, &segment, packet, None);
            return;
        }
        if segment.flags.has(Flags::SYN) && self.nxt == Seq::default() && self.una == Seq::default() {
            self.una = segment.seq;
            self.nxt = segment.seq;
            self.sent_to = segment.seq_end();
        }
        let synchronized = !segment.flags.has(Flags::SYN);
        if synchronized && self.peer_window == 0 && segment.len == 1 && segment.seq == self.nxt {
            // A window probe's octet is not sent in earnest: it counts when it is acknowledged.
            self.send(cx, &segment, packet, Some("window probe"));
            return;
        }
        let new = self.nxt.before(segment.seq_end());
        if segment.len > 0 {
            self.delayed_ack.on_data_out(cx.now, cx.profile);
        }
        if new {
            self.nxt = segment.seq_end();
            self.rtt.on_send(cx.now, segment.seq_end());
            self.start_retransmit_timer(cx, segment.seq);
            self.record_out(cx, &segment, &packet, None, None);
            if cx.profile.tail_loss_probe {
                self.newest = Some((segment, cx.out.len()));
            }
            cx.out.push_back(packet);
        } else {
            self.send_again(cx, &segment, packet, None);
        }
    }

    /// A segment that was sent before.
    fn send_again(&mut self, cx: &mut Cx<'_>, segment: &Segment, packet: Bytes, note: Option<&'static str>) {
        self.rtt.on_retransmit();
        if segment.seq == self.una {
            self.retransmit.note_sent(cx.now);
        }
        let nth = match self.resent.iter_mut().find(|(seq, _)| *seq == segment.seq) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.resent.push((segment.seq, 1));
                1
            }
        };
        let next = self.retransmit.at().map(|at| at - cx.now);
        let again = Retransmission { nth, limit: self.retransmission_limit(cx), next };
        self.record_out(cx, segment, &packet, Some(again), note);
        cx.out.push_back(packet);
    }

    /// RFC 8985, 7.3: the newest segment once more, which of a burst is the last.
    pub(super) fn send_tail_loss_probe(&mut self, cx: &mut Cx<'_>) {
        if let Some((segment, packet)) = self.tail.clone() {
            let octets = self.segment_size.unwrap_or(segment.len);
            let last = pieces(&packet, packet.len() - segment.len + octets).last();
            let (segment, packet) = last.unwrap_or((segment, packet));
            self.send_again(cx, &segment, packet, Some("tail loss probe"));
        }
    }

    pub(super) fn send_held_ack(&mut self, cx: &mut Cx<'_>) {
        if let Some((segment, packet)) = self.delayed_ack.take() {
            self.send(cx, &segment, packet, None);
        }
    }

    /// A segment below the window, which the peer can only answer with an ACK: RFC 1122's keepalive probe.
    pub(super) fn send_probe(&mut self, cx: &mut Cx<'_>, note: &'static str) {
        let probe = self.made(Flags::ACK, self.una - 1);
        self.send(cx, &probe, crate::packet::emit_segment(&probe, &[]), Some(note));
    }

    /// RST with ACK, after everything that was ever sent; nothing if the peer is not known to exist.
    pub(super) fn send_reset(&mut self, cx: &mut Cx<'_>) {
        if self.state == TcpState::SynSent {
            return;
        }
        let reset = self.made(Flags::RST.with(Flags::ACK), self.nxt);
        self.send(cx, &reset, crate::packet::emit_segment(&reset, &[]), None);
    }

    pub(super) fn made(&self, flags: Flags, seq: Seq) -> Segment {
        Segment {
            src: self.local,
            dst: self.remote,
            flags,
            seq,
            ack: Some(self.acked),
            win: if flags.has(Flags::RST) { 0 } else { self.window },
            len: 0,
            hop_limit: self.options.hop_limit,
        }
    }

    pub(super) fn send(
        &mut self,
        cx: &mut Cx<'_>,
        segment: &Segment,
        packet: Bytes,
        note: Option<&'static str>,
    ) {
        self.record_out(cx, segment, &packet, None, note);
        cx.out.push_back(packet);
    }

    fn record_out(
        &self,
        cx: &Cx<'_>,
        segment: &Segment,
        packet: &Bytes,
        again: Option<Retransmission>,
        note: Option<&'static str>,
    ) {
        cx.recorder.segment(cx.now, Direction::Out, segment, packet, again, note);
    }
}
