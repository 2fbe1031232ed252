use super::sample::{
    CLIENT, SERVER, Tape, accept, close, connect, crash, readline, reboot, secs, segment, world, world_again,
    write, writen,
};
use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::report::{Waiting, summary};
use crate::timeline::{
    Event, FaultKind, Kind, LostReason, ProcessChange, Retransmission, SegmentEvent, SignalChange, Stream,
    TcpState, Victim, Way,
};

fn told(events: &[Event], waiting: &[Waiting<'_>], end: f64) -> Vec<String> {
    let mut out = Vec::new();
    summary(&mut out, events, waiting, secs(end)).expect("a vector takes every byte");
    String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
}

/// What a run that ends with its last event says of its processes.
fn sentences(tape: &Tape) -> Vec<String> {
    let end = tape.events.last().expect("something happened").t.as_secs_f64();
    let mut told = told(&tape.events, &[], end);
    told.pop();
    told
}

const FGETS: Waiting<'_> = Waiting { host: "client", pid: 101, process: "client", on: "fgets" };

/// The client's readline, asleep since `since`, fails and the client gives up.
fn readline_fails(tape: &mut Tape, errno: Errno, since: f64) {
    tape.call("client", readline(None), Err(errno), since);
    tape.line("client", Stream::Stderr, &format!("readline error: {}", errno.message()));
    tape.process("client", ProcessChange::Exit { status: 1 });
}

#[test]
fn crash_is_a_timeout_after_the_retransmissions() {
    assert_eq!(
        told(&crash(), &[], 562.5),
        [
            "client[101] readline failed: ETIMEDOUT after 12 retransmissions, 542.5 s after the write: \
             server crashed at 10 s",
            "19 segments in 562.5 s, 12 of them sent again; 13 lost: host down",
        ]
    );
}

#[test]
fn reboot_is_a_reset_one_round_trip_after_the_write() {
    assert_eq!(
        told(&reboot(), &[], 20.01),
        [
            "client[101] readline failed: ECONNRESET, 10 ms after the write: \
             server rebooted at 15 s and forgot the connection",
            "8 segments in 20.01 s",
        ]
    );
}

#[test]
fn unreachable_is_what_the_router_answered() {
    let mut tape = Tape::new();
    tape.connects()
        .echoes()
        .record("router", router_says())
        .at(10.0)
        .fault(FaultKind::Unreachable(Unreachable::Host), "server")
        .writes();
    for nth in 1..=12 {
        tape.told("client", Unreachable::Host).at(20.0 + f64::from(nth)).sends("client", &world_again(nth));
    }
    tape.told("client", Unreachable::Host).at(562.5);
    readline_fails(&mut tape, Errno::EHOSTUNREACH, 20.0);
    assert_eq!(
        sentences(&tape),
        [
            r#"client[101] readline failed: EHOSTUNREACH after 12 retransmissions, 542.5 s after the write: router answered "host unreachable" 13 times"#
        ]
    );
}

/// The router's side of an ICMP error: it tells whose address the router's is.
fn router_says() -> Kind {
    let mut tape = Tape::new();
    tape.told("client", Unreachable::Host);
    let Kind::Icmp(icmp) = tape.events.remove(0).kind else { unreachable!("it is an ICMP error") };
    Kind::Icmp(crate::timeline::Icmp { dir: crate::timeline::Direction::Out, ..icmp })
}

#[test]
fn retransmissions_before_an_acknowledgment_are_not_counted() {
    let mut tape = Tape::new();
    tape.connects().echoes().writes().at(21.5).sends("client", &world_again(1));
    tape.at(21.51).gets("client", &segment(SERVER, CLIENT, ".", 7, Some(13), 0));
    let third = segment(CLIENT, SERVER, "P.", 13, Some(7), 6);
    let again = Retransmission { nth: 1, limit: None, next: None };
    tape.at(30.0).fault(FaultKind::Partition(Way::Both), "server").sends("client", &third);
    tape.call("client", writen("third\n"), Ok(6), 30.0);
    let probe = SegmentEvent { retransmission: Some(again), note: Some("tail loss probe"), ..third.clone() };
    tape.at(30.2).sends("client", &probe);
    for _ in 0..2 {
        tape.at(31.0).sends("client", &SegmentEvent { retransmission: Some(again), ..third.clone() });
    }
    tape.at(965.0);
    readline_fails(&mut tape, Errno::ETIMEDOUT, 30.0);
    assert_eq!(
        sentences(&tape),
        ["client[101] readline failed: ETIMEDOUT after 1 tail loss probe and 2 retransmissions, \
          935 s after the write: server was cut off at 30 s"]
    );
}

#[test]
fn a_repaired_partition_is_to_blame_for_nothing() {
    let mut tape = Tape::new();
    tape.connects()
        .echoes()
        .at(5.0)
        .fault(FaultKind::Partition(Way::Both), "server")
        .at(6.0)
        .fault(FaultKind::Repair(Way::Both), "server")
        .writes();
    tape.at(562.5);
    readline_fails(&mut tape, Errno::ETIMEDOUT, 20.0);
    assert_eq!(sentences(&tape), ["client[101] readline failed: ETIMEDOUT, 542.5 s after the write"]);
}

#[test]
fn faults_of_a_third_host_are_to_blame_for_nothing() {
    let mut tape = Tape::new();
    tape.connects().echoes().sends("bystander", &segment("10.0.0.3:7", CLIENT, "R", 0, None, 0));
    tape.at(5.0)
        .fault(FaultKind::Partition(Way::Both), "bystander")
        .fault(FaultKind::Crash, "bystander")
        .writes()
        .at(562.5);
    readline_fails(&mut tape, Errno::ETIMEDOUT, 20.0);
    assert_eq!(sentences(&tape), ["client[101] readline failed: ETIMEDOUT, 542.5 s after the write"]);
}

#[test]
fn connect_counts_from_the_call() {
    let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
    let again = |nth| Some(Retransmission { nth, limit: Some(2), next: None });
    let mut tape = Tape::new();
    tape.fault(FaultKind::Crash, "server").process("client", ProcessChange::Start);
    tape.state("client", TcpState::Closed, TcpState::SynSent).sends("client", &syn);
    for (nth, t) in [(1, 6.0), (2, 30.0)] {
        tape.at(t).sends("client", &SegmentEvent { retransmission: again(nth), ..syn.clone() });
    }
    tape.at(75.0).call("client", connect(), Err(Errno::ETIMEDOUT), 0.0);
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&tape),
        ["client[101] connect failed: ETIMEDOUT after 2 retransmissions of the SYN, 75 s after the call: \
          server crashed at 0 s"],
        "though the server was never heard of but by the fault"
    );
}

#[test]
fn a_refused_connection_found_nobody_listening() {
    let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
    let reset = segment(SERVER, CLIENT, "R.", 0, Some(1), 0);
    let mut tape = Tape::new();
    tape.state("client", TcpState::Closed, TcpState::SynSent).sends("client", &syn);
    tape.at(0.005).gets("server", &syn).sends("server", &reset).at(0.01).gets("client", &reset);
    tape.call("client", connect(), Err(Errno::ECONNREFUSED), 0.0);
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&tape),
        [
            "client[101] connect failed: ECONNREFUSED, 10 ms after the call: nobody listens on port 7 of server"
        ]
    );
}

/// UNP 5.12: the server's child is killed at 10 s, and the client's TCP is told by a FIN.
fn child_is_killed() -> Tape {
    let fin = segment(SERVER, CLIENT, "F.", 7, Some(7), 0);
    let mut tape = Tape::new();
    tape.connects().by(101).process("server", ProcessChange::Start);
    tape.call("server", accept(Some(CLIENT)), Ok(4), 0.0);
    tape.by(102).process("server", ProcessChange::Fork { parent: 101 });
    tape.by(101)
        .call("server", close(4), Ok(0), 0.015)
        .echoes()
        .at(10.0)
        .fault(FaultKind::Kill { process: Victim::Child, signal: "SIGKILL" }, "server");
    tape.by(102).process("server", ProcessChange::Killed { signal: "SIGKILL" }).sends("server", &fin);
    tape.process("server", ProcessChange::Zombie).by(101).signal("server", "SIGCHLD", SignalChange::Ignored);
    tape.at(10.005).gets("client", &fin).state("client", TcpState::Established, TcpState::CloseWait);
    tape
}

#[test]
fn a_killed_server_is_noticed_only_after_the_next_line() {
    let mut tape = child_is_killed();
    tape.writes().call("client", readline(Some("")), Ok(0), 20.0);
    tape.line("client", Stream::Stderr, "str_cli: server terminated prematurely");
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&tape),
        [
            r#"client[101] exited 1: "str_cli: server terminated prematurely", right after the write: server[102] was killed by SIGKILL at 10 s"#,
            "server: 1 zombie left",
        ]
    );
}

#[test]
fn a_client_that_polls_notices_at_once() {
    let mut tape = child_is_killed();
    tape.call("client", readline(Some("")), Ok(0), 10.005);
    tape.line("client", Stream::Stderr, "str_cli: server terminated prematurely");
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&tape)[0],
        r#"client[101] exited 1: "str_cli: server terminated prematurely", right after the FIN: server[102] was killed by SIGKILL at 10 s"#
    );
}

#[test]
fn a_parent_that_forgets_to_close_sits_on_the_fin() {
    let waiting = [Waiting { host: "server", pid: 101, process: "server", on: "accept" }];
    let mut tape = Tape::new();
    tape.connects().call("server", accept(Some(CLIENT)), Ok(4), 0.0).echoes();
    tape.process("client", ProcessChange::Exit { status: 0 }).at(2.0);
    tape.gets("server", &segment(CLIENT, SERVER, "F.", 7, Some(7), 0));
    assert_eq!(
        told(&tape.events, &waiting, 60.0)[1],
        "server[101] still waits in accept at 60 s; \
         a FIN lies there unread since 2 s: client closed the connection"
    );
}

#[test]
fn a_write_after_ones_own_shutdown_is_nobodys_fault() {
    let mut tape = Tape::new();
    tape.connects().echoes().at(2.0).call("client", write("x"), Err(Errno::EPIPE), 2.0);
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(sentences(&tape), ["client[101] write failed: EPIPE, 1 s after the write"]);
}

#[test]
fn a_run_cut_short_says_what_is_unanswered() {
    let mut tape = Tape::new();
    tape.connects().echoes().writes().at(21.5).sends("client", &world_again(1));
    let waiting = [Waiting { on: "readline", ..FGETS }];
    assert_eq!(
        told(&tape.events, &waiting, 22.0)[0],
        "client[101] still waits in readline at 22 s; 1 of 2 lines echoed; 1 retransmission unanswered"
    );
}

#[test]
fn a_fin_that_nobody_reads_is_told() {
    let told = told(&child_is_killed().events, &[FGETS], 86_400.0);
    assert_eq!(
        told[0],
        "client[101] still waits in fgets at 86400 s; 1 line echoed; \
         a FIN lies there unread since 10.005 s: server[102] was killed by SIGKILL at 10 s"
    );
}

#[test]
fn a_shutdown_explains_the_processes_it_kills() {
    let mut tape = Tape::new();
    let fin = segment(SERVER, CLIENT, "F.", 7, Some(7), 0);
    tape.connects().echoes().at(10.0).fault(FaultKind::Shutdown, "server").at(20.0).by(102);
    tape.process("server", ProcessChange::Killed { signal: "SIGKILL" }).by(101).gets("client", &fin);
    tape.process("server", ProcessChange::Zombie);
    let told = told(&tape.events, &[FGETS], 60.0);
    assert_eq!(told.len(), 2, "a host that is off has no zombies: {told:?}");
    assert!(
        told[0].ends_with("a FIN lies there unread since 20 s: server was shut down at 10 s"),
        "{}",
        told[0]
    );
}

#[test]
fn sigpipe_is_told_with_the_reset_that_led_to_it() {
    let reset = segment(SERVER, CLIENT, "R", 7, None, 0);
    let mut tape = child_is_killed();
    tape.writes().at(20.01).gets("client", &reset).at(20.1);
    tape.call("client", writen("more\n"), Err(Errno::EPIPE), 20.1);
    tape.process("client", ProcessChange::Killed { signal: "SIGPIPE" });
    assert_eq!(
        sentences(&tape)[0],
        "client[101] was killed by SIGPIPE at 20.1 s, 90 ms after the RST: \
         server[102] was killed by SIGKILL at 10 s"
    );
}

#[test]
fn a_reset_without_a_fault_names_who_sent_it() {
    let reset = segment(SERVER, CLIENT, "R.", 7, Some(7), 0);
    let mut tape = Tape::new();
    tape.connects().echoes().writes().at(20.01).gets("client", &reset);
    readline_fails(&mut tape, Errno::ECONNRESET, 20.0);
    assert_eq!(
        sentences(&tape),
        ["client[101] readline failed: ECONNRESET, 10 ms after the write: server sent a RST"]
    );
}

fn keepalive(tape: &mut Tape, t: f64) {
    let probe = segment(CLIENT, SERVER, ".", 6, Some(7), 0);
    tape.at(t).sends("client", &SegmentEvent { note: Some("keepalive"), ..probe });
}

#[test]
fn keepalive_probes_are_counted_from_the_first() {
    let mut tape = Tape::new();
    tape.connects().echoes().at(10.0).fault(FaultKind::Crash, "server");
    for nth in 0..9 {
        keepalive(&mut tape, 7201.01 + 75.0 * f64::from(nth));
    }
    tape.at(7876.01);
    readline_fails(&mut tape, Errno::ETIMEDOUT, 1.01);
    assert_eq!(
        sentences(&tape),
        ["client[101] readline failed: ETIMEDOUT after 9 keepalive probes, 675 s after the first: \
          server crashed at 10 s"]
    );
}

#[test]
fn a_keepalive_probe_finds_the_reboot() {
    let mut tape = Tape::new();
    tape.connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "server")
        .at(15.0)
        .fault(FaultKind::Boot, "server");
    keepalive(&mut tape, 7201.01);
    tape.at(7201.02).gets("client", &segment(SERVER, CLIENT, "R", 7, None, 0));
    readline_fails(&mut tape, Errno::ECONNRESET, 1.01);
    assert_eq!(
        sentences(&tape),
        ["client[101] readline failed: ECONNRESET after 1 keepalive probe, 10 ms after it: \
          server rebooted at 15 s and forgot the connection"]
    );
}

#[test]
fn an_answered_keepalive_probe_is_not_counted() {
    let mut tape = Tape::new();
    tape.connects().echoes();
    keepalive(&mut tape, 7201.01);
    tape.at(7201.02)
        .gets("client", &segment(SERVER, CLIENT, ".", 7, Some(7), 0))
        .at(8000.0)
        .fault(FaultKind::Crash, "server");
    keepalive(&mut tape, 14_401.02);
    let told = told(&tape.events, &[FGETS], 14_402.0);
    assert_eq!(
        told[0],
        "client[101] still waits in fgets at 14402 s; 1 line echoed; \
         1 keepalive probe unanswered: server crashed at 8000 s"
    );
}

#[test]
fn an_idle_client_never_learns_of_the_reboot() {
    let mut tape = Tape::new();
    tape.connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "server")
        .at(15.0)
        .fault(FaultKind::Boot, "server");
    assert_eq!(
        told(&tape.events, &[FGETS], 86_400.0),
        [
            "client[101] still waits in fgets at 86400 s; 1 line echoed; \
             nothing has told it that server rebooted at 15 s and forgot the connection",
            "6 segments in 86400 s",
        ]
    );
}

#[test]
fn a_client_that_went_well_says_how_much_was_echoed() {
    let mut tape = Tape::new();
    tape.connects().echoes().process("client", ProcessChange::Exit { status: 0 });
    tape.process("server", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&tape), ["client[101] exited 0; 1 line echoed"], "and nothing of the server");

    let mut tape = Tape::new();
    tape.connects().echoes().writes().process("client", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&tape), ["client[101] exited 0; 1 of 2 lines echoed"]);

    let mut tape = Tape::new();
    tape.connects().line("client", Stream::Stdin, "1 2").line("client", Stream::Stdout, "3");
    tape.process("client", ProcessChange::Exit { status: 0 });
    assert_eq!(sentences(&tape), ["client[101] exited 0; 1 line printed"]);
}

#[test]
fn a_crowd_shares_one_line() {
    let mut tape = Tape::new();
    for pid in 101..=200 {
        tape.by(pid).call("client", connect(), Ok(0), 0.0);
        tape.line("client", Stream::Stdin, "hello").line("client", Stream::Stdout, "hello");
        tape.process("client", ProcessChange::Exit { status: i32::from(pid == 150) });
    }
    assert_eq!(
        sentences(&tape),
        ["client[101] and 98 more: exited 0; 1 line echoed", "client[150] exited 1 at 0 s"]
    );
}

#[test]
fn two_connections_of_one_host_are_told_apart() {
    let other = "10.0.0.1:49153";
    let mut tape = Tape::new();
    for (pid, end) in [(101, CLIENT), (102, other)] {
        tape.by(pid).from(end).call("client", connect(), Ok(0), 0.0);
        tape.call("client", writen("world\n"), Ok(6), 0.0);
    }
    let first = segment(CLIENT, SERVER, "P.", 1, Some(1), 6);
    let again = Some(Retransmission { nth: 1, limit: None, next: None });
    tape.at(1.0).sends("client", &SegmentEvent { retransmission: again, ..first });
    tape.at(2.0).gets("client", &segment(SERVER, other, "R", 1, None, 0));
    tape.by(102).from(other).call("client", readline(None), Err(Errno::ECONNRESET), 0.0);
    tape.by(101).from(CLIENT).call("client", readline(None), Err(Errno::ETIMEDOUT), 0.0);
    for pid in [101, 102] {
        tape.by(pid).process("client", ProcessChange::Exit { status: 1 });
    }
    assert_eq!(
        sentences(&tape),
        [
            "client[101] readline failed: ETIMEDOUT after 1 retransmission, 2 s after the write",
            "client[102] readline failed: ECONNRESET, 2 s after the write: 10.0.0.2 sent a RST",
        ]
    );
}

#[test]
fn a_server_that_does_not_expect_eintr_dies_of_it() {
    let mut tape = Tape::new();
    tape.at(5.0).signal("server", "SIGCHLD", SignalChange::Delivered);
    tape.call("server", accept(None), Err(Errno::EINTR), 1.0);
    tape.process("server", ProcessChange::Exit { status: 1 });
    assert_eq!(sentences(&tape), ["server[101] accept failed: EINTR at 5 s"]);

    let mut tape = Tape::new();
    tape.at(5.0).call("server", accept(None), Err(Errno::EINTR), 1.0);
    assert_eq!(sentences(&tape), [""; 0], "one that goes on is fine");
}

#[test]
fn an_aborted_accept_names_the_client() {
    let mut tape = Tape::new();
    let waiting = [Waiting { host: "server", pid: 101, process: "server", on: "accept" }];
    tape.connects().gets("server", &segment(CLIENT, SERVER, "R", 1, None, 0));
    tape.at(1.0).call("server", accept(None), Err(Errno::ECONNABORTED), 1.0);
    let told = told(&tape.events, &waiting, 60.0);
    assert_eq!(
        told[1],
        "server[101] accept failed: ECONNABORTED at 1 s: client sent a RST; still waits in accept at 60 s"
    );
}

#[test]
fn a_client_whose_host_crashes_goes_down_with_it() {
    let mut tape = Tape::new();
    tape.connects().echoes().at(10.0).fault(FaultKind::Crash, "client");
    assert_eq!(sentences(&tape), ["client[101] went down with its host at 10 s"]);
}

#[test]
fn after_a_reboot_a_pid_is_another_process() {
    let mut tape = Tape::new();
    tape.connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "client")
        .at(15.0)
        .fault(FaultKind::Boot, "client");
    tape.process("client", ProcessChange::Start);
    tape.call("client", connect(), Err(Errno::ENETUNREACH), 15.0);
    tape.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&tape),
        [
            "client[101] went down with its host at 10 s",
            "client[101] connect failed: ENETUNREACH, right after the call"
        ]
    );
}

#[test]
fn processes_of_one_name_on_several_hosts_say_where() {
    let mut tape = Tape::new();
    for host in ["one", "two"] {
        tape.call(host, connect(), Ok(0), 0.0);
    }
    for event in &mut tape.events {
        let Kind::Call(call) = &mut event.kind else { unreachable!("only calls were made") };
        call.process = "client".into();
    }
    tape.at(1.0).fault(FaultKind::Crash, "one");
    assert_eq!(
        sentences(&tape),
        ["client[101] on one went down with its host at 1 s", "client[101] on two still runs at 1 s"]
    );
}

#[test]
fn losses_are_counted_by_reason() {
    let mut tape = Tape::new();
    tape.writes();
    for reason in [LostReason::QueueFull, LostReason::Loss, LostReason::Loss] {
        tape.loses(&world(), reason);
    }
    let told = told(&tape.events, &[], 20.0);
    assert_eq!(told.last().map(String::as_str), Some("1 segment in 20 s; 3 lost: 2 loss, 1 queue full"));
}

#[test]
fn a_run_in_which_nothing_happened_says_so() {
    assert_eq!(told(&[], &[], 0.0), ["0 segments in 0 s"]);
}
