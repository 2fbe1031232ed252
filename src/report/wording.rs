//! How the field writes things down: tcpdump's segments and ICMP errors, strace's results, and times.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::errno::Errno;
use crate::packet::{Flags, Resolution, Unreachable};
use crate::time::SimTime;
use crate::timeline::{Icmp, Neighbour, Retransmission, SegmentEvent};

const MILLISECOND: Duration = Duration::from_millis(1);
const MICROSECOND: Duration = Duration::from_micros(1);

/// An address and a port in tcpdump's manner: `10.0.0.1.49152`, `2001:db8::1.49152`.
pub(super) fn endpoint(addr: SocketAddr) -> String {
    format!("{}.{}", addr.ip(), addr.port())
}

/// `10.0.0.1.49152 > 10.0.0.2.7`.
pub(super) fn ends(from: SocketAddr, to: SocketAddr) -> String {
    format!("{} > {}", endpoint(from), endpoint(to))
}

/// The control bits in brackets: `[P.]`; `[none]` where there are none.
pub(super) fn flags(flags: Flags) -> String {
    if flags == Flags::default() { "[none]".to_owned() } else { format!("[{flags}]") }
}

/// The numbers behind the flags: `seq 7:13, ack 7, win 4096, length 6`.
pub(super) fn numbers(segment: &SegmentEvent) -> String {
    let mut numbers = String::new();
    if let Some(seq) = seq(segment) {
        numbers.push_str(&format!("{seq}, "));
    }
    if let Some(ack) = segment.ack {
        numbers.push_str(&format!("ack {ack}, "));
    }
    format!("{numbers}win {}, length {}", segment.win, segment.len)
}

/// As much of [`numbers`] as tells this segment from its neighbours: `seq 7:13`, or `ack 7` of a bare
/// acknowledgment.
pub(super) fn identity(segment: &SegmentEvent) -> String {
    let ack = || segment.ack.map(|ack| format!("ack {ack}"));
    seq(segment).or_else(ack).unwrap_or_else(|| format!("seq {}", segment.seq))
}

/// tcpdump leaves the sequence number out where it says nothing: in a bare acknowledgment.
fn seq(segment: &SegmentEvent) -> Option<String> {
    let SegmentEvent { seq, len, .. } = *segment;
    let counts = [Flags::SYN, Flags::FIN, Flags::RST].iter().any(|&bit| segment.flags.has(bit));
    match len {
        0 => counts.then(|| format!("seq {seq}")),
        _ => Some(format!("seq {seq}:{}", seq.wrapping_add(len as u32))),
    }
}

/// What stands behind a segment: `tail loss probe`, `retransmission 3/12, next in 12.0 s`.
pub(super) fn annotation(segment: &SegmentEvent) -> Option<String> {
    let note = segment.probe.map(|probe| probe.to_string());
    let again = segment.retransmission.as_deref().copied().map(retransmission);
    let parts: Vec<String> = note.into_iter().chain(again).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn retransmission(again: Retransmission) -> String {
    let limit = again.limit.map_or(String::new(), |limit| format!("/{limit}"));
    let next = again.next.map_or(String::new(), |next| format!(", next in {}", seconds(next)));
    format!("retransmission {}{limit}{next}", again.nth)
}

/// An ICMP error as tcpdump words it: `ICMP host 10.0.0.2 unreachable`.
pub(super) fn icmp(error: &Icmp) -> String {
    let (dst, port) = (error.about.1.ip(), error.about.1.port());
    match error.dst {
        IpAddr::V4(_) => format!("ICMP {}", icmp_v4(error.what, dst, port)),
        IpAddr::V6(_) => format!("ICMP6, {}", icmp_v6(error.what, dst, port)),
    }
}

fn icmp_v4(what: Unreachable, dst: IpAddr, port: u16) -> String {
    match what {
        Unreachable::Net => format!("net {dst} unreachable"),
        Unreachable::Host => format!("host {dst} unreachable"),
        Unreachable::Protocol => format!("{dst} protocol 6 unreachable"),
        Unreachable::Port => format!("{dst} tcp port {port} unreachable"),
        Unreachable::FragmentationNeeded { mtu } => {
            format!("{dst} unreachable - need to frag (mtu {mtu})")
        }
        Unreachable::Prohibited => format!("host {dst} unreachable - admin prohibited filter"),
        Unreachable::TimeExceeded => "time exceeded in-transit".to_owned(),
    }
}

fn icmp_v6(what: Unreachable, dst: IpAddr, port: u16) -> String {
    match what {
        Unreachable::Net => format!("destination unreachable, unreachable route {dst}"),
        Unreachable::Host => format!("destination unreachable, unreachable address {dst}"),
        Unreachable::Protocol => "parameter problem, next header - octet 6".to_owned(),
        Unreachable::Port => format!("destination unreachable, unreachable port, {dst} tcp port {port}"),
        Unreachable::FragmentationNeeded { mtu } => format!("packet too big, mtu {mtu}"),
        Unreachable::Prohibited => format!("destination unreachable, unreachable prohibited {dst}"),
        Unreachable::TimeExceeded => "time exceeded in-transit".to_owned(),
    }
}

/// tcpdump's words for a message of ARP or of Neighbor Discovery.
pub(super) fn neighbour(message: &Neighbour) -> String {
    let Neighbour { what, sender, mac, target, .. } = message;
    match (what, sender.is_ipv4()) {
        (Resolution::Request, true) => format!("ARP, Request who-has {target} tell {sender}"),
        (Resolution::Reply, true) => format!("ARP, Reply {sender} is-at {mac}"),
        (Resolution::Request, false) => format!("ICMP6, neighbor solicitation, who has {target}"),
        (Resolution::Reply, false) => format!("ICMP6, neighbor advertisement, tgt is {sender}"),
    }
}

/// How the host of an address is found on its segment.
pub(super) const fn resolution(addr: IpAddr) -> &'static str {
    if addr.is_ipv4() { "ARP" } else { "Neighbor Discovery" }
}

/// A process: `client[101]`.
pub(super) fn process(name: &str, pid: u32) -> String {
    format!("{}[{pid}]", printable(name))
}

/// What a call returned, as strace has it: `6`, `-1 ECONNRESET (Connection reset by peer)`.
pub(super) fn outcome(result: Result<i64, Errno>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(errno) => format!("-1 {errno} ({})", errno.message()),
    }
}

/// A timer's length, with one decimal at the least and three at the most: `12.0 s`, `0.215 s`.
pub(super) fn seconds(span: Duration) -> String {
    let digits = thousands(span, MILLISECOND);
    if digits.contains('.') { format!("{digits} s") } else { format!("{digits}.0 s") }
}

/// A length of time in a sentence: `10 ms`, `542.5 s`.
pub(super) fn span(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        format!("{} ms", thousands(span, MICROSECOND))
    } else {
        format!("{} s", thousands(span, MILLISECOND))
    }
}

/// A moment in a sentence: `15 s`, `0.005 s`.
pub(super) fn moment(t: SimTime) -> String {
    format!("{} s", thousands(t.since(SimTime::ZERO), MILLISECOND))
}

/// How often a segment was sent again: `1 tail loss probe and 15 retransmissions`.
pub(super) fn attempts(tail_loss_probes: usize, retransmissions: usize) -> Option<String> {
    let attempts = [(tail_loss_probes, "tail loss probe"), (retransmissions, "retransmission")];
    let attempts: Vec<_> =
        attempts.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(n, noun)).collect();
    (!attempts.is_empty()).then(|| attempts.join(" and "))
}

/// `n` of something, the noun in the right number: `1 retransmission`, `12 retransmissions`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Seconds with six digits, as a [`SimTime`] prints: `+1.500000` without its sign.
pub(super) fn micros(micros: u64) -> String {
    SimTime::from_nanos(micros.saturating_mul(1_000)).to_string()
}

/// Text from outside, fit for a terminal: control characters are shown, not sent to it.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(shown).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `span` rounded to a multiple of `thousandth` and counted in thousands of it, without needless zeros.
fn thousands(span: Duration, thousandth: Duration) -> String {
    let count = (span + thousandth / 2).as_nanos() / thousandth.as_nanos();
    let digits = format!("{}.{:03}", count / 1_000, count % 1_000);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A wait, as a picture says it: `64.0 s`, `0.216 s`.
pub(super) fn pause(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return seconds(span);
    }
    let tenths = (span.as_millis() + 50) / 100;
    format!("{}.{} s", grouped((tenths / 10) as usize), tenths % 10)
}

/// What came again and again: `×1 053, every 0.216 s`.
pub(super) fn repeated(sign: &str, times: usize, every: Duration) -> String {
    let times = grouped(times);
    if every.is_zero() {
        format!("{sign}{times}, at once")
    } else {
        format!("{sign}{times}, every {}", pause(every))
    }
}

/// A moment in full, without needless zeros: `10.0025 s`.
pub(super) fn instant(t: SimTime) -> String {
    let digits = t.to_string();
    format!("{} s", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// A number with its thousands apart: `1 053`.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// `text` in lines of at most `width` characters, broken at spaces, but not between a number and its unit; a longer
/// word has a line to itself.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// What must stay together: `64.0 s`, `1 053`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches(['.', ',', ';', ':']);
        let thousands = bare.len() == 3 && bare.bytes().all(|octet| octet.is_ascii_digit());
        match words.last_mut() {
            Some(number)
                if number.ends_with(|c: char| c.is_ascii_digit())
                    && (matches!(bare, "s" | "ms") || thousands) =>
            {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}
