//! The sentences of a summary about processes: what they echoed, how they ended, who they were.

use super::sample::{CLIENT, SERVER, Sample, accept, connect, readline, segment, world, writen};
use super::summary::{sentences, told};
use crate::errno::Errno;
use crate::report::Waiting;
use crate::timeline::{
    FaultKind, Kind, LostReason, ProcessChange, Retransmission, SegmentEvent, SignalChange, Stream,
};

#[test]
fn a_client_that_went_well_says_how_much_was_echoed() {
    let mut sample = Sample::new();
    sample.connects().echoes().process("client", ProcessChange::Exit { status: 0 });
    sample.process("server", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&sample), ["client[101] exited 0; 1 line echoed"], "and nothing of the server");

    let mut sample = Sample::new();
    sample.connects().echoes().writes().process("client", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&sample), ["client[101] exited 0; 1 of 2 lines echoed"]);

    let mut sample = Sample::new();
    sample.connects().line("client", Stream::Stdin, "1 2").line("client", Stream::Stdout, "3");
    sample.process("client", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&sample), ["client[101] exited 0; 1 line printed"]);
}

#[test]
fn a_crowd_shares_one_line() {
    let mut sample = Sample::new();
    for pid in 101..=200 {
        sample.by(pid).call("client", connect(), Ok(0), 0.0);
        sample.line("client", Stream::Stdin, "hello").line("client", Stream::Stdout, "hello");
        sample.process("client", ProcessChange::Exit { status: i32::from(pid == 150) });
    }
    assert_eq!(
        sentences(&sample),
        ["client[101] and 98 more: exited 0; 1 line echoed", "client[150] exited 1 at 0 s"]
    );
}

#[test]
fn two_connections_of_one_host_are_told_apart() {
    let other = "10.0.0.1:49153";
    let mut sample = Sample::new();
    for (pid, end) in [(101, CLIENT), (102, other)] {
        sample.by(pid).from(end).call("client", connect(), Ok(0), 0.0);
        sample.call("client", writen("world\n"), Ok(6), 0.0);
    }
    let first = segment(CLIENT, SERVER, "P.", 1, Some(1), 6);
    let again = Some(Box::new(Retransmission { nth: 1, limit: None, next: None }));
    sample.at(1.0).sends("client", &SegmentEvent { retransmission: again, ..first });
    sample.at(2.0).gets("client", &segment(SERVER, other, "R", 1, None, 0));
    sample.by(102).from(other).call("client", readline(None), Err(Errno::ECONNRESET), 0.0);
    sample.by(101).from(CLIENT).call("client", readline(None), Err(Errno::ETIMEDOUT), 0.0);
    for pid in [101, 102] {
        sample.by(pid).process("client", ProcessChange::Exit { status: 1 });
    }
    assert_eq!(
        sentences(&sample),
        [
            "client[101] readline failed: ETIMEDOUT after 1 retransmission, 2 s after the write",
            "client[102] readline failed: ECONNRESET, 2 s after the write: 10.0.0.2 sent a RST",
        ]
    );
}

#[test]
fn a_server_that_does_not_expect_eintr_dies_of_it() {
    let mut sample = Sample::new();
    sample.at(5.0).signal("server", "SIGCHLD", SignalChange::Delivered);
    sample.call("server", accept(None), Err(Errno::EINTR), 1.0);
    sample.process("server", ProcessChange::Exit { status: 1 });
    assert_eq!(sentences(&sample), ["server[101] accept failed: EINTR at 5 s"]);

    let mut sample = Sample::new();
    sample.at(5.0).call("server", accept(None), Err(Errno::EINTR), 1.0);
    assert_eq!(sentences(&sample), [""; 0], "one that goes on is fine");
}

#[test]
fn an_aborted_accept_names_the_client() {
    let mut sample = Sample::new();
    let waiting = [Waiting { host: "server", pid: 101, process: "server", on: "accept" }];
    sample.connects().gets("server", &segment(CLIENT, SERVER, "R", 1, None, 0));
    sample.at(1.0).call("server", accept(None), Err(Errno::ECONNABORTED), 1.0);
    let told = told(&sample.events, &waiting, 60.0);
    assert_eq!(
        told[1],
        "server[101] accept failed: ECONNABORTED at 1 s: client sent a RST; still waits in accept at 60 s"
    );
}

#[test]
fn a_client_whose_host_crashes_goes_down_with_it() {
    let mut sample = Sample::new();
    sample.connects().echoes().at(10.0).fault(FaultKind::Crash, "client");
    assert_eq!(sentences(&sample), ["client[101] went down with its host at 10 s"]);
}

#[test]
fn after_a_reboot_a_pid_is_another_process() {
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "client")
        .at(15.0)
        .fault(FaultKind::Boot, "client");
    sample.process("client", ProcessChange::Start);
    sample.call("client", connect(), Err(Errno::ENETUNREACH), 15.0);
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&sample),
        [
            "client[101] went down with its host at 10 s",
            "client[101] connect failed: ENETUNREACH, right after the call"
        ]
    );
}

#[test]
fn processes_of_one_name_on_several_hosts_say_where() {
    let mut sample = Sample::new();
    for host in ["one", "two"] {
        sample.call(host, connect(), Ok(0), 0.0);
    }
    for event in &mut sample.events {
        let Kind::Call(call) = &mut event.kind else { unreachable!("only calls were made") };
        call.process = "client".into();
    }
    sample.at(1.0).fault(FaultKind::Crash, "one");
    assert_eq!(
        sentences(&sample),
        ["client[101] on one went down with its host at 1 s", "client[101] on two still runs at 1 s"]
    );
}

#[test]
fn losses_are_counted_by_reason() {
    let mut sample = Sample::new();
    sample.writes();
    for reason in [LostReason::QueueFull, LostReason::Loss, LostReason::Loss] {
        sample.loses(&world(), reason);
    }
    let told = told(&sample.events, &[], 20.0);
    assert_eq!(told.last().map(String::as_str), Some("1 segment in 20 s; 3 lost: 2 loss, 1 queue full"));
}

#[test]
fn a_run_in_which_nothing_happened_says_so() {
    assert_eq!(told(&[], &[], 0.0), ["0 segments in 0 s"]);
}

/// A kernel's own loopback is not watched; that is not the same as no segments.
#[test]
fn what_was_not_watched_is_not_counted_as_nothing() {
    let mut sample = Sample::new();
    sample.call("client", connect(), Ok(0), 0.0);
    assert_eq!(told(&sample.events, &[], 1.0).last().unwrap(), "segments were not watched; the run took 1 s");
}
