//! When unacknowledged segments are sent again (RFC 6298), and when no more.

use std::time::Duration;

use super::context::Context;
use super::rtt::RttEstimator;
use super::timer_table::{Fired, Timer, TimerTable};
use crate::stack::profile::{GiveUp, Profile};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// TCP_TIMEOUT_MIN_US, which Linux adds to the wait for the tail loss probe where it need not allow for a delayed
/// acknowledgment.
const LEAST_WAIT: Duration = Duration::from_millis(2);

/// What the timer depends on.
#[derive(Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) cx: &'a Context<'a>,
    /// The state, as the latest segment made it.
    pub(crate) state: TcpState,
    /// Whether the process is gone.
    pub(crate) is_orphan: bool,
    /// TCP_USER_TIMEOUT.
    pub(crate) user_timeout: Option<Duration>,
    pub(crate) rtt: &'a RttEstimator,
    /// Whether a loss is being repaired.
    pub(crate) is_recovering: bool,
}

impl<'a> Conditions<'a> {
    /// The waits after each SYN or SYN-ACK, during the handshake.
    fn handshake(self) -> Option<&'a [Duration]> {
        match self.state {
            TcpState::SynSent => Some(&self.cx.profile.syn),
            TcpState::SynReceived => Some(&self.cx.profile.syn_ack),
            _ => None,
        }
    }

    fn give_up(self) -> GiveUp {
        let profile = self.cx.profile;
        profile.orphan_give_up.filter(|_| self.is_orphan).unwrap_or(profile.give_up)
    }

    /// RFC 8985, 7.2: not while a loss is being repaired (`tcp_schedule_loss_probe`).
    fn probes_for_tail_loss(self) -> bool {
        self.cx.profile.tail_loss_probe && !self.is_recovering && self.handshake().is_none()
    }
}

/// What the retransmission timer has counted of what is in flight.
#[derive(Debug, Default)]
pub(crate) struct Retransmit {
    /// Whether the timer sends a tail loss probe when it fires next.
    probes_first: bool,
    backoff: u32,
    count: u32,
    /// What Linux keeps of `count`: eight bits. At zero an ICMP error undoes nothing, which is why every 256th
    /// retransmission doubles the interval for good (`tests/linux/unreachable.ndjson`).
    kernel_count: u8,
    /// The oldest segment in flight: when it was first sent, when it was last sent, and when first again by
    /// this timer.
    first_sent: SimTime,
    last_sent: SimTime,
    first_resent: Option<SimTime>,
}

impl Retransmit {
    /// How often the timer has doubled.
    pub(crate) fn backoff(&self) -> u32 {
        self.backoff
    }

    /// Retransmissions of what is in flight.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The oldest segment in flight is sent again.
    pub(crate) fn on_resend(&mut self, now: SimTime) {
        self.last_sent = now;
    }

    /// RFC 6298 (5.1): a segment goes out; if the timer does not run, it is started. RFC 8985, 7.2, probes after what
    /// is sent last; `is_alone` says that nothing else is in flight.
    pub(crate) fn on_send(&mut self, timers: &mut TimerTable, on: Conditions<'_>, is_alone: bool) {
        if !timers.is_running(Timer::Retransmit) {
            self.first_sent = on.cx.now;
            self.last_sent = on.cx.now;
            self.probes_first = on.probes_for_tail_loss();
            self.set(timers, on);
        }
        if self.probes_first {
            self.set_for_probe(timers, on, is_alone);
        }
    }

    /// RFC 6298 (5.2): everything is acknowledged. The caller starts the timer afresh if more is in flight (5.3).
    pub(crate) fn stop(&mut self, timers: &mut TimerTable) {
        *self = Retransmit::default();
        timers.stop(Timer::Retransmit);
    }

    pub(crate) fn fire(&mut self, timers: &mut TimerTable, on: Conditions<'_>) -> Fired {
        if std::mem::take(&mut self.probes_first) {
            // RFC 8985, 7.3: the probe, and the timer afresh from it.
            self.set(timers, on);
            return Fired::Probe;
        }
        if self.is_over(on) {
            return Fired::GiveUp;
        }
        self.count += 1;
        self.kernel_count = self.kernel_count.wrapping_add(1);
        self.first_resent.get_or_insert(on.cx.now);
        // RFC 6298 (5.5): back off the timer.
        self.backoff += 1;
        self.set(timers, on);
        Fired::Retransmit
    }

    /// RFC 6069: an unreachable about the oldest segment says that the path lost it, not congestion. Returns whether the
    /// timer is to fire at once.
    pub(crate) fn undo_backoff(&mut self, timers: &mut TimerTable, on: Conditions<'_>) -> bool {
        if self.kernel_count == 0 || self.backoff == 0 {
            return false;
        }
        self.backoff -= 1;
        // What has passed is rounded up as well, so that Linux takes off more than has passed.
        let passed = on.cx.profile.kept(on.cx.now - self.last_sent);
        let left = self.rto(on.cx.profile, on.rtt).saturating_sub(passed);
        if !left.is_zero() {
            timers.set(Timer::Retransmit, on.cx.after(left));
        }
        left.is_zero()
    }

    /// The retransmission timeout with its back-off.
    pub(crate) fn rto(&self, profile: &Profile, rtt: &RttEstimator) -> Duration {
        let first = profile.kept(rtt.timeout(&profile.rto));
        first.saturating_mul(1 << self.backoff.min(16)).min(profile.rto.max)
    }

    /// How many retransmissions there will be, where a count decides.
    pub(crate) fn limit(on: Conditions<'_>) -> Option<u32> {
        match (on.handshake(), on.give_up()) {
            (Some(waits), _) => Some(waits.len() as u32 - 1),
            (None, GiveUp::Retransmissions(limit)) => Some(limit),
            (None, GiveUp::ModelledTime { .. } | GiveUp::After(_)) => None,
        }
    }

    fn set(&self, timers: &mut TimerTable, on: Conditions<'_>) {
        let mut wait = match on.handshake() {
            Some(waits) => waits[(self.count as usize).min(waits.len() - 1)],
            None => self.rto(on.cx.profile, on.rtt),
        };
        if on.cx.profile.user_timeout_clamps_timer
            && let Some(end) = self.user_timeout_end(on)
        {
            wait = wait.min(end - on.cx.now);
        }
        timers.set(Timer::Retransmit, on.cx.after(wait));
    }

    /// Two round trips after the newest segment, but not after the oldest's retransmission would be due. If it is the
    /// only one in flight, the peer may be delaying its acknowledgment (RFC 8985, 7.2).
    fn set_for_probe(&self, timers: &mut TimerTable, on: Conditions<'_>, is_alone: bool) {
        let Some((srtt, _)) = on.rtt.measured() else { return };
        let allowance = if is_alone { on.cx.profile.rto.min } else { LEAST_WAIT };
        let at = on.cx.now + srtt * 2 + allowance;
        if at < self.first_sent + self.rto(on.cx.profile, on.rtt) {
            timers.set(Timer::Retransmit, on.cx.at(at));
        }
    }

    fn is_over(&self, on: Conditions<'_>) -> bool {
        if self.user_timeout_end(on).is_some_and(|end| on.cx.now >= end) {
            return true;
        }
        if let Some(limit) = Retransmit::limit(on) {
            return self.count >= limit;
        }
        match on.give_up() {
            GiveUp::Retransmissions(limit) => self.count >= limit,
            GiveUp::After(r2) => on.cx.now - self.first_sent >= r2,
            GiveUp::ModelledTime { retransmissions, rto_min } => {
                let budget = modelled_time(retransmissions, rto_min, on.cx.profile.rto.max);
                self.first_resent.is_some_and(|first| on.cx.now - first >= budget)
            }
        }
    }

    /// When TCP_USER_TIMEOUT ends for what is in flight, if it is set (RFC 5482).
    fn user_timeout_end(&self, on: Conditions<'_>) -> Option<SimTime> {
        let start = match on.give_up() {
            // Linux counts from its first retransmission, and so not before there is one.
            GiveUp::ModelledTime { .. } => self.first_resent?,
            GiveUp::Retransmissions(_) | GiveUp::After(_) => self.first_sent,
        };
        Some(start + on.user_timeout?)
    }
}

/// The time that `retransmissions` would take if they doubled from `rto_min` up to `rto_max`:
/// Linux's `tcp_model_timeout`.
pub(crate) fn modelled_time(retransmissions: u32, rto_min: Duration, rto_max: Duration) -> Duration {
    (0..=retransmissions).map(|n| rto_min.saturating_mul(1 << n.min(30)).min(rto_max)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Documentation/networking/ip-sysctl.rst`: "the default value of 15 yields a hypothetical timeout of
    /// 924.6 seconds".
    #[test]
    fn fifteen_modelled_retransmissions_take_924_6_s() {
        let timeout = modelled_time(15, Duration::from_millis(200), Duration::from_secs(120));
        assert_eq!(timeout, Duration::from_millis(924_600));
    }
}
