//! How it ends: ch. 5.7 and 5.11 to 5.16.

use super::*;
use crate::timeline::TcpState;

#[test]
fn eof_at_the_client_ends_both_sides_in_order() {
    let (mut net, pid) = Net::with_client("echo-client server", &["hello"]);
    let child = net.children()[0];
    net.type_eof(pid);
    net.pass(secs(1));
    assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 0 }));
    assert_eq!(net.exit_of(SERVER, child), Some(ProcessChange::Exit { status: 0 }));
    let now = net.now;
    let states = |host: &Machine| host.stack().sockets(now).iter().map(|s| s.state).collect::<Vec<_>>();
    assert_eq!(states(net.host(CLIENT)), [TcpState::TimeWait]);
    assert_eq!(states(net.host(SERVER)), [TcpState::Listen]);
}

#[test]
fn nobody_listening_refuses_the_connection() {
    let mut net = Net::new(System::Book);
    let pid = net.run_program(CLIENT, "echo-client server");
    net.pass(secs(1));
    let expected = (SimTime::ZERO + RTT, "connect error: Connection refused".to_owned());
    assert_eq!(net.complaint(), Some(expected));
    assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 1 }));
}

#[test]
fn connecting_to_a_host_that_is_off_times_out_after_75_s() {
    let mut net = Net::new(System::Book);
    net.crash(SERVER);
    net.run_program(CLIENT, "echo-client server");
    net.pass(secs(100));
    let expected = (SimTime::ZERO + secs(75), "connect error: Connection timed out".to_owned());
    assert_eq!(net.complaint(), Some(expected));
}

#[test]
fn a_client_in_fgets_learns_of_a_killed_server_only_with_its_next_line() {
    let (mut net, pid) = Net::with_client("echo-client server", &["hello"]);
    let child = net.children()[0];
    net.kill(SERVER, child, Signal::SIGKILL);
    net.pass(secs(10));
    assert_eq!(net.complaint(), None, "it sits in fgets and knows nothing of the FIN");
    net.type_line(pid, "another line");
    let typed = net.now;
    net.pass(secs(1));
    assert_eq!(net.complaint(), Some((typed, "str_cli: server terminated prematurely".to_owned())));
    assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 1 }));
}

#[test]
fn a_client_in_poll_learns_of_a_killed_server_at_once() {
    let (mut net, _) = Net::with_client("echo-client server --poll", &["hello"]);
    assert_eq!(net.echoed(), ["hello"]);
    let child = net.children()[0];
    net.kill(SERVER, child, Signal::SIGKILL);
    let killed = net.now;
    net.pass(secs(1));
    let expected = (killed + LATENCY, "str_cli: server terminated prematurely".to_owned());
    assert_eq!(net.complaint(), Some(expected));
}

#[test]
fn a_crashed_server_is_given_up_after_542_5_s() {
    let (mut net, pid) = Net::with_client("echo-client server", &["hello"]);
    net.crash(SERVER);
    net.type_line(pid, "world");
    let typed = net.now;
    net.pass(secs(1_000));
    let expected = "str_cli: readline error: Connection timed out".to_owned();
    assert_eq!(net.complaint(), Some((typed + Duration::from_millis(542_500), expected)));
    let (t, read) = net.calls(CLIENT, "read").pop().unwrap();
    assert_eq!((read.since, t), (typed, typed + Duration::from_millis(542_500)));
}

#[test]
fn a_rebooted_server_resets_the_connection_one_round_trip_after_the_write() {
    let (mut net, pid) = Net::with_client("echo-client server", &["hello"]);
    net.crash(SERVER);
    net.pass(secs(5));
    net.boot(SERVER);
    net.run_program(SERVER, "echo-server");
    net.pass(secs(5));
    net.type_line(pid, "world");
    let typed = net.now;
    net.pass(secs(1));
    let expected = "str_cli: readline error: Connection reset by peer".to_owned();
    assert_eq!(net.complaint(), Some((typed + RTT, expected)));
    assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 1 }));
}

#[test]
fn a_server_that_closes_without_reading_resets_the_connection() {
    let mut net = Net::new(System::Book);
    net.run_program(SERVER, "echo-server --close-unread=2s");
    let pid = net.run_program(CLIENT, "echo-client server");
    net.pass(secs(1));
    net.type_line(pid, "unread");
    net.pass(secs(5));
    let (t, message) = net.complaint().unwrap();
    assert_eq!(message, "str_cli: readline error: Connection reset by peer");
    // It accepted with the third segment of the handshake, slept 2 s, and its RST took one way.
    assert_eq!(t, SimTime::ZERO + LATENCY * 3 + secs(2) + LATENCY);
}

#[test]
fn a_server_host_that_is_shut_down_says_fin() {
    let (mut net, _) = Net::with_client("echo-client server --poll", &["hello"]);
    let now = net.now;
    net.host(SERVER).shutdown(now, secs(10));
    net.pass(secs(2));
    let expected = (now + LATENCY, "str_cli: server terminated prematurely".to_owned());
    assert_eq!(net.complaint(), Some(expected));
    assert!(net.host(SERVER).is_off());
}

#[test]
fn keepalive_notices_a_crash_without_a_word_typed() {
    let (mut net, _) = Net::with_client("echo-client server --keepalive=10s,5s,3 --poll", &["hello"]);
    let (last_word, _) = net.printed(CLIENT, Stream::Stdout).remove(0);
    net.crash(SERVER);
    net.pass(secs(100));
    // Probes after 10, 15 and 20 s of silence, and 5 s for the last one to be answered.
    let expected = (last_word + secs(25), "str_cli: read error: Connection timed out".to_owned());
    assert_eq!(net.complaint(), Some(expected));
}
