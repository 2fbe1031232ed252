//! Keepalive (RFC 1122, 4.2.3.6; ch. 7.5).

use super::context::Context;
use super::timer_table::{Fired, Timer, TimerTable};
use crate::stack::options::Options;
use crate::stack::profile;
use crate::time::SimTime;

#[derive(Debug, Default)]
pub(crate) struct Keepalive {
    /// Probes since anything was heard.
    probes: u32,
    last_heard: SimTime,
}

impl Keepalive {
    /// Probes since anything was heard.
    pub(crate) fn probes(&self) -> u32 {
        self.probes
    }

    /// A segment ends the silence: it starts afresh.
    pub(super) fn on_segment(&mut self, cx: &Context<'_>, timers: &mut TimerTable, options: &Options) {
        self.last_heard = cx.now;
        self.probes = 0;
        if timers.is_running(Timer::Keepalive) {
            self.restart(cx, timers, options);
        }
    }

    /// Starts or stops the timer as the options say.
    pub(crate) fn restart(&self, cx: &Context<'_>, timers: &mut TimerTable, options: &Options) {
        if options.keepalive {
            let due = self.last_heard + times(cx, options).idle;
            timers.set(Timer::Keepalive, cx.at(due.max(cx.now)));
        } else {
            timers.stop(Timer::Keepalive);
        }
    }

    pub(crate) fn stop(&mut self, timers: &mut TimerTable) {
        *self = Keepalive::default();
        timers.stop(Timer::Keepalive);
    }

    /// `is_sending` says that something is in flight, or kept by a shut window: then other timers watch the peer.
    pub(crate) fn fire(
        &mut self,
        cx: &Context<'_>,
        timers: &mut TimerTable,
        options: &Options,
        is_sending: bool,
    ) -> Fired {
        let times = times(cx, options);
        if is_sending {
            timers.set(Timer::Keepalive, cx.after(times.idle));
            return Fired::Nothing;
        }
        // Linux, tcp_keepalive_timer: TCP_USER_TIMEOUT overrides the number of probes.
        let is_over = match options.user_timeout {
            Some(limit) => self.probes > 0 && cx.now - self.last_heard >= limit,
            None => self.probes >= times.count,
        };
        if is_over {
            return Fired::GiveUp;
        }
        self.probes += 1;
        timers.set(Timer::Keepalive, cx.after(times.interval));
        Fired::Probe
    }
}

fn times(cx: &Context<'_>, options: &Options) -> profile::Keepalive {
    let system = cx.profile.keepalive;
    profile::Keepalive {
        idle: options.keep_idle.unwrap_or(system.idle),
        interval: options.keep_interval.unwrap_or(system.interval),
        count: options.keep_count.unwrap_or(system.count),
    }
}
