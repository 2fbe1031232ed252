//! Scenarios as processes on the loopback.

use echosim::errno::Errno;
use echosim::timeline::{Event, Kind, ProcessChange, Stream};

use crate::claims;
use crate::plays::{calls, ends, given, printed};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    a_play_is_recorded_as_a_simulated_run_is,
    a_refused_connection_is_told,
    a_killed_child_is_noticed_with_the_next_line,
    a_killed_child_is_noticed_at_once_in_poll,
    a_batch_loses_nothing,
    a_crowd_is_served,
    a_shutdown_is_noticed_with_the_next_line,
    a_network_fault_takes_a_laboratory,
    the_librarys_scenarios_go_as_expected_of_linux,
];

fn a_play_is_recorded_as_a_simulated_run_is() {
    let events = given("normal", "loopback");
    assert!(events.is_sorted_by_key(|event| event.t));
    assert_eq!(printed(&events, "client", Stream::Stdin), ["hello"]);
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 0 }]);
    assert_eq!(ends(&events, "server"), [ProcessChange::Exit { status: 0 }], "the child");
    assert_eq!(calls(&events, "client", "connect"), [Ok(0)]);
    let reads = events.iter().filter_map(|event| match &event.kind {
        Kind::Call(call) if call.call == "read" && *event.host == *"client" => {
            Some((call.within?, call.result))
        }
        _ => None,
    });
    let expected = [("fgets", Ok(6)), ("readline", Ok(6)), ("fgets", Ok(0))];
    assert_eq!(reads.collect::<Vec<_>>(), expected);
    let is_zombie =
        |event: &Event| matches!(&event.kind, Kind::Process(p) if p.what == ProcessChange::Zombie);
    assert!(events.iter().any(is_zombie), "the book's server waits for nobody");
}

fn a_refused_connection_is_told() {
    let events = given("connect-refused", "loopback");
    assert_eq!(calls(&events, "client", "connect"), [Err(Errno::ECONNREFUSED)]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["connect error: Connection refused"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
}

fn a_killed_child_is_noticed_with_the_next_line() {
    let events = given("server-killed", "loopback");
    assert_eq!(ends(&events, "server"), [ProcessChange::Killed { signal: "SIGKILL" }]);
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello"]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
    let at = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let typed = at(&|event| matches!(&event.kind, Kind::Line(line) if line.text == "another line"));
    let told = at(&|event| matches!(&event.kind, Kind::Line(line) if line.stream == Stream::Stderr));
    assert!(typed < told);
}

fn a_killed_child_is_noticed_at_once_in_poll() {
    let events = given("server-killed-poll", "loopback");
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
}

fn a_batch_loses_nothing() {
    let events = given("batch", "loopback");
    let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
    assert_eq!(printed(&events, "client", Stream::Stdout), lines);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 0 }]);
}

fn a_crowd_is_served() {
    let events = given("crowd", "loopback");
    assert_eq!(printed(&events, "client", Stream::Stdout), vec!["hello"; 50]);
    assert_eq!(ends(&events, "client"), vec![ProcessChange::Exit { status: 0 }; 50]);
}

fn a_shutdown_is_noticed_with_the_next_line() {
    let events = given("shutdown", "loopback");
    assert_eq!(ends(&events, "server"), vec![ProcessChange::Killed { signal: "SIGTERM" }; 2]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
}

fn a_network_fault_takes_a_laboratory() {
    let output = crate::programs::program(&["play", "crash", "loopback"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("crash takes a laboratory"), "{told}");
}

fn the_librarys_scenarios_go_as_expected_of_linux() {
    // Those that need no laboratory and take no more than a second or two.
    for name in ["normal", "crowd"] {
        let output = crate::programs::program(&["scenario", name]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {told}");
    }
}
