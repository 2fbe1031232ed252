//! When unacknowledged segments are sent again, and when no more.

use std::time::Duration;

use super::death::modelled_time;
use super::{Connection, Cx, Owner};
use crate::packet::Seq;
use crate::stack::profile::GiveUp;
use crate::time::SimTime;
use crate::timeline::TcpState;

/// TCP_TIMEOUT_MIN_US, which Linux adds to the wait for the tail loss probe where it need not allow for a delayed
/// acknowledgment.
const LEAST_WAIT: Duration = Duration::from_millis(2);

/// What the timer does when it fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Firing {
    /// The tail loss probe.
    Probe,
    /// Retransmission.
    #[default]
    Retransmission,
}

/// The retransmission timer (RFC 6298, 5).
#[derive(Debug, Default)]
pub(super) struct RetransmitTimer {
    at: Option<SimTime>,
    firing: Firing,
    backoff: u32,
    retransmits: u32,
    /// What Linux keeps of `retransmits`: eight bits. At zero an ICMP error undoes nothing, which is why
    /// every 256th retransmission doubles the interval for good (`tests/linux/unreachable.ndjson`).
    kernel_retransmits: u8,
    /// The oldest segment in flight: when it was first sent, when it was last sent, and when first again by
    /// this timer.
    first_sent: SimTime,
    last_sent: SimTime,
    first_resent: Option<SimTime>,
}

impl RetransmitTimer {
    pub(super) fn at(&self) -> Option<SimTime> {
        self.at
    }

    pub(super) fn backoff(&self) -> u32 {
        self.backoff
    }

    pub(super) fn retransmits(&self) -> u32 {
        self.retransmits
    }

    pub(super) fn note_sent(&mut self, now: SimTime) {
        self.last_sent = now;
    }

    fn stop(&mut self) {
        *self = RetransmitTimer::default();
    }
}

impl Connection {
    /// RFC 6298 (5.1): a segment goes out; if the timer does not run, it is started. `seq` is the newest segment's
    /// first number: RFC 8985, 7.2, probes after what is sent last.
    pub(super) fn start_retransmit_timer(&mut self, cx: &Cx<'_>, seq: Seq) {
        if self.retransmit.at.is_some() {
            if self.retransmit.firing == Firing::Probe {
                self.set_probe_timer(cx, seq);
            }
            return;
        }
        self.retransmit.first_sent = cx.now;
        self.retransmit.last_sent = cx.now;
        self.retransmit.firing =
            if self.probes_for_tail_loss(cx) { Firing::Probe } else { Firing::Retransmission };
        self.set_retransmit_timer(cx);
        if self.retransmit.firing == Firing::Probe {
            self.set_probe_timer(cx, seq);
        }
    }

    /// RFC 8985, 7.2: not while a loss is being repaired (`tcp_schedule_loss_probe`).
    fn probes_for_tail_loss(&self, cx: &Cx<'_>) -> bool {
        cx.profile.tail_loss_probe
            && self.recover.is_none()
            && !matches!(self.engine.state(), TcpState::SynSent | TcpState::SynReceived)
    }

    /// Two round trips after the newest segment, but not after the oldest's retransmission would be due. If it is the
    /// only one in flight, the peer may be delaying its acknowledgment (RFC 8985, 7.2).
    fn set_probe_timer(&mut self, cx: &Cx<'_>, seq: Seq) {
        let Some((srtt, _)) = self.rtt.measured() else { return };
        let allowance = if seq == self.una { cx.profile.rto.min } else { LEAST_WAIT };
        let at = cx.now + srtt * 2 + allowance;
        let retransmission = self.retransmit.first_sent + self.rto(cx.profile);
        if at < retransmission {
            self.retransmit.at = Some(cx.profile.rounded(cx.now, at));
        }
    }

    /// RFC 6298 (5.2), (5.3): something new is acknowledged; the timer stops, or starts afresh.
    pub(super) fn on_new_ack(&mut self, cx: &Cx<'_>) {
        self.retransmit.stop();
        if self.in_flight() {
            let newest = self.tail.as_ref().map_or(self.una, |(segment, _)| segment.seq);
            self.start_retransmit_timer(cx, newest);
        }
    }

    fn set_retransmit_timer(&mut self, cx: &Cx<'_>) {
        let mut wait = self.retransmit_interval(cx);
        if let Some(end) = self.user_timeout_end(cx).filter(|_| cx.profile.user_timeout_clamps_timer) {
            wait = wait.min(end - cx.now);
        }
        self.retransmit.at = Some(cx.profile.rounded(cx.now, cx.now + wait));
    }

    fn retransmit_interval(&self, cx: &Cx<'_>) -> Duration {
        let sent = self.retransmit.retransmits as usize;
        match self.engine.state() {
            TcpState::SynSent => cx.profile.syn[sent.min(cx.profile.syn.len() - 1)],
            TcpState::SynReceived => cx.profile.syn_ack[sent.min(cx.profile.syn_ack.len() - 1)],
            _ => self.rto(cx.profile),
        }
    }

    /// How many retransmissions there will be, where a count decides.
    pub(super) fn retransmission_limit(&self, cx: &Cx<'_>) -> Option<u32> {
        match self.engine.state() {
            TcpState::SynSent => Some(cx.profile.syn.len() as u32 - 1),
            TcpState::SynReceived => Some(cx.profile.syn_ack.len() as u32 - 1),
            _ => match self.give_up(cx) {
                GiveUp::Retransmissions(limit) => Some(limit),
                GiveUp::ModelledTime { .. } | GiveUp::After(_) => None,
            },
        }
    }

    fn give_up(&self, cx: &Cx<'_>) -> GiveUp {
        match (self.owner, cx.profile.orphan_give_up) {
            (Owner::Nobody, Some(orphan)) => orphan,
            _ => cx.profile.give_up,
        }
    }

    /// When TCP_USER_TIMEOUT ends for what is in flight, if it is set (RFC 5482).
    fn user_timeout_end(&self, cx: &Cx<'_>) -> Option<SimTime> {
        let start = match self.give_up(cx) {
            // Linux counts from its first retransmission, and so not before there is one.
            GiveUp::ModelledTime { .. } => self.retransmit.first_resent?,
            GiveUp::Retransmissions(_) | GiveUp::After(_) => self.retransmit.first_sent,
        };
        Some(start + self.options.user_timeout?)
    }

    fn retransmissions_are_over(&self, cx: &Cx<'_>) -> bool {
        let timer = &self.retransmit;
        if self.user_timeout_end(cx).is_some_and(|end| cx.now >= end) {
            return true;
        }
        if let Some(limit) = self.retransmission_limit(cx) {
            return timer.retransmits >= limit;
        }
        match self.give_up(cx) {
            GiveUp::Retransmissions(limit) => timer.retransmits >= limit,
            GiveUp::After(r2) => cx.now - timer.first_sent >= r2,
            GiveUp::ModelledTime { retransmissions, rto_min } => {
                let budget = modelled_time(retransmissions, rto_min, cx.profile.rto.max);
                timer.first_resent.is_some_and(|first| cx.now - first >= budget)
            }
        }
    }

    pub(super) fn on_retransmit_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.retransmit.firing == Firing::Probe {
            // RFC 8985, 7.3: the probe, and the timer afresh from it.
            self.retransmit.firing = Firing::Retransmission;
            self.set_retransmit_timer(cx);
            self.send_tail_loss_probe(cx);
            return;
        }
        if self.retransmissions_are_over(cx) {
            self.give_up_retransmitting(cx);
            return;
        }
        let timer = &mut self.retransmit;
        timer.retransmits += 1;
        timer.kernel_retransmits = timer.kernel_retransmits.wrapping_add(1);
        timer.first_resent.get_or_insert(cx.now);
        // RFC 6298 (5.5): back off the timer.
        timer.backoff += 1;
        self.set_retransmit_timer(cx);
        self.note_timeout();
        self.retransmit_now(cx);
    }

    /// RFC 6298 (5.4): the earliest segment that has not been acknowledged goes out again.
    pub(super) fn retransmit_now(&mut self, cx: &mut Cx<'_>) {
        let before = cx.out.len();
        self.show_limit(cx);
        self.engine.fire(cx.now);
        self.emit(cx, super::emit::Acks::AtOnce);
        if cx.out.len() == before {
            // The peer shut its window on what is in flight: ask it for its window by an old octet.
            self.send_probe(cx, "window probe");
        }
    }

    /// RFC 6069: an unreachable about the oldest segment says that the path, not congestion, ate it.
    pub(super) fn undo_backoff(&mut self, cx: &mut Cx<'_>) {
        if self.retransmit.kernel_retransmits == 0 || self.retransmit.backoff == 0 {
            return;
        }
        self.retransmit.backoff -= 1;
        // What has passed is rounded up as well, so that Linux takes off more than has passed.
        let passed = cx.profile.kept(cx.now - self.retransmit.last_sent);
        match self.rto(cx.profile).saturating_sub(passed) {
            Duration::ZERO => self.on_retransmit_timeout(cx),
            left => self.retransmit.at = Some(cx.profile.rounded(cx.now, cx.now + left)),
        }
    }
}
