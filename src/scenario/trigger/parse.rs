//! The words of a trigger: `client writes 'world'`, `server sends S. the 2nd time`, `client's 3rd retransmission`.

use super::{Happening, Watch};
use crate::packet::Flags;

impl Watch {
    /// What [`event`](Watch::event) reads, for an error message.
    pub const EVENT: &str = "an event: HOST writes|reads|prints ['TEXT'], HOST connects|accepts, \
        HOST sends|receives [FLAGS], and \"the 2nd time\" behind it if it is not the first";

    /// What [`retransmission`](Watch::retransmission) reads, for an error message.
    pub const RETRANSMISSION: &str = "\"3rd retransmission\" or \"client's 3rd retransmission\"";

    /// Reads an event: `client writes 'world'`.
    pub fn event(text: &str) -> Option<Watch> {
        let (text, nth) = split_time(text.trim())?;
        let (host, rest) = text.split_once(' ')?;
        let (verb, rest) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        let rest = rest.trim();
        let what = match verb {
            "writes" => Happening::Writes(quoted(rest)?),
            "reads" => Happening::Reads(quoted(rest)?),
            "prints" => Happening::Prints(quoted(rest)?),
            "sends" => Happening::Sends(flags(rest)?),
            "receives" => Happening::Receives(flags(rest)?),
            "connects" if rest.is_empty() => Happening::Connects,
            "accepts" if rest.is_empty() => Happening::Accepts,
            _ => return None,
        };
        Some(Watch { host: Some(host.to_owned()), what, left: nth })
    }

    /// Reads a count of retransmissions: `3rd retransmission` of the run, or one host's.
    pub fn retransmission(text: &str) -> Option<Watch> {
        let counted = text.trim().strip_suffix("retransmission")?.trim_end();
        let (host, nth) = match counted.split_once("'s ") {
            Some((host, nth)) => (Some(host.to_owned()), nth.trim_start()),
            None => (None, counted),
        };
        Some(Watch { host, what: Happening::Retransmits, left: ordinal(nth)? })
    }
}

/// Takes `the 2nd time` off the end; without it the first time is meant.
fn split_time(text: &str) -> Option<(&str, u64)> {
    match text.strip_suffix(" time").and_then(|text| text.rsplit_once(" the ")) {
        Some((text, nth)) => Some((text.trim_end(), ordinal(nth)?)),
        None => Some((text, 1)),
    }
}

/// `1st`, `2nd`, `3rd`, `12th`.
fn ordinal(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, ending) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let right = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    (number > 0 && ending == right).then_some(number)
}

/// Nothing, or a text in single quotes.
fn quoted(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(Some(inner.to_owned()))
}

/// Nothing, or control bits in tcpdump's letters.
fn flags(text: &str) -> Option<Option<Flags>> {
    if text.is_empty() { Some(None) } else { Flags::from_letters(text).map(Some) }
}
