//! The rest of chapter 5, and what it leans on: each scenario held against its `[expect]`, its timeline against a
//! snapshot, and what neither of them says by itself against numbers here.
#![cfg(feature = "cli")]

mod common;

use std::time::Duration;

use common::{as_expected, holds, holds_with, load, snapshot, summary, text, timeline, timeline_with};
use echosim::packet::Flags;
use echosim::report;
use echosim::scenario::{Moment, Outcome, Scenario};
use echosim::stack::System;
use echosim::time::SimTime;
use echosim::timeline::{Call, Direction, Event, Kind, ProcessChange, SignalChange, TcpState};

use System::{Book, Bsd, Linux, Rfc};

/// When each of these happened on `host`, in seconds.
fn times(outcome: &Outcome, host: &str, what: impl Fn(&Kind) -> bool) -> Vec<f64> {
    let here = |event: &&Event| *event.host == *host && what(&event.kind);
    outcome.events.iter().filter(here).map(|event| event.t.as_secs_f64()).collect()
}

/// The calls of this name that `host`'s processes made.
fn calls<'a>(outcome: &'a Outcome, host: &'a str, name: &'a str) -> impl Iterator<Item = (f64, &'a Call)> {
    outcome.events.iter().filter_map(move |event| match &event.kind {
        Kind::Call(call) if call.name() == name && *event.host == *host => {
            Some((event.t.as_secs_f64(), &**call))
        }
        _ => None,
    })
}

// -- processes and signals ----------------------------------------------------------------------------

#[test]
fn at_startup_all_three_sleep_where_the_book_says() {
    timeline("startup", Book);
    let mut scenario = load("startup", Book);
    let moment = Moment::At(SimTime::ZERO + Duration::from_millis(500));
    (scenario.netstat, scenario.ps) = (Some(moment), Some(moment));
    let outcome = as_expected(&scenario);
    let (netstat, ps) = (outcome.netstat.expect("asked for"), outcome.ps.expect("asked for"));
    let mut views = Vec::new();
    report::netstat(&mut views, netstat.t, &netstat.hosts).expect("memory takes it");
    views.push(b'\n');
    report::ps(&mut views, ps.t, &ps.hosts).expect("memory takes it");
    snapshot("startup-book-netstat-ps", &text(views));
}

#[test]
fn termination_is_four_segments_and_60_s_of_time_wait() {
    timeline("termination", Book);
    timeline("termination", Linux);
    for system in [Book, Linux, Bsd] {
        let (_, outcome) = holds("termination", system);
        let entered = |state: TcpState| {
            times(&outcome, "client", |kind| matches!(kind, Kind::State { to, .. } if *to == state))[0]
        };
        let lasted = entered(TcpState::Closed) - entered(TcpState::TimeWait);
        // Linux counts from its wheel's last tick.
        assert!((60.0..62.1).contains(&lasted), "{}: {lasted} s", system.name());
    }
}

#[test]
fn eintr_ends_a_server_that_does_not_expect_it_and_no_other() {
    timeline("sigchld", Book);
    timeline_with("sigchld", Book, "eintr=retry");
    timeline_with("sigchld", Book, "sa_restart=on");
    for system in System::ALL {
        holds_with("sigchld", system, "eintr=retry");
        holds_with("sigchld", system, "sa_restart=on");
    }
}

#[test]
fn five_children_leave_five_four_or_no_zombies() {
    timeline("zombies", Book);
    for system in System::ALL {
        for setting in ["reap=none", "reap=wait", "reap=waitpid"] {
            holds_with("zombies", system, setting);
        }
    }
}

#[test]
fn five_sigchld_become_one() {
    let (_, outcome) = holds("zombies", Book);
    let sigchld: Vec<SignalChange> = outcome
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Signal { signal: "SIGCHLD", what, .. } => Some(*what),
            _ => None,
        })
        .collect();
    use SignalChange::{Delivered, Merged};
    assert_eq!(
        sigchld,
        [Merged, Merged, Merged, Merged, Delivered],
        "the first waits for its handler in silence"
    );
}

// -- the peer and its process ---------------------------------------------------------------------------

#[test]
fn a_reset_before_accept_is_seen_four_ways() {
    timeline("abort-before-accept", Book);
    timeline("abort-before-accept", Linux);
    timeline("abort-before-accept", Bsd);
    for system in System::ALL {
        holds_with("abort-before-accept", system, "aborted_accept=EPROTO");
    }
}

#[test]
fn a_client_in_poll_hears_of_a_killed_child_at_once() {
    timeline("server-killed-poll", Book);
    timeline("server-killed-poll", Linux);
    let (_, outcome) = holds("server-killed-poll", Book);
    let end = calls(&outcome, "client", "read").last().map(|(t, call)| (t, call.result));
    assert_eq!(end, Some((5.005, Ok(0))), "half a round trip after the kill");
}

#[test]
fn writing_on_after_the_reset_is_sigpipe_or_epipe() {
    timeline("sigpipe", Book);
    timeline("sigpipe", Linux);
    for system in System::ALL {
        holds_with("sigpipe", system, "sigpipe=ignore");
    }
}

#[test]
fn a_host_that_shuts_down_says_fin_after_the_grace_time_at_the_latest() {
    timeline("shutdown", Book);
    timeline("shutdown-poll", Book);
    for (setting, end) in [("sigterm=default", 5.0), ("sigterm=catch", 15.0)] {
        for name in ["shutdown", "shutdown-poll"] {
            let (_, outcome) = holds_with(name, Book, setting);
            let fins = times(&outcome, "server", |kind| {
                matches!(kind, Kind::Segment(segment)
                    if segment.flags.has(Flags::FIN) && segment.dir == Direction::Out && segment.retransmission.is_none())
            });
            assert_eq!(fins, [end], "{name} {setting}");
        }
        for system in System::ALL {
            holds_with("shutdown", system, setting);
            holds_with("shutdown-poll", system, setting);
        }
        // In poll the client hears of it half a round trip later, in fgets only with the next line.
        let eof = |name| {
            let (_, outcome) = holds_with(name, Book, setting);
            calls(&outcome, "client", "read").last().map(|(t, call)| (t, call.result))
        };
        assert_eq!(eof("shutdown-poll"), Some((end + 0.005, Ok(0))), "{setting}");
        assert_eq!(eof("shutdown"), Some((30.0, Ok(0))), "{setting}");
    }
}

// -- a silent peer ----------------------------------------------------------------------------------------

#[test]
fn keepalive_notices_a_crash_after_2_h_11_min_15_s() {
    timeline("keepalive-crash", Book);
    timeline("keepalive-crash", Bsd);
}

#[test]
fn keepalive_notices_a_reboot_after_2_h() {
    timeline("keepalive-reboot", Book);
}

#[test]
fn keepalive_believes_a_router_but_not_on_linux() {
    timeline("keepalive-unreachable", Book);
    timeline("keepalive-unreachable", Linux);
}

#[test]
fn tcp_user_timeout_ends_the_fifteen_minutes_at_the_first_timer_past_it() {
    timeline("user-timeout", Linux);
    timeline("user-timeout", Book);
}

// -- data and names ---------------------------------------------------------------------------------------

#[test]
fn addresses_are_known_to_client_parent_and_child() {
    timeline("addresses", Book);
}

#[test]
fn text_adds_up_between_any_hosts_and_a_structure_between_equal_ones() {
    timeline("sum-text", Book);
    timeline("sum-binary", Book);
}

#[test]
fn a_parent_that_keeps_its_copies_sends_no_fin_and_runs_out_of_descriptors() {
    timeline("close-trap", Book);
    let (_, outcome) = holds("close-trap", Book);
    // The first client's end of file is typed at once; its FIN is answered only when the server is gone.
    let mut first = calls(&outcome, "client", "read").filter(|(_, call)| call.pid == 101);
    let eof = first.find(|(_, call)| call.what.fd() == Some(3) && call.result == Ok(0));
    let exit = times(&outcome, "server", |kind| match kind {
        Kind::Process(process) => process.what == ProcessChange::Exit { status: 1 },
        _ => false,
    });
    assert_eq!((exit[0], eof.map(|(t, _)| t)), (1.015, Some(1.02)));
}

#[test]
fn a_child_that_keeps_the_listener_keeps_the_port() {
    timeline("close-trap-listener", Book);
}

#[test]
fn a_client_that_exits_at_the_end_of_its_file_loses_the_tail() {
    for system in [Book, Linux, Bsd, Rfc] {
        summary("batch", system);
    }
}

#[test]
fn a_client_that_shuts_down_its_half_loses_nothing() {
    summary("half-close", Book);
    summary("half-close", Linux);
}

#[test]
fn nagle_sends_together_what_comes_within_a_round_trip() {
    timeline("nagle", Book);
    for (setting, expected) in [("no_delay=off", 2), ("no_delay=on", 5)] {
        for system in System::ALL {
            let (_, outcome) = holds_with("nagle", system, setting);
            let data = times(
                &outcome,
                "client",
                |kind| matches!(kind, Kind::Segment(segment) if segment.dir == Direction::Out && segment.len > 0),
            );
            assert_eq!(data.len(), expected, "{} {setting}", system.name());
        }
    }
}

#[test]
fn a_closed_window_is_probed_ever_more_rarely() {
    timeline("zero-window", Book);
    timeline("zero-window", Linux);
    let (_, outcome) = holds("zero-window", Book);
    let probes = times(
        &outcome,
        "client",
        |kind| matches!(kind, Kind::Segment(segment) if segment.dir == Direction::Out && segment.len == 1),
    );
    let waits: Vec<f64> = probes.windows(2).map(|pair| (pair[1] - pair[0]).round()).collect();
    // The persist timer of TCP/IP Illustrated, vol. 1, fig. 22.3; vol. 2, ch. 25.7.
    assert_eq!(waits, [5.0, 6.0, 12.0, 24.0, 48.0, 60.0, 60.0, 60.0]);
}

#[test]
fn a_path_of_shorter_packets_is_found_out_at_both_ends() {
    summary("mtu", Book);
    let (_, outcome) = holds("mtu", Book);
    for host in ["client", "server"] {
        let told =
            times(&outcome, host, |kind| matches!(kind, Kind::Icmp(icmp) if icmp.dir == Direction::In));
        assert!(!told.is_empty(), "{host} is told");
    }
}

// -- what runs out ----------------------------------------------------------------------------------------

const CROWDED: &str = r#"
    name = "Zombies fill the process table of a small host (UNP 5.7)"
    [host.server]
    run = "echo-server"
    limits = { processes = 3 }
    [host.client]
    run = "echo-client server"
    count = 3
    every = "1s"
    type = [{ line = "hello" }, { eof = true }]
    [expect.client]
    prints = ["hello"]
    [expect.client.process.3]
    prints = []
    fails = { call = "readline", errno = "ECONNRESET" }
    [expect.client.process.3.bsd]
    fails = []
    stderr = ["str_cli: server terminated prematurely"]
    [expect.server]
    stderr = ["fork error: Resource temporarily unavailable"]
    fails = { call = "fork", errno = "EAGAIN", at = "2.015s" }
    exits = [0, 0, 1]
"#;

#[test]
fn zombies_that_nobody_waits_for_keep_the_server_from_forking() {
    let mut scenario = Scenario::parse("crowded.toml", CROWDED).expect("it is sound");
    for system in System::ALL {
        scenario.stack = system;
        as_expected(&scenario);
    }
}

#[test]
fn a_terminal_keeps_what_is_typed_until_its_program_starts() {
    let text = r#"
        name = "Typed early (UNP 5.6)"
        [host.server]
        run = "echo-server"
        [host.client]
        run = "echo-client server"
        start = "5s"
        type = [{ at = "1s", line = "early" }, { at = "6s", line = "late" }]
        [[fault]]
        at = "10s"
        do = "crash"
        host = "client"
        [[fault]]
        at = "11s"
        do = "boot"
        host = "client"
        [expect.client]
        prints = ["early", "late"]
    "#;
    // After the boot it starts again, with a terminal at which nothing was typed yet.
    as_expected(&Scenario::parse("early.toml", text).expect("it is sound"));
}
