//! What is sent again: lost pieces, the tail loss probe, and how they are cut for that.

use super::retransmission::Purpose;
use super::tcb::Tcb;
use crate::packet::Flags;
use crate::stack::transport::{Context, SoftError, Timer};
use crate::timeline::{Probe, Retransmission};

impl Tcb {
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
        if self.queue.piece(at).seq.before(self.send.una) {
            // The peer took a part of it.
            self.queue.trim(self.send.una, mss);
        }
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
        if !cx.is_up {
            // The route is looked up before a copy is made.
            self.soft = Some(SoftError::LinkDown);
            return;
        }
        self.queue.send_again(at, cx.now, self.send.delivered);
        let nth = self.queue.piece(at).resent;
        let next = self.timers.at(Timer::Retransmit).map(|at| at - cx.now);
        self.transmit(cx, at, Some(Retransmission { nth, limit, next }), probe);
    }
}
