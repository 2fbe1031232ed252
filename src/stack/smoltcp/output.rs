//! What leaves a connection: what smoltcp sends, counted, held back, cut to the path's MTU and recorded; and the segments
//! that smoltcp cannot be asked for.

use bytes::Bytes;

use super::device::SentPacket;
use super::receive::may_receive;
use super::tcb::Tcb;
use crate::packet::{Flags, Packet, Segment, Seq};
use crate::stack::transport::{Context, Retransmit, SoftError, Timer, delay_acknowledgment};
use crate::timeline::{Probe, Retransmission, TcpState};

/// What becomes of an acknowledgment without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acks {
    AtOnce,
    /// If it acknowledges something new, it waits as long as the profile says.
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

impl Tcb {
    /// Sends what can be sent, now.
    pub(super) fn push(&mut self, cx: &mut Context<'_>) {
        self.timers.table.stop(Timer::Autocork);
        self.send_all(cx, Acks::AtOnce);
        self.acknowledge_bursts(cx);
        self.settle(cx);
    }

    /// Lets what there is to be sent, data or acknowledgment, wait for the end of this moment. Where bursts travel as one
    /// packet, the packets of a moment leave at its end anyway, so that it goes out in one piece and no later.
    pub(super) fn autocork(&mut self, cx: &Context<'_>) {
        self.timers.table.set(Timer::Autocork, cx.now);
    }

    /// Lets smoltcp send what the windows let through.
    pub(super) fn send_all(&mut self, cx: &mut Context<'_>, acks: Acks) {
        self.show_limit(cx);
        self.engine.send(cx.now);
        self.output(cx, acks);
    }

    /// RFC 6298 (5.4): the earliest segment that has not been acknowledged goes out again.
    pub(super) fn retransmit(&mut self, cx: &mut Context<'_>) {
        let before = cx.sent;
        self.show_limit(cx);
        self.open_for_retransmission(cx);
        self.engine.fire(cx.now);
        self.output(cx, Acks::AtOnce);
        if cx.sent == before {
            // The peer shut its window on what is in flight: ask it for its window by an old octet.
            self.send_probe(cx, Probe::Window);
        }
    }

    /// RFC 9293, 3.8.6.1: lets smoltcp probe the window that the peer has shut.
    pub(super) fn probe_window(&mut self, cx: &mut Context<'_>) {
        self.engine.fire(cx.now);
        self.output(cx, Acks::AtOnce);
    }

    /// Takes over what smoltcp has sent.
    pub(super) fn output(&mut self, cx: &mut Context<'_>, acks: Acks) {
        while let Some(SentPacket { mut packet, segment: cut }) = self.engine.sent() {
            let Ok(Packet::Tcp(mut segment)) = crate::packet::view(&packet) else {
                unreachable!("smoltcp sends well-formed segments");
            };
            if segment.flags.has(Flags::FIN) && segment.len > 0 {
                // RFC 9293, 3.9.1.2 (MUST-61): PSH in the last segment. smoltcp leaves it out beside FIN.
                segment.flags = segment.flags.with(Flags::PSH);
                packet = crate::packet::pushed(&packet);
            }
            let is_bare = segment.flags == Flags::ACK && segment.len == 0;
            if is_bare && segment.seq != self.send.acceptable_seq() {
                segment.seq = self.send.acceptable_seq();
                packet = crate::packet::renumbered(&packet, segment.seq);
            }
            let is_new = segment.ack.is_some_and(|ack| self.receive.acked.before(ack));
            self.receive.on_send(&segment);
            if is_bare && is_new && acks == Acks::MayWait {
                self.hold_ack(cx, segment, packet);
                continue;
            }
            if segment.ack.is_some() {
                self.cancel_held_ack();
            }
            if let Some(octets) = cut {
                self.send.segment_size = Some(octets.get().into());
            }
            if segment.len > 0 {
                self.send.sent_to = segment.seq_end();
                self.send.sent_at = Some(cx.now);
            }
            self.send_in_pieces(cx, segment, packet);
        }
    }

    fn send_in_pieces(&mut self, cx: &mut Context<'_>, segment: Segment, packet: Bytes) {
        let headers = packet.len() - segment.len;
        let of_burst = self.send.segment_size.filter(|_| cx.cuts_segments).map(|octets| headers + octets);
        match of_burst.into_iter().chain(self.path.mtu).min() {
            Some(largest) if packet.len() > largest => {
                for (segment, piece) in pieces(&packet, largest) {
                    self.count_and_send(cx, segment, piece);
                }
            }
            _ => self.count_and_send(cx, segment, packet),
        }
    }

    fn count_and_send(&mut self, cx: &mut Context<'_>, segment: Segment, packet: Bytes) {
        if segment.seq_len() == 0 {
            cx.send(&segment, packet, None, None);
            return;
        }
        let is_syn = segment.flags.has(Flags::SYN);
        if is_syn && !self.send.is_in_flight() {
            self.send.una = segment.seq;
            self.send.nxt = segment.seq;
            self.send.sent_to = segment.seq_end();
        }
        let probes = !is_syn && self.send.window == 0 && !self.send.is_in_flight();
        if probes && segment.len == 1 && segment.seq == self.send.nxt {
            // A window probe's octet counts as sent only when it is acknowledged.
            self.send.probed_to = Some(segment.seq_end());
            cx.send(&segment, packet, None, Some(Probe::Window));
            return;
        }
        if !self.send.nxt.before(segment.seq_end()) {
            self.send_again(cx, &segment, packet);
            return;
        }
        self.send.nxt = segment.seq_end();
        self.send.rtt.on_send(cx.now, segment.seq_end());
        self.start_retransmit_timer(cx);
        cx.send(&segment, packet, None, None);
    }

    /// RFC 6298 (5.1): something is in flight.
    pub(super) fn start_retransmit_timer(&mut self, cx: &Context<'_>) {
        let (timers, on) = self.retransmission(cx);
        timers.retransmit.on_send(&mut timers.table, on);
    }

    /// A segment that was sent before.
    fn send_again(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes) {
        if !cx.is_up {
            self.soft = Some(SoftError::LinkDown);
        }
        let nth = self.send.on_resend(segment.seq);
        let limit = Retransmit::limit(self.retransmission(cx).1);
        let next = self.timers.table.at(Timer::Retransmit).map(|at| at - cx.now);
        cx.send(segment, packet, Some(Retransmission { nth, limit, next }), None);
    }

    /// An acknowledgment that may wait; every second one is sent at once (RFC 5681, 4.2).
    fn hold_ack(&mut self, cx: &mut Context<'_>, segment: Segment, packet: Bytes) {
        if delay_acknowledgment(cx, &mut self.timers.table) {
            self.receive.held_ack = Some((segment, packet));
        } else {
            self.cancel_held_ack();
            cx.send(&segment, packet, None, None);
        }
    }

    pub(super) fn send_held_ack(&mut self, cx: &mut Context<'_>) {
        if let Some((segment, packet)) = self.receive.held_ack.take() {
            self.cancel_held_ack();
            cx.send(&segment, packet, None, None);
        }
    }

    /// Something else carries the acknowledgment.
    fn cancel_held_ack(&mut self) {
        self.timers.table.stop(Timer::DelayedAck);
        self.receive.held_ack = None;
    }

    /// Acknowledges the bursts that nothing has acknowledged yet, and says when there is twice the room that there was
    /// (RFC 9293, 3.8.6.2.2), as smoltcp does for its ring.
    pub(super) fn acknowledge_bursts(&mut self, cx: &mut Context<'_>) {
        if !self.receive.bursts.any() || !may_receive(self.engine.state()) {
            return;
        }
        let room = self.receive.room(&self.engine);
        let has_opened = room > 0 && room / 2 >= self.receive.window;
        if has_opened || self.receive.acked.before(self.receive.nxt(&self.engine)) {
            self.acknowledge(cx);
        }
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>) {
        self.carry_acknowledgment();
        cx.send_bare(&self.made(Flags::ACK, self.send.acceptable_seq()), None);
    }

    /// What is sent now says all that has been received.
    fn carry_acknowledgment(&mut self) {
        self.receive.acked = self.receive.nxt(&self.engine);
        self.receive.window = self.receive.room(&self.engine);
        self.cancel_held_ack();
    }

    /// A segment below the window, which the peer can only answer with an ACK: RFC 1122's keepalive probe.
    pub(super) fn send_probe(&mut self, cx: &mut Context<'_>, probe: Probe) {
        cx.send_bare(&self.made(Flags::ACK, self.send.una - 1), Some(probe));
    }

    /// RST with ACK, after everything that was ever sent; nothing if the peer is not known to exist.
    pub(super) fn send_reset(&mut self, cx: &mut Context<'_>) {
        if self.state != TcpState::SynSent {
            cx.send_bare(&self.made(Flags::RST.with(Flags::ACK), self.send.nxt), None);
        }
    }

    /// A segment without data that smoltcp is not asked for.
    fn made(&self, flags: Flags, seq: Seq) -> Segment {
        Segment {
            src: self.path.local,
            dst: self.path.remote,
            flags,
            seq,
            ack: Some(self.receive.acked),
            win: if flags.has(Flags::RST) { 0 } else { self.receive.window },
            len: 0,
            hop_limit: self.options.hop_limit,
        }
    }
}
