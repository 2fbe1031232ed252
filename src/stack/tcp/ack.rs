//! What an acknowledgment tells (RFC 9293, 3.10.7.4; RFC 2018; RFC 2883): what has arrived, the peer's window, the round trip.

use std::time::Duration;

use super::recovery::{Phase, Resend};
use super::retransmission::Purpose;
use super::tcb::Tcb;
use crate::packet::{Flags, Segment, Seq, TcpOptions};
use crate::stack::transport::Context;
use crate::time::SimTime;
use crate::timeline::TcpState;

/// What an acknowledgment told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// SND.UNA has advanced.
    pub(super) advanced: bool,
    /// The segment brought data.
    pub(super) has_data: bool,
    /// The window is another one.
    pub(super) window: bool,
    /// Data were acknowledged that none did before …
    pub(super) acked: bool,
    /// … some of which had been sent again.
    pub(super) acked_resent: bool,
    /// Data beyond a gap have arrived.
    pub(super) sacked: bool,
    /// Something has arrived twice.
    pub(super) twice: bool,
    /// The tail loss probe was needless.
    pub(super) probe_was_needless: bool,
    /// Something has arrived that was sent once only, before the last loss.
    pub(super) original: bool,
    /// The timer is to be set anew.
    pub(super) rearms: bool,
    /// How much had been delivered when the newest of what is acknowledged now was sent.
    pub(super) delivered_when_sent: Option<u32>,
    /// What had been sent again is lost again.
    pub(super) lost_again: bool,
}

impl Told {
    fn is_no_duplicate(self) -> bool {
        self.has_data || self.window || self.acked
    }
}

/// The oldest and the newest of what an acknowledgment told of and was sent once only.
#[derive(Clone, Copy, Debug, Default)]
struct Sent(Option<(SimTime, SimTime)>);

impl Sent {
    fn note(&mut self, at: SimTime) {
        let first = self.0.map_or(at, |(first, _)| first);
        self.0 = Some((first, at));
    }

    fn first_rtt(self, now: SimTime) -> Option<Duration> {
        self.0.map(|(first, _)| now - first)
    }

    fn last_rtt(self, now: SimTime) -> Option<Duration> {
        self.0.map(|(_, last)| now - last)
    }
}

impl Tcb {
    /// The acknowledgment of a segment, and what follows from it. An error says that the segment is worthless.
    pub(super) fn input_ack(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment,
        ack: Seq,
        options: &TcpOptions,
    ) -> Result<(), ()> {
        let prior_una = self.send.una;
        if self.send.nxt.before(ack) {
            self.challenge(cx);
            return Err(());
        }
        if self.is_predicted(segment, ack, options) {
            self.send.wl1 = segment.seq;
            return Ok(());
        }
        let mut sent = Sent::default();
        let mut told = Told { has_data: segment.seq_len() > 0, ..Told::default() };
        let prior_delivered = self.send.delivered;
        if ack.before(prior_una) {
            if ack.before(prior_una - self.send.largest_window) {
                // RFC 5961, 5.2: so old a number is more likely a guess.
                self.challenge(cx);
                return Err(());
            }
            if options.blocks().next().is_some() {
                self.note_blocks(cx, segment, ack, options, &mut told, &mut sent);
                let resend = self.on_suspicion(cx, prior_una, false, &mut told);
                self.resume(cx, resend);
            }
            return Ok(());
        }
        told.advanced = prior_una.before(ack);
        if told.advanced {
            self.retransmission.count = 0;
        }
        let highest_before = self.highest_sacked();
        let prior_out = self.queue.packets.out;
        self.update_window(cx, segment, ack, &mut told);
        self.send.una = ack;
        if self.agreed.sack {
            self.note_blocks(cx, segment, prior_una, options, &mut told, &mut sent);
        }
        self.soft = None;
        self.retransmission.probes = 0;
        self.heard_at = cx.now;
        if prior_out == 0 {
            if told.twice {
                let _ = self.on_suspicion(cx, prior_una, false, &mut told);
            }
            self.update_window_probe(cx);
            self.note_probe_answer(ack, told);
            return Ok(());
        }
        self.take_acknowledged(cx, ack, highest_before, options, &mut told, sent);
        self.update_patience(told.delivered_when_sent);
        self.note_probe_answer(ack, told);
        let is_dubious =
            !told.is_no_duplicate() || told.sacked || told.twice || self.recovery.phase != Phase::Open;
        let mut resend = Resend::Nothing;
        let lost_before = self.queue.packets.lost;
        if is_dubious {
            let is_duplicate = !told.advanced && !told.is_no_duplicate() && !told.twice;
            resend = self.on_suspicion(cx, prior_una, is_duplicate, &mut told);
        }
        if told.rearms && !self.schedule_probe(cx, true) {
            self.rearm(cx);
        }
        if told.acked || told.sacked || !told.is_no_duplicate() {
            cx.gets_on(segment);
        }
        let delivered = self.send.delivered - prior_delivered;
        let has_lost = self.queue.packets.lost > lost_before;
        self.control_congestion(cx, delivered, told, has_lost);
        self.resume(cx, resend);
        Ok(())
    }

    /// Linux's header prediction: the next data in order, and not a word that is new. What they acknowledge is not looked at,
    /// which leaves timers and soft errors as they are.
    fn is_predicted(&self, segment: &Segment, ack: Seq, options: &TcpOptions) -> bool {
        self.state == TcpState::Established
            && segment.len > 0
            && segment.flags.without(Flags::PSH) == Flags::ACK
            && segment.seq == self.received.nxt
            && ack == self.send.una
            && u32::from(segment.win) << self.agreed.scale == self.send.window
            && options.blocks().next().is_none()
            && !self.received.has_blocks()
    }

    /// SND.WND, if the segment is not older than the one that told it last (RFC 9293, 3.10.7.4).
    fn update_window(&mut self, cx: &mut Context<'_>, segment: &Segment, ack: Seq, told: &mut Told) {
        let scale = if segment.flags.has(Flags::SYN) { 0 } else { self.agreed.scale };
        let window = u32::from(segment.win) << scale;
        let send = &mut self.send;
        let is_newer = send.una.before(ack)
            || send.wl1.before(segment.seq)
            || segment.seq == send.wl1 && (window > send.window || window == 0);
        if !is_newer {
            return;
        }
        told.window = true;
        send.wl1 = segment.seq;
        if send.window != window {
            send.window = window;
            send.largest_window = send.largest_window.max(window);
            if !self.queue.is_all_sent() {
                self.restart_after_idle(cx);
            }
        }
    }

    /// The first number that the peer's window has no room for.
    pub(super) fn window_end(&self) -> Seq {
        self.send.una + self.send.window
    }

    /// The first number of the last piece that has arrived beyond a gap; SND.UNA if none has.
    pub(super) fn highest_sacked(&self) -> Seq {
        if self.queue.packets.sacked == 0 {
            return self.send.una;
        }
        let mut newest = self.queue.in_flight().rev();
        newest.find(|piece| piece.is_sacked).map_or(self.send.una, |piece| piece.seq)
    }

    /// RFC 2018, RFC 2883: the blocks that have arrived beyond a gap, or twice.
    fn note_blocks(
        &mut self,
        cx: &Context<'_>,
        segment: &Segment,
        prior_una: Seq,
        options: &TcpOptions,
        told: &mut Told,
        sent: &mut Sent,
    ) {
        let blocks: Vec<(Seq, Seq)> = options.blocks().collect();
        let Some(&(from, to)) = blocks.first() else { return };
        let ack = segment.ack.unwrap_or(self.send.una);
        let lies_in_second = |&(start, end): &(Seq, Seq)| start.at_or_before(from) && to.at_or_before(end);
        let is_twice = from.before(ack) || blocks.get(1).is_some_and(lies_in_second);
        if is_twice && from.before(to) {
            self.note_twice_there(from, to, prior_una, told);
        }
        let mut reordered: Option<Seq> = None;
        for (nth, (from, to)) in blocks.into_iter().enumerate() {
            let twice = nth == 0 && is_twice;
            let is_sane = from.before(to) && to.at_or_before(self.send.nxt) && self.send.una.before(to);
            if is_sane {
                self.note_block(cx, (from, to), twice, told, sent, &mut reordered);
            }
        }
        if let Some(late) = reordered
            && (self.recovery.phase != Phase::Loss || self.recovery.undo.is_some())
        {
            self.recovery.note_reordering(late, self.highest_sacked(), self.mss());
        }
    }

    /// Something has arrived twice: what was sent again was needless.
    fn note_twice_there(&mut self, from: Seq, to: Seq, prior_una: Seq, told: &mut Told) {
        told.twice = true;
        let mss = self.mss().max(1) as u32;
        let packets = (to - from).div_ceil(mss).max(1);
        if self.recovery.probe.is_some_and(|(end, _)| end == to) {
            told.probe_was_needless = true;
        } else {
            self.recovery.rack.has_seen_needless = true;
            self.recovery.has_seen_reordering = true;
        }
        if to.at_or_before(prior_una) && self.recovery.undo.is_some_and(|start| start.before(to)) {
            self.recovery.note_needless(packets);
        }
    }

    fn note_block(
        &mut self,
        cx: &Context<'_>,
        (from, to): (Seq, Seq),
        is_twice: bool,
        told: &mut Told,
        sent: &mut Sent,
        reordered: &mut Option<Seq>,
    ) {
        let mss = self.mss();
        let highest = self.highest_sacked();
        let mut at = self.queue.place(from);
        while at < self.queue.sent() && self.queue.piece(at).seq.before(to) {
            if let Some(len) = self.cut_at_block(at, from, to, mss) {
                self.queue.split(at, len, mss);
            }
            let piece = self.queue.piece(at);
            let is_in_block = from.at_or_before(piece.seq) && piece.end().at_or_before(to);
            if is_in_block {
                let (seq, end, packets) = (piece.seq, piece.end(), piece.packets);
                let (sent_at, resent, is_repaired) = (piece.sent, piece.resent, piece.is_repaired);
                let order = piece.order;
                if is_twice && resent > 0 && self.recovery.undo.is_some_and(|start| start.before(end)) {
                    self.recovery.note_needless(packets);
                }
                if !piece.is_sacked {
                    let least = self.rtt.least();
                    self.recovery.rack.advance(cx.now, sent_at, order, resent > 0, least);
                    if !is_repaired && resent == 0 {
                        if seq.before(highest) && reordered.is_none_or(|late| seq.before(late)) {
                            *reordered = Some(seq);
                        }
                        told.original |= end.at_or_before(self.recovery.end);
                        sent.note(sent_at);
                    }
                    told.delivered_when_sent =
                        told.delivered_when_sent.max(Some(self.queue.piece(at).delivered));
                    self.queue.note_sacked(at);
                    self.send.delivered += packets;
                    told.sacked = true;
                }
                if is_twice {
                    self.queue.note_needless(at);
                }
            }
            at += 1;
        }
    }

    /// Where a piece of several packets is to be cut, so that one part of it lies in a block.
    fn cut_at_block(&self, at: usize, from: Seq, to: Seq, mss: usize) -> Option<usize> {
        let piece = self.queue.piece(at);
        let len = piece.data.len();
        if piece.packets < 2 || from.at_or_before(piece.seq) && piece.end().at_or_before(to) {
            return None;
        }
        let cut = if piece.seq.before(from) {
            // What lies before the block is whole segments.
            ((from - piece.seq) as usize).next_multiple_of(mss)
        } else {
            let octets = (to - piece.seq) as usize;
            octets - octets % mss
        };
        (0 < cut && cut < len).then_some(cut)
    }

    /// Takes what is acknowledged off the queue, and measures the round trip by it.
    fn take_acknowledged(
        &mut self,
        cx: &Context<'_>,
        ack: Seq,
        highest_before: Seq,
        options: &TcpOptions,
        told: &mut Told,
        sacked: Sent,
    ) {
        let mss = self.mss();
        let mut sent = Sent::default();
        let mut reordered: Option<Seq> = None;
        let least = self.rtt.least();
        let mut acknowledged = 0;
        while let Some(oldest) = self.queue.oldest() {
            let is_whole = oldest.end().at_or_before(ack);
            if !is_whole && (oldest.packets < 2 || !oldest.seq.before(ack)) {
                break;
            }
            let (seq, end, sent_at, resent) = (oldest.seq, oldest.end(), oldest.sent, oldest.resent);
            let order = oldest.order;
            let (is_sacked, delivered) = (oldest.is_sacked, oldest.delivered);
            let packets = if is_whole { self.queue.pop().packets } else { self.queue.trim(ack, mss) };
            if packets == 0 {
                break;
            }
            if resent > 0 {
                told.acked_resent = true;
            } else if !is_sacked {
                sent.note(sent_at);
                if reordered.is_none_or(|late| seq.before(late)) {
                    reordered = Some(seq);
                }
                told.original |= end.at_or_before(self.recovery.end);
            }
            if !is_sacked {
                told.delivered_when_sent = told.delivered_when_sent.max(Some(delivered));
                self.send.delivered += packets;
                acknowledged += packets;
                self.recovery.rack.advance(cx.now, sent_at, order, resent > 0, least);
            }
            told.acked = true;
            if !is_whole {
                break;
            }
        }
        let seq_rtt = if told.acked_resent { None } else { sent.first_rtt(cx.now) };
        let newest_rtt =
            sacked.last_rtt(cx.now).or(if told.acked_resent { None } else { sent.last_rtt(cx.now) });
        let echoed =
            options.timestamps.filter(|(_, echo)| told.acked && *echo != 0 && self.agreed.timestamps);
        let by_echo = echoed.map(|(_, echo)| self.since_timestamp(cx.now, echo));
        let rtt = seq_rtt.or(sacked.first_rtt(cx.now)).or(by_echo);
        if let Some(rtt) = rtt {
            if let Some(newest) = newest_rtt.or(by_echo) {
                self.rtt.measure_least(newest, cx.now);
                self.congestion.on_rtt(cx.now, newest, self.send.una, self.send.nxt);
            }
            self.rtt.measure(cx.profile, rtt, self.send.una, self.send.nxt);
            self.retransmission.rto = self.rtt.timeout(cx.profile);
            self.retransmission.backoff = 0;
        }
        if told.acked {
            told.rearms = true;
            if self.agreed.sack
                && let Some(late) = reordered.filter(|late| late.before(highest_before))
            {
                self.recovery.note_reordering(late, highest_before, mss);
            }
        } else if let (Some(oldest), Some(sack_rtt)) = (self.queue.oldest(), sacked.first_rtt(cx.now)) {
            // Not if what was acknowledged was sent after the oldest: in recovery the timeout would go on for ever.
            told.rearms = sack_rtt > cx.now - oldest.sent;
        }
        if told.acked && !self.agreed.sack {
            self.queue.forget_duplicates(acknowledged);
        }
    }

    /// RFC 8985, 7.4: whether the tail loss probe repaired a loss.
    fn note_probe_answer(&mut self, ack: Seq, told: Told) {
        let Some((end, was_old)) = self.recovery.probe else { return };
        if ack.before(end) {
            return;
        }
        if !was_old || told.probe_was_needless {
            self.recovery.probe = None;
        } else if end.before(ack) {
            // There was a loss that nothing else told of.
            self.begin_reduction();
            self.recovery.phase = Phase::Reducing;
            self.end_reduction();
            self.keep_open();
        } else if !told.advanced && !told.is_no_duplicate() && !told.sacked {
            self.recovery.probe = None;
        }
    }

    /// The timer runs for nothing but what is in flight.
    pub(super) fn waits_for(&self, purpose: Purpose) -> bool {
        self.retransmission.purpose == Some(purpose)
    }
}
