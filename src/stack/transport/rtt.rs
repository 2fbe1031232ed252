//! The round-trip time and the retransmission timeout (RFC 6298).

use std::time::Duration;

use crate::packet::Seq;
use crate::stack::profile::Rto;
use crate::time::SimTime;

#[derive(Clone, Debug, Default)]
pub(crate) struct RttEstimator {
    /// SRTT and RTTVAR, once measured.
    measured: Option<(Duration, Duration)>,
    /// The segment being timed: the number after its last, and when it was sent.
    timing: Option<(Seq, SimTime)>,
}

impl RttEstimator {
    /// A segment that was never sent before went out.
    pub(crate) fn on_send(&mut self, now: SimTime, seq_end: Seq) {
        self.timing.get_or_insert((seq_end, now));
    }

    /// Karn's algorithm (RFC 6298, 3): what is sent again tells nothing.
    pub(crate) fn on_retransmit(&mut self) {
        self.timing = None;
    }

    pub(crate) fn on_ack(&mut self, now: SimTime, ack: Seq) {
        let Some((end, sent)) = self.timing else { return };
        if ack.before(end) {
            return;
        }
        self.timing = None;
        let rtt = now - sent;
        self.measured = Some(match self.measured {
            // RFC 6298 (2.2).
            None => (rtt, rtt / 2),
            // RFC 6298 (2.3), alpha 1/8 and beta 1/4.
            Some((srtt, rttvar)) => ((srtt * 7 + rtt) / 8, (rttvar * 3 + srtt.abs_diff(rtt)) / 4),
        });
    }

    /// SRTT and RTTVAR, once measured.
    pub(crate) fn measured(&self) -> Option<(Duration, Duration)> {
        self.measured
    }

    /// The timeout before any back-off.
    pub(crate) fn timeout(&self, rto: &Rto) -> Duration {
        let Some((srtt, rttvar)) = self.measured else { return rto.initial };
        let timeout = (srtt + rttvar * 4).max(rto.min);
        timeout.min(rto.max)
    }
}
