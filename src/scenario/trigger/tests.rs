use std::net::SocketAddr;

use super::*;
use crate::errno::Errno;
use crate::timeline::Call;
use crate::timeline::{Line, Retransmission, SegmentEvent};

fn event(host: &str, kind: Kind) -> Event {
    Event { t: SimTime::ZERO, host: host.into(), kind, packet: None }
}

fn call(host: &str, what: SystemCall, result: Result<i64, Errno>) -> Event {
    let (process, since) = ("echo".into(), SimTime::ZERO);
    let call = Call { pid: 7, process, within: None, what, connection: None, result, since };
    event(host, Kind::Call(Box::new(call)))
}

fn reads(data: &str) -> SystemCall {
    SystemCall::Read { fd: 4, data: Some(Octets::new(data.as_bytes())), size: 4_096 }
}

fn writes(data: &str) -> SystemCall {
    SystemCall::Write { fd: 3, data: Octets::new(data.as_bytes()) }
}

fn connect() -> SystemCall {
    SystemCall::Connect { fd: 3, peer: "10.0.0.1:9877".parse().unwrap() }
}

fn accept() -> SystemCall {
    SystemCall::Accept { fd: 3, peer: None }
}

fn printed(host: &str, stream: Stream, text: &str) -> Event {
    event(host, Kind::Line(Line { pid: 7, process: "echo".into(), stream, text: text.to_owned() }))
}

fn segment(host: &str, dir: Direction, letters: &str, nth: Option<u32>) -> Event {
    let end: SocketAddr = "10.0.0.1:9877".parse().unwrap();
    let segment = SegmentEvent {
        dir,
        src: end,
        dst: end,
        flags: Flags::from_letters(letters).unwrap(),
        seq: 1,
        ack: Some(1),
        win: 512,
        len: 0,
        retransmission: nth.map(|nth| Box::new(Retransmission { nth, limit: None, next: None })),
        probe: None,
    };
    event(host, Kind::Segment(segment))
}

fn watch(text: &str) -> Watch {
    Watch::event(text).unwrap_or_else(|| panic!("{text:?} is an event"))
}

/// At which of the events the watch goes off.
fn goes_off(mut watch: Watch, events: &[Event]) -> Vec<usize> {
    (0..events.len()).filter(|&at| watch.matches(&events[at])).collect()
}

#[test]
fn writes_waits_for_that_line_from_that_host() {
    let events = [
        call("client", writes("hello\n"), Ok(6)),
        call("server", writes("world\n"), Ok(6)),
        call("client", reads("world\n"), Ok(6)),
        call("client", writes("world\n"), Err(Errno::EPIPE)),
        call("client", writes("world\n"), Ok(6)),
        call("client", writes("world\n"), Ok(6)),
    ];
    assert_eq!(goes_off(watch("client writes 'world'"), &events), [4]);
    assert_eq!(goes_off(watch("client writes"), &events), [0]);
    assert_eq!(goes_off(watch("client writes 'wor'"), &events), [0; 0]);
    assert_eq!(goes_off(watch("client reads 'world'"), &events), [2]);
}

#[test]
fn end_of_file_is_not_reading() {
    let events = [call("server", reads(""), Ok(0))];
    assert_eq!(goes_off(watch("server reads"), &events), [0; 0]);
}

#[test]
fn a_line_is_recognised_by_its_octets_and_a_long_one_by_its_beginning() {
    let line = |data: &str, line: &str| {
        goes_off(watch(&format!("client writes '{line}'")), &[call("client", writes(data), Ok(1))]) == [0]
    };
    assert!(line("it's \"7\"\tup\\\n", "it's \"7\"\tup\\"));
    assert!(line("unfinished", "unfinished"));
    assert!(!line("unfinished", "unfinish"));
    let long = "a very long line of which only the beginning is kept";
    assert!(line(long, long));
    assert!(line(long, "a very long line of which only the end differs"));
    assert!(!line(long, "a very long story, of which only the beginning is told"));
}

#[test]
fn the_nth_time_is_counted() {
    let events: Vec<Event> = (0..4).map(|_| segment("server", Direction::Out, "S.", None)).collect();
    assert_eq!(goes_off(watch("server sends S."), &events), [0]);
    assert_eq!(goes_off(watch("server sends S. the 3rd time"), &events), [2]);
    assert_eq!(goes_off(watch("server sends the 2nd time"), &events), [1]);
    assert_eq!(goes_off(watch("server sends S. the 5th time"), &events), [0; 0]);
}

#[test]
fn flags_match_exactly_and_in_their_direction() {
    let events = [
        segment("client", Direction::Out, "S", None),
        segment("server", Direction::Out, "S.", None),
        segment("client", Direction::In, "S.", None),
    ];
    assert_eq!(goes_off(watch("client receives S."), &events), [2]);
    assert_eq!(goes_off(watch("client sends S."), &events), [0; 0]);
    assert_eq!(goes_off(watch("client sends S"), &events), [0]);
}

#[test]
fn connects_and_accepts_wait_for_success() {
    let events = [
        call("client", connect(), Err(Errno::ECONNREFUSED)),
        call("client", connect(), Ok(0)),
        call("server", accept(), Err(Errno::EINTR)),
        call("server", accept(), Ok(4)),
    ];
    assert_eq!(goes_off(watch("client connects"), &events), [1]);
    assert_eq!(goes_off(watch("server accepts"), &events), [3]);
}

#[test]
fn prints_means_standard_output() {
    let events = [
        printed("client", Stream::Stdin, "hello"),
        printed("client", Stream::Stderr, "hello"),
        printed("client", Stream::Stdout, "hello"),
    ];
    assert_eq!(goes_off(watch("client prints 'hello'"), &events), [2]);
}

#[test]
fn retransmissions_are_counted_on_one_host_or_on_all() {
    let events = [
        segment("client", Direction::Out, "P.", None),
        segment("client", Direction::Out, "P.", Some(1)),
        segment("server", Direction::Out, "P.", Some(1)),
        segment("client", Direction::Out, "P.", Some(2)),
    ];
    let retransmission = |text| Watch::retransmission(text).unwrap();
    assert_eq!(goes_off(retransmission("2nd retransmission"), &events), [2]);
    assert_eq!(goes_off(retransmission("client's 2nd retransmission"), &events), [3]);
}

#[test]
fn what_is_no_event_is_refused() {
    for text in [
        "",
        "client",
        "client sings",
        "client writes world",
        "client writes 'world",
        "client connects 'world'",
        "client sends XYZ",
        "client sends S the 2th time",
        "client sends S the 0th time",
    ] {
        assert_eq!(Watch::event(text), None, "{text:?}");
    }
    for text in ["", "retransmission", "3 retransmission", "3rd retransmissions", "11st retransmission"] {
        assert_eq!(Watch::retransmission(text), None, "{text:?}");
    }
    assert!(Watch::retransmission("11th retransmission").is_some());
}
