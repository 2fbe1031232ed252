//! How people write a length of time: `2.5ms`, `2h 11min 15s`.

use std::time::Duration;

/// What [`parse`] reads, for an error message.
#[cfg(feature = "cli")]
pub(crate) const EXPECTED: &str = "a time such as \"2.5ms\", \"10s\" or \"2h 11min 15s\"";

/// A hundred years. What is longer overflows the clock sooner or later, and is a slip of the finger.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Reads a length of time, exact to the nanosecond: numbers, each with its unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|span| *span <= LONGEST)
}

/// A length of time that [`parse`] reads: `542.5s`, `10ms`, `0s`.
#[cfg(any(feature = "cli", test))]
pub(crate) fn show(span: Duration) -> String {
    let (value, unit) = match span.as_secs_f64() {
        secs if secs == 0.0 || secs >= 1.0 => (secs, "s"),
        secs => (secs * 1e3, "ms"),
    };
    let digits = format!("{value:.6}");
    format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_exact_to_the_nanosecond() {
        assert_eq!(parse("2.5ms"), Some(Duration::from_micros(2_500)));
        assert_eq!(parse("542.5s"), Some(Duration::from_millis(542_500)));
        assert_eq!(parse("2h 11min 15s"), Some(Duration::from_secs(7_875)));
        assert_eq!(parse("11min15s"), parse(" 675 s "));
        assert_eq!(parse("1d"), parse("24h"));
        assert_eq!(parse("7 µs"), parse("7000ns"));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "10", "s", "-1s", "1e3s", "10 S", "1.2.3s", ".s", "5s,", "infs"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_hundred_years_are_enough() {
        assert!(parse("36500d").is_some());
        for text in ["36500d 1ns", "36501d", "99999999999999999999d"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(micros in 0..10_000_000_000_000_u64) {
            let shown = show(Duration::from_micros(micros));
            prop_assert_eq!(parse(&shown), Some(Duration::from_micros(micros)), "{}", shown);
        }

        #[test]
        fn nothing_written_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
