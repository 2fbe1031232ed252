//! What arrives for a connection: segments, and ICMP errors about its segments.
//!
//! A burst that brings just what is expected next is kept as it came (`bursts.rs`); everything else is smoltcp's, which
//! believes the windows of the segments that it is handed. So it is shown no more of the peer's window than the congestion
//! window. A segment without data is shown with a smaller one; for one with data, which is not copied for that, and
//! whenever else the limit has changed, a segment follows that says nothing but the window.

use bytes::Bytes;

use super::output::Acks;
use super::receive::may_receive;
use super::tcb::Tcb;
use crate::packet::{Flags, IcmpError, Segment, TcpOptions};
use crate::stack::transport::{
    Congestion, Context, DEFAULT_MSS, Death, IcmpEffect, Reader, SoftError, Timer,
};
use crate::timeline::TcpState;

impl Tcb {
    /// A segment from the peer; its checksum has been verified.
    pub(super) fn input(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes) {
        if self.is_next_burst(cx, segment) {
            self.receive.highest = segment.seq_end();
            self.engine.pass_by(segment.len);
            self.receive.bursts.push(packet.slice(packet.len() - segment.len..));
            self.engine.hold(self.receive.held());
            self.autocork(cx);
            self.input_rest(cx, segment);
        } else if self.overflows(segment) {
            // RFC 9293, 3.10.7.4: an acknowledgment is the answer to what lies outside the window.
            self.input_rest(cx, segment);
            self.acknowledge(cx);
        } else {
            let is_beyond = segment.len > 0 && self.receive.highest.before(segment.seq_end());
            if is_beyond && self.receive.has_room_for(&self.engine, segment) {
                self.receive.highest = segment.seq_end();
            }
            self.process(cx, segment, packet);
        }
    }

    /// Whether the segment is many, brings data and no more, and all that came before it is in order.
    fn is_next_burst(&self, cx: &Context<'_>, segment: &Segment) -> bool {
        !cx.cuts_segments
            && segment.len > self.path.mss
            && (segment.flags == Flags::ACK || segment.flags == Flags::ACK.with(Flags::PSH))
            && segment.seq == self.receive.highest
            && self.receive.highest == self.receive.nxt(&self.engine)
            && segment.ack.is_some_and(|ack| ack.at_or_before(self.send.nxt))
            && may_receive(self.state)
            && self.receive.reader == Reader::Reading
            && self.engine.recv_queue() == 0
            && self.receive.has_room_for(&self.engine, segment)
    }

    /// Whether it is data behind unread bursts, more than the window has room for.
    fn overflows(&self, segment: &Segment) -> bool {
        self.receive.bursts.len() > 0
            && may_receive(self.state)
            && self.receive.reader != Reader::Gone
            && !segment.flags.has(Flags::RST)
            && !self.receive.has_room_for(&self.engine, segment)
    }

    /// What a segment says besides its data, if it says anything new.
    fn input_rest(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        let acknowledges = segment.ack.is_some_and(|ack| self.send.una.before(ack));
        if acknowledges || self.send.window_of(segment) != self.send.window {
            let seq = self.receive.nxt(&self.engine);
            let rest = Segment { flags: Flags::ACK, seq, len: 0, ..segment.clone() };
            self.process(cx, &rest, crate::packet::emit_segment(&rest, &[]));
        } else {
            self.timers.on_segment(cx, &self.options);
        }
    }

    /// A segment that smoltcp is to see.
    fn process(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes) {
        if self.has_no_reader(segment) {
            // Ch. 5.12: the process is gone, so data for it is answered with a reset.
            if let Some(reset) = segment.reset() {
                cx.send_bare(&reset, None);
            }
            self.die(cx, Death::Closed);
            return;
        }
        let before = self.engine.state();
        if is_synchronized(before) && self.is_doubtful(segment) {
            self.acknowledge(cx);
            return;
        }
        if matches!(before, TcpState::Listen | TcpState::SynSent | TcpState::SynReceived) {
            self.note_handshake(cx, segment, &packet);
        }
        let (is_acceptable, queued) = (self.is_acceptable(segment), self.engine.send_queue());
        self.hand_over(cx, segment, packet);
        let after = self.engine.state();
        if segment.flags.has(Flags::RST) {
            // A reset in SYN-RECEIVED sends smoltcp's socket back to LISTEN (RFC 9293, 3.10.7.4).
            if after != before && matches!(after, TcpState::Closed | TcpState::Listen) {
                self.die(cx, Death::Reset { state: before });
            }
            return;
        }
        self.timers.on_segment(cx, &self.options);
        if is_acceptable {
            self.send.window = self.send.window_of(segment);
        }
        // An acknowledgment that smoltcp drops with its segment has none of these effects on it, and none here.
        if self.engine.send_queue() < queued || after != before {
            self.note_acknowledged(cx, segment, before);
        }
        let is_fin =
            after != before && matches!(after, TcpState::CloseWait | TcpState::Closing | TcpState::TimeWait);
        self.receive.fin_received |= is_fin && segment.flags.has(Flags::FIN);
        if before == TcpState::TimeWait && segment.flags.has(Flags::FIN) {
            self.timers.enter_time_wait(cx);
        }
        self.answer(cx, segment, before, after);
    }

    /// What the handshake tells of the peer, and of the path.
    fn note_handshake(&mut self, cx: &Context<'_>, segment: &Segment, packet: &Bytes) {
        if segment.flags.has(Flags::SYN) {
            let TcpOptions { window_scale: scale, max_segment_size, .. } = TcpOptions::read(packet);
            self.send.scale = scale.unwrap_or(0);
            self.receive.scale = scale.map_or(0, |_| self.engine.window_scale());
            self.path.peer_mss = max_segment_size.map_or(DEFAULT_MSS, usize::from);
            self.receive.read_to = segment.seq_end();
            self.receive.highest = segment.seq_end();
        }
        let retransmissions = self.timers.retransmit.count();
        self.send.congestion = Congestion::new(self.path.smss(), cx.profile.initial_window, retransmissions);
    }

    /// RFC 9293, 3.10.7.4 (RFC 5961): a SYN, or a reset in the window that is not expected next. Its sender is asked by an
    /// acknowledgment, which a host that has booted answers with a reset (RFC 9293, 3.5.1). smoltcp takes the one for old
    /// and the other for true.
    fn is_doubtful(&self, segment: &Segment) -> bool {
        if !segment.flags.has(Flags::RST) {
            return segment.flags.has(Flags::SYN);
        }
        let nxt = self.receive.nxt(&self.engine);
        nxt.before(segment.seq) && self.receive.has_room_until(&self.engine, segment.seq)
    }

    /// Whether data has come that no process can read any more.
    fn has_no_reader(&self, segment: &Segment) -> bool {
        let is_closed = matches!(self.state, TcpState::FinWait1 | TcpState::FinWait2 | TcpState::Closing);
        self.receive.reader == Reader::Gone
            && is_closed
            && segment.len > 0
            && !segment.flags.has(Flags::RST)
            && self.receive.nxt(&self.engine).before(segment.seq + segment.len as u32)
    }

    /// Hands a segment to smoltcp, and what it acknowledges to the congestion control.
    fn hand_over(&mut self, cx: &Context<'_>, segment: &Segment, packet: Bytes) {
        let flight = self.send.flight();
        if self.send.is_duplicate(segment) {
            if self.send.congestion.on_duplicate(flight) {
                self.retransmit_fast(cx);
            }
        } else {
            self.send.congestion.on_ack(self.send.newly_acknowledged(segment), flight);
        }
        self.show(cx, segment, packet);
    }

    /// Lets smoltcp see a segment, with as much of its window as it is to know of.
    fn show(&mut self, cx: &Context<'_>, segment: &Segment, packet: Bytes) {
        if self.brings_only_a_window(segment) {
            return;
        }
        let (offered, scale) = (self.send.window_of(segment), self.send.scale_of(segment));
        let win = self.send.limited(offered, scale, self.send.una_after(segment));
        let is_bare = segment.len == 0 && !segment.flags.has(Flags::RST);
        let is_other = win > segment.win || (is_bare && win < segment.win);
        if self.is_acceptable(segment) {
            self.send.shown = if is_other { u32::from(win) << scale } else { offered };
        }
        let packet = if is_other { crate::packet::with_window(&packet, win) } else { packet };
        if segment.flags.has(Flags::FIN) && segment.len > 0 {
            self.show_before_fin(cx, segment, win, &packet);
        } else {
            self.engine.receive(cx.now, packet);
        }
    }

    /// Hands smoltcp the data of a segment, and its FIN only if all of the data were taken: smoltcp cuts data off at the
    /// end of its window, and takes the FIN behind them all the same.
    fn show_before_fin(&mut self, cx: &Context<'_>, segment: &Segment, win: u16, packet: &Bytes) {
        self.engine.receive(cx.now, crate::packet::without_fin(packet));
        let seq = segment.seq + segment.len as u32;
        if self.receive.nxt(&self.engine) == seq {
            let fin = Segment { flags: Flags::FIN.with(Flags::ACK), seq, win, len: 0, ..segment.clone() };
            self.engine.receive(cx.now, crate::packet::emit_segment(&fin, &[]));
        }
    }

    /// RFC 9293, 3.10.7.4: whether smoltcp will look at the segment's window at all.
    fn is_acceptable(&self, segment: &Segment) -> bool {
        let expected = self.receive.nxt(&self.engine);
        if matches!(self.engine.state(), TcpState::Listen | TcpState::SynSent) {
            true
        } else if segment.len == 0 {
            expected.at_or_before(segment.seq)
        } else {
            self.receive.window > 0 && expected.before(segment.seq + segment.len as u32)
        }
    }

    /// Whether the segment acknowledges nothing new and brings nothing. smoltcp takes a window that it has seen before for a
    /// duplicate acknowledgment: at the third it drops its timer, and if only a FIN is in flight, it sends nothing
    /// instead. [`show_limit`](Tcb::show_limit) tells it what is new of the window.
    fn brings_only_a_window(&self, segment: &Segment) -> bool {
        // A FIN behind a gap is heeded when it comes again.
        let is_early = segment.flags.has(Flags::FIN) && self.receive.nxt(&self.engine).before(segment.seq);
        segment.len == 0
            && (segment.flags == Flags::ACK || is_early)
            && segment.ack == Some(self.send.una)
            && is_synchronized(self.engine.state())
            && self.is_acceptable(segment)
    }

    /// Tells smoltcp what it may send, if that is not what it was last shown.
    pub(super) fn show_limit(&mut self, cx: &Context<'_>) {
        let win = self.send.limited(self.send.window, self.send.scale, self.send.una);
        let octets = u32::from(win) << self.send.scale;
        if octets != self.send.shown && self.heeds_windows() {
            self.send.shown = octets;
            self.tell_window(cx, win);
        }
        self.engine.close_if_all_fits(self.send.shown);
    }

    /// Lets smoltcp send the earliest segment again, whatever else it has sent (RFC 5681, 3.2).
    fn retransmit_fast(&mut self, cx: &Context<'_>) {
        if self.heeds_windows() {
            self.show_limit(cx);
            let win = self.send.limited(self.send.window, self.send.scale, self.send.una);
            for _ in 0..Congestion::DUPLICATES {
                self.tell_window(cx, win);
            }
        }
    }

    /// RFC 9293, 3.8.6 (SHLD-16): what is in flight is sent again though the window was shut on it, a segment at a time.
    pub(super) fn open_for_retransmission(&mut self, cx: &Context<'_>) {
        if self.send.window == 0 && self.heeds_windows() {
            let octets = (self.send.nxt - self.send.una).min(self.path.smss() as u32);
            let win = u16::try_from(octets >> self.send.scale).unwrap_or(u16::MAX).max(1);
            self.send.shown = u32::from(win) << self.send.scale;
            self.tell_window(cx, win);
        }
    }

    /// Whether a window makes a difference to smoltcp.
    fn heeds_windows(&self) -> bool {
        self.engine.send_queue() > 0 && self.engine.heeds_windows()
    }

    /// Hands smoltcp a segment that says nothing but the window.
    fn tell_window(&mut self, cx: &Context<'_>, win: u16) {
        let told = Segment {
            src: self.path.remote,
            dst: self.path.local,
            flags: Flags::ACK,
            seq: self.receive.nxt(&self.engine),
            ack: Some(self.send.una),
            win,
            len: 0,
            hop_limit: self.options.hop_limit,
        };
        self.engine.receive(cx.now, crate::packet::emit_segment(&told, &[]));
    }

    fn note_acknowledged(&mut self, cx: &Context<'_>, segment: &Segment, before: TcpState) {
        let Some(ack) = segment.ack.filter(|ack| self.send.una.before(*ack)) else { return };
        // A window probe's octet may be acknowledged though it was never counted as sent.
        let is_of_probe = self.send.probed_to == Some(ack) && ack == self.send.nxt + 1;
        if !ack.at_or_before(self.send.nxt) && !is_of_probe {
            return;
        }
        if before == TcpState::SynSent && !segment.flags.has(Flags::SYN) {
            return;
        }
        self.send.on_ack(cx.now, ack);
        self.soft = None;
        self.timers.retransmit.stop(&mut self.timers.table);
        if self.send.is_in_flight() {
            self.start_retransmit_timer(cx);
        }
    }

    /// Sends what the segment lets be sent, and acknowledges it.
    fn answer(&mut self, cx: &mut Context<'_>, segment: &Segment, before: TcpState, after: TcpState) {
        let acks = self.how_to_acknowledge(cx, segment, before, after);
        let goes_on = before == after && is_streaming(after);
        let is_autocorked = self.timers.table.is_running(Timer::Autocork);
        if goes_on && !cx.cuts_segments && (is_autocorked || acks == Acks::AtOnce) {
            self.autocork(cx);
            self.output(cx, acks);
        } else {
            self.timers.table.stop(Timer::Autocork);
            self.send_all(cx, acks);
            self.acknowledge_bursts(cx);
        }
        self.settle(cx);
    }

    fn how_to_acknowledge(
        &self,
        cx: &Context<'_>,
        segment: &Segment,
        before: TcpState,
        after: TcpState,
    ) -> Acks {
        // RFC 5681, 4.2: what is more than one segment's worth is acknowledged at once.
        let is_many = segment.len > self.path.mss;
        let may_wait = before == after
            && is_streaming(after)
            && !is_many
            && !segment.flags.has(Flags::FIN)
            && !cx.profile.ack.delay.is_zero();
        if may_wait { Acks::MayWait } else { Acks::AtOnce }
    }

    /// An ICMP error that quotes one of this connection's segments.
    pub(super) fn input_icmp(&mut self, cx: &mut Context<'_>, error: &IcmpError) {
        let is_probing = self.timers.keepalive.probes() > 0;
        let in_flight = (self.send.una, self.send.nxt);
        let quoted = error.about.seq;
        let policy = &cx.profile.icmp;
        match IcmpEffect::of(policy, self.state, error.what, quoted, in_flight, is_probing) {
            None => return,
            Some(IcmpEffect::ShrinkPath { mtu }) => {
                // RFC 1191, 6.3: what was too big goes out again at once, in smaller pieces.
                if self.path.shrink(mtu) && self.send.is_in_flight() {
                    self.retransmit(cx);
                }
                return;
            }
            Some(IcmpEffect::Fatal) => {
                self.die(cx, Death::Unreachable(error.what));
                return;
            }
            Some(IcmpEffect::Soft) => self.soft = Some(SoftError::Icmp(error.what)),
            Some(IcmpEffect::Nothing) => {}
        }
        self.settle(cx);
    }
}

/// Both ends know each other's numbers, and what this end has sent may yet be acknowledged.
fn is_synchronized(state: TcpState) -> bool {
    use TcpState::{CloseWait, Closing, Established, FinWait1, FinWait2, LastAck};
    matches!(state, Established | FinWait1 | FinWait2 | CloseWait | Closing | LastAck)
}

/// Data, or acknowledgments of data, may still come.
fn is_streaming(state: TcpState) -> bool {
    may_receive(state) || state == TcpState::CloseWait
}
