//! How far a real kernel's times may be from what is expected of them.

use std::time::Duration;

/// How far a time may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Part of the span that is measured: 0.03 is three per cent.
    pub share: f64,
    /// One tick of the kernel's clock (1/HZ): the finest granule of its timer wheel.
    pub jiffy: Duration,
    /// For processes that wait for their turn.
    pub slack: Duration,
}

impl Default for Tolerance {
    /// Three per cent, a kernel with HZ=250, and 15 ms for a busy machine.
    fn default() -> Tolerance {
        Tolerance { share: 0.03, jiffy: Duration::from_millis(4), slack: Duration::from_millis(15) }
    }
}

impl Tolerance {
    /// One per cent, a kernel with HZ=250, and nothing for the machine: where that is measured.
    pub const MEASURED: Tolerance =
        Tolerance { share: 0.01, jiffy: Duration::from_millis(4), slack: Duration::ZERO };

    /// None: a simulated run is exact.
    pub const NONE: Tolerance = Tolerance { share: 0.0, jiffy: Duration::ZERO, slack: Duration::ZERO };

    /// How far a time may be off that comes `span` after its cause.
    pub fn of(&self, span: Duration) -> Duration {
        span.mul_f64(self.share) + self.granule(span) + self.slack
    }

    /// Linux rounds a timer up to the slots of its wheel: 64 of them a level, each level eight times as coarse.
    /// What `span` is rounded up to, at the most.
    pub(crate) fn granule(&self, span: Duration) -> Duration {
        let mut granule = self.jiffy;
        while !granule.is_zero() && span > granule * 64 && granule < Duration::from_secs(3600) {
            granule *= 8;
        }
        granule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_off_by_a_share_and_a_granule() {
        let tolerance = Tolerance { slack: Duration::ZERO, ..Tolerance::default() };
        let second = Duration::from_secs(1);
        assert_eq!(tolerance.of(second / 10), Duration::from_millis(3 + 4));
        assert_eq!(tolerance.of(second), Duration::from_millis(30 + 32));
        assert_eq!(tolerance.of(10 * second), Duration::from_millis(300 + 256));
        assert_eq!(tolerance.of(100 * second), Duration::from_millis(3_000 + 2_048));
    }

    #[test]
    fn none_is_none_at_any_span() {
        assert_eq!(Tolerance::NONE.of(Duration::from_secs(7200)), Duration::ZERO);
    }
}
