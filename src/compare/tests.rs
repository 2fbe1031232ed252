use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::errno::Errno;
use crate::packet::Flags;
use crate::timeline::{
    Call, Direction, FaultKind, Kind, Line, Process, ProcessChange, SegmentEvent, Stream, SystemCall,
};

fn at(millis: u64, kind: Kind) -> Event {
    Event { t: SimTime::ZERO + Duration::from_millis(millis), host: "client".into(), kind, packet: None }
}

fn start(pid: u32) -> Kind {
    Kind::Process(Process { pid, process: "echo-client".into(), what: ProcessChange::Start })
}

fn typed(pid: u32) -> Kind {
    Kind::Line(Line { pid, process: "echo-client".into(), stream: Stream::Stdin, text: "world".to_owned() })
}

fn read(pid: u32, result: Result<i64, Errno>) -> Kind {
    Kind::Call(Box::new(Call {
        pid,
        process: "echo-client".into(),
        within: Some("readline"),
        what: SystemCall::Read { fd: pid as i32, data: None, size: 4_096 },
        connection: None,
        result,
        since: SimTime::ZERO,
    }))
}

fn sent(port: u16, seq: u32) -> Kind {
    Kind::Segment(SegmentEvent {
        dir: Direction::Out,
        src: SocketAddr::from(([10, 0, 1, 1], port)),
        dst: SocketAddr::from(([10, 0, 2, 1], 9877)),
        flags: Flags::PSH.with(Flags::ACK),
        seq,
        ack: Some(1),
        win: 100,
        len: 6,
        retransmission: None,
        probe: None,
    })
}

fn text(report: &Report) -> String {
    let mut out = Vec::new();
    report.write(&mut out, "Linux").unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pids_ports_and_arguments_may_differ() {
    let sim = [at(0, start(101)), at(1, sent(49152, 1)), at(11, read(101, Ok(6)))];
    let real = [at(0, start(7)), at(1, sent(33333, 1)), at(11, read(7, Ok(6)))];
    let report = compare(&sim, &real, Tolerance::default());
    assert!(report.agrees(), "{}", text(&report));
    assert_eq!(report.pairs(), 3);
}

#[test]
fn another_errno_parts_them() {
    let sim = [at(0, start(1)), at(10, read(1, Err(Errno::ETIMEDOUT)))];
    let real = [at(0, start(1)), at(10, read(1, Err(Errno::ECONNRESET)))];
    let report = compare(&sim, &real, Tolerance::default());
    assert_eq!(report.partings().count(), 2, "one of each");
    assert!(text(&report).contains("client: readline: read = -1 ETIMEDOUT (not on Linux)"));
}

#[test]
fn a_segment_too_many_is_the_only_one_that_parts() {
    let sim = [at(0, sent(1, 1)), at(10, sent(1, 7)), at(20, sent(1, 13))];
    let real = [at(0, sent(1, 1)), at(10, sent(1, 7)), at(15, sent(1, 7)), at(20, sent(1, 13))];
    let report = compare(&sim, &real, Tolerance::default());
    let partings: Vec<_> = report.partings().collect();
    assert!(matches!(partings[..], [Row::OnlyReal { .. }]), "{}", text(&report));
}

#[test]
fn a_time_is_counted_from_the_last_thing_that_was_done() {
    // The kernel's process takes 100 ms to start: that is no mistake of either side after the line is typed.
    let sim = [at(0, start(1)), at(1_000, typed(1)), at(1_010, read(1, Ok(6)))];
    let real = [at(0, start(1)), at(1_100, typed(1)), at(1_110, read(1, Ok(6)))];
    let report = compare(&sim, &real, Tolerance::default());
    assert!(report.agrees(), "{}", text(&report));
}

#[test]
fn a_time_that_is_further_off_than_allowed_parts_them() {
    let tolerance = Tolerance { slack: Duration::ZERO, ..Tolerance::default() };
    let sim = [at(0, start(1)), at(1_000, read(1, Ok(6)))];
    let by = |late: u64| [at(0, start(1)), at(1_000 + late, read(1, Ok(6)))];
    assert!(compare(&sim, &by(62), tolerance).agrees());
    let report = compare(&sim, &by(63), tolerance);
    assert!(text(&report).contains("(off by +0.063000 s, allowed 0.062 s)"), "{}", text(&report));
}

#[test]
fn a_wire_that_was_not_watched_is_not_compared() {
    let sim = [at(0, start(1)), at(1, sent(1, 1))];
    let real = [at(0, start(1))];
    assert!(compare(&sim, &real, Tolerance::default()).agrees());
}

#[test]
fn the_other_ends_crash_does_not_start_a_timer() {
    // Ten seconds after the last line, and one after a crash of which this host knows nothing.
    let crash = Kind::Fault { fault: FaultKind::Crash, target: "server".to_owned() };
    let both = |probe: u64| [at(0, typed(1)), at(9_000, crash.clone()), at(probe, sent(1, 7))];
    let report = compare(&both(10_000), &both(10_500), Tolerance::default());
    assert!(report.agrees(), "{}", text(&report));
    let (_, worst) = report.worst().unwrap();
    assert_eq!((worst.since, worst.off()), (Duration::from_secs(10), Duration::from_millis(500)));
}

#[test]
fn connections_need_not_take_turns_in_the_same_order() {
    let sim = [at(0, sent(1, 1)), at(0, sent(2, 1)), at(5, sent(1, 7)), at(5, sent(2, 9))];
    let real = [at(0, sent(1, 1)), at(0, sent(2, 1)), at(5, sent(2, 9)), at(5, sent(1, 7))];
    let report = compare(&sim, &real, Tolerance::default());
    assert!(report.agrees(), "{}", text(&report));
}

#[test]
fn a_pid_in_a_text_is_that_of_the_same_process() {
    let printed = |pid: u32, child: u32| {
        let text = format!("child {child} terminated, 10.0.0.1:{}, line 101", 50_000 + pid);
        Kind::Line(Line { pid, process: "echo-server".into(), stream: Stream::Stdout, text })
    };
    let sim = [at(0, start(101)), at(0, start(102)), at(1, printed(101, 102))];
    let real = [at(0, start(7)), at(0, start(8)), at(1, printed(7, 8))];
    assert!(compare(&sim, &real, Tolerance::default()).agrees());
    let other = [at(0, start(7)), at(0, start(8)), at(1, printed(7, 7))];
    assert!(!compare(&sim, &other, Tolerance::default()).agrees());
}

/// Of a stream only what the program says of it is compared, and nothing of when.
#[test]
fn how_a_stream_is_cut_is_left_to_each_tcp_but_not_what_fails() {
    let sim = [
        at(0, start(101)),
        at(1, sent(49152, 1)),
        at(11, read(101, Ok(6))),
        at(20, read(101, Err(Errno::ECONNRESET))),
    ];
    let cut = [
        at(0, start(7)),
        at(1, sent(33333, 1)),
        at(2, sent(33333, 7)),
        at(900, read(7, Err(Errno::ECONNRESET))),
    ];
    let stream = Scope::of("half-close");
    assert!(stream.compare(&sim, &cut, Tolerance::default()).agrees());
    assert!(!Scope::Everything.compare(&sim, &cut, Tolerance::default()).agrees());
    let well = [at(0, start(7)), at(20, read(7, Ok(0)))];
    assert!(!stream.compare(&sim, &well, Tolerance::default()).agrees());
}

#[test]
fn what_is_compared_less_is_a_scenario() {
    for (name, scope) in scope::LESS {
        assert!(crate::scenario::BUILT_IN.iter().any(|built_in| built_in.name == *name), "{name}");
        assert!(scope.less().is_some(), "{name}");
    }
    assert_eq!(Scope::of("reboot"), Scope::Everything);
}

/// A loopback shows no segments: to agree on the rest is not to agree on them.
#[test]
fn a_wire_that_was_not_watched_is_said_to_be_so() {
    let event = |kind| Event { t: SimTime::ZERO, host: "client".into(), kind, packet: None };
    let sim = [event(sent(1, 0)), event(start(7))];
    let verdict = |real: &[Event]| {
        let mut out = Vec::new();
        compare(&sim, real, Tolerance::default()).write(&mut out, "Linux").unwrap();
        String::from_utf8(out).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(verdict(&sim[1..]), "simulation and Linux agree in all 1 events; segments were not watched");
    assert_eq!(verdict(&sim), "simulation and Linux agree in all 2 events");
}
