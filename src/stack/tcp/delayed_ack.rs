//! Delayed acknowledgment (RFC 1122, 4.2.3.2; RFC 5681, 4.2): whether an acknowledgment without data may wait.

use super::context::Context;
use super::timer_table::{Timer, TimerTable};
use crate::stack::profile::Profile;
use crate::time::SimTime;

/// What decides whether the next acknowledgment waits.
#[derive(Debug, Default)]
pub(crate) struct DelayedAck {
    /// Data went out soon after data came in: answers are likely to carry the acknowledgments.
    is_interactive: bool,
    last_data_in: Option<SimTime>,
}

impl DelayedAck {
    pub(crate) fn on_data_in(&mut self, now: SimTime) {
        self.last_data_in = Some(now);
    }

    pub(crate) fn on_data_out(&mut self, cx: &Context<'_>) {
        if self.last_data_in.is_some_and(|came| cx.now - came < cx.profile.ack.delay) {
            self.is_interactive = true;
        }
    }

    /// Whether the acknowledgment of data may wait at all.
    pub(crate) fn waits_for_data(&self, profile: &Profile) -> bool {
        !profile.ack.delay.is_zero() && (self.is_interactive || !profile.ack.quick_start)
    }

    /// Whether acknowledgments are sent at once: TCP_QUICKACK.
    pub(crate) fn is_quick(&self) -> bool {
        !self.is_interactive
    }

    /// Sets TCP_QUICKACK, until the traffic says otherwise.
    pub(crate) fn set_quick(&mut self, quick: bool) {
        self.is_interactive = !quick;
    }

    /// An acknowledgment may wait: starts the timer, unless another one waits already. Of two the second is sent at once.
    /// Returns whether it waits.
    pub(crate) fn start(&self, cx: &Context<'_>, timers: &mut TimerTable) -> bool {
        if timers.is_running(Timer::DelayedAck) {
            timers.stop(Timer::DelayedAck);
            return false;
        }
        timers.set(Timer::DelayedAck, cx.after(cx.profile.ack.delay));
        true
    }
}
