use super::sample::{
    CLIENT, SERVER, Sample, accept, close, connect, crash, readline, reboot, secs, segment, world_again,
    write, writen,
};
use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::report::{Waiting, summary};
use crate::timeline::{
    Event, FaultKind, Kind, Probe, ProcessChange, Retransmission, SegmentEvent, SignalChange, Stream,
    TcpState, Victim, Way,
};

pub(super) fn told(events: &[Event], waiting: &[Waiting<'_>], end: f64) -> Vec<String> {
    let mut out = Vec::new();
    summary(&mut out, events, waiting, secs(end)).expect("a vector takes every byte");
    String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
}

/// What a run that ends with its last event says of its processes.
pub(super) fn sentences(sample: &Sample) -> Vec<String> {
    let end = sample.events.last().expect("something happened").t.as_secs_f64();
    let mut told = told(&sample.events, &[], end);
    told.pop();
    told
}

const FGETS: Waiting<'_> = Waiting { host: "client", pid: 101, process: "client", on: "fgets" };

/// The client's readline, asleep since `since`, fails and the client gives up.
fn readline_fails(sample: &mut Sample, errno: Errno, since: f64) {
    sample.call("client", readline(None), Err(errno), since);
    sample.line("client", Stream::Stderr, &format!("readline error: {}", errno.message()));
    sample.process("client", ProcessChange::Exit { status: 1 });
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
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .record("router", router_says())
        .at(10.0)
        .fault(FaultKind::Unreachable(Unreachable::Host), "server")
        .writes();
    for nth in 1..=12 {
        sample.told("client", Unreachable::Host).at(20.0 + f64::from(nth)).sends("client", &world_again(nth));
    }
    sample.told("client", Unreachable::Host).at(562.5);
    readline_fails(&mut sample, Errno::EHOSTUNREACH, 20.0);
    assert_eq!(
        sentences(&sample),
        [
            r#"client[101] readline failed: EHOSTUNREACH after 12 retransmissions, 542.5 s after the write: router answered "host unreachable" 13 times"#
        ]
    );
}

/// The router's side of an ICMP error: it tells whose address the router's is.
fn router_says() -> Kind {
    let mut sample = Sample::new();
    sample.told("client", Unreachable::Host);
    let Kind::Icmp(icmp) = sample.events.remove(0).kind else { unreachable!("it is an ICMP error") };
    Kind::Icmp(Box::new(crate::timeline::Icmp { dir: crate::timeline::Direction::Out, ..*icmp }))
}

#[test]
fn retransmissions_before_an_acknowledgment_are_not_counted() {
    let mut sample = Sample::new();
    sample.connects().echoes().writes().at(21.5).sends("client", &world_again(1));
    sample.at(21.51).gets("client", &segment(SERVER, CLIENT, ".", 7, Some(13), 0));
    let third = segment(CLIENT, SERVER, "P.", 13, Some(7), 6);
    let again = Some(Box::new(Retransmission { nth: 1, limit: None, next: None }));
    sample.at(30.0).fault(FaultKind::Partition(Way::Both), "server").sends("client", &third);
    sample.call("client", writen("third\n"), Ok(6), 30.0);
    let probe = SegmentEvent { retransmission: again.clone(), probe: Some(Probe::TailLoss), ..third.clone() };
    sample.at(30.2).sends("client", &probe);
    for _ in 0..2 {
        sample.at(31.0).sends("client", &SegmentEvent { retransmission: again.clone(), ..third.clone() });
    }
    sample.at(965.0);
    readline_fails(&mut sample, Errno::ETIMEDOUT, 30.0);
    assert_eq!(
        sentences(&sample),
        ["client[101] readline failed: ETIMEDOUT after 1 tail loss probe and 2 retransmissions, \
          935 s after the write: server was cut off at 30 s"]
    );
}

#[test]
fn a_repaired_partition_is_to_blame_for_nothing() {
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .at(5.0)
        .fault(FaultKind::Partition(Way::Both), "server")
        .at(6.0)
        .fault(FaultKind::Repair(Way::Both), "server")
        .writes();
    sample.at(562.5);
    readline_fails(&mut sample, Errno::ETIMEDOUT, 20.0);
    assert_eq!(sentences(&sample), ["client[101] readline failed: ETIMEDOUT, 542.5 s after the write"]);
}

#[test]
fn faults_of_a_third_host_are_to_blame_for_nothing() {
    let mut sample = Sample::new();
    sample.connects().echoes().sends("bystander", &segment("10.0.0.3:7", CLIENT, "R", 0, None, 0));
    sample
        .at(5.0)
        .fault(FaultKind::Partition(Way::Both), "bystander")
        .fault(FaultKind::Crash, "bystander")
        .writes()
        .at(562.5);
    readline_fails(&mut sample, Errno::ETIMEDOUT, 20.0);
    assert_eq!(sentences(&sample), ["client[101] readline failed: ETIMEDOUT, 542.5 s after the write"]);
}

#[test]
fn connect_counts_from_the_call() {
    let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
    let again = |nth| Some(Box::new(Retransmission { nth, limit: Some(2), next: None }));
    let mut sample = Sample::new();
    sample.fault(FaultKind::Crash, "server").process("client", ProcessChange::Start);
    sample.state("client", TcpState::Closed, TcpState::SynSent).sends("client", &syn);
    for (nth, t) in [(1, 6.0), (2, 30.0)] {
        sample.at(t).sends("client", &SegmentEvent { retransmission: again(nth), ..syn.clone() });
    }
    sample.at(75.0).call("client", connect(), Err(Errno::ETIMEDOUT), 0.0);
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&sample),
        ["client[101] connect failed: ETIMEDOUT after 2 retransmissions of the SYN, 75 s after the call: \
          server crashed at 0 s"],
        "though the server was never heard of but by the fault"
    );
}

#[test]
fn a_refused_connection_found_nobody_listening() {
    let syn = segment(CLIENT, SERVER, "S", 0, None, 0);
    let reset = segment(SERVER, CLIENT, "R.", 0, Some(1), 0);
    let mut sample = Sample::new();
    sample.state("client", TcpState::Closed, TcpState::SynSent).sends("client", &syn);
    sample.at(0.005).gets("server", &syn).sends("server", &reset).at(0.01).gets("client", &reset);
    sample.call("client", connect(), Err(Errno::ECONNREFUSED), 0.0);
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&sample),
        [
            "client[101] connect failed: ECONNREFUSED, 10 ms after the call: nobody listens on port 7 of server"
        ]
    );
}

/// UNP 5.12: the server's child is killed at 10 s, and the client's TCP is told by a FIN.
fn child_is_killed() -> Sample {
    let fin = segment(SERVER, CLIENT, "F.", 7, Some(7), 0);
    let mut sample = Sample::new();
    sample.connects().by(101).process("server", ProcessChange::Start);
    sample.call("server", accept(Some(CLIENT)), Ok(4), 0.0);
    sample.by(102).process("server", ProcessChange::Fork { parent: 101 });
    sample
        .by(101)
        .call("server", close(4), Ok(0), 0.015)
        .echoes()
        .at(10.0)
        .fault(FaultKind::Kill { process: Victim::Child, signal: "SIGKILL" }, "server");
    sample.by(102).process("server", ProcessChange::Killed { signal: "SIGKILL" }).sends("server", &fin);
    sample.process("server", ProcessChange::Zombie).by(101).signal(
        "server",
        "SIGCHLD",
        SignalChange::Ignored,
    );
    sample.at(10.005).gets("client", &fin).state("client", TcpState::Established, TcpState::CloseWait);
    sample
}

#[test]
fn a_killed_server_is_noticed_only_after_the_next_line() {
    let mut sample = child_is_killed();
    sample.writes().call("client", readline(Some("")), Ok(0), 20.0);
    sample.line("client", Stream::Stderr, "str_cli: server terminated prematurely");
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&sample),
        [
            r#"client[101] exited 1: "str_cli: server terminated prematurely", right after the write: server[102] was killed by SIGKILL at 10 s"#,
            "server: 1 zombie left",
        ]
    );
}

#[test]
fn a_client_that_polls_notices_at_once() {
    let mut sample = child_is_killed();
    sample.call("client", readline(Some("")), Ok(0), 10.005);
    sample.line("client", Stream::Stderr, "str_cli: server terminated prematurely");
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(
        sentences(&sample)[0],
        r#"client[101] exited 1: "str_cli: server terminated prematurely", right after the FIN: server[102] was killed by SIGKILL at 10 s"#
    );
}

#[test]
fn a_parent_that_forgets_to_close_sits_on_the_fin() {
    let waiting = [Waiting { host: "server", pid: 101, process: "server", on: "accept" }];
    let mut sample = Sample::new();
    sample.connects().call("server", accept(Some(CLIENT)), Ok(4), 0.0).echoes();
    sample.process("client", ProcessChange::Exit { status: 0 }).at(2.0);
    sample.gets("server", &segment(CLIENT, SERVER, "F.", 7, Some(7), 0));
    assert_eq!(
        told(&sample.events, &waiting, 60.0)[1],
        "server[101] still waits in accept at 60 s; \
         a FIN lies there unread since 2 s: client closed the connection"
    );
}

#[test]
fn a_write_after_ones_own_shutdown_is_nobodys_fault() {
    let mut sample = Sample::new();
    sample.connects().echoes().at(2.0).call("client", write("x"), Err(Errno::EPIPE), 2.0);
    sample.process("client", ProcessChange::Exit { status: 1 });
    assert_eq!(sentences(&sample), ["client[101] write failed: EPIPE, 1 s after the write"]);
}

#[test]
fn a_run_cut_short_says_what_is_unanswered() {
    let mut sample = Sample::new();
    sample.connects().echoes().writes().at(21.5).sends("client", &world_again(1));
    let waiting = [Waiting { on: "readline", ..FGETS }];
    assert_eq!(
        told(&sample.events, &waiting, 22.0)[0],
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
    let mut sample = Sample::new();
    let fin = segment(SERVER, CLIENT, "F.", 7, Some(7), 0);
    sample.connects().echoes().at(10.0).fault(FaultKind::Shutdown, "server").at(20.0).by(102);
    sample.process("server", ProcessChange::Killed { signal: "SIGKILL" }).by(101).gets("client", &fin);
    sample.process("server", ProcessChange::Zombie);
    let told = told(&sample.events, &[FGETS], 60.0);
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
    let mut sample = child_is_killed();
    sample.writes().at(20.01).gets("client", &reset).at(20.1);
    sample.call("client", writen("more\n"), Err(Errno::EPIPE), 20.1);
    sample.process("client", ProcessChange::Killed { signal: "SIGPIPE" });
    assert_eq!(
        sentences(&sample)[0],
        "client[101] was killed by SIGPIPE at 20.1 s, 90 ms after the RST: \
         server[102] was killed by SIGKILL at 10 s"
    );
}

#[test]
fn a_reset_without_a_fault_names_who_sent_it() {
    let reset = segment(SERVER, CLIENT, "R.", 7, Some(7), 0);
    let mut sample = Sample::new();
    sample.connects().echoes().writes().at(20.01).gets("client", &reset);
    readline_fails(&mut sample, Errno::ECONNRESET, 20.0);
    assert_eq!(
        sentences(&sample),
        ["client[101] readline failed: ECONNRESET, 10 ms after the write: server sent a RST"]
    );
}

fn keepalive(sample: &mut Sample, t: f64) {
    let probe = segment(CLIENT, SERVER, ".", 6, Some(7), 0);
    sample.at(t).sends("client", &SegmentEvent { probe: Some(Probe::Keepalive), ..probe });
}

#[test]
fn keepalive_probes_are_counted_from_the_first() {
    let mut sample = Sample::new();
    sample.connects().echoes().at(10.0).fault(FaultKind::Crash, "server");
    for nth in 0..9 {
        keepalive(&mut sample, 7201.01 + 75.0 * f64::from(nth));
    }
    sample.at(7876.01);
    readline_fails(&mut sample, Errno::ETIMEDOUT, 1.01);
    assert_eq!(
        sentences(&sample),
        ["client[101] readline failed: ETIMEDOUT after 9 keepalive probes, 675 s after the first: \
          server crashed at 10 s"]
    );
}

#[test]
fn a_keepalive_probe_finds_the_reboot() {
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "server")
        .at(15.0)
        .fault(FaultKind::Boot, "server");
    keepalive(&mut sample, 7201.01);
    sample.at(7201.02).gets("client", &segment(SERVER, CLIENT, "R", 7, None, 0));
    readline_fails(&mut sample, Errno::ECONNRESET, 1.01);
    assert_eq!(
        sentences(&sample),
        ["client[101] readline failed: ECONNRESET after 1 keepalive probe, 10 ms after it: \
          server rebooted at 15 s and forgot the connection"]
    );
}

#[test]
fn an_answered_keepalive_probe_is_not_counted() {
    let mut sample = Sample::new();
    sample.connects().echoes();
    keepalive(&mut sample, 7201.01);
    sample
        .at(7201.02)
        .gets("client", &segment(SERVER, CLIENT, ".", 7, Some(7), 0))
        .at(8000.0)
        .fault(FaultKind::Crash, "server");
    keepalive(&mut sample, 14_401.02);
    let told = told(&sample.events, &[FGETS], 14_402.0);
    assert_eq!(
        told[0],
        "client[101] still waits in fgets at 14402 s; 1 line echoed; \
         1 keepalive probe unanswered: server crashed at 8000 s"
    );
}

#[test]
fn an_idle_client_never_learns_of_the_reboot() {
    let mut sample = Sample::new();
    sample
        .connects()
        .echoes()
        .at(10.0)
        .fault(FaultKind::Crash, "server")
        .at(15.0)
        .fault(FaultKind::Boot, "server");
    assert_eq!(
        told(&sample.events, &[FGETS], 86_400.0),
        [
            "client[101] still waits in fgets at 86400 s; 1 line echoed; \
             nothing has told it that server rebooted at 15 s and forgot the connection",
            "6 segments in 86400 s",
        ]
    );
}
