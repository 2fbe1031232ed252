//! The round-trip time, and the retransmission timeout that follows from it, as Linux estimates them.
//!
//! It is RFC 6298 with two differences. What the variation is made of is the largest deviation of a round trip, not the
//! latest, and it falls only once a round trip. And the floor of the timeout is one of its variation.

use std::time::Duration;

use crate::packet::Seq;
use crate::stack::profile::Profile;

/// How long a window is in which the least round trip is looked for (`tcp_min_rtt_wlen`).
const LEAST_WINDOW: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, Default)]
pub(super) struct Rtt {
    /// SRTT, once measured, and the mean deviation.
    srtt: Option<Duration>,
    deviation: Duration,
    /// The largest deviation of this round trip, and RTTVAR times four.
    largest: Duration,
    variation: Duration,
    /// A round trip ends when this is acknowledged.
    ends: Seq,
    /// The least round trip, and when it was measured.
    least: Option<(Duration, crate::time::SimTime)>,
}

impl Rtt {
    /// A round trip of `rtt` was measured, when all before `una` was acknowledged and `nxt` was the next to be sent.
    pub(super) fn measure(&mut self, profile: &Profile, rtt: Duration, una: Seq, nxt: Seq) {
        let floor = profile.rto.min;
        let Some(srtt) = self.srtt else {
            self.srtt = Some(rtt.max(Duration::from_micros(1)));
            // Kept times four, as RTTVAR is.
            self.deviation = rtt * 2;
            self.variation = self.deviation.max(floor);
            self.largest = self.variation;
            self.ends = nxt;
            return;
        };
        let off = rtt.abs_diff(srtt);
        let expected = self.deviation / 4;
        // A round trip that is shorter than it was makes the deviation grow by an eighth only.
        self.deviation = match off > expected {
            true if rtt < srtt => self.deviation + (off - expected) / 8,
            true => self.deviation + (off - expected),
            false => self.deviation - (expected - off),
        };
        self.srtt = Some((srtt * 7 + rtt) / 8);
        if self.deviation > self.largest {
            self.largest = self.deviation;
            self.variation = self.variation.max(self.largest);
        }
        if self.ends.before(una) {
            if self.largest < self.variation {
                self.variation -= (self.variation - self.largest) / 4;
            }
            self.ends = nxt;
            self.largest = floor;
        }
    }

    /// The same for the least round trip alone, at `now`.
    pub(super) fn measure_least(&mut self, rtt: Duration, now: crate::time::SimTime) {
        let holds = |(least, at): &(Duration, crate::time::SimTime)| *least < rtt && now - *at < LEAST_WINDOW;
        self.least = self.least.filter(holds).or(Some((rtt, now)));
    }

    /// The handshake gave no measurement: 3 s are believed to be its variation.
    pub(super) fn assume_nothing(&mut self) {
        if self.srtt.is_none() {
            self.variation = Duration::from_secs(3);
            self.deviation = self.variation;
            self.largest = self.variation;
        }
    }

    /// SRTT.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.srtt
    }

    /// SRTT and RTTVAR, once measured.
    pub(super) fn measured(&self) -> Option<(Duration, Duration)> {
        self.srtt.map(|srtt| (srtt, self.deviation / 4))
    }

    /// The least round trip of the last minutes.
    pub(super) fn least(&self) -> Option<Duration> {
        self.least.map(|(least, _)| least)
    }

    /// The timeout before any back-off.
    pub(super) fn timeout(&self, profile: &Profile) -> Duration {
        let timeout = self.srtt.map_or(profile.rto.initial, |srtt| srtt + self.variation);
        profile.kept(timeout).min(profile.rto.max)
    }
}
