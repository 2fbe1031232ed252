//! How a scenario writes quantities: `2.5ms`, `2h 11min 15s`, `10Mbit/s`, `5%`.

use std::time::Duration;

/// What [`duration`] reads, for an error message.
pub const A_DURATION: &str = "a time such as \"2.5ms\", \"10s\" or \"2h 11min 15s\"";
/// What [`rate`] reads.
pub const A_RATE: &str = "a rate such as \"64kbit/s\", \"10Mbit/s\" or \"1Gbit/s\"";
/// What [`fraction`] reads.
pub const A_FRACTION: &str = "a share from 0 to 1, such as \"5%\" or 0.05";

/// Nanoseconds in one of each unit of time. No `m`: it might be a minute, a month or a metre.
const UNITS_OF_TIME: [(&str, f64); 8] = [
    ("ns", 1e0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("min", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
];

/// Bits per second in one of each unit of bandwidth; the prefixes are SI's.
const UNITS_OF_RATE: [(&str, f64); 4] = [("bit/s", 1e0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)];

/// A hundred years. What is longer overflows the clock sooner or later, and is a slip of the finger.
const LONGEST: f64 = 100.0 * 365.0 * 86_400e9;

/// Reads a length of time: one number with its unit after the other, spaces as one likes.
pub fn duration(text: &str) -> Option<Duration> {
    let mut nanos = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, after) = quantity(rest)?;
        nanos += number * lookup(&UNITS_OF_TIME, unit)?;
        rest = after.trim_start();
    }
    (nanos <= LONGEST).then(|| Duration::from_nanos(nanos.round() as u64))
}

/// Reads a bandwidth, in bits per second; never 0.
pub fn rate(text: &str) -> Option<u64> {
    let (number, unit, rest) = quantity(text.trim())?;
    let bits = (number * lookup(&UNITS_OF_RATE, unit)?).round();
    (rest.is_empty() && (1.0..=1e15).contains(&bits)).then_some(bits as u64)
}

/// Reads a share of the whole, as a percentage or as a number from 0 to 1.
pub fn fraction(text: &str) -> Option<f64> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => decimal(percent.trim_end())? / 100.0,
        None => decimal(text)?,
    };
    (share <= 1.0).then_some(share)
}

/// A duration as people write it: `542.5s`, `10ms`, `0s`.
pub fn show(duration: Duration) -> String {
    let (value, unit) = match duration.as_secs_f64() {
        secs if secs == 0.0 || secs >= 1.0 => (secs, "s"),
        secs => (secs * 1e3, "ms"),
    };
    let digits = format!("{value:.6}");
    format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// Splits `10s rest` into 10, `s` and ` rest`.
fn quantity(text: &str) -> Option<(f64, &str, &str)> {
    let end_of_number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end_of_number);
    let rest = rest.trim_start();
    let end_of_unit = rest.find(|c: char| !c.is_alphabetic() && c != '/').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end_of_unit);
    Some((decimal(number)?, unit, rest))
}

/// Digits with at most one point: neither sign, exponent, `inf` nor `NaN`, all of which `f64` would read.
fn decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

fn lookup(units: &[(&str, f64)], name: &str) -> Option<f64> {
    units.iter().find(|(unit, _)| *unit == name).map(|(_, size)| *size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_exact_to_the_nanosecond() {
        assert_eq!(duration("2.5ms"), Some(Duration::from_micros(2_500)));
        assert_eq!(duration("542.5s"), Some(Duration::from_millis(542_500)));
        assert_eq!(duration("2h 11min 15s"), Some(Duration::from_secs(7_875)));
        assert_eq!(duration("11min15s"), duration(" 675 s "));
        assert_eq!(duration("1d"), duration("24h"));
        assert_eq!(duration("7 µs"), duration("7000ns"));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "10", "s", "-1s", "1e3s", "10m", "10 S", "1.2.3s", "5s,", "infs", "101000000000000000000d"]
        {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn rates_take_si_prefixes() {
        assert_eq!(rate("10Mbit/s"), Some(10_000_000));
        assert_eq!(rate("9600 bit/s"), Some(9_600));
        assert_eq!(rate("1.5kbit/s"), Some(1_500));
        for text in ["10", "10MB/s", "0bit/s", "10Mbit/s x", "0.1bit/s"] {
            assert_eq!(rate(text), None, "{text:?}");
        }
    }

    #[test]
    fn fractions_are_percentages_or_plain() {
        assert_eq!(fraction("5%"), Some(0.05));
        assert_eq!(fraction("0.25"), Some(0.25));
        assert_eq!(fraction("100 %"), Some(1.0));
        for text in ["101%", "1.5", "-1", "nan", "%", ""] {
            assert_eq!(fraction(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(micros in 0..10_000_000_000_000_u64) {
            let shown = show(Duration::from_micros(micros));
            prop_assert_eq!(duration(&shown), Some(Duration::from_micros(micros)), "{}", shown);
        }

        #[test]
        fn nothing_written_panics(text in ".*") {
            let _ = (duration(&text), rate(&text), fraction(&text));
        }
    }
}
