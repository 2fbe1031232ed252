//! How a scenario writes quantities that are no times: `10Mbit/s`, `5%`.

/// What [`rate`] reads, for an error message.
pub(super) const A_RATE: &str = "a rate such as \"64kbit/s\", \"10Mbit/s\" or \"1Gbit/s\"";
/// What [`fraction`] reads.
pub(super) const A_FRACTION: &str = "a share from 0 to 1, such as \"5%\" or 0.05";

/// Bits per second in one of each unit of bandwidth; the prefixes are SI's.
const UNITS_OF_RATE: [(&str, u64); 4] =
    [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];

/// A petabit a second.
const FASTEST: u64 = 1_000_000_000_000_000;

/// Reads a bandwidth, in bits per second; never 0.
pub(super) fn rate(text: &str) -> Option<u64> {
    let (number, unit, rest) = quantity(text.trim())?;
    let bits = scaled(number, lookup(&UNITS_OF_RATE, unit)?)?;
    (rest.is_empty() && (1..=FASTEST).contains(&bits)).then_some(bits)
}

/// Reads a share of the whole, as a percentage or as a number from 0 to 1.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => decimal(percent.trim_end())? / 100.0,
        None => decimal(text)?,
    };
    (share <= 1.0).then_some(share)
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
        fn nothing_written_panics(text in ".*") {
            let _ = (rate(&text), fraction(&text));
        }
    }
}
