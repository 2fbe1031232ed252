//! Timers that have fired.

use std::time::Duration;

use super::recovery::Phase;
use super::retransmission::Purpose;
use super::send_queue::Piece;
use super::tcb::Tcb;
use crate::packet::Seq;
use crate::stack::profile::GiveUp;
use crate::stack::transport::{Context, Death, Timer};
use crate::timeline::{Probe, TcpState};

/// The least that a clamped timer waits (TCP_TIMEOUT_MIN, two jiffies of a kernel with 250 a second).
pub(super) const LEAST: Duration = Duration::from_millis(8);

/// What is added to two round trips before a tail loss probe (TCP_TIMEOUT_MIN_US).
const LEAST_PROBE: Duration = Duration::from_millis(2);

impl Tcb {
    /// Lets every timer fire whose moment has come.
    pub(super) fn fire_timers(&mut self, cx: &mut Context<'_>) {
        let (timers, now) = (self.timers, cx.now);
        let is_due = |timer| timers.is_due(timer, now);
        if is_due(Timer::TimeWait) || is_due(Timer::FinWait2) {
            self.die(Death::Closed);
            return;
        }
        if is_due(Timer::Autocork) {
            self.timers.stop(Timer::Autocork);
            let nagle = self.nagle();
            self.push(cx, nagle);
            if self.acks.is_urgent() {
                self.send_ack(cx);
            }
        }
        if is_due(Timer::DelayedAck) && self.timers.is_due(Timer::DelayedAck, now) {
            self.timers.stop(Timer::DelayedAck);
            if self.acks.on_timer(cx.profile, self.retransmission.rto) {
                self.send_ack(cx);
            }
        }
        if is_due(Timer::Retransmit) && self.timers.is_due(Timer::Retransmit, now) {
            self.timers.stop(Timer::Retransmit);
            match self.retransmission.purpose.take() {
                Some(Purpose::Retransmit) => self.fire_retransmission(cx),
                Some(Purpose::TailLoss) => self.send_tail_loss_probe(cx),
                Some(Purpose::Reordering) => self.fire_reordering(cx),
                Some(Purpose::Window) => self.fire_window_probe(cx),
                None => {}
            }
        }
        if is_due(Timer::Keepalive) && !self.is_dead() {
            self.fire_keepalive(cx);
        }
    }

    /// The retransmission timer (RFC 6298, 5.4 to 5.6).
    pub(super) fn fire_retransmission(&mut self, cx: &mut Context<'_>) {
        if matches!(self.state, TcpState::SynSent | TcpState::SynReceived) {
            self.fire_handshake(cx);
            return;
        }
        let Some(oldest) = self.queue.oldest() else { return };
        let first_sent = self.retransmission.since.unwrap_or(oldest.sent);
        if self.send.window == 0 && !self.is_orphan() {
            // The window was shut on what is in flight: it is a window probe.
            if self.is_shut_for_too_long(cx, cx.now - first_sent) {
                self.give_up();
                return;
            }
        } else if self.is_over(cx) {
            self.give_up();
            return;
        }
        self.enter_loss(cx);
        self.retransmission.count += 1;
        self.retransmission.backoff += 1;
        self.retransmission.rto = (self.retransmission.rto * 2).min(cx.profile.rto.max);
        self.retransmission.since.get_or_insert(cx.now);
        let wait = self.retransmission.clamped(cx.now, self.options.user_timeout);
        self.set_retransmission(cx, Purpose::Retransmit, wait);
        self.retransmit(cx, 0, 1);
    }

    fn is_shut_for_too_long(&self, cx: &Context<'_>, in_flight_for: Duration) -> bool {
        let user = self.options.user_timeout;
        if user.is_some_and(|user| in_flight_for > user) {
            return true;
        }
        let limit = user.unwrap_or(Duration::MAX).min(cx.profile.rto.max * 2);
        cx.now - self.heard_at > limit && in_flight_for > limit
    }

    /// R2 of RFC 1122 (4.2.3.5): whether retransmitting ends.
    fn is_over(&self, cx: &Context<'_>) -> bool {
        let user = self.options.user_timeout;
        let boundary = match self.is_orphan() {
            true => orphan_retries(cx, self.retransmission.rto),
            false => retries(cx.profile.give_up),
        };
        self.retransmission.is_timed_out(cx, boundary, user)
    }

    /// The persist timer (RFC 9293, 3.8.6.1).
    fn fire_window_probe(&mut self, cx: &mut Context<'_>) {
        if self.queue.sent() > 0 || self.queue.is_all_sent() {
            (self.retransmission.probes, self.retransmission.probing_since) = (0, None);
            return;
        }
        let user = self.options.user_timeout;
        let since = *self.retransmission.probing_since.get_or_insert(cx.now);
        let is_over_for_user = since < cx.now && user.is_some_and(|user| cx.now - since >= user);
        let mut limit = retries(cx.profile.give_up);
        if self.is_orphan() {
            let backoff = self.retransmission.backoff;
            let timeout = self.retransmission.rto.saturating_mul(1 << backoff.min(16));
            limit = orphan_retries(cx, timeout);
            if timeout >= cx.profile.rto.max && backoff >= limit {
                self.give_up();
                return;
            }
        }
        if is_over_for_user || self.retransmission.probes >= limit {
            self.give_up();
            return;
        }
        self.probe_window(cx, Probe::Window);
        if self.queue.sent() > 0 || self.queue.is_all_sent() {
            (self.retransmission.probes, self.retransmission.probing_since) = (0, None);
            self.retransmission.backoff = 0;
            return;
        }
        self.retransmission.probes += 1;
        if self.retransmission.backoff < retries(cx.profile.give_up) {
            self.retransmission.backoff += 1;
        }
        self.set_window_probe(cx);
    }

    /// The next window probe: its interval doubles, but not beyond the longest timeout.
    pub(super) fn set_window_probe(&mut self, cx: &Context<'_>) {
        let (min, max) = cx.profile.persist;
        let doublings = (max.as_micros() / min.as_micros().max(1)).max(1).ilog2() + 1;
        let backoff = self.retransmission.backoff.min(doublings);
        let base = self.retransmission.rto.max(min);
        let mut wait = base.saturating_mul(1 << backoff).min(max);
        if let (Some(user), Some(since)) = (self.options.user_timeout, self.retransmission.probing_since) {
            wait = wait.min(user.saturating_sub(cx.now - since).max(LEAST));
        }
        self.set_retransmission(cx, Purpose::Window, wait);
    }

    /// An acknowledgment has come while nothing is in flight: the window may have opened.
    pub(super) fn update_window_probe(&mut self, cx: &Context<'_>) {
        let Some(end) = self.queue.next().map(Piece::end) else { return };
        if end.at_or_before(self.window_end()) {
            (self.retransmission.backoff, self.retransmission.probing_since) = (0, None);
            self.stop_retransmission();
        } else {
            self.set_window_probe(cx);
        }
    }

    /// Keepalive (RFC 1122, 4.2.3.6; ch. 7.5). The timer is not set anew by what comes: when it fires, it is looked how long
    /// nothing did.
    fn fire_keepalive(&mut self, cx: &mut Context<'_>) {
        self.timers.stop(Timer::Keepalive);
        let is_open = !matches!(self.state, TcpState::SynSent | TcpState::Closed | TcpState::TimeWait);
        if !self.options.keepalive || !is_open {
            return;
        }
        let system = cx.profile.keepalive;
        let idle = self.options.keep_idle.unwrap_or(system.idle);
        if self.queue.sent() > 0 || !self.queue.is_all_sent() {
            self.timers.set(Timer::Keepalive, cx.after(idle));
            return;
        }
        let silent = self.silent_for(cx);
        if silent < idle {
            self.timers.set(Timer::Keepalive, cx.after(idle - silent));
            return;
        }
        let probes = self.retransmission.probes;
        let is_over = match self.options.user_timeout {
            Some(limit) => probes > 0 && silent >= limit,
            None => probes >= self.options.keep_count.unwrap_or(system.count),
        };
        if is_over {
            if cx.profile.reset_on_keepalive_give_up {
                self.send_reset(cx);
            }
            self.give_up();
            return;
        }
        self.probe_window(cx, Probe::Keepalive);
        self.retransmission.probes += 1;
        let interval = self.options.keep_interval.unwrap_or(system.interval);
        self.timers.set(Timer::Keepalive, cx.after(interval));
    }

    /// Sends as much as fits a window that is not quite shut; if none does, an old number, which can only be answered with an
    /// acknowledgment.
    fn probe_window(&mut self, cx: &mut Context<'_>, probe: Probe) {
        if !self.has_route(cx) {
            return;
        }
        if let Some(next) = self.queue.next().map(|piece| piece.seq)
            && next.before(self.window_end())
        {
            self.push_into_window(cx, next);
            return;
        }
        let seq = self.send.una - 1;
        self.send_bare(cx, seq, Some(probe));
    }

    fn push_into_window(&mut self, cx: &mut Context<'_>, next: Seq) {
        let mss = self.mss();
        let room = ((self.window_end() - next) as usize).min(mss);
        let at = self.queue.sent();
        if self.queue.piece(at).data.len() > room {
            self.queue.split(at, room, mss);
        }
        self.queue.push_next();
        self.send_next(cx, None);
    }

    /// R2 of RFC 1122 (4.2.3.5): the connection is closed and the process told, with the soft error if there was one
    /// (ch. 5.14).
    fn give_up(&mut self) {
        self.die(Death::TimedOut { soft: self.soft });
    }

    /// Sets the timer, for one purpose.
    pub(super) fn set_retransmission(&mut self, cx: &Context<'_>, purpose: Purpose, wait: Duration) {
        self.retransmission.purpose = Some(purpose);
        let wait = cx.profile.kept(wait).min(cx.profile.rto.max);
        self.timers.set(Timer::Retransmit, cx.after(wait));
    }

    pub(super) fn stop_retransmission(&mut self) {
        self.retransmission.purpose = None;
        self.timers.stop(Timer::Retransmit);
    }

    /// RFC 6298 (5.3): the timer runs for what is in flight, if anything is. If it ran for something else, the timeout counts
    /// from when the oldest was sent.
    pub(super) fn rearm(&mut self, cx: &Context<'_>) {
        let Some(oldest) = self.queue.oldest() else {
            self.stop_retransmission();
            return;
        };
        let rto = self.retransmission.rto;
        let wait = match self.retransmission.purpose {
            Some(Purpose::TailLoss | Purpose::Reordering) => {
                (oldest.sent + rto - cx.now).max(Duration::from_micros(1))
            }
            _ => rto,
        };
        self.set_retransmission(cx, Purpose::Retransmit, wait);
    }

    /// RFC 8985, 7.2: the tail loss probe two round trips after what was sent last, if nothing is amiss. Says whether.
    pub(super) fn schedule_probe(&mut self, cx: &Context<'_>, advancing: bool) -> bool {
        let Some(oldest) = self.queue.oldest() else { return false };
        let phase = self.recovery.phase;
        let is_calm = matches!(phase, Phase::Open | Phase::Reducing);
        if !cx.profile.tail_loss_probe || !self.agreed.sack || !is_calm {
            return false;
        }
        let rto = self.retransmission.rto;
        let mut wait = match self.rtt.smoothed() {
            // If it is the only one in flight, the peer may be delaying its acknowledgment.
            Some(srtt) if self.queue.packets.out == 1 => srtt * 2 + cx.profile.rto.min,
            Some(srtt) => srtt * 2 + LEAST_PROBE,
            None => cx.profile.rto.initial,
        };
        let due = if advancing { rto } else { oldest.sent + rto - cx.now };
        if !due.is_zero() {
            wait = wait.min(due);
        }
        self.set_retransmission(cx, Purpose::TailLoss, wait);
        true
    }

    /// RFC 8985, 7.3: new data if there are any, else the newest segment once more.
    fn send_tail_loss_probe(&mut self, cx: &mut Context<'_>) {
        // It counts from when the timer is set again that this one is over.
        self.retransmission.purpose = Some(Purpose::TailLoss);
        if self.recovery.probe.is_none() {
            let out = self.queue.packets.out;
            let is_new = self.next_fits_window();
            if is_new {
                self.push_probe(cx);
            }
            let has_sent_new = self.queue.packets.out > out;
            if has_sent_new || !is_new && self.may_resend_newest() {
                self.recovery.probe = Some((self.send.nxt, !is_new));
                self.retransmission.purpose = None;
                self.rearm(cx);
                if !is_new {
                    self.resend_newest(cx);
                }
                return;
            }
        }
        self.rearm(cx);
    }
}

/// `tcp_orphan_retries`: without a process few, and none once the timeout is as long as it may be.
fn orphan_retries(cx: &Context<'_>, timeout: Duration) -> u32 {
    match cx.profile.orphan_give_up {
        Some(limit) if timeout < cx.profile.rto.max => retries(limit),
        Some(_) => 0,
        None => retries(cx.profile.give_up),
    }
}

fn retries(give_up: GiveUp) -> u32 {
    give_up.retransmissions().unwrap_or(u32::MAX)
}
