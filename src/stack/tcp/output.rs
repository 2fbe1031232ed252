//! What is sent, and when: the windows, Nagle's algorithm, segments and acknowledgments.

use std::num::NonZeroUsize;

use super::recovery::Phase;
use super::retransmission::Purpose;
use super::tcb::{Tcb, bounded_by_half};
use crate::packet::{Flags, Segment, Seq, TcpOptions, emit_with};
use crate::stack::transport::{Context, Timer};
use crate::time::SimTime;
use crate::timeline::{Probe, Retransmission, TcpState};

/// Octets of the largest piece (`sk_gso_max_size` without the room for headers).
const LARGEST_PIECE: usize = 65_215;

/// Octets of data that every segment has room for, whatever its options.
const LEAST_DATA: usize = 8;

/// Whether a segment that is not full may wait (RFC 1122, 4.2.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nagle {
    /// Behind another one that is not full and not acknowledged (Minshall).
    On,
    /// TCP_NODELAY, and where the end of what is written is a FIN's.
    Off,
    /// What is written does not fit the buffer, or has been pushed.
    Push,
}

impl Tcb {
    pub(super) fn nagle(&self) -> Nagle {
        if self.options.no_delay { Nagle::Off } else { Nagle::On }
    }

    /// Octets up to which what is written becomes one piece.
    pub(super) fn piece_goal(&self, _: &Context<'_>, mss: usize) -> usize {
        let largest = bounded_by_half(LARGEST_PIECE, self.send.largest_window);
        (largest / mss).max(1) * mss
    }

    /// RFC 9293, 3.9.1.2: what was written is passed on.
    pub(super) fn mark_pushed(&mut self) {
        if let Some(tail) = self.queue.tail() {
            tail.flags = tail.flags.with(Flags::PSH);
        }
        self.send.pushed = self.send.written;
    }

    /// What there is to be sent, data or acknowledgment, waits for the end of this moment. Where bursts travel as one packet,
    /// the packets of a moment leave at its end anyway, so that it goes out in one piece and no later.
    pub(super) fn cork(&mut self, cx: &Context<'_>) {
        self.timers.set(Timer::Cork, cx.now);
    }

    /// Sends what the windows let through; if nothing is in flight and a shut window holds everything back, it is probed.
    pub(super) fn push(&mut self, cx: &mut Context<'_>, nagle: Nagle) {
        self.timers.stop(Timer::Cork);
        if self.queue.is_all_sent() {
            return;
        }
        self.write(cx, nagle, Limit::None);
        let is_held_back = self.queue.sent() == 0 && !self.queue.is_all_sent();
        if is_held_back && self.retransmission.purpose.is_none() {
            self.set_window_probe(cx);
        }
    }

    /// Sends one piece, if there is nothing else that waits.
    pub(super) fn push_one(&mut self, cx: &mut Context<'_>) {
        self.write(cx, Nagle::Push, Limit::One);
    }

    /// RFC 8985, 7.3: one segment of new data, whatever the congestion window.
    pub(super) fn push_probe(&mut self, cx: &mut Context<'_>) {
        self.write(cx, Nagle::Off, Limit::Probe);
    }

    fn write(&mut self, cx: &mut Context<'_>, nagle: Nagle, limit: Limit) {
        let mss = self.mss_beside_blocks();
        let mut packets = 0;
        while let Some(next) = self.queue.next() {
            let (len, seq, is_fin) = (next.data.len(), next.seq, next.flags.has(Flags::FIN));
            let quota = match (self.quota(), limit) {
                (0, Limit::Probe) => 1,
                (0, _) => break,
                (quota, _) => quota as usize,
            };
            if !self.next_fits_window() {
                break;
            }
            let nagle = if self.queue.next_is_last() { nagle } else { Nagle::Push };
            let window = (self.window_end() - seq) as usize;
            if len <= mss {
                if nagle != Nagle::Push && !is_fin && self.holds_back(len < mss, nagle) {
                    break;
                }
            } else {
                let at_once = self.packets_at_once(cx, mss);
                if limit == Limit::None && self.is_worth_waiting(cx, mss, window, at_once) {
                    break;
                }
                let whole = quota.min(at_once) * mss;
                let most = whole.min(window).min(len);
                let partial = most % mss;
                let holds = most < whole && partial > 0 && self.holds_back(true, nagle);
                let cut = if holds { most - partial } else { most };
                if 0 < cut && cut < len {
                    let at = self.queue.sent();
                    self.queue.split(at, cut, mss);
                }
            }
            packets += self.send_next(cx, Some(mss));
            if limit != Limit::None {
                break;
            }
        }
        if packets == 0 {
            return;
        }
        if self.recovery.is_reducing() {
            self.recovery.sent += packets;
        }
        if limit != Limit::Probe {
            self.schedule_probe(cx, false);
        }
        let is_full = self.queue.packets.in_flight() >= self.congestion.window;
        let is_amiss = self.recovery.phase != Phase::Open;
        let (out, rto) = (self.queue.packets.out, self.retransmission.rto);
        let numbers = (self.send.una, self.send.nxt);
        self.congestion.validate(cx.now, numbers, out, is_full, rto, is_amiss);
    }

    /// How many packets the congestion window lets through at once.
    fn quota(&self) -> u32 {
        let window = self.congestion.window;
        let left = window.saturating_sub(self.queue.packets.in_flight());
        left.min((window / 2).max(1))
    }

    /// How many packets make one piece: about what is sent in a millisecond (`tcp_tso_autosize`). Where the link cuts them,
    /// as many as it can.
    fn packets_at_once(&self, cx: &Context<'_>, mss: usize) -> usize {
        const LEAST: usize = 2;
        const PER_SECOND: u128 = 1_000_000;
        if !cx.cuts_segments {
            return (LARGEST_PIECE / mss).max(LEAST);
        }
        let Some(srtt) = self.rtt.smoothed() else { return LEAST };
        let congestion = &self.congestion;
        let percent = if congestion.window < congestion.threshold / 2 { 200 } else { 120 };
        let packets = congestion.window.max(self.queue.packets.out) as u128;
        let rate = mss as u128 * packets * percent / 100 * PER_SECOND / srtt.as_micros().max(1);
        let near = self.rtt.least().map_or(u32::MAX, |least| (least.as_micros() >> 9) as u32);
        let octets = (rate >> 10) as usize + (1_usize << 16).checked_shr(near).unwrap_or(0);
        (octets.min(LARGEST_PIECE) / mss).max(LEAST)
    }

    /// Whether the peer's window has room for the next piece, or for a full segment of it.
    pub(super) fn next_fits_window(&self) -> bool {
        self.queue.next().is_some_and(|next| {
            let octets = next.data.len().min(self.mss());
            let end = if next.data.len() > octets { next.seq + octets as u32 } else { next.end() };
            end.at_or_before(self.window_end())
        })
    }

    /// Nagle's algorithm in Minshall's form: a segment that is not full waits only behind another such.
    fn holds_back(&self, is_small: bool, nagle: Nagle) -> bool {
        let send = &self.send;
        let is_behind_small = send.una.before(send.small_end) && send.small_end.at_or_before(send.nxt);
        is_small && nagle == Nagle::On && self.queue.packets.out > 0 && is_behind_small
    }

    /// Whether more could be sent at once a little later (`tcp_tso_should_defer`).
    fn is_worth_waiting(&self, cx: &Context<'_>, mss: usize, window: usize, at_once: usize) -> bool {
        const RECENT: std::time::Duration = std::time::Duration::from_millis(1);
        if self.recovery.phase >= Phase::Recovery || self.sent_lately(cx.now) > RECENT {
            return false;
        }
        let Some(next) = self.queue.next() else { return false };
        let Some(oldest) = self.queue.oldest() else { return false };
        let left = self.congestion.window.saturating_sub(self.queue.packets.in_flight()) as usize * mss;
        let limit = window.min(left);
        let len = next.data.len();
        let whole = (self.send.window as usize).min(self.congestion.window as usize * mss);
        if limit >= at_once * mss || !self.queue.next_is_last() && limit >= len || limit >= whole / 3 {
            return false;
        }
        // The next acknowledgment is far off.
        let half = self.rtt.smoothed().unwrap_or_default() / 2;
        if cx.now - oldest.sent < half {
            return false;
        }
        limit <= len || !next.flags.has(Flags::FIN)
    }

    fn sent_lately(&self, now: SimTime) -> std::time::Duration {
        self.send.sent_at.map_or(std::time::Duration::MAX, |sent| now - sent)
    }

    /// Sends the next piece, in segments of `mss` octets. Returns how many packets that are.
    pub(super) fn send_next(&mut self, cx: &mut Context<'_>, mss: Option<usize>) -> u32 {
        let mss = mss.unwrap_or_else(|| self.mss());
        let at = self.queue.sent();
        let had_none = at == 0;
        if had_none && let Some(sent) = self.send.sent_at {
            self.congestion.on_first_packet(cx.now - sent, cx.now);
        }
        self.queue.send_next(mss, cx.now, self.send.delivered);
        let piece = self.queue.piece(at);
        let (end, len, packets) = (piece.end(), piece.data.len(), piece.packets);
        self.send.nxt = end;
        if had_none || self.waits_for(Purpose::TailLoss) {
            self.rearm(cx);
        }
        if len < packets as usize * mss {
            self.send.small_end = end;
        }
        self.transmit(cx, at, None, None);
        packets
    }

    pub(super) fn mark_next_pushed(&mut self) {
        self.queue.push_next();
    }

    /// RFC 5681, 4.1: something is about to be sent; after a silence of more than a timeout, less at first.
    pub(super) fn restart_after_idle(&mut self, cx: &Context<'_>) {
        let Some(sent) = self.send.sent_at else { return };
        let (idle, rto) = (cx.now - sent, self.retransmission.rto);
        if self.queue.packets.out == 0 && idle > rto {
            self.congestion.restart(cx.now, idle, rto);
        }
    }

    /// SMSS beside the blocks that are told of.
    fn mss_beside_blocks(&self) -> usize {
        let blocks = if self.received.has_blocks() { 4 + 8 * 3 } else { 0 };
        self.mss().saturating_sub(blocks).max(LEAST_DATA.min(self.mss()))
    }

    /// Sends what is lost again, as far as the congestion window lets it.
    pub(super) fn resend_lost(&mut self, cx: &mut Context<'_>) {
        let mut rearms = false;
        let mut at = 0;
        while at < self.queue.sent() && self.queue.packets.repaired < self.queue.packets.lost {
            let left = self.congestion.window.saturating_sub(self.queue.packets.in_flight());
            if left == 0 {
                break;
            }
            let piece = self.queue.piece(at);
            if piece.is_lost && !piece.is_sacked && !piece.is_repaired {
                if !self.retransmit(cx, at, left) {
                    break;
                }
                if self.recovery.is_reducing() {
                    self.recovery.sent += self.queue.piece(at).packets;
                }
                rearms |= at == 0 && !self.waits_for(Purpose::Reordering);
            }
            at += 1;
        }
        if rearms {
            self.set_retransmission(cx, Purpose::Retransmit, self.retransmission.rto);
        }
    }

    /// Sends a piece again to repair a loss, at most so many packets of it. Says whether it went out.
    pub(super) fn retransmit(&mut self, cx: &mut Context<'_>, at: usize, packets: u32) -> bool {
        if !self.cut_for_resending(at, packets) {
            return false;
        }
        self.queue.note_repaired(at);
        self.retransmission.since.get_or_insert(cx.now);
        let packets = self.queue.piece(at).packets;
        self.recovery.needless_left = Some(self.recovery.needless_left.unwrap_or(0) + packets);
        self.resend_piece(cx, at, None, None);
        true
    }

    /// Whether the window has room for the newest segment.
    pub(super) fn may_resend_newest(&self) -> bool {
        self.queue
            .in_flight()
            .next_back()
            .is_some_and(|newest| newest.seq == self.send.una || newest.seq.before(self.window_end()))
    }

    /// The newest segment once more, as a tail loss probe.
    pub(super) fn resend_newest(&mut self, cx: &mut Context<'_>) {
        let Some(mut at) = self.queue.sent().checked_sub(1) else { return };
        let mss = self.mss();
        let len = self.queue.piece(at).data.len();
        if len > mss {
            let last = len - (len - 1) / mss * mss;
            self.queue.split(at, len - last, mss);
            at += 1;
        }
        if self.cut_for_resending(at, 1) {
            self.resend_piece(cx, at, None, Some(Probe::TailLoss));
        }
    }

    /// Makes a piece as large as may be sent again at once: cut to the window, or with small pieces that follow it.
    fn cut_for_resending(&mut self, at: usize, packets: u32) -> bool {
        let mss = self.mss();
        let piece = self.queue.piece(at);
        let window_end = self.window_end();
        let mut room = if piece.seq.before(window_end) {
            (window_end - piece.seq) as usize
        } else if piece.seq == self.send.una {
            // The window was shut on it: it serves as a window probe.
            mss
        } else {
            return false;
        };
        let len = mss * packets as usize;
        if len > room {
            room -= room % mss;
        }
        let len = if len > room && room > 0 { room } else { len.min(mss.max(room)) };
        if piece.data.len() > len {
            self.queue.split(at, len, mss);
        } else {
            self.collapse(at, len.min(mss));
        }
        true
    }

    /// Small pieces that were sent one by one are sent again as one (`tcp_retrans_collapse`).
    fn collapse(&mut self, at: usize, room: usize) {
        let is_small = |tcb: &Tcb, at: usize| {
            let piece = tcb.queue.piece(at);
            piece.packets == 1 && !piece.is_sacked && !piece.flags.has(Flags::SYN)
        };
        while at + 1 < self.queue.sent() && is_small(self, at) && is_small(self, at + 1) {
            let (piece, next) = (self.queue.piece(at), self.queue.piece(at + 1));
            let fits = piece.data.len() + next.data.len() <= room;
            if !fits || self.window_end().before(next.end()) || piece.flags.has(Flags::FIN) {
                break;
            }
            self.queue.collapse(at);
        }
    }

    /// Sends a piece again that is in flight.
    pub(super) fn resend_piece(
        &mut self,
        cx: &mut Context<'_>,
        at: usize,
        limit: Option<u32>,
        probe: Option<Probe>,
    ) {
        self.queue.send_again(at, cx.now, self.send.delivered);
        self.send.resent += 1;
        let nth = self.queue.piece(at).resent;
        let next = self.timers.at(Timer::Retransmit).map(|at| at - cx.now);
        self.transmit(cx, at, Some(Retransmission { nth, limit, next }), probe);
    }

    /// Puts a piece on the link, in segments or as one packet that the link cuts.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        at: usize,
        again: Option<Retransmission>,
        probe: Option<Probe>,
    ) {
        let (is_syn, has_data) = {
            let piece = self.queue.piece(at);
            (piece.flags.has(Flags::SYN), !piece.data.is_empty())
        };
        let options = if is_syn { self.syn_options(cx) } else { self.options_now(cx) };
        let has_ack = self.state != TcpState::SynSent;
        let win = if is_syn { self.syn_window() } else { self.offer() };
        let mss = self.mss_with(&options);
        let piece = self.queue.piece(at);
        let most =
            if cx.cuts_segments { NonZeroUsize::new(mss) } else { NonZeroUsize::new(piece.data.len()) };
        let most = most.map_or(1, NonZeroUsize::get);
        let count = piece.data.len().div_ceil(most).max(1);
        // What is cut on its way is passed on as soon as it is there.
        let pushed = if piece.packets > 1 { Flags::PSH } else { Flags::default() };
        for nth in 0..count {
            let from = nth * most;
            let data = &piece.data[from..piece.data.len().min(from + most)];
            let control = if nth + 1 == count { piece.flags.with(pushed) } else { Flags::default() };
            let segment = Segment {
                src: self.path.local,
                dst: self.path.remote,
                flags: if has_ack { control.with(Flags::ACK) } else { control },
                seq: piece.seq + from as u32,
                ack: has_ack.then_some(self.received.nxt),
                win,
                len: data.len(),
                hop_limit: self.options.hop_limit,
            };
            let packet = emit_with(&segment, &options, &[data], self.checksums);
            cx.send(&segment, packet, again, probe);
        }
        if has_ack {
            self.note_acknowledged(cx);
        }
        if has_data {
            self.acks.on_data_out(cx.now);
        }
        if has_data || !is_syn {
            self.send.sent_at = Some(cx.now);
        }
    }

    /// An acknowledgment without data.
    pub(super) fn send_ack(&mut self, cx: &mut Context<'_>) {
        let seq = self.acceptable_seq();
        self.send_bare(cx, seq, None);
        self.timers.stop(Timer::DelayedAck);
    }

    /// SND.NXT, but no number that the peer's window has no room for.
    fn acceptable_seq(&self) -> Seq {
        let edge = self.window_end();
        let unit = 1 << self.agreed.scale;
        if !edge.before(self.send.nxt) || self.send.nxt - edge < unit { self.send.nxt } else { edge }
    }

    /// A segment that says no more than an acknowledgment and a window.
    pub(super) fn send_bare(&mut self, cx: &mut Context<'_>, seq: Seq, probe: Option<Probe>) {
        let options = self.options_now(cx);
        let win = self.offer();
        let segment = self.bare(Flags::ACK, seq, win);
        let packet = emit_with(&segment, &options, &[], self.checksums);
        cx.send(&segment, packet, None, probe);
        self.note_acknowledged(cx);
    }

    /// RST with ACK, after everything that was ever sent; nothing if the peer is not known to exist.
    pub(super) fn send_reset(&mut self, cx: &mut Context<'_>) {
        if self.state != TcpState::SynSent {
            let seq = self.acceptable_seq();
            let segment = self.bare(Flags::RST.with(Flags::ACK), seq, 0);
            let options = self.options_now(cx);
            let packet = emit_with(&segment, &options, &[], self.checksums);
            cx.send(&segment, packet, None, None);
        }
    }

    fn bare(&self, flags: Flags, seq: Seq, win: u16) -> Segment {
        Segment {
            src: self.path.local,
            dst: self.path.remote,
            flags,
            seq,
            ack: Some(self.received.nxt),
            win,
            len: 0,
            hop_limit: self.options.hop_limit,
        }
    }

    /// Something has been sent that acknowledges all that came.
    fn note_acknowledged(&mut self, cx: &Context<'_>) {
        self.acks.on_sent(cx.profile);
        self.timers.stop(Timer::DelayedAck);
    }

    fn offer(&mut self) -> u16 {
        let used = self.received.memory();
        if self.window.is_scarce(used) {
            self.acks.on_scarcity();
        }
        self.window.offer(self.received.nxt, used, self.acks.full())
    }

    fn syn_window(&self) -> u16 {
        u16::try_from(self.window.offered()).unwrap_or(u16::MAX)
    }

    fn syn_options(&self, cx: &Context<'_>) -> TcpOptions {
        // A SYN offers everything, a SYN-ACK what the SYN offered.
        let is_answer = self.state != TcpState::SynSent;
        let timestamps = if is_answer { self.agreed.timestamps } else { cx.profile.timestamps };
        TcpOptions {
            max_segment_size: Some(u16::try_from(self.path.mss).unwrap_or(u16::MAX)),
            window_scale: (!is_answer || self.window.scales).then_some(self.window.scale),
            sack_permitted: !is_answer || self.agreed.sack,
            timestamps: timestamps.then(|| self.timestamp(cx.now)),
            ..TcpOptions::default()
        }
    }

    fn options_now(&mut self, cx: &Context<'_>) -> TcpOptions {
        let timestamps = self.agreed.timestamps.then(|| self.timestamp(cx.now));
        let mut options = TcpOptions { timestamps, ..TcpOptions::default() };
        if self.agreed.sack && self.received.has_blocks() {
            // Where packets are tiny, data go before blocks.
            let room = self.mss().saturating_sub(LEAST_DATA + 4) / 8;
            for block in self.received.blocks().take(room) {
                if !options.push_block(block) {
                    break;
                }
            }
        }
        options
    }

    fn timestamp(&self, now: SimTime) -> (u32, u32) {
        (self.timestamps.at(now), self.timestamps.recent.map_or(0, |(recent, _)| recent))
    }

    fn mss_with(&self, options: &TcpOptions) -> usize {
        let fixed = if self.agreed.timestamps { 12 } else { 0 };
        (self.mss() + fixed).saturating_sub(options.len()).max(1)
    }
}

/// How much is sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// All that may be.
    None,
    /// One piece.
    One,
    /// One packet, whatever the congestion window.
    Probe,
}
