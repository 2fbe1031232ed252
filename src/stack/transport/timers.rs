//! The timers of a connection: when each fires, and the counts behind them.

use super::context::Context;
use super::keepalive::Keepalive;
use super::persist::Persist;
use super::retransmit::Retransmit;
use super::timer_table::{Timer, TimerTable};
use crate::stack::info::{TimerInfo, TimerKind};
use crate::stack::options::Options;
use crate::time::SimTime;

/// A fresh one runs no timer.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub(crate) table: TimerTable,
    pub(crate) retransmit: Retransmit,
    pub(crate) persist: Persist,
    pub(crate) keepalive: Keepalive,
}

impl Timers {
    /// Stops them all and forgets what they counted.
    pub(crate) fn clear(&mut self) {
        *self = Timers::default();
    }

    /// A segment has come from the peer: it is there.
    pub(crate) fn on_segment(&mut self, cx: &Context<'_>, options: &Options) {
        self.keepalive.on_segment(cx, &mut self.table, options);
        self.persist.on_segment();
    }

    /// The connection enters TIME_WAIT, or its peer has sent its FIN once more there.
    pub(crate) fn enter_time_wait(&mut self, cx: &Context<'_>) {
        self.table.stop(Timer::FinWait2);
        self.keepalive.stop(&mut self.table);
        self.table.set(Timer::TimeWait, cx.now + cx.profile.time_wait);
    }

    /// The process is gone and only the peer's FIN is missing: it is not waited for without end.
    pub(crate) fn enter_fin_wait_2(&mut self, cx: &Context<'_>) {
        match cx.profile.fin_wait_2 {
            Some(wait) => self.table.set(Timer::FinWait2, cx.after(wait)),
            None => self.table.stop(Timer::FinWait2),
        }
    }

    /// The timer that fires next, of those that `ss` shows.
    pub(crate) fn info(&self, now: SimTime) -> Option<TimerInfo> {
        let shown = [
            (Timer::Retransmit, TimerKind::Retransmit, self.retransmit.count()),
            (Timer::Persist, TimerKind::Persist, self.persist.count()),
            (Timer::Keepalive, TimerKind::Keepalive, self.keepalive.probes()),
            (Timer::TimeWait, TimerKind::TimeWait, 0),
            (Timer::FinWait2, TimerKind::FinWait2, 0),
        ];
        let running = shown.into_iter().filter_map(|(timer, kind, fired)| {
            self.table.at(timer).map(|at| TimerInfo { kind, left: at - now, fired })
        });
        running.min_by_key(|timer| timer.left)
    }
}
