use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::errno::Errno;
use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{
    Call, Direction, FaultKind, Kind, Line, LostPacket, LostReason, Polled, Process, ProcessChange,
    Retransmission, SegmentEvent, Stream, SystemCall, Way,
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
        what: SystemCall::Read { fd: 3, data: None, size: 4_096 },
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

/// From the server to the client.
fn back(seq: u32) -> SegmentEvent {
    let Kind::Segment(segment) = sent(1, seq) else { unreachable!("it is a segment") };
    SegmentEvent { src: segment.dst, dst: segment.src, ..segment }
}

/// The same at its other end.
fn arrived(kind: Kind) -> Kind {
    let Kind::Segment(segment) = kind else { unreachable!("it is a segment") };
    Kind::Segment(SegmentEvent { dir: Direction::In, ..segment })
}

fn text(report: &Report) -> String {
    let mut out = Vec::new();
    report.write(&mut out, "Linux").unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pids_and_ports_may_differ() {
    let sim = [at(0, start(101)), at(1, sent(49152, 1)), at(11, read(101, Ok(6)))];
    let real = [at(0, start(7)), at(1, sent(33333, 1)), at(11, read(7, Ok(6)))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
    assert!(report.agrees(), "{}", text(&report));
    assert_eq!(report.pairs(), 3);
}

#[test]
fn another_errno_parts_them() {
    let sim = [at(0, start(1)), at(10, read(1, Err(Errno::ETIMEDOUT)))];
    let real = [at(0, start(1)), at(10, read(1, Err(Errno::ECONNRESET)))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
    assert_eq!(report.partings().count(), 2, "one of each");
    assert!(text(&report).contains("client: readline: read(3, ..., 4096) = -1 ETIMEDOUT (not on Linux)"));
}

#[test]
fn a_segment_too_many_is_the_only_one_that_parts() {
    let sim = [at(0, sent(1, 1)), at(10, sent(1, 7)), at(20, sent(1, 13))];
    let real = [at(0, sent(1, 1)), at(10, sent(1, 7)), at(15, sent(1, 7)), at(20, sent(1, 13))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
    let partings: Vec<_> = report.partings().collect();
    assert!(matches!(partings[..], [Row::OnlyReal { .. }]), "{}", text(&report));
}

#[test]
fn a_time_is_counted_from_the_last_thing_that_was_done() {
    // The kernel's process takes 100 ms to start: that is no mistake of either side after the line is typed.
    let sim = [at(0, start(1)), at(1_000, typed(1)), at(1_010, read(1, Ok(6)))];
    let real = [at(0, start(1)), at(1_100, typed(1)), at(1_110, read(1, Ok(6)))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
    assert!(report.agrees(), "{}", text(&report));
}

#[test]
fn a_time_that_is_further_off_than_allowed_parts_them() {
    let sim = [at(0, start(1)), at(1_000, read(1, Ok(6)))];
    let by = |late: u64| [at(0, start(1)), at(1_000 + late, read(1, Ok(6)))];
    assert!(compare(&sim, &by(42), &[], Tolerance::MEASURED).agrees());
    let report = compare(&sim, &by(43), &[], Tolerance::MEASURED);
    assert!(text(&report).contains("(off by +0.043000 s, allowed 0.042 s)"), "{}", text(&report));
}

#[test]
fn a_wire_that_was_not_watched_is_not_compared() {
    let sim = [at(0, start(1)), at(1, sent(1, 1))];
    let real = [at(0, start(1))];
    assert!(compare(&sim, &real, &[], Tolerance::MEASURED).agrees());
}

#[test]
fn the_other_ends_crash_does_not_start_a_timer() {
    // Ten seconds after the last line, and one after a crash of which this host knows nothing.
    let crash = Kind::Fault { fault: FaultKind::Crash, target: "server".to_owned() };
    let both = |probe: u64| [at(0, typed(1)), at(9_000, crash.clone()), at(probe, sent(1, 7))];
    let report = compare(&both(10_000), &both(10_300), &[], Tolerance::MEASURED);
    assert!(report.agrees(), "{}", text(&report));
    let (_, worst) = report.worst().unwrap();
    assert_eq!((worst.sim, worst.off()), (Duration::from_secs(10), Duration::from_millis(300)));
}

/// The server boots a moment before the client's timer fires: the RST that answers it is due to that timer.
#[test]
fn what_anothers_timer_brings_about_is_judged_by_that_timer() {
    let run = |late: u64| {
        let on = |host: &str, millis, kind| Event { host: host.into(), ..at(millis, kind) };
        let (again, reset) = (|| sent(1, 7), Kind::Segment(SegmentEvent { flags: Flags::RST, ..back(0) }));
        let boot = Kind::Fault { fault: FaultKind::Boot, target: "server".to_owned() };
        let Kind::Segment(first) = again() else { unreachable!("it is a segment") };
        let packet = Box::new(LostPacket::Segment(first));
        let lost = Kind::Lost { packet, reason: LostReason::HostDown };
        vec![
            at(0, sent(1, 1)),
            at(0, again()),
            on("router", 5, lost),
            on("world", 9_900, boot),
            at(10_000 + late, again()),
            on("server", 10_005 + late, arrived(again())),
            on("server", 10_005 + late, reset.clone()),
            at(10_010 + late, arrived(reset)),
        ]
    };
    let report = compare(&run(0), &run(250), &[], Tolerance::MEASURED);
    assert!(report.agrees(), "{}", text(&report));
    assert!(!compare(&run(0), &run(370), &[], Tolerance::MEASURED).agrees());
}

/// A line is typed at a program that has ended in the one run and not yet in the other.
#[test]
fn what_is_given_is_paired_by_what_it_is() {
    let line = |text: &str| match typed(1) {
        Kind::Line(line) => Kind::Line(Line { text: text.to_owned(), ..line }),
        other => other,
    };
    let sim = [at(0, start(1)), at(1_000, line("x")), at(3_000, line("late")), at(3_000, read(1, Ok(5)))];
    let real = [at(0, start(1)), at(3_000, line("late")), at(3_001, read(1, Ok(5)))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
    assert!(report.agrees(), "{}", text(&report));
    assert_eq!(report.worst().unwrap().1.off(), Duration::from_millis(1));
}

#[test]
fn acknowledgments_windows_arguments_and_what_poll_found_are_compared() {
    let differs = |one: Kind, other: Kind| {
        let run = |kind| [at(0, start(1)), at(1, kind)];
        !compare(&run(one), &run(other), &[], Tolerance::MEASURED).agrees()
    };
    let segment = |ack, win| match sent(1, 1) {
        Kind::Segment(segment) => Kind::Segment(SegmentEvent { ack: Some(ack), win, ..segment }),
        other => other,
    };
    assert!(!differs(segment(1, 20_000), segment(1, 20_000)));
    assert!(differs(segment(1, 20_000), segment(2, 20_000)));
    // Whole segments are offered by the one, octets by the other.
    assert!(!differs(segment(1, 20_000), segment(1, 21_460)));
    assert!(differs(segment(1, 20_000), segment(1, 23_000)));
    let call = |what| match read(1, Ok(1)) {
        Kind::Call(call) => Kind::Call(Box::new(Call { what, ..*call })),
        other => other,
    };
    let close = |fd| call(SystemCall::Close { fd });
    assert!(!differs(close(3), close(3)) && differs(close(3), close(4)));
    let poll = |found| call(SystemCall::Poll { fds: vec![Polled::new(3, 1, found)], timeout: None });
    assert!(!differs(poll(1), poll(1)) && differs(poll(1), poll(1 | 0x10)));
}

/// RFC 7323, 2.2: a SYN's own window is not scaled; after it a unit is as both SYNs say.
#[test]
fn windows_are_compared_in_octets() {
    let packet = |scale: Option<u8>| {
        // An IPv4 header, a TCP header of 24 octets, and one option.
        let mut octets = vec![0_u8; 44];
        (octets[0], octets[3], octets[9], octets[32]) = (0x45, 44, 6, 0x60);
        if let Some(scale) = scale {
            octets[40..44].copy_from_slice(&[3, 3, scale, 0]);
        }
        Some(bytes::Bytes::from(octets))
    };
    let run = |scale: Option<u8>, win: u16| {
        let with = |kind: Kind, flags, win, packet| match kind {
            Kind::Segment(segment) => {
                Event { packet, ..at(0, Kind::Segment(SegmentEvent { flags, win, ..segment })) }
            }
            _ => unreachable!("it is a segment"),
        };
        let syn_ack = Flags::SYN.with(Flags::ACK);
        vec![
            with(sent(1, 0), Flags::SYN, 64_240, packet(scale)),
            with(arrived(Kind::Segment(back(0))), syn_ack, 64_240, packet(scale)),
            with(sent(1, 1), Flags::ACK, win, None),
        ]
    };
    let agree = |one: &[Event], other: &[Event]| compare(one, other, &[], Tolerance::MEASURED).agrees();
    assert!(agree(&run(None, 64_240), &run(Some(10), 63)));
    assert!(!agree(&run(None, 64_240), &run(Some(10), 31)));
    assert!(!agree(&run(None, 64_240), &run(None, 63)));
}

/// A process that waits for a processor is late; how long they wait on this machine is measured.
#[test]
fn where_the_machine_was_late_a_time_may_be_later() {
    let run = |late: u64| [at(0, start(1)), at(1_000, typed(1)), at(1_000 + late, read(1, Ok(6)))];
    let stall = |millis: u64| Stall {
        t: SimTime::ZERO + Duration::from_millis(millis),
        late: Duration::from_millis(30),
    };
    let agrees = |stalls: &[Stall]| compare(&run(0), &run(30), stalls, Tolerance::MEASURED).agrees();
    assert!(!agrees(&[]));
    assert!(agrees(&[stall(1_001)]));
    assert!(!agrees(&[stall(500)]), "that was over long before");
}

/// Each is within a granule; together they show that the one has no timer wheel.
#[test]
fn timers_that_are_all_later_are_told_from_chance() {
    let run = |late: u64| {
        let mut events = vec![at(0, start(1))];
        for nth in 0..8_u64 {
            let again = Some(Box::new(Retransmission { nth: 1, limit: None, next: None }));
            let Kind::Segment(segment) = sent(1, 1) else { unreachable!("it is a segment") };
            let kind = Kind::Segment(SegmentEvent { retransmission: again.filter(|_| nth > 0), ..segment });
            events.push(at(nth * (200 + late), kind));
        }
        events
    };
    let report = compare(&run(0), &run(3), &[], Tolerance::MEASURED);
    assert_eq!(report.partings().count(), 0, "{}", text(&report));
    assert!(!report.agrees());
    assert!(
        text(&report).contains("its 7 timers fire 0.75 granules of the timer wheel later"),
        "{}",
        text(&report)
    );
    assert!(compare(&run(0), &run(1), &[], Tolerance::MEASURED).agrees());
}

#[test]
fn connections_need_not_take_turns_in_the_same_order() {
    let sim = [at(0, sent(1, 1)), at(0, sent(2, 1)), at(5, sent(1, 7)), at(5, sent(2, 9))];
    let real = [at(0, sent(1, 1)), at(0, sent(2, 1)), at(5, sent(2, 9)), at(5, sent(1, 7))];
    let report = compare(&sim, &real, &[], Tolerance::MEASURED);
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
    assert!(compare(&sim, &real, &[], Tolerance::MEASURED).agrees());
    let other = [at(0, start(7)), at(0, start(8)), at(1, printed(7, 7))];
    assert!(!compare(&sim, &other, &[], Tolerance::MEASURED).agrees());
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
    assert!(stream.compare(&sim, &cut, &[], Tolerance::MEASURED).agrees());
    assert!(!Scope::Everything.compare(&sim, &cut, &[], Tolerance::MEASURED).agrees());
    let well = [at(0, start(7)), at(20, read(7, Ok(0)))];
    assert!(!stream.compare(&sim, &well, &[], Tolerance::MEASURED).agrees());
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
        compare(&sim, real, &[], Tolerance::MEASURED).write(&mut out, "Linux").unwrap();
        String::from_utf8(out).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(verdict(&sim[1..]), "simulation and Linux agree in all 1 events; segments were not watched");
    assert_eq!(verdict(&sim), "simulation and Linux agree in all 2 events");
}

/// There every host has other addresses, and a server another port.
#[test]
fn on_a_loopback_addresses_of_calls_may_differ() {
    let bind = |addr: &str| match read(1, Ok(0)) {
        Kind::Call(call) => {
            let what = SystemCall::Bind { fd: 3, addr: addr.parse().unwrap() };
            Kind::Call(Box::new(Call { what, ..*call }))
        }
        other => other,
    };
    let sim = [at(0, start(1)), at(0, bind("0.0.0.0:9877")), at(0, sent(1, 0))];
    let there = [at(0, start(1)), at(0, bind("127.82.165.1:29813")), at(0, sent(1, 0))];
    assert!(compare(&sim, &there[..2], &[], Tolerance::MEASURED).agrees());
    assert!(!compare(&sim, &there, &[], Tolerance::MEASURED).agrees());
}

/// Two timers at nearly one moment: whichever is first. One that is much later is not the same.
#[test]
fn what_two_timers_send_at_nearly_one_moment_may_take_turns() {
    let run = |one: u64, other: u64| {
        let mut events = vec![at(0, sent(1, 1)), at(one, sent(1, 7)), at(other, sent(1, 13))];
        events.sort_by_key(|event| event.t);
        events
    };
    let report = compare(&run(200, 202), &run(203, 201), &[], Tolerance::MEASURED);
    assert!(report.agrees() && report.pairs() == 3, "{}", text(&report));
    assert!(!compare(&run(200, 202), &run(230, 202), &[], Tolerance::MEASURED).agrees());
    // A program's calls are in the order in which it makes them.
    let calls = |one, other| {
        let mut events = vec![at(0, start(1)), at(one, read(1, Ok(6))), at(other, read(1, Ok(7)))];
        events.sort_by_key(|event| event.t);
        events
    };
    assert!(!compare(&calls(200, 202), &calls(203, 201), &[], Tolerance::MEASURED).agrees());
}

/// What a link held comes when it lets go; what another host's held has nothing to do with it.
#[test]
fn what_a_link_held_is_timed_from_its_release() {
    let agrees = |target: &str, late: u64| {
        let run = |late: u64| {
            let release = Kind::Fault { fault: FaultKind::Release(Way::Both), target: target.to_owned() };
            let on = |host: &str, millis, kind| Event { host: host.into(), ..at(millis, kind) };
            vec![
                at(0, sent(1, 1)),
                on("world", 3_000 + late, release),
                on("server", 3_005 + late, arrived(sent(1, 1))),
            ]
        };
        compare(&run(0), &run(late), &[], Tolerance::MEASURED).agrees()
    };
    assert!(agrees("client", 20) && agrees("server", 20) && !agrees("other", 20));
}

/// Each of two timers sends twice, the one a moment before the other; the kernel has them the other way round.
#[test]
fn what_two_timers_send_again_is_paired_in_its_order() {
    let run = |first: u32, second: u32| -> Vec<Event> {
        let mut events = vec![at(0, start(1)), at(0, typed(1)), at(0, sent(1, 1)), at(0, sent(1, 7))];
        for round in [300, 900] {
            events.extend([at(round, again(first)), at(round + 1, again(second))]);
        }
        events
    };
    let report = compare(&run(1, 7), &run(7, 1), &[], Tolerance::default());
    assert!(report.agrees(), "{}", text(&report));
    let mut late = run(7, 1);
    late.iter_mut()
        .filter(|event| event.t.as_micros() >= 900_000)
        .for_each(|event| event.t += Duration::from_millis(200));
    assert!(!compare(&run(1, 7), &late, &[], Tolerance::default()).agrees());
}

fn again(seq: u32) -> Kind {
    let Kind::Segment(segment) = sent(1, seq) else { unreachable!("it is a segment") };
    Kind::Segment(SegmentEvent {
        retransmission: Some(Box::new(Retransmission { nth: 1, limit: None, next: None })),
        ..segment
    })
}
