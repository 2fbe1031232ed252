//! How exactly something is expected: to the millisecond, within a tolerance, in a range.

use std::fmt;
use std::time::Duration;

use super::Tolerance;
use crate::scenario::units;
use crate::span;

/// A length of time that is expected, and how exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeBound {
    /// The shortest that will do.
    pub low: Duration,
    /// The longest that will do.
    pub high: Duration,
    /// As the scenario writes it.
    written: String,
}

impl TimeBound {
    /// What [`parse`](TimeBound::parse) reads, for an error message.
    pub const SYNTAX: &str = "a time such as \"542.5s\", \"946.6s ± 2%\" or \"100s..200s\"";

    /// A bare time is exact to the millisecond.
    const EXACT: Duration = Duration::from_micros(500);

    /// Reads `542.5s`, `946.6s ± 2%`, `25s ± 100ms` or `100s..200s`; `+-` will do for `±`.
    pub fn parse(text: &str) -> Option<TimeBound> {
        let text = text.trim();
        let (low, high) = if let Some((low, high)) = text.split_once("..") {
            (span::parse(low)?, span::parse(high)?)
        } else if let Some((middle, spread)) = text.split_once('±').or_else(|| text.split_once("+-")) {
            let middle = span::parse(middle)?;
            let spread = match spread.contains('%') {
                true => middle.mul_f64(units::fraction(spread)?),
                false => span::parse(spread)?,
            };
            (middle.saturating_sub(spread), middle + spread)
        } else {
            let time = span::parse(text)?;
            (time.saturating_sub(TimeBound::EXACT), time + TimeBound::EXACT)
        };
        (low <= high).then(|| TimeBound { low, high, written: text.to_owned() })
    }

    /// Whether `time` will do.
    pub fn holds(&self, time: Duration) -> bool {
        self.holds_within(time, Tolerance::NONE)
    }

    /// Whether `time` will do where clocks are not exact.
    pub fn holds_within(&self, time: Duration, tolerance: Tolerance) -> bool {
        let earliest = self.low.saturating_sub(tolerance.of(self.low));
        (earliest..=self.high + tolerance.of(self.high)).contains(&time)
    }
}

impl fmt::Display for TimeBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

/// A number that is expected, or a range of them, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The smallest that will do.
    pub low: u64,
    /// The largest that will do.
    pub high: u64,
}

impl Count {
    /// What [`parse`](Count::parse) reads, for an error message.
    pub const SYNTAX: &str = "a number such as 12, or a range such as \"1000..1100\"";

    /// Just this many.
    pub const fn exactly(n: u64) -> Count {
        Count { low: n, high: n }
    }

    /// Reads `12` or `1000..1100`.
    pub fn parse(text: &str) -> Option<Count> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let count = Count { low: low.trim().parse().ok()?, high: high.trim().parse().ok()? };
        (count.low <= count.high).then_some(count)
    }

    /// Whether `n` will do.
    pub fn holds(self, n: u64) -> bool {
        (self.low..=self.high).contains(&n)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (low, high) if low == high => write!(f, "{low}"),
            (low, high) => write!(f, "{low} to {high}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(bound: &str, micros: u64) -> bool {
        TimeBound::parse(bound).unwrap().holds(Duration::from_micros(micros))
    }

    #[test]
    fn a_bare_time_is_exact_to_the_millisecond() {
        assert!(holds("542.5s", 542_500_000) && holds("542.5s", 542_500_500));
        assert!(!holds("542.5s", 542_499_000) && !holds("542.5s", 542_501_000));
        assert!(holds("0s", 0));
    }

    #[test]
    fn a_tolerance_is_a_share_or_a_time() {
        assert!(holds("100s ± 2%", 98_000_000) && holds("100s +- 2%", 102_000_000));
        assert!(!holds("100s ± 2%", 97_900_000));
        assert!(holds("1s ± 5ms", 995_000) && !holds("1s±5ms", 1_006_000));
    }

    #[test]
    fn a_kernels_time_may_be_off_by_the_tolerance() {
        let round_trip = TimeBound::parse("10ms").unwrap();
        let tolerance = Tolerance::default();
        // 3 % of 10.5 ms, a jiffy of 4 ms and the slack of 15 ms on top.
        assert!(round_trip.holds_within(Duration::from_millis(29), tolerance));
        assert!(!round_trip.holds_within(Duration::from_millis(30), tolerance));
    }

    #[test]
    fn a_range_has_both_its_ends() {
        assert!(holds("100s..200s", 100_000_000) && holds("100s .. 200s", 200_000_000));
        let count = Count::parse("3..5").unwrap();
        assert_eq!([2, 3, 5, 6].map(|n| count.holds(n)), [false, true, true, false]);
        assert_eq!(Count::parse("12"), Some(Count::exactly(12)));
    }

    #[test]
    fn what_is_upside_down_or_no_number_is_refused() {
        for text in ["2s..1s", "..", "1s ±", "± 2%", "1s ± 2", "2%", ""] {
            assert_eq!(TimeBound::parse(text), None, "{text:?}");
        }
        for text in ["5..3", "-1", "..", "many", ""] {
            assert_eq!(Count::parse(text), None, "{text:?}");
        }
    }
}
