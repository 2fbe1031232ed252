//! The persist timer: probing a window that is shut (RFC 9293, 3.8.6.1).

use std::time::Duration;

use super::{Connection, Cx, Death};
use crate::stack::profile::GiveUp;
use crate::time::SimTime;

#[derive(Debug, Default)]
pub(super) struct PersistTimer {
    at: Option<SimTime>,
    /// Probes since the window was shut: how far it has backed off.
    fired: u32,
    /// Probes since anything was heard.
    unanswered: u32,
}

impl PersistTimer {
    pub(super) fn at(&self) -> Option<SimTime> {
        self.at
    }

    pub(super) fn fired(&self) -> u32 {
        self.fired
    }

    pub(super) fn heard(&mut self) {
        self.unanswered = 0;
    }

    /// Starts the timer when the window has been shut on unsent data, stops it when it opens.
    pub(super) fn set(&mut self, shut: bool, cx: &Cx<'_>, rto: Duration) {
        match (shut, self.at) {
            (true, None) => self.rearm(cx, rto),
            (false, Some(_)) => *self = PersistTimer::default(),
            _ => {}
        }
    }

    fn rearm(&mut self, cx: &Cx<'_>, rto: Duration) {
        let (min, max) = cx.profile.persist;
        let wait = rto.saturating_mul(1 << self.fired.min(16)).clamp(min, max);
        self.at = Some(cx.profile.rounded(cx.now, cx.now + wait));
    }
}

impl Connection {
    pub(super) fn on_persist_timeout(&mut self, cx: &mut Cx<'_>) {
        let limit = match cx.profile.give_up {
            GiveUp::Retransmissions(limit) | GiveUp::ModelledTime { retransmissions: limit, .. } => limit,
            // RFC 1122, 4.2.2.17: as long as it is answered, a shut window is probed for ever.
            GiveUp::After(_) => u32::MAX,
        };
        if self.persist.unanswered >= limit {
            self.die(cx, Death::TimedOut { soft: self.soft });
            return;
        }
        self.persist.fired += 1;
        self.persist.unanswered += 1;
        self.persist.rearm(cx, self.rtt.timeout(&cx.profile.rto));
        self.engine.fire(cx.now);
        self.emit(cx, super::emit::Acks::AtOnce);
    }
}
