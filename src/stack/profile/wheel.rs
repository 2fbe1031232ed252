//! The kernel's timer wheel: why 3.456 s fires after 3.648 s.

use std::time::Duration;

use crate::time::SimTime;

/// Linux's hierarchical timer wheel (`kernel/time/timer.c`): a timer is put into a bucket of the first level
/// that reaches as far, and fires when that bucket's time has come, never earlier than asked.
///
/// Each level has 64 buckets, each eight times as long as the level's below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerWheel {
    /// Jiffies a second (`CONFIG_HZ`).
    pub hz: u32,
}

const LEVEL_BUCKETS: u64 = 64;
const LEVEL_SHIFT: u32 = 3;
const LEVELS: u32 = 9;

impl TimerWheel {
    /// The wheel of a kernel with this many jiffies a second.
    pub const fn new(hz: u32) -> TimerWheel {
        TimerWheel { hz }
    }

    /// When a timer set at `now` for `at` fires.
    pub(crate) fn round(self, now: SimTime, at: SimTime) -> SimTime {
        let jiffy = self.jiffy().as_nanos() as u64;
        let ahead = ((at - now).as_nanos() as u64).div_ceil(jiffy);
        let shift = level(ahead) * LEVEL_SHIFT;
        // The bucket it falls into may have begun already, so the next one it is: late, never early.
        let bucket = ((now.as_nanos() / jiffy + ahead) >> shift) + 1;
        SimTime::from_nanos((bucket << shift) * jiffy)
    }

    /// How late a timer that far ahead may fire: one bucket of its level.
    pub fn granule(self, ahead: Duration) -> Duration {
        let jiffies = ahead.as_nanos().div_ceil(self.jiffy().as_nanos()) as u64;
        self.jiffy() * (1 << (level(jiffies) * LEVEL_SHIFT))
    }

    /// A span as the kernel keeps it: in whole jiffies, rounded up.
    pub(crate) fn whole(self, span: Duration) -> Duration {
        Duration::from_nanos(
            (span.as_nanos().div_ceil(self.jiffy().as_nanos()) * self.jiffy().as_nanos()) as u64,
        )
    }

    /// What a kernel takes for the time between two moments: it knows both in whole jiffies only.
    pub(crate) fn between(self, since: SimTime, now: SimTime) -> Duration {
        let jiffy = self.jiffy().as_nanos() as u64;
        let jiffies = (now.as_nanos() / jiffy).saturating_sub(since.as_nanos() / jiffy);
        Duration::from_nanos(jiffies * jiffy)
    }

    fn jiffy(self) -> Duration {
        Duration::from_secs(1) / self.hz
    }
}

/// The first level that reaches so many jiffies ahead.
fn level(ahead: u64) -> u32 {
    (0..LEVELS).find(|&level| ahead < (LEVEL_BUCKETS - 1) << (level * LEVEL_SHIFT)).unwrap_or(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEEL: TimerWheel = TimerWheel::new(250);

    fn late(ms: u64) -> Duration {
        let asked = SimTime::ZERO + Duration::from_millis(ms);
        WHEEL.round(SimTime::ZERO, asked) - asked
    }

    #[test]
    fn a_span_is_kept_in_whole_jiffies() {
        let ms = Duration::from_millis;
        assert_eq!([5, 8, 210].map(|span| WHEEL.whole(ms(span))), [8, 8, 212].map(ms));
    }

    /// What came at 45 ms came in jiffy 11, so that at 1024 ms, in jiffy 256, it is 245 of them ago.
    #[test]
    fn what_has_passed_is_counted_from_the_jiffy_it_began_in() {
        let at = |ms| SimTime::ZERO + Duration::from_millis(ms);
        assert_eq!(WHEEL.between(at(45), at(1_024)), Duration::from_millis(980));
        assert_eq!(WHEEL.between(at(45), at(46)), Duration::ZERO);
    }

    /// The steps that the recordings show: 4 ms, 32 ms, 256 ms, 2.048 s.
    #[test]
    fn a_bucket_grows_eightfold_with_the_distance() {
        let granules = [200, 1_000, 10_000, 100_000].map(|ms| WHEEL.granule(Duration::from_millis(ms)));
        assert_eq!(granules.map(|granule| granule.as_millis()), [4, 32, 256, 2_048]);
    }

    #[test]
    fn a_timer_is_never_early_and_late_by_a_bucket_and_a_jiffy_at_the_most() {
        for ms in (1..130_000).step_by(37) {
            let most = WHEEL.granule(Duration::from_millis(ms)) + WHEEL.jiffy();
            assert!(late(ms) > Duration::ZERO && late(ms) <= most, "{ms} ms is {:?} late", late(ms));
        }
    }

    /// `tests/linux/crash.ndjson`: between its last retransmissions lie 120.832 s, not 120.
    #[test]
    fn the_longest_back_off_takes_120_832_s() {
        let start = SimTime::ZERO + Duration::from_millis(512 * 4);
        let fired = WHEEL.round(start, start + Duration::from_secs(120));
        assert_eq!(fired - start, Duration::from_millis(120_832));
    }
}
