//! What is sent, and when: the windows, Nagle's algorithm, how much goes at once.

use std::time::Duration;

use super::nagle::Nagle;
use super::recovery::Phase;
use super::retransmission::Purpose;
use super::tcb::{Tcb, bounded_by_half};
use crate::packet::Flags;
use crate::stack::transport::{Context, SoftError, Timer};
use crate::time::SimTime;

/// Octets of the largest piece (`sk_gso_max_size` without the room for headers).
const LARGEST_PIECE: usize = 65_215;

/// Octets of data that every segment has room for, whatever its options.
pub(super) const LEAST_DATA: usize = 8;

impl Tcb {
    pub(super) fn nagle(&self) -> Nagle {
        match (self.options.cork, self.options.no_delay) {
            (true, _) => Nagle::Cork,
            (false, true) => Nagle::Off,
            (false, false) => Nagle::On,
        }
    }

    /// Octets up to which what is written becomes one piece.
    pub(super) fn piece_goal(&self, mss: usize) -> usize {
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
    pub(super) fn autocork(&mut self, cx: &Context<'_>) {
        self.timers.set(Timer::Autocork, cx.now);
    }

    /// Sends what the windows let through; if nothing is in flight and a shut window holds everything back, it is probed.
    pub(super) fn push(&mut self, cx: &mut Context<'_>, nagle: Nagle) {
        self.timers.stop(Timer::Autocork);
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

    /// Whether there is a way to the peer. What has none is not sent, and tried again as if the window were shut. IPv6 notes
    /// that there is none; IPv4 does not before something is sent again.
    pub(super) fn has_route(&mut self, cx: &Context<'_>) -> bool {
        if !cx.is_up && self.path.local.is_ipv6() {
            self.soft = Some(SoftError::LinkDown);
        }
        cx.is_up
    }

    fn write(&mut self, cx: &mut Context<'_>, nagle: Nagle, limit: Limit) {
        if !self.has_route(cx) {
            return;
        }
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
        let waits = nagle == Nagle::On && self.queue.packets.out > 0 && is_behind_small;
        is_small && (nagle == Nagle::Cork || waits)
    }

    /// Whether more could be sent at once a little later (`tcp_tso_should_defer`).
    fn is_worth_waiting(&self, cx: &Context<'_>, mss: usize, window: usize, at_once: usize) -> bool {
        const RECENT: Duration = Duration::from_millis(1);
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

    fn sent_lately(&self, now: SimTime) -> Duration {
        self.send.sent_at.map_or(Duration::MAX, |sent| now - sent)
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
