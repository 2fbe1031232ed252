//! As long as all is well.

use super::*;
use crate::timeline::{Octets, SystemCall};

#[test]
fn a_line_comes_back_after_one_round_trip() {
    for system in System::ALL {
        let mut net = Net::new(system);
        net.run_program(SERVER, "echo-server");
        let pid = net.run_program(CLIENT, "echo-client server");
        net.pass(secs(1));
        net.type_line(pid, "hello");
        net.pass(secs(1));
        let expected = (SimTime::ZERO + secs(1) + RTT, "hello".to_owned());
        assert_eq!(net.printed(CLIENT, Stream::Stdout), [expected], "{}", system.name());
        assert_eq!(net.complaint(), None);
    }
}

#[test]
fn the_calls_of_the_client_are_the_books() {
    let (net, _) = Net::with_client("echo-client server", &["hello"]);
    let calls = net.events().into_iter().filter_map(|event| match event.kind {
        Kind::Call(call) if *event.host == *"client" => Some((call.what, call.result.unwrap(), call.within)),
        _ => None,
    });
    let hello = || Octets::new(b"hello\n");
    let read = |fd| SystemCall::Read { fd, data: Some(hello()), size: 4_096 };
    let write = |fd| SystemCall::Write { fd, data: hello() };
    let expected = [
        (SystemCall::Socket { family: "AF_INET" }, 3, None),
        (SystemCall::Connect { fd: 3, peer: "192.0.2.2:9877".parse().unwrap() }, 0, None),
        (read(0), 6, Some("fgets")),
        (write(3), 6, Some("writen")),
        (read(3), 6, Some("readline")),
        (write(1), 6, Some("fputs")),
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
}

#[test]
fn every_octet_of_odd_input_comes_back() {
    let mut input = Vec::new();
    input.extend(b"NUL \0 and \xff\xfe in a line\n\n");
    input.extend([b'x'; 100_000]);
    input.extend(b"\nno newline at the end");
    let expected: Vec<String> = vec!["NUL \0 and \u{fffd}\u{fffd} in a line".into(), String::new()];
    // The timeline notes so long a line in pieces; what was written is told by the calls.
    let total = input.len() as i64;
    for client in ["echo-client server", "echo-client server --half-close"] {
        let mut net = Net::new(System::Book);
        net.run_program(SERVER, "echo-server");
        let pid = net.run_reading(CLIENT, client, &input);
        net.pass(secs(100));
        let echoed = net.echoed();
        assert_eq!(echoed[..2], expected, "{client}");
        assert_eq!(echoed.last().map(String::as_str), Some("no newline at the end"), "{client}");
        let printed = net.calls(CLIENT, "write").into_iter().filter(|(_, call)| call.what.fd() == Some(1));
        assert_eq!(printed.map(|(_, call)| call.result.unwrap()).sum::<i64>(), total, "{client}");
        assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 0 }), "{client}");
    }
}

#[test]
fn a_client_that_only_polls_loses_what_is_on_its_way_when_its_input_ends() {
    let lines: String = (0..200).map(|i| format!("line {i}\n")).collect();
    let echoed = |client: &str| {
        let mut net = Net::new(System::Book);
        net.run_program(SERVER, "echo-server");
        net.run_reading(CLIENT, client, lines.as_bytes());
        net.pass(secs(10));
        net.echoed().len()
    };
    assert!(echoed("echo-client server --poll") < 200);
    assert_eq!(echoed("echo-client server --half-close"), 200);
    assert_eq!(echoed("echo-client server"), 200);
}

#[test]
fn a_hundred_clients_are_served_at_once() {
    let mut net = Net::new(System::Book);
    net.run_program(SERVER, "echo-server");
    let clients: Vec<Pid> = (0..100).map(|_| net.run_program(CLIENT, "echo-client server")).collect();
    net.pass(secs(1));
    for (i, pid) in clients.iter().enumerate() {
        net.type_line(*pid, &format!("I am {i}"));
    }
    net.pass(secs(1));
    let mut echoed = net.echoed();
    echoed.sort();
    let mut expected: Vec<String> = (0..100).map(|i| format!("I am {i}")).collect();
    expected.sort();
    assert_eq!(echoed, expected);
    for pid in clients {
        net.type_eof(pid);
    }
    net.pass(secs(1));
    assert!(net.host(CLIENT).processes().is_empty());
    assert_eq!(net.host(SERVER).processes().len(), 101, "a hundred zombies and their parent");
}

#[test]
fn two_runs_are_the_same_to_the_last_event() {
    let run = || {
        let (mut net, pid) = Net::with_client("echo-client server", &["one", "two"]);
        net.crash(SERVER);
        net.type_line(pid, "three");
        net.pass(secs(1_000));
        net.events()
    };
    assert_eq!(run(), run());
}
