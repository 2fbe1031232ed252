//! Keepalive (RFC 1122, 4.2.3.6; ch. 7.5).

use super::{Connection, Cx, Death};
use crate::stack::options::Options;
use crate::stack::profile::Keepalive;
use crate::time::SimTime;
use crate::timeline::TcpState;

#[derive(Debug, Default)]
pub(super) struct KeepaliveTimer {
    at: Option<SimTime>,
    /// Probes since anything was heard.
    probes: u32,
    last_heard: SimTime,
}

impl KeepaliveTimer {
    pub(super) fn at(&self) -> Option<SimTime> {
        self.at
    }

    pub(super) fn probes(&self) -> u32 {
        self.probes
    }

    /// Something came from the peer: the silence starts afresh.
    pub(super) fn heard(&mut self, cx: &Cx<'_>, options: &Options) {
        self.last_heard = cx.now;
        self.probes = 0;
        if self.at.is_some() {
            self.restart(cx, options);
        }
    }

    /// Starts or stops the timer as the options say.
    pub(super) fn restart(&mut self, cx: &Cx<'_>, options: &Options) {
        let due = self.last_heard + times(cx, options).idle;
        self.at = options.keepalive.then(|| cx.profile.rounded(cx.now, due.max(cx.now)));
    }
}

fn times(cx: &Cx<'_>, options: &Options) -> Keepalive {
    let system = cx.profile.keepalive;
    Keepalive {
        idle: options.keep_idle.unwrap_or(system.idle),
        interval: options.keep_interval.unwrap_or(system.interval),
        count: options.keep_count.unwrap_or(system.count),
    }
}

impl Connection {
    /// The options changed: the timer runs, stops, or runs anew.
    pub(super) fn reconsider_keepalive(&mut self, cx: &Cx<'_>) {
        if matches!(self.state, TcpState::Established | TcpState::CloseWait | TcpState::FinWait2) {
            self.keepalive.restart(cx, &self.options);
        }
    }

    pub(super) fn on_keepalive_timeout(&mut self, cx: &mut Cx<'_>) {
        let times = times(cx, &self.options);
        if self.in_flight() || self.persist.at().is_some() {
            // Data is on its way: its own timers watch over the peer.
            self.keepalive.at = Some(cx.profile.rounded(cx.now, cx.now + times.idle));
            return;
        }
        let silence = cx.now - self.keepalive.last_heard;
        let user_timeout_over =
            self.options.user_timeout.is_some_and(|limit| self.keepalive.probes > 0 && silence >= limit);
        let out_of_probes = self.options.user_timeout.is_none() && self.keepalive.probes >= times.count;
        if user_timeout_over || out_of_probes {
            if cx.profile.reset_on_keepalive_give_up {
                self.send_reset(cx);
            }
            self.die(cx, Death::TimedOut { soft: self.soft });
            return;
        }
        self.keepalive.probes += 1;
        self.keepalive.at = Some(cx.profile.rounded(cx.now, cx.now + times.interval));
        self.send_probe(cx, "keepalive");
    }
}
