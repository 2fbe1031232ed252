//! Real kernels' TCP against our router: needs `/dev/net/tun`, and root or user namespaces, so only when asked for
//! (`cargo test --test real -- --ignored`). Where it cannot run it fails.

use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echosim::errno::Errno;
use echosim::packet::Flags;
use echosim::timeline::{Direction, Event, Kind, ProcessChange, SegmentEvent, Stream};

use crate::claims;
use crate::runs::{self, calls, ends, printed};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    laboratory_carries_a_conversation,
    laboratory_crash_ends_in_etimedout,
    laboratory_reboot_answers_with_rst,
    laboratory_unreachable_ends_in_ehostunreach,
    laboratory_partition_that_heals_loses_nothing,
    laboratory_loses_nothing_at_five_percent_loss,
    laboratory_keepalive_finds_the_crash,
    laboratory_connect_to_a_crashed_host_times_out,
    laboratory_and_simulation_agree,
    laboratory_parts_from_a_simulation_that_is_wrong,
    laboratory_random_scenarios_have_results_that_are_kept,
    laboratory_goes_as_the_library_expects_of_linux,
];

/// One at a time: a laboratory works in real time, and wants the machine for itself.
fn events_of(name: &str) -> Vec<Event> {
    let _alone = alone();
    runs::events_of(name, "laboratory")
}

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // One that failed has left nothing behind: its processes ended with it.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn segments<'a>(events: &'a [Event], host: &'a str) -> impl Iterator<Item = (Duration, &'a SegmentEvent)> {
    events.iter().filter(move |event| *event.host == *host).filter_map(|event| match &event.kind {
        Kind::Segment(segment) => Some((Duration::from_nanos(event.t.as_nanos()), segment)),
        _ => None,
    })
}

fn laboratory_carries_a_conversation() {
    let events = events_of("normal");
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello"]);
    let flags: Vec<String> = segments(&events, "client")
        .map(|(_, s)| format!("{}{}", if s.dir == Direction::Out { ">" } else { "<" }, s.flags))
        .collect();
    assert_eq!(flags[..3], [">S", "<S.", ">."]);
    assert_eq!(segments(&events, "client").filter(|(_, s)| s.retransmission.is_some()).count(), 0);
    let times: Vec<Duration> = segments(&events, "client").map(|(t, _)| t).collect();
    let rtt = times[1] - times[0];
    assert!((9..25).contains(&rtt.as_millis()), "two links of 2.5 ms each way: {rtt:?}");
}

fn laboratory_crash_ends_in_etimedout() {
    let events = events_of("crash");
    assert_eq!(calls(&events, "client", "read").last(), Some(&Err(Errno::ETIMEDOUT)));
    let again = segments(&events, "client").filter(|(_, s)| s.retransmission.is_some()).count();
    // behaviour.md: a tail-loss probe, then tcp_retries2 on the timer, here 3.
    assert!((3..=5).contains(&again), "{again} retransmissions");
    let world = |s: &SegmentEvent| s.len == 6 && s.seq == 7;
    assert!(!segments(&events, "server").any(|(_, s)| world(s)), "not a packet reaches a crashed host");
}

fn laboratory_reboot_answers_with_rst() {
    let events = events_of("reboot");
    assert_eq!(calls(&events, "client", "read").last(), Some(&Err(Errno::ECONNRESET)));
    let (_, last) = segments(&events, "client").last().unwrap();
    assert!(last.flags.has(Flags::RST) && last.dir == Direction::In);
}

fn laboratory_unreachable_ends_in_ehostunreach() {
    let events = events_of("unreachable");
    assert_eq!(calls(&events, "client", "read").last(), Some(&Err(Errno::EHOSTUNREACH)));
    assert!(events.iter().any(|event| matches!(&event.kind, Kind::Icmp(icmp) if icmp.dir == Direction::In)));
}

fn laboratory_partition_that_heals_loses_nothing() {
    let events = events_of("partition-heals");
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello", "world"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 0 }]);
    assert!(segments(&events, "client").any(|(_, s)| s.retransmission.is_some()));
}

fn laboratory_loses_nothing_at_five_percent_loss() {
    let events = events_of("lossy");
    let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
    assert_eq!(printed(&events, "client", Stream::Stdout), lines);
}

fn laboratory_keepalive_finds_the_crash() {
    let events = events_of("keepalive-crash");
    assert_eq!(calls(&events, "client", "read").last(), Some(&Err(Errno::ETIMEDOUT)));
}

fn laboratory_connect_to_a_crashed_host_times_out() {
    let events = events_of("connect-crash");
    assert_eq!(calls(&events, "client", "connect"), [Err(Errno::ETIMEDOUT)]);
}

/// Those of a network fault that take no minutes, all at once: they sleep most of the time.
fn laboratory_goes_as_the_library_expects_of_linux() {
    let names = [
        "connect-unreachable",
        "link-down-connect",
        "lossy",
        "mtu",
        "one-way",
        "partition-heals",
        "reboot",
        "reboot-idle",
        "same-segment-connect",
        "user-timeout",
    ];
    let _alone = alone();
    let start = |name| {
        let mut command = crate::programs::program(&["scenario", name]);
        (name, command.stderr(Stdio::piped()).spawn().expect("a process"))
    };
    let runs: Vec<_> = names.into_iter().map(start).collect();
    let outputs: Vec<_> =
        runs.into_iter().map(|(name, run)| (name, run.wait_with_output().unwrap())).collect();
    for (name, output) in outputs {
        assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn laboratory_and_simulation_agree() {
    let scenarios: [&[&str]; 11] = [
        &["normal"],
        &["reboot"],
        &["server-killed"],
        &["half-close"],
        &["crash", "retries=4"],
        &["unreachable", "retries=4"],
        &["link-down", "retries=4"],
        &["same-segment", "retries=6", "base_reachable_time=1ms"],
        &["written:typed-late"],
        &["written:keepalive-half-closed"],
        &["written:late-server"],
    ];
    let _alone = alone();
    for scenario in scenarios {
        // A machine may be late once or twice; what parts every time parts.
        let run = || crate::programs::program(&[&["compare"], scenario].concat()).output().unwrap();
        let mut output = run();
        for _ in 0..2 {
            if !output.status.success() {
                output = run();
            }
        }
        let (shown, told) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{scenario:?}: {told}\n{shown}");
    }
}

/// RTO floor +5 %, no timer wheel, delayed acknowledgment +25 %, no PSH, half the window: a comparison that notices none
/// of these is worth nothing.
fn laboratory_parts_from_a_simulation_that_is_wrong() {
    let _alone = alone();
    let output = crate::programs::program(&["mutants"]).output().unwrap();
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}\n{shown}");
}

fn laboratory_random_scenarios_have_results_that_are_kept() {
    let _alone = alone();
    let output = crate::programs::program(&["random"]).output().unwrap();
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}\n{shown}");
}
