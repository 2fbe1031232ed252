//! The profile `linux` against recordings of a Linux 6.18 kernel (`tests/linux/*.ndjson`): the same segments in the
//! same order, the same errors, and times within 3 % and one granule of the kernel's timer wheel.
//!
//! The recordings were made by an echo client and server in two network namespaces with 5 ms each way between them;
//! `t` is 0 at the fault. Each has a scenario beside it that types at the same times. Compared is what the client's
//! host saw: segments, ICMP errors and the calls on its socket.
#![cfg(feature = "cli")]

use std::fmt;
use std::path::Path;
use std::time::Duration;

use echosim::scenario::{self, Scenario};
use echosim::stack::profile::TimerWheel;
use echosim::time::SimTime;
use echosim::timeline::{Call, Direction, Event, Kind, Polled, SegmentEvent, SystemCall};
use serde_json::Value;

/// How far a time may be off, besides a granule of the timer wheel.
const TOLERANCE: f64 = 0.03;

/// By then the client has read its echo, and polls for what comes next.
const ECHOED: Duration = Duration::from_millis(20);

/// The recorded kernel's CONFIG_HZ was 250.
const WHEEL: TimerWheel = TimerWheel::new(250);

/// One thing the client's host saw, without its time.
#[derive(Debug, PartialEq)]
enum Recorded {
    Segment { out: bool, flags: String, seq: Option<u64>, ack: Option<u64>, len: u64 },
    Icmp(String),
    Call { call: String, result: i64, errno: Option<String> },
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// When, in seconds from the fault, and what.
type Seen = (f64, Recorded);

fn recorded(name: &str) -> Vec<Seen> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/linux/{name}.ndjson"));
    let text = std::fs::read_to_string(&file).expect("the recording is there");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    rows.filter_map(|row| Some((row["t"].as_f64()?, recorded_event(&row)?))).collect()
}

fn recorded_event(row: &Value) -> Option<Recorded> {
    let word = |key: &str| row[key].as_str().map(str::to_owned);
    match row["event"].as_str()? {
        "segment" => Some(Recorded::Segment {
            out: row["dir"] == "out",
            flags: word("flags")?,
            seq: row["seq"].as_u64(),
            ack: row["ack"].as_u64(),
            len: row["len"].as_u64()?,
        }),
        "icmp" => Some(Recorded::Icmp(word("name")?)),
        // The book's client leaves closing to `exit`, and the kernel does the same with either.
        "call" if row["call"] == "close" => None,
        // Before the fault the recorded client read without having asked `poll`.
        "call" if row["call"] == "poll" && row["t"].as_f64()? < 0.0 => None,
        "call" => {
            // What `poll` answers is written down as a list of bits there.
            let result = row["result"].as_i64().unwrap_or(1);
            Some(Recorded::Call { call: word("call")?, result, errno: word("errno") })
        }
        _ => None,
    }
}

fn simulated(name: &str) -> Vec<Seen> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/linux/{name}.toml"));
    let scenario = scenario::load(&file.display().to_string()).expect("the scenario is sound");
    let outcome = scenario.run().expect("it runs to its end");
    assert_eq!(scenario::check(&scenario, &outcome), [], "{name}: not what its scenario expects");
    let zero = zero(&scenario);
    let client = outcome.events.iter().filter(|event| &*event.host == "client");
    client.filter_map(|event| Some((event.t.as_secs_f64() - zero, simulated_event(event)?))).collect()
}

/// The recordings count from the fault.
fn zero(scenario: &Scenario) -> f64 {
    let mut last = scenario.faults.iter().filter_map(|fault| match fault.trigger {
        scenario::Trigger::At(at) => Some(at.as_secs_f64()),
        scenario::Trigger::On(_) => None,
    });
    last.next_back().unwrap_or(0.0)
}

fn simulated_event(event: &Event) -> Option<Recorded> {
    match &event.kind {
        Kind::Segment(segment) => Some(Recorded::Segment {
            out: segment.dir == Direction::Out,
            flags: segment.flags.to_string(),
            seq: shows_seq(segment).then_some(u64::from(segment.seq)),
            ack: segment.ack.map(u64::from),
            len: segment.len as u64,
        }),
        Kind::Icmp(icmp) => Some(Recorded::Icmp(icmp.what.to_string())),
        Kind::Call(call) if call.name() == "poll" => {
            reports_end(call).then(|| Recorded::Call { call: call.name().to_owned(), result: 1, errno: None })
        }
        Kind::Call(call) if is_of_the_socket(call.name(), call.what.fd()) => Some(Recorded::Call {
            call: call.name().to_owned(),
            result: call.result.unwrap_or(-1),
            errno: call.result.err().map(|errno| errno.to_string()),
        }),
        _ => None,
    }
}

/// As recorded: not in a bare acknowledgment, nor where the sender has no numbers of its own.
fn shows_seq(segment: &SegmentEvent) -> bool {
    match &*segment.flags.to_string() {
        "." => false,
        "R." => segment.dir == Direction::Out,
        _ => true,
    }
}

/// The recording client made no calls on its terminal, and its socket is descriptor 3.
fn is_of_the_socket(call: &str, fd: Option<i32>) -> bool {
    matches!(call, "connect" | "read" | "write") && fd == Some(3)
}

/// `poll.h`: a read will not block.
const POLLIN: u16 = 1;

/// In the recording: POLLIN and POLLRDHUP. Ours asks for POLLIN only, and so is told no more; before the end of the
/// file it polls for the echo, where the recorded client just reads. (`keepalive_crash` was recorded without `poll`.)
fn reports_end(call: &Call) -> bool {
    let SystemCall::Poll { fds, .. } = &call.what else { return false };
    let is_readable = |fd: &Polled| fd.fd == 3 && (fd.events, fd.revents) == (POLLIN, POLLIN);
    fds.iter().any(is_readable) && call.since >= SimTime::ZERO + ECHOED
}

/// Same things in the same order, at the same times as far as a kernel can keep them.
fn agrees(name: &str) {
    let (real, ours) = (recorded(name), simulated(name));
    compare(name, &real, &ours);
    assert_eq!(ours.len(), real.len(), "{name}: the kernel saw another number of things");
}

fn compare(name: &str, real: &[Seen], ours: &[Seen]) {
    assert!(
        !real.is_empty() && real.len() <= ours.len(),
        "{name}: {} things, the kernel {}",
        ours.len(),
        real.len()
    );
    for (n, ((t, what), (our_t, our_what))) in real.iter().zip(ours).enumerate() {
        assert_eq!(our_what, what, "{name}, event {n}: the kernel at {t} s, we at {our_t} s");
        if *t > 0.0 {
            let granule = WHEEL.granule(Duration::from_secs_f64(wait(real, n))).as_secs_f64();
            let off = (our_t - t).abs();
            // A few milliseconds are the recording machine's: scheduling, the bridge between the namespaces.
            assert!(
                off <= t * TOLERANCE + granule + 0.006,
                "{name}, event {n}, {what}: the kernel at {t} s, we at {our_t} s"
            );
        }
    }
}

/// How long nothing had happened before the n-th event: the timer it may have been.
fn wait(seen: &[Seen], n: usize) -> f64 {
    let before = n.checked_sub(1).map_or(0.0, |n| seen[n].0);
    (seen[n].0 - before).max(0.0)
}

#[test]
fn a_line_and_an_orderly_close_agree() {
    agrees("normal");
}

#[test]
fn a_crash_agrees() {
    agrees("crash");
}

#[test]
fn a_reboot_agrees() {
    agrees("reboot");
}

#[test]
fn connect_to_a_dead_host_agrees() {
    agrees("connect_crash");
}

#[test]
fn a_refused_connect_agrees() {
    agrees("refused");
}

#[test]
fn keepalive_to_a_dead_host_agrees() {
    agrees("keepalive_crash");
}

#[test]
fn a_killed_child_and_writing_on_agree() {
    agrees("killed");
}

#[test]
fn a_killed_child_noticed_in_poll_agrees() {
    agrees("killed_poll");
}

/// The thousand segments of `unreachable`: where the kernel's eight-bit counter wraps, ours has to wrap, so counts
/// and the end are compared rather than each of them.
#[test]
fn unreachable_agrees_in_count_and_end() {
    let (real, ours) = (recorded("unreachable"), simulated("unreachable"));
    let segments = |seen: &[Seen]| {
        let data =
            seen.iter().filter(|(t, what)| *t > 0.0 && matches!(what, Recorded::Segment { len: 6, .. }));
        data.count() as f64
    };
    let off = segments(&ours) / segments(&real) - 1.0;
    assert!(off.abs() < 0.01, "{} segments, the kernel {}", segments(&ours), segments(&real));
    let (end, our_end) = (real.last().expect("not empty"), ours.last().expect("not empty"));
    assert_eq!(our_end.1, end.1);
    assert!((our_end.0 / end.0 - 1.0).abs() < 0.01, "{} s, the kernel {} s", our_end.0, end.0);
}
