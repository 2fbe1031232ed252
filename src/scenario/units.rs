//! How a scenario writes quantities: `2.5ms`, `2h 11min 15s`, `10Mbit/s`, `5%`.

use std::time::Duration;

/// What [`duration`] reads, for an error message.
pub const A_DURATION: &str = "a time such as \"2.5ms\", \"10s\" or \"2h 11min 15s\"";
/// What [`rate`] reads.
pub const A_RATE: &str = "a rate such as \"64kbit/s\", \"10Mbit/s\" or \"1Gbit/s\"";
/// What [`fraction`] reads.
pub const A_FRACTION: &str = "a share from 0 to 1, such as \"5%\" or 0.05";

/// Nanoseconds in one of each unit of time. No `m`: it might be a minute, a month or a metre.
const UNITS_OF_TIME: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Bits per second in one of each unit of bandwidth; the prefixes are SI's.
const UNITS_OF_RATE: [(&str, u64); 4] =
    [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];

/// A hundred years in nanoseconds. What is longer overflows the clock sooner or later, and is a slip of the finger.
const LONGEST: u64 = 100 * 365 * 86_400_000_000_000;
/// A petabit a second.
const FASTEST: u64 = 1_000_000_000_000_000;

/// Reads a length of time: one number with its unit after the other, spaces as one likes.
pub fn duration(text: &str) -> Option<Duration> {
    let mut nanos = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, after) = quantity(rest)?;
        nanos += scaled(number, lookup(&UNITS_OF_TIME, unit)?).filter(|&nanos| nanos <= LONGEST)?;
        if nanos > LONGEST {
            return None;
        }
        rest = after.trim_start();
    }
    Some(Duration::from_nanos(nanos))
}

/// Reads a bandwidth, in bits per second; never 0.
pub fn rate(text: &str) -> Option<u64> {
    let (number, unit, rest) = quantity(text.trim())?;
    let bits = scaled(number, lookup(&UNITS_OF_RATE, unit)?)?;
    (rest.is_empty() && (1..=FASTEST).contains(&bits)).then_some(bits)
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

/// Splits `10s rest` into `10`, `s` and ` rest`.
fn quantity(text: &str) -> Option<(&str, &str, &str)> {
    let end_of_number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end_of_number);
    let rest = rest.trim_start();
    let end_of_unit = rest.find(|c: char| !c.is_alphabetic() && c != '/').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end_of_unit);
    Some((number, unit, rest))
}

/// A decimal number times its unit, rounded down: exact, where floating point is not.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<u128>().ok()?.checked_mul(unit.into())?;
    let scale = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    u64::try_from(value / scale).ok()
}

/// Digits with at most one point: neither sign, exponent, `inf` nor `NaN`, all of which `f64` would read.
fn decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

fn lookup(units: &[(&str, u64)], name: &str) -> Option<u64> {
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
        for text in ["", "10", "s", "-1s", "1e3s", "10m", "10 S", "1.2.3s", ".s", "5s,", "infs"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_hundred_years_are_enough() {
        assert!(duration("36500d").is_some());
        for text in
            ["36500d 1ns", "36501d", "99999999999999999999d", "9999999999999999999999999999999999999999d"]
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
