//! Whether a segment is accepted (RFC 9293, 3.10.7.4; RFC 5961), and what its data and its FIN do.

use std::time::Duration;

use bytes::{Buf, Bytes};

use super::acknowledgment::{Decision, Situation};
use super::tcb::Tcb;
use crate::packet::{Flags, Segment, Seq, TcpOptions};
use crate::stack::transport::{Context, Death, Reader, Timer};
use crate::timeline::TcpState;

/// Segments without data that lie out of the window, or may be forged, are answered at most twice a second
/// (`tcp_invalid_ratelimit`).
const ANSWER_INTERVAL: Duration = Duration::from_millis(500);

/// After so long a timestamp says nothing (RFC 7323, 5.5).
const TIMESTAMP_LIFE: Duration = Duration::from_secs(24 * 24 * 3_600);

impl Tcb {
    /// A segment from the peer; its checksum has been verified.
    pub(super) fn input(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: &Bytes) {
        if self.is_dead() {
            return;
        }
        let options = TcpOptions::read(packet);
        match self.state {
            TcpState::Listen => return self.input_listen(cx, segment, &options),
            TcpState::SynSent => return self.input_syn_sent(cx, segment, &options),
            TcpState::TimeWait => return self.input_time_wait(cx, segment, &options),
            _ => {}
        }
        if self.state == TcpState::SynReceived && self.input_syn_received(cx, segment, &options) {
            return;
        }
        if !self.is_acceptable(cx, segment, &options) {
            return;
        }
        let Some(ack) = segment.ack else { return };
        self.last_echo = options.timestamps.map(|(_, echo)| echo).filter(|_| self.agreed.timestamps);
        let Ok(()) = self.input_ack(cx, segment, ack, &options) else { return };
        self.note_timestamp(cx, segment, &options);
        self.advance_state(cx, segment);
        if self.is_dead() || self.state == TcpState::TimeWait {
            return;
        }
        if self.has_no_reader(segment) {
            // Ch. 5.12: the process is gone, so data for it are answered with a reset.
            self.refuse(cx, segment);
            self.die(Death::Reset { state: self.state });
            return;
        }
        if segment.len > 0 || segment.flags.has(Flags::FIN) {
            let at = crate::packet::headers_len(packet);
            self.input_data(cx, segment, packet.slice(at..at + segment.len), &options);
        }
        if self.state != TcpState::TimeWait {
            self.answer(cx);
        }
    }

    /// RFC 9293, 3.10.7.4, as RFC 5961 has it: whether the segment is looked at any further. What is not acceptable is
    /// answered with an acknowledgment, or ends the connection.
    fn is_acceptable(&mut self, cx: &mut Context<'_>, segment: &Segment, options: &TcpOptions) -> bool {
        let (is_reset, is_syn) = (segment.flags.has(Flags::RST), segment.flags.has(Flags::SYN));
        let nxt = self.received.nxt;
        // RFC 9293, 3.10.7.4; and what goes beyond the window, a kernel since 6.17 does not take at all.
        let edge = self.window.edge();
        let is_late = segment.seq_end().before(self.window.offered_at());
        let is_beyond = edge.before(segment.seq) || segment.seq_len() > 0 && edge.before(segment.seq_end());
        let is_old_twin = self.is_too_old(cx, segment, options) && !is_reset;
        // After its FIN a peer may reset with the number before it (`tcp_reset_check`).
        let is_after_fin = segment.seq == nxt - 1
            && matches!(self.state, TcpState::CloseWait | TcpState::LastAck | TcpState::Closing);
        if is_late || is_beyond || is_old_twin {
            if is_reset && is_after_fin {
                self.die(Death::Reset { state: self.state });
            } else if is_syn && !is_reset {
                self.challenge(cx);
            } else if !is_reset && (segment.seq_len() > 0 || !self.answered_lately(cx)) {
                self.answer_duplicate(cx, segment);
            }
            return false;
        }
        if is_reset {
            if segment.seq == nxt || is_after_fin || self.received.last_block_end() == Some(segment.seq) {
                self.die(Death::Reset { state: self.state });
            } else {
                self.challenge(cx);
            }
            return false;
        }
        if is_syn {
            self.challenge(cx);
        }
        !is_syn
    }

    /// PAWS (RFC 7323, 5): whether the timestamp is older than the last one.
    fn is_too_old(&self, cx: &Context<'_>, segment: &Segment, options: &TcpOptions) -> bool {
        let Some((recent, at)) = self.timestamps.recent else { return false };
        let Some((value, _)) = options.timestamps else { return false };
        let age = recent.wrapping_sub(value) as i32;
        if age <= 0 || cx.now - at >= TIMESTAMP_LIFE {
            return false;
        }
        // An acknowledgment that says nothing new may have been overtaken on its way.
        let is_harmless = segment.len == 0
            && segment.seq == self.received.nxt
            && segment.ack == Some(self.send.una)
            && u32::from(segment.win) << self.agreed.scale == self.send.window
            && Duration::from_millis(age as u64) <= self.retransmission.rto;
        !is_harmless
    }

    /// RFC 7323, 4.3: the timestamp to be echoed.
    fn note_timestamp(&mut self, cx: &Context<'_>, segment: &Segment, options: &TcpOptions) {
        if let (true, Some((value, _))) = (self.agreed.timestamps, options.timestamps)
            && segment.seq.at_or_before(self.window.offered_at())
            && self.timestamps.recent.is_none_or(|(recent, _)| (value.wrapping_sub(recent) as i32) >= 0)
        {
            self.timestamps.recent = Some((value, cx.now));
        }
    }

    /// How long ago this end sent the timestamp `echo`; at least a millisecond.
    pub(super) fn since_timestamp(&self, now: crate::time::SimTime, echo: u32) -> Duration {
        let millis = self.timestamps.at(now).wrapping_sub(echo).clamp(1, i32::MAX as u32);
        Duration::from_millis(millis.into())
    }

    /// Whether a segment like this was answered just now, and is not answered again so soon.
    pub(super) fn answered_lately(&mut self, cx: &Context<'_>) -> bool {
        let lately = self.answered_at.is_some_and(|at| cx.now - at < ANSWER_INTERVAL);
        if !lately {
            self.answered_at = Some(cx.now);
        }
        lately
    }

    /// RFC 5961: an acknowledgment, to which a true peer answers with a reset if it knows nothing of the connection.
    pub(super) fn challenge(&mut self, cx: &mut Context<'_>) {
        if !self.answered_lately(cx) {
            self.send_ack(cx);
        }
    }

    /// A segment that does not lie in the window.
    fn answer_duplicate(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        if segment.seq_len() > 0 && segment.seq.before(self.received.nxt) {
            self.acks.on_duplicate(cx.profile, self.window.offered() as usize);
            let end = segment.seq_end();
            let end = if self.received.nxt.before(end) { self.received.nxt } else { end };
            self.note_twice(segment.seq, end);
        }
        self.send_ack(cx);
    }

    /// RFC 2883: the peer is told what came twice.
    fn note_twice(&mut self, from: Seq, to: Seq) {
        if self.agreed.sack && from.before(to) {
            self.received.twice = Some((from, to));
        }
    }

    /// What the acknowledgment of this end's FIN leads to.
    fn advance_state(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        let is_all_acknowledged = self.send.is_finished && self.send.una == self.send.written;
        if !is_all_acknowledged {
            return;
        }
        match self.state {
            TcpState::FinWait1 => {
                self.enter(TcpState::FinWait2);
                if self.is_orphan() && !self.has_no_reader(segment) {
                    if self.options.linger2 == Some(None) {
                        self.refuse(cx, segment);
                    }
                    self.wait_for_fin(cx);
                }
            }
            TcpState::Closing => self.enter_time_wait(cx),
            TcpState::LastAck => self.die(Death::Closed),
            _ => {}
        }
    }

    /// Whether data have come that no process can read any more.
    fn has_no_reader(&self, segment: &Segment) -> bool {
        let is_closed = matches!(self.state, TcpState::FinWait1 | TcpState::FinWait2 | TcpState::Closing);
        let reads_no_more = matches!(self.reader, Reader::Gone | Reader::Stopped);
        reads_no_more
            && is_closed
            && segment.seq_len() > 0
            && self.received.nxt.before(segment.seq + segment.len as u32)
    }

    /// Data and FIN of a segment that lies in the window, at least in part.
    fn input_data(&mut self, cx: &mut Context<'_>, segment: &Segment, mut data: Bytes, options: &TcpOptions) {
        let is_fin = segment.flags.has(Flags::FIN);
        let (nxt, end) = (self.received.nxt, segment.seq_end());
        if end.at_or_before(nxt) {
            // Sent again: its acknowledgment may have been lost.
            self.note_twice(segment.seq, end);
            self.acks.on_duplicate(cx.profile, self.window.offered() as usize);
            return;
        }
        if !self.may_receive() {
            return;
        }
        if self.window.left(nxt) == 0 && segment.len > 0 {
            self.note_twice(segment.seq, nxt);
            self.acks.on_duplicate(cx.profile, self.window.offered() as usize);
            return;
        }
        self.measure_peer(cx, segment, options);
        if nxt.before(segment.seq) {
            self.acks.demand();
            self.note_data(cx, segment);
            self.received.push_early(segment.seq, data, is_fin);
            if !self.agreed.sack {
                self.received.twice = None;
            }
            return;
        }
        if segment.seq.before(nxt) {
            self.note_twice(segment.seq, nxt);
            data.advance(((nxt - segment.seq) as usize).min(data.len()));
        }
        if !data.is_empty() {
            self.received.push(data);
            self.note_data(cx, segment);
        }
        let had_gap = self.received.has_gap();
        let is_finished = self.received.join() || is_fin;
        self.acks.on_progress();
        if is_finished {
            self.input_fin(cx);
        } else if had_gap && !self.received.has_gap() {
            // RFC 5681, 4.2: at once when a gap is filled.
            self.acks.demand();
        }
    }

    /// The peer has nothing more to say.
    fn input_fin(&mut self, cx: &mut Context<'_>) {
        self.received.nxt += 1;
        self.received.forget_early();
        self.fin_received = true;
        self.acks.on_fin();
        match self.state {
            TcpState::Established => {
                self.enter(TcpState::CloseWait);
                self.acks.be_interactive();
            }
            TcpState::FinWait1 => {
                self.enter(TcpState::Closing);
                self.send_ack(cx);
            }
            TcpState::FinWait2 => {
                self.send_ack(cx);
                self.enter_time_wait(cx);
            }
            _ => {}
        }
    }

    /// Data have come.
    fn note_data(&mut self, cx: &Context<'_>, segment: &Segment) {
        let mss = self.path.mss - self.agreed.octets();
        let is_pushed = segment.flags.has(Flags::PSH) || segment.flags.has(Flags::FIN);
        let window = self.window.offered() as usize;
        let arrived = (segment.len, mss, is_pushed);
        if self.acks.on_data(cx.now, cx.profile, arrived, self.retransmission.rto, window) {
            self.window.on_larger_segment(segment.len);
        }
        if self.window.on_data(segment.len, self.received.memory(), self.acks.full()) {
            self.acks.on_growth();
        }
    }

    /// The peer's round trip, by the timestamps that it echoes with full segments.
    fn measure_peer(&mut self, cx: &Context<'_>, segment: &Segment, options: &TcpOptions) {
        let Some((_, echo)) = options.timestamps.filter(|_| self.agreed.timestamps) else { return };
        if self.timestamps.measured.replace(echo) != Some(echo) && segment.len >= self.acks.full() {
            self.window.on_rtt(self.since_timestamp(cx.now, echo));
        }
    }

    /// Sends what may be sent now, and acknowledges what is to be. Where bursts travel as one packet both wait for the end of
    /// this moment, so that what comes at one moment is answered once.
    fn answer(&mut self, cx: &mut Context<'_>) {
        let is_autocorked = self.timers.is_running(Timer::Autocork);
        if !is_autocorked && !self.queue.is_all_sent() {
            let nagle = self.nagle();
            self.push(cx, nagle);
        }
        self.make_room();
        self.check_acknowledgment(cx);
    }

    /// A program waits to write. If it could not fill the congestion window, its buffer is too small.
    fn make_room(&mut self) {
        if self.wants_room {
            if self.queue.packets.in_flight() < self.congestion.window {
                self.grow_send_buffer();
            }
            self.wants_room = !self.has_much_room();
        }
    }

    fn check_acknowledgment(&mut self, cx: &mut Context<'_>) {
        match self.decide_acknowledgment(cx) {
            Decision::Nothing => {}
            Decision::Now if !cx.cuts_segments && self.may_receive() => {
                self.acks.demand();
                self.autocork(cx);
            }
            Decision::Now => self.send_ack(cx),
            Decision::At(at) => self.timers.set(Timer::DelayedAck, at),
            Decision::Compressed(wait) => {
                if !self.timers.is_running(Timer::DelayedAck) {
                    self.timers.set(Timer::DelayedAck, cx.now + wait);
                }
            }
        }
    }

    fn decide_acknowledgment(&mut self, cx: &Context<'_>) -> Decision {
        let owed = (self.received.nxt - self.window.offered_at()) as usize;
        let used = self.received.memory();
        let room = self.window.room(used, self.acks.full());
        if owed > self.acks.full() && self.window.is_scarce(used) {
            self.acks.on_scarcity();
        }
        let situation = Situation {
            now: cx.now,
            owed,
            window_advances: self.received.unread() == 0 || room >= self.window.offered(),
            has_gap: self.received.has_gap(),
            rtt: self.window.rtt(),
            srtt: self.rtt.smoothed(),
            waiting: self.timers.at(Timer::DelayedAck),
        };
        self.acks.decide(cx.profile, situation)
    }

    /// The program has read: an acknowledgment that waited for that goes out, and so does a window that opens to at least
    /// twice what it was (RFC 9293, 3.8.6.2.2).
    pub(super) fn acknowledge_read(&mut self, cx: &mut Context<'_>) {
        let owed = (self.received.nxt - self.window.offered_at()) as usize;
        let is_all = self.received.unread() == 0;
        let mut is_time = self.acks.ends_with_read(owed, is_all);
        let nxt = self.received.nxt;
        if !is_time && self.may_receive() && self.window.may_open(nxt) {
            let room = self.window.room(self.received.memory(), self.acks.full());
            is_time = room > 0 && room >= 2 * self.window.left(nxt);
        }
        if is_time && !cx.cuts_segments {
            self.acks.demand();
            self.autocork(cx);
        } else if is_time {
            self.send_ack(cx);
        }
    }

    /// RFC 9293, 3.10.7.4, in TIME-WAIT.
    fn input_time_wait(&mut self, cx: &mut Context<'_>, segment: &Segment, options: &TcpOptions) {
        let is_old = self.is_too_old(cx, segment, options);
        let is_reset = segment.flags.has(Flags::RST);
        if !is_old && segment.seq == self.received.nxt && (segment.seq_len() == 0 || is_reset) {
            if is_reset {
                // RFC 1337 tells of the hazard; Linux takes it by default.
                self.die(Death::Closed);
            } else {
                self.enter_time_wait(cx);
            }
            return;
        }
        if !is_reset {
            if is_old || segment.ack.is_some() {
                self.enter_time_wait(cx);
            }
            if segment.seq_len() > 0 || !self.answered_lately(cx) {
                self.send_ack(cx);
            }
        }
    }
}
