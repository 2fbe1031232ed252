use std::net::IpAddr;
use std::time::Duration;

use super::sample::{CLIENT, SERVER, addr, secs, segment};
use crate::packet::Unreachable;
use crate::report::wording;
use crate::timeline::{Direction, Icmp};

#[test]
fn numbers_leave_out_what_tcpdump_leaves_out() {
    for (flags, seq, ack, len, expected) in [
        ("S", 0, None, 0, "seq 0, win 4096, length 0"),
        ("S.", 0, Some(1), 0, "seq 0, ack 1, win 4096, length 0"),
        (".", 1, Some(1), 0, "ack 1, win 4096, length 0"),
        ("P.", 7, Some(7), 6, "seq 7:13, ack 7, win 4096, length 6"),
        ("F.", 7, Some(7), 0, "seq 7, ack 7, win 4096, length 0"),
        ("R", 7, None, 0, "seq 7, win 0, length 0"),
        (".", u32::MAX, Some(7), 1, "seq 4294967295:0, ack 7, win 4096, length 1"),
    ] {
        assert_eq!(wording::numbers(&segment(CLIENT, SERVER, flags, seq, ack, len)), expected, "{flags}");
    }
}

#[test]
fn a_segment_without_flags_says_so() {
    assert_eq!(wording::flags(segment(CLIENT, SERVER, "", 7, None, 0).flags), "[none]");
    assert_eq!(wording::identity(&segment(CLIENT, SERVER, "", 7, None, 0)), "seq 7");
}

#[test]
fn every_icmp_error_has_tcpdumps_words_in_both_versions() {
    let said = |what, ends: [&str; 2]| {
        let about = (addr(ends[0]), addr(ends[1]));
        let (src, dst): (IpAddr, IpAddr) = (about.1.ip(), about.0.ip());
        wording::icmp(&Icmp { dir: Direction::In, src, dst, what, type_code: (3, 1), about, seq: 0 })
    };
    for (what, v4, v6) in [
        (
            Unreachable::Net,
            "net 10.0.0.2 unreachable",
            "destination unreachable, unreachable route 2001:db8::2",
        ),
        (
            Unreachable::Host,
            "host 10.0.0.2 unreachable",
            "destination unreachable, unreachable address 2001:db8::2",
        ),
        (
            Unreachable::Protocol,
            "10.0.0.2 protocol 6 unreachable",
            "parameter problem, next header - octet 6",
        ),
        (
            Unreachable::Port,
            "10.0.0.2 tcp port 7 unreachable",
            "destination unreachable, unreachable port, 2001:db8::2 tcp port 7",
        ),
        (
            Unreachable::FragmentationNeeded { mtu: 1280 },
            "10.0.0.2 unreachable - need to frag (mtu 1280)",
            "packet too big, mtu 1280",
        ),
        (
            Unreachable::Prohibited,
            "host 10.0.0.2 unreachable - admin prohibited filter",
            "destination unreachable, unreachable prohibited 2001:db8::2",
        ),
        (Unreachable::TimeExceeded, "time exceeded in-transit", "time exceeded in-transit"),
    ] {
        assert_eq!(said(what, [CLIENT, SERVER]), format!("ICMP {v4}"));
        assert_eq!(said(what, ["[2001:db8::1]:49152", "[2001:db8::2]:7"]), format!("ICMP6, {v6}"));
    }
}

#[test]
fn times_have_the_digits_that_count() {
    for (micros, timer, span) in [
        (0, "0.0 s", "0 ms"),
        (500, "0.001 s", "0.5 ms"),
        (10_000, "0.01 s", "10 ms"),
        (215_000, "0.215 s", "215 ms"),
        (1_500_000, "1.5 s", "1.5 s"),
        (12_000_000, "12.0 s", "12 s"),
        (542_500_000, "542.5 s", "542.5 s"),
        (7_200_000_000, "7200.0 s", "7200 s"),
    ] {
        assert_eq!(wording::seconds(Duration::from_micros(micros)), timer);
        assert_eq!(wording::span(Duration::from_micros(micros)), span);
    }
    assert_eq!(wording::moment(secs(86_400.0)), "86400 s");
    assert_eq!(wording::moment(secs(0.005)), "0.005 s");
}
