//! The one timer of what is to be sent: for what it runs, how far it has backed off, and when it is over.

use std::time::Duration;

use crate::stack::profile::GiveUp;
use crate::stack::transport::Context;
use crate::time::SimTime;

/// What the timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To send the oldest segment again.
    Retransmit,
    /// To find out whether the last segments were lost.
    TailLoss,
    /// To find out whether segments that came late came at all.
    Reordering,
    /// To find out whether a shut window has opened.
    Window,
}

#[derive(Debug, Default)]
pub(super) struct Retransmission {
    pub(super) purpose: Option<Purpose>,
    /// The timeout now in force, back-off included.
    pub(super) rto: Duration,
    pub(super) backoff: u32,
    /// Retransmissions since anything was acknowledged. Linux keeps eight bits of them: at zero an ICMP error undoes
    /// nothing, which is why every 256th doubles the interval for good (`tests/linux/unreachable.ndjson`).
    pub(super) count: u32,
    /// When what is in flight was first sent again (of a SYN: sent).
    pub(super) since: Option<SimTime>,
    /// Window probes, or keepalive probes, since anything was heard; and since when the window has been probed.
    pub(super) probes: u32,
    pub(super) probing_since: Option<SimTime>,
}

impl Retransmission {
    /// Linux's `icsk_retransmits`.
    pub(super) fn kernel_count(&self) -> u8 {
        self.count as u8
    }

    /// Whether the time is over that `boundary` retransmissions take, or the user's timeout, which goes before it.
    pub(super) fn is_timed_out(&self, cx: &Context<'_>, boundary: u32, user: Option<Duration>) -> bool {
        let base = match cx.profile.give_up {
            GiveUp::ModelledTime { rto_min, .. } => rto_min,
            GiveUp::Retransmissions(_) | GiveUp::After(_) => cx.profile.rto.min,
        };
        self.has_lasted(cx.now, user.unwrap_or_else(|| modelled_time(boundary, base, cx.profile.rto.max)))
    }

    /// Whether it has gone on for so long: Linux's clock for this counts milliseconds.
    pub(super) fn has_lasted(&self, now: SimTime, limit: Duration) -> bool {
        let lasted = |since| millis(now).saturating_sub(millis(since)) >= limit.as_millis() as u64;
        self.kernel_count() > 0 && self.since.is_some_and(lasted)
    }

    /// The timeout, or what is left of the user's.
    pub(super) fn clamped(&self, now: SimTime, user: Option<Duration>) -> Duration {
        let (Some(user), Some(since)) = (user, self.since) else { return self.rto };
        // A user timeout that is over is noticed at the next jiffy.
        self.rto.min(user.saturating_sub(now - since).max(Duration::from_nanos(1)))
    }
}

fn millis(at: SimTime) -> u64 {
    at.as_nanos() / 1_000_000
}

/// The time that `retransmissions` would take if they doubled from `rto_min` up to `rto_max`:
/// Linux's `tcp_model_timeout`.
pub(super) fn modelled_time(retransmissions: u32, rto_min: Duration, rto_max: Duration) -> Duration {
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

    /// The same of `tcp_syn_retries`, which is 6: "the final timeout […] will happen after 131 seconds", the first past 127.
    #[test]
    fn six_modelled_syns_take_127_s() {
        let timeout = modelled_time(6, Duration::from_secs(1), Duration::from_secs(120));
        assert_eq!(timeout, Duration::from_secs(127));
    }
}
