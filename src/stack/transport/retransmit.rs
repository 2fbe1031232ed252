//! When unacknowledged segments are sent again (RFC 6298), and when no more.

use std::time::Duration;

use super::context::Context;
use super::rtt::RttEstimator;
use super::timer_table::{Fired, Timer, TimerTable};
use crate::stack::profile::{GiveUp, Profile};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// What the timer depends on.
#[derive(Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) cx: &'a Context<'a>,
    /// The state, as the latest segment made it.
    pub(crate) state: TcpState,
    /// TCP_USER_TIMEOUT.
    pub(crate) user_timeout: Option<Duration>,
    pub(crate) rtt: &'a RttEstimator,
}

impl<'a> Conditions<'a> {
    /// The waits after each SYN or SYN-ACK, during the handshake.
    fn handshake(self) -> Option<&'a [Duration]> {
        match self.state {
            TcpState::SynSent => Some(self.cx.profile.syn.each()),
            TcpState::SynReceived => Some(&self.cx.profile.syn_ack),
            _ => None,
        }
    }
}

/// What the retransmission timer has counted of what is in flight.
#[derive(Debug, Default)]
pub(crate) struct Retransmit {
    backoff: u32,
    count: u32,
    /// When the oldest segment in flight was first sent.
    first_sent: SimTime,
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

    /// RFC 6298 (5.1): a segment goes out; if the timer does not run, it is started.
    pub(crate) fn on_send(&mut self, timers: &mut TimerTable, on: Conditions<'_>) {
        if !timers.is_running(Timer::Retransmit) {
            self.first_sent = on.cx.now;
            self.set(timers, on);
        }
    }

    /// RFC 6298 (5.2): everything is acknowledged. The caller starts the timer afresh if more is in flight (5.3).
    pub(crate) fn stop(&mut self, timers: &mut TimerTable) {
        *self = Retransmit::default();
        timers.stop(Timer::Retransmit);
    }

    pub(crate) fn fire(&mut self, timers: &mut TimerTable, on: Conditions<'_>) -> Fired {
        if self.is_over(on) {
            return Fired::GiveUp;
        }
        self.count += 1;
        // RFC 6298 (5.5): back off the timer.
        self.backoff += 1;
        self.set(timers, on);
        Fired::Retransmit
    }

    /// The retransmission timeout with its back-off.
    pub(crate) fn rto(&self, profile: &Profile, rtt: &RttEstimator) -> Duration {
        let first = profile.kept(rtt.timeout(&profile.rto));
        first.saturating_mul(1 << self.backoff.min(16)).min(profile.rto.max)
    }

    /// How many retransmissions there will be, where a count decides.
    pub(crate) fn limit(on: Conditions<'_>) -> Option<u32> {
        match on.handshake() {
            Some(waits) => Some(waits.len() as u32 - 1),
            None => on.cx.profile.give_up.retransmissions(),
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

    fn is_over(&self, on: Conditions<'_>) -> bool {
        if self.user_timeout_end(on).is_some_and(|end| on.cx.now >= end) {
            return true;
        }
        match (Retransmit::limit(on), on.cx.profile.give_up) {
            (Some(limit), _) => self.count >= limit,
            (None, GiveUp::After(r2)) => on.cx.now - self.first_sent >= r2,
            (None, _) => false,
        }
    }

    /// When TCP_USER_TIMEOUT ends for what is in flight, if it is set (RFC 5482).
    fn user_timeout_end(&self, on: Conditions<'_>) -> Option<SimTime> {
        Some(self.first_sent + on.user_timeout?)
    }
}
