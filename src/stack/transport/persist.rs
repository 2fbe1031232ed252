//! The persist timer: probing a window that is shut (RFC 9293, 3.8.6.1).

use std::time::Duration;

use super::context::Context;
use super::timer_table::{Fired, Timer, TimerTable};

#[derive(Debug, Default)]
pub(crate) struct Persist {
    /// Probes since the window was shut: how far the timer has backed off.
    count: u32,
    /// Probes since anything was heard.
    unanswered: u32,
}

impl Persist {
    /// Probes since the window was shut.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn on_segment(&mut self) {
        self.unanswered = 0;
    }

    /// Starts the timer when the window has been shut on unsent data, stops it when it opens. `rto` is the
    /// retransmission timeout before any back-off.
    pub(crate) fn update(&mut self, cx: &Context<'_>, timers: &mut TimerTable, is_shut: bool, rto: Duration) {
        match (is_shut, timers.is_running(Timer::Persist)) {
            (true, false) => self.set(cx, timers, rto),
            (false, true) => {
                *self = Persist::default();
                timers.stop(Timer::Persist);
            }
            _ => {}
        }
    }

    pub(crate) fn fire(&mut self, cx: &Context<'_>, timers: &mut TimerTable, rto: Duration) -> Fired {
        // RFC 1122, 4.2.2.17: as long as it is answered, a shut window is probed for ever.
        if cx.profile.give_up.retransmissions().is_some_and(|limit| self.unanswered >= limit) {
            return Fired::GiveUp;
        }
        self.count += 1;
        self.unanswered += 1;
        self.set(cx, timers, rto);
        Fired::Probe
    }

    fn set(&self, cx: &Context<'_>, timers: &mut TimerTable, rto: Duration) {
        let (min, max) = cx.profile.persist;
        let wait = rto.saturating_mul(1 << self.count.min(16)).clamp(min, max);
        timers.set(Timer::Persist, cx.after(wait));
    }
}
