//! What a scenario says of a link besides its [configuration](crate::router::LinkConfig).

use super::{IpVersion, units};
use crate::router::{LinkConfig, MiddleboxConfig, RuleConfig};
use crate::span;

/// A property of a link that can be set by name, in `[link.HOST]` and with `--set`.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    /// What its values look like.
    pub(super) expected: &'static str,
    apply: fn(&mut LinkConfig, &str) -> Option<()>,
}

impl Key {
    pub(super) fn of(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Sets it; `None` if the link has no such value, and is left as it was.
    pub(super) fn set(&self, link: &mut LinkConfig, value: &str) -> Option<()> {
        (self.apply)(link, value)
    }
}

const fn key(
    name: &'static str,
    help: &'static str,
    expected: &'static str,
    apply: fn(&mut LinkConfig, &str) -> Option<()>,
) -> Key {
    Key { name, help, expected, apply }
}

/// Every key of a link but `drop`, which is a rule.
pub(super) const KEYS: &[Key] = &[
    key("latency", "how long a packet travels on a link, one way", span::EXPECTED, |link, value| {
        span::parse(value).map(|span| link.latency = span)
    }),
    key("jitter", "how much longer or shorter it may travel", span::EXPECTED, |link, value| {
        span::parse(value).map(|span| link.jitter = span)
    }),
    key("bandwidth", "bits per second on a link", units::A_RATE, |link, value| {
        units::rate(value).map(|rate| link.bandwidth = Some(rate))
    }),
    key("loss", "share of packets that vanish on a link", units::A_FRACTION, |link, value| {
        units::fraction(value).map(|share| link.loss = share)
    }),
    key("duplicate", "share of packets that arrive twice", units::A_FRACTION, |link, value| {
        units::fraction(value).map(|share| link.duplicate = share)
    }),
    key("reorder", "share of packets that later ones overtake", units::A_FRACTION, |link, value| {
        units::fraction(value).map(|share| link.reorder = share)
    }),
    key("corrupt", "share of packets that arrive with a bit flipped", units::A_FRACTION, |link, value| {
        units::fraction(value).map(|share| link.corrupt = share)
    }),
    key("mtu", "the longest IP packet on a link, in octets", "a number", |link, value| {
        value.parse().ok().map(|mtu| link.mtu = mtu)
    }),
    key(
        "too_big",
        "whether the sender of a longer one is told: icmp, silent",
        "icmp or silent",
        |link, value| {
            link.tells_too_big = match value {
                "icmp" => true,
                "silent" => false,
                _ => return None,
            };
            Some(())
        },
    ),
    key("queue", "how many packets may wait for the wire", "a number", |link, value| {
        value.parse().ok().map(|packets| link.queue = packets)
    }),
];

/// A rule for chosen packets: `drop = { from = "client", flags = "P.", nth = 2 }` of a link, or a table `[[rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The line it is written in, counted from 1.
    pub line: usize,
    /// What it is.
    pub config: RuleConfig<String>,
    /// Whether it may take fewer packets than it is for.
    pub may_miss: bool,
}

/// A middlebox on a host's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middlebox {
    /// The host.
    pub link: String,
    /// What it is like.
    pub config: MiddleboxConfig,
}

/// Whether IP can use a link with this MTU, in octets.
///
/// # Errors
///
/// A sentence that says what was expected.
pub(super) fn mtu_fits(mtu: usize, ip: IpVersion) -> Result<(), String> {
    // RFC 791, 3.2: every module must be able to forward 68 octets; RFC 8200, 5: every link carries 1280.
    let (least, version) = match ip {
        IpVersion::V4 => (68, 4),
        IpVersion::V6 => (1280, 6),
    };
    if (least..=65_535).contains(&mtu) {
        Ok(())
    } else {
        Err(format!("expected an MTU from {least} to 65535 octets, as IPv{version} needs it"))
    }
}
