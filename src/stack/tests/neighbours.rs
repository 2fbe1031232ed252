//! Hosts that share a segment: who is asked, when, and what becomes of what waits.

use super::*;
use crate::packet::{Mac, NeighbourMessage, Resolution, emit_neighbour};
use crate::stack::profile::SynWaits;

/// The two hosts on one segment, where `profile` is both systems' and `seed` the client's.
fn segment(profile: &Profile, seed: u64, addrs: [&str; 2]) -> Wire {
    let recorder = Recorder::new("client");
    let make = |addr: &str, seed, recorder: &Recorder| {
        let shared = Config { shares_segment: true, ..config(addr, profile.clone(), seed) };
        Stack::new(shared, recorder.clone())
    };
    let client = make(addrs[0], seed, &recorder);
    let server = make(addrs[1], 2, &recorder.for_host("server"));
    Wire { client, server, recorder, ..Wire::new(profile.clone()) }
}

const V4: [&str; 2] = [CLIENT, SERVER];
const V6: [&str; 2] = ["2001:db8:0:1::1", "2001:db8:0:2::1"];

fn linux() -> Profile {
    Profile { wheel: None, ..Profile::of(System::Linux) }
}

/// When a host sent a request or a reply, in milliseconds.
fn said(wire: &Wire, host: &str, what: Resolution) -> Vec<u64> {
    let events = wire.recorder.events_from(0);
    let said = events.iter().filter(|event| &*event.host == host).filter_map(|event| match &event.kind {
        Kind::Neighbour(it) if it.dir == Direction::Out && it.what == what => Some(event.t),
        _ => None,
    });
    said.map(|t| (t - SimTime::ZERO).as_millis() as u64).collect()
}

fn asked(wire: &Wire) -> Vec<u64> {
    said(wire, "client", Resolution::Request)
}

/// RFC 826: the packet that asked for it is sent when the answer is there. Whoever was asked need not ask.
#[test]
fn a_connection_begins_with_a_question_and_its_answer() {
    for profile in System::ALL.map(Profile::of) {
        for addrs in [V4, V6] {
            let mut wire = segment(&profile, 1, addrs);
            let listener = wire.server.socket();
            wire.server.bind(listener, wire.server_addr()).unwrap();
            wire.server.listen(listener, 5).unwrap();
            let id = wire.connect();
            wire.run(Duration::from_millis(100));
            assert_eq!(wire.client.connect(wire.now, id, wire.server_addr()), Ok(()));
            assert_eq!(asked(&wire), [0], "{addrs:?}");
            assert_eq!(said(&wire, "server", Resolution::Reply), [5]);
            assert_eq!(wire.sent(SimTime::ZERO, |it| it.flags == Flags::SYN), [10]);
            assert_eq!(said(&wire, "server", Resolution::Request), [0; 0], "it was told who asks");
        }
    }
}

/// RFC 4861, 7.2.2 and 10: MAX_MULTICAST_SOLICIT requests, RETRANS_TIMER apart; then what waits is unreachable.
#[test]
fn linux_asks_three_times_and_fails_connect_after_the_third_second() {
    for addrs in [V4, V6] {
        let mut wire = segment(&linux(), 1, addrs);
        wire.server_dies();
        let id = wire.connect();
        assert_eq!(wire.run_until_dead(id), Duration::from_secs(3));
        assert_eq!(asked(&wire), [0, 1_000, 2_000]);
        assert_eq!(wire.client.connect(wire.now, id, wire.server_addr()), Err(Errno::EHOSTUNREACH));
        assert_eq!(wire.sent(SimTime::ZERO, |_| true), [0; 0], "no SYN has ever left");
    }
}

/// 4.4BSD's arpresolve: a request for each SYN, and nobody is told that none was answered.
#[test]
fn berkeley_asks_with_each_syn_and_connect_times_out() {
    let mut wire = segment(&book(), 1, V4);
    wire.server_dies();
    let id = wire.connect();
    assert_eq!(wire.run_until_dead(id), Duration::from_secs(75));
    assert_eq!(asked(&wire), [0, 6_000, 30_000]);
    assert_eq!(wire.client.connect(wire.now, id, wire.server_addr()), Err(Errno::ETIMEDOUT));
}

/// if_ether.c: the packet after five requests in vain, at 5 s, asks no more; and none does for 20 s.
#[test]
fn berkeley_gives_up_a_neighbour_for_twenty_seconds() {
    let syn = SynWaits::Each(vec![Duration::from_secs(1); 40]);
    let mut wire = segment(&Profile { syn, ..book() }, 1, V4);
    wire.server_dies();
    wire.connect();
    wire.run(Duration::from_secs(35));
    assert_eq!(asked(&wire), [0, 1_000, 2_000, 3_000, 4_000, 25_000, 26_000, 27_000, 28_000, 29_000]);
}

/// What waits for an answer goes in order, and nothing of it twice: a SYN that the timer sends again waits already.
#[test]
fn what_waited_leaves_once_the_neighbour_answers_late() {
    let mut wire = segment(&linux(), 1, V4);
    wire.listen(5);
    let id = wire.connect();
    wire.collect();
    // The first two questions are lost; the SYN's timer fires in between.
    wire.server_dies();
    wire.run(Duration::from_millis(1_500));
    wire.fate = Box::new(|_| Fate::Deliver);
    wire.run(Duration::from_secs(1));
    assert_eq!(wire.client.connect(wire.now, id, wire.server_addr()), Ok(()));
    assert_eq!(wire.sent(SimTime::ZERO, |it| it.flags.has(Flags::SYN)), [2_010]);
}

/// RFC 4861, 7.3.1: "forward progress" of a connection says that the neighbour is there.
#[test]
fn a_connection_that_gets_on_asks_nobody_again() {
    let mut wire = segment(&linux(), 1, V4);
    let listener = wire.listen(5);
    let id = wire.connect();
    wire.run(Duration::from_millis(100));
    let (server, _) = wire.server.accept(wire.now, listener).unwrap();
    for _ in 0..200 {
        wire.write(id).unwrap();
        wire.run(Duration::from_millis(500));
        let read = wire.server.read(wire.now, server, &mut [0; 100]);
        assert_eq!(read, Ok(6));
    }
    assert_eq!(asked(&wire), [0]);
}

/// The answer is believed for 15 to 45 s; then TCP has 5 s to get on, and the neighbour is asked three times before it is
/// given up. What is sent next asks everybody, and is unreachable 3 s later.
#[test]
fn a_dead_neighbour_is_doubted_asked_and_given_up() {
    for seed in 1..=20 {
        let mut wire = segment(&linux(), seed, V4);
        wire.listen(5);
        let id = wire.connect();
        wire.run(Duration::from_millis(100));
        wire.server_dies();
        wire.write(id).unwrap();
        wire.run_until_dead(id);
        assert_eq!(wire.read(id), Err(Errno::EHOSTUNREACH));
        let asked = asked(&wire);
        let first = asked[1];
        assert!((20_000..=75_000).contains(&first), "{first}");
        assert_eq!(asked[1..4], [first, first + 1_000, first + 2_000]);
        // In threes, and each three a second apart.
        assert!(asked[4..].chunks(3).all(|three| three.windows(2).all(|two| two[1] - two[0] == 1_000)));
    }
}

/// RFC 826: what was not asked for makes no entry; what is for another host is nobody's business here.
#[test]
fn answers_that_nobody_asked_for_teach_nothing() {
    let mut wire = segment(&linux(), 1, V4);
    let (sender, target) = (wire.server.addrs()[0], wire.client.addrs()[0]);
    let mac = Mac([6; 6]);
    let answer = NeighbourMessage { what: Resolution::Reply, sender, mac, target };
    wire.client.receive(wire.now, emit_neighbour(&answer, None));
    wire.connect();
    assert_eq!(asked(&wire), [0]);
    let elsewhere =
        NeighbourMessage { what: Resolution::Request, target: "192.0.2.9".parse().unwrap(), ..answer };
    wire.client.receive(wire.now, emit_neighbour(&elsewhere, None));
    assert_eq!(said(&wire, "client", Resolution::Reply), [0; 0]);
}

/// An interface that is off and on again knows its neighbours no more, and what was held back goes out.
#[test]
fn an_interface_that_is_on_again_asks_again() {
    for profile in [linux(), book()] {
        let mut wire = segment(&profile, 1, V4);
        wire.listen(5);
        let id = wire.connect();
        wire.run(Duration::from_millis(100));
        assert!(wire.client.set_link(false));
        assert!(!wire.client.set_link(false), "it is off already");
        wire.write(id).unwrap();
        wire.run(Duration::from_secs(10));
        assert_eq!(asked(&wire), [0]);
        let unrouted = wire.client.socket();
        let refused = wire.client.connect(wire.now, unrouted, wire.server_addr());
        assert_eq!(refused, Err(profile.link_down));
        assert!(wire.client.set_link(true));
        wire.run(Duration::from_secs(60));
        assert_eq!(asked(&wire).len(), 2);
        let sent = wire.sent(SimTime::ZERO, |it| it.len > 0);
        assert_eq!(sent.len(), 1, "{sent:?}");
    }
}
