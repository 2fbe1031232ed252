//! Two stacks on one wire: what the profiles promise, to the millisecond.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::errno::Errno;
use crate::packet::{Flags, Unreachable};
use crate::timeline::{Direction, Kind};

const CLIENT: &str = "192.0.2.1";
const SERVER: &str = "192.0.2.2";
const PORT: u16 = 9877;
/// One way.
const LATENCY: Duration = Duration::from_millis(5);

/// What the wire does with a packet.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Deliver,
    Lose,
    /// A router half way answers.
    Refuse(Unreachable),
}

/// A client and a server on one wire.
struct Wire {
    now: SimTime,
    client: Stack,
    server: Stack,
    recorder: Recorder,
    fate: Box<dyn FnMut(&Bytes) -> Fate>,
    in_flight: BTreeMap<(SimTime, u64), (bool, Bytes)>,
    sequence: u64,
}

fn stack(addr: &str, profile: Profile, seed: u64, recorder: &Recorder) -> Stack {
    let config = Config { addrs: vec![addr.parse().unwrap()], profile, mtu: 1_500, seed };
    Stack::new(config, recorder.clone())
}

impl Wire {
    fn new(profile: Profile) -> Wire {
        let recorder = Recorder::new("client");
        Wire {
            now: SimTime::ZERO,
            client: stack(CLIENT, profile.clone(), 1, &recorder),
            server: stack(SERVER, profile, 2, &recorder.for_host("server")),
            recorder,
            fate: Box::new(|_| Fate::Deliver),
            in_flight: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn put(&mut self, after: Duration, to_client: bool, packet: Bytes) {
        self.sequence += 1;
        self.in_flight.insert((self.now + after, self.sequence), (to_client, packet));
    }

    fn collect(&mut self) {
        while let Some(packet) = self.client.transmit() {
            match (self.fate)(&packet) {
                Fate::Deliver => self.put(LATENCY, false, packet),
                Fate::Lose => {}
                Fate::Refuse(what) => {
                    let answer = crate::packet::emit_icmp("192.0.2.254".parse().unwrap(), what, &packet);
                    self.put(LATENCY, true, answer.unwrap());
                }
            }
        }
        while let Some(packet) = self.server.transmit() {
            if (self.fate)(&packet) == Fate::Deliver {
                self.put(LATENCY, true, packet);
            }
        }
    }

    /// Goes on to the next thing that happens, if it is not after `until`.
    fn step(&mut self, until: SimTime) -> bool {
        self.collect();
        let arrival = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let next = [arrival, self.client.next_deadline(), self.server.next_deadline()];
        let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to_client, packet) = entry.remove();
            let stack = if to_client { &mut self.client } else { &mut self.server };
            stack.receive(self.now, packet);
        }
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        true
    }

    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while self.step(until) {}
    }

    fn server_addr(&self) -> SocketAddr {
        SocketAddr::new(self.server.addrs()[0], PORT)
    }

    fn listen(&mut self, backlog: usize) -> SocketId {
        let listener = self.server.socket();
        let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), PORT);
        self.server.bind(listener, any).unwrap();
        self.server.listen(listener, backlog).unwrap();
        listener
    }

    fn connect(&mut self) -> SocketId {
        let id = self.client.socket();
        assert_eq!(self.client.connect(self.now, id, self.server_addr()), Err(Errno::EINPROGRESS));
        id
    }

    /// A connection with its listener, accepted; a line has gone to and fro.
    fn connected(profile: Profile) -> (Wire, SocketId, SocketId) {
        let mut wire = Wire::new(profile);
        let listener = wire.listen(5);
        let client = wire.connect();
        wire.run(Duration::from_millis(100));
        assert_eq!(wire.client.connect(wire.now, client, wire.server_addr()), Ok(()));
        let (server, _) = wire.server.accept(wire.now, listener).unwrap();
        (wire, client, server)
    }

    fn read(&mut self, id: SocketId) -> Result<usize, Errno> {
        self.client.read(self.now, id, &mut [0; 65_536])
    }

    fn write(&mut self, id: SocketId) -> Result<usize, Errno> {
        self.client.write(self.now, id, b"world\n")
    }

    fn server_dies(&mut self) {
        self.in_flight.clear();
        self.fate = Box::new(|_| Fate::Lose);
    }

    /// Runs until the connection dies, and answers how long that took.
    fn run_until_dead(&mut self, id: SocketId) -> Duration {
        let start = self.now;
        let end = start + Duration::from_secs(100_000);
        while !self.client.readiness(id).hangup {
            assert!(self.step(end), "it never died");
        }
        self.now - start
    }

    /// When the client sent a segment like this, in milliseconds since `start`.
    fn sent(&self, start: SimTime, wanted: impl Fn(&crate::timeline::SegmentEvent) -> bool) -> Vec<u64> {
        let events = self.recorder.events_from(0);
        events
            .iter()
            .filter(|event| &*event.host == "client" && event.t >= start)
            .filter_map(|event| match &event.kind {
                Kind::Segment(segment) if segment.dir == Direction::Out && wanted(segment) => {
                    Some((event.t - start).as_millis() as u64)
                }
                _ => None,
            })
            .collect()
    }

    fn state(stack: &Stack) -> Vec<TcpState> {
        stack.sockets(SimTime::ZERO).into_iter().map(|socket| socket.state).collect()
    }
}

fn book() -> Profile {
    Profile::of(System::Book)
}

fn linux() -> Profile {
    Profile::of(System::Linux)
}

/// Ch. 5.14: "12 times, about 9 minutes".
#[test]
fn a_silent_peer_is_given_up_after_twelve_retransmissions_and_542_5_s() {
    let (mut wire, client, _) = Wire::connected(book());
    wire.server_dies();
    let start = wire.now;
    wire.write(client).unwrap();
    assert_eq!(wire.run_until_dead(client), Duration::from_millis(542_500));
    assert_eq!(wire.read(client), Err(Errno::ETIMEDOUT));
    assert_eq!(
        wire.sent(start, |segment| segment.len > 0),
        [
            0, 1_500, 4_500, 10_500, 22_500, 46_500, 94_500, 158_500, 222_500, 286_500, 350_500, 414_500,
            478_500
        ]
    );
    assert_eq!(wire.read(client), Ok(0), "the error is reported once");
    assert_eq!(wire.write(client), Err(Errno::EPIPE));
}

#[test]
fn linux_probes_once_then_retransmits_fifteen_times_and_gives_up_within_2_percent_of_946_6_s() {
    let (mut wire, client, _) = Wire::connected(linux());
    wire.server_dies();
    let start = wire.now;
    wire.write(client).unwrap();
    let took = wire.run_until_dead(client).as_secs_f64();
    assert!((took / 946.6 - 1.0).abs() < 0.02, "{took} s");
    assert_eq!(wire.read(client), Err(Errno::ETIMEDOUT));
    assert_eq!(wire.sent(start, |segment| segment.len > 0).len(), 1 + 1 + 15);
    let resets = wire.sent(start, |segment| segment.flags.has(Flags::RST));
    assert_eq!(resets, [0; 0], "Linux gives data up without a word");
}

#[test]
fn every_host_unreachable_undoes_a_back_off_on_linux() {
    let (mut wire, client, _) = Wire::connected(linux());
    wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Host));
    let start = wire.now;
    wire.write(client).unwrap();
    let took = wire.run_until_dead(client).as_secs_f64();
    assert_eq!(wire.read(client), Err(Errno::EHOSTUNREACH));
    let segments = wire.sent(start, |segment| segment.len > 0).len();
    assert!((1_000..=1_100).contains(&segments), "{segments} segments");
    assert!((took / 928.5 - 1.0).abs() < 0.02, "{took} s");
}

/// Ch. 5.14: the soft error is kept, retransmission goes on, and it is what `read` says in the end.
#[test]
fn host_unreachable_is_soft_and_reported_at_the_end() {
    let (mut wire, client, _) = Wire::connected(book());
    wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Host));
    wire.write(client).unwrap();
    assert_eq!(wire.run_until_dead(client), Duration::from_millis(542_500));
    assert_eq!(wire.read(client), Err(Errno::EHOSTUNREACH));
}

#[test]
fn bsd_forgets_unreachables_once_established() {
    let (mut wire, client, _) = Wire::connected(Profile::of(System::Bsd));
    wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Net));
    wire.write(client).unwrap();
    wire.run_until_dead(client);
    assert_eq!(wire.read(client), Err(Errno::ETIMEDOUT));
}

#[test]
fn a_port_unreachable_is_hard_in_the_book_and_soft_on_linux() {
    for (profile, at_once) in [(book(), true), (linux(), false)] {
        let (mut wire, client, _) = Wire::connected(profile);
        wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Port));
        wire.write(client).unwrap();
        let took = wire.run_until_dead(client);
        assert_eq!(took < Duration::from_secs(1), at_once, "{took:?}");
        assert_eq!(wire.read(client), Err(Errno::ECONNREFUSED));
    }
}

#[test]
fn an_icmp_error_that_quotes_nothing_in_flight_is_not_believed() {
    let (mut wire, client, _) = Wire::connected(book());
    wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Port));
    wire.write(client).unwrap();
    wire.collect();
    let (_, forged) = wire.in_flight.pop_first().unwrap().1;
    wire.fate = Box::new(|_| Fate::Deliver);
    wire.run(Duration::from_secs(3));
    wire.client.receive(wire.now, forged);
    assert!(!wire.client.readiness(client).hangup);
}

fn connect_times(profile: Profile) -> (Vec<u64>, f64, Errno) {
    let mut wire = Wire::new(profile);
    wire.server_dies();
    let client = wire.connect();
    let took = wire.run_until_dead(client).as_secs_f64();
    let error = wire.client.connect(wire.now, client, wire.server_addr()).unwrap_err();
    (wire.sent(SimTime::ZERO, |segment| segment.flags == Flags::SYN), took, error)
}

/// Ch. 4.3: 4.4BSD sends a SYN, another 6 s later and another 24 s after that; the error comes after 75 s.
#[test]
fn connect_to_a_silent_host_takes_75_s_in_the_book() {
    assert_eq!(connect_times(book()), (vec![0, 6_000, 30_000], 75.0, Errno::ETIMEDOUT));
}

#[test]
fn connect_to_a_silent_host_takes_133_6_s_on_linux() {
    let (sent, took, error) = connect_times(linux());
    assert_eq!((sent.len(), error), (11, Errno::ETIMEDOUT));
    assert!((took / 133.6 - 1.0).abs() < 0.02, "{took} s");
}

/// RFC 1122, 4.2.3.5: R2 for a SYN is 3 minutes at the least.
#[test]
fn connect_to_a_silent_host_takes_three_minutes_by_the_rfc() {
    let (_, took, error) = connect_times(Profile::of(System::Rfc));
    assert_eq!((took, error), (183.0, Errno::ETIMEDOUT));
}

#[test]
fn a_port_that_nobody_listens_on_refuses() {
    let mut wire = Wire::new(book());
    let client = wire.connect();
    wire.run(Duration::from_millis(10));
    assert_eq!(wire.client.connect(wire.now, client, wire.server_addr()), Err(Errno::ECONNREFUSED));
}

#[test]
fn unreachable_ends_connect_at_once_on_linux_and_after_75_s_in_the_book() {
    for (profile, wanted) in [(book(), 75.0), (linux(), 0.005)] {
        let mut wire = Wire::new(profile);
        wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Host));
        let client = wire.connect();
        let took = wire.run_until_dead(client).as_secs_f64();
        assert_eq!(took, wanted);
        let error = wire.client.connect(wire.now, client, wire.server_addr());
        assert_eq!(error, Err(Errno::EHOSTUNREACH));
    }
}

/// Ch. 5.15: one round trip after the write.
#[test]
fn reboot_answers_the_old_connection_with_a_reset() {
    for system in System::ALL {
        let (mut wire, client, _) = Wire::connected(Profile::of(system));
        wire.server = stack(SERVER, Profile::of(system), 3, &wire.recorder.for_host("server"));
        wire.write(client).unwrap();
        assert_eq!(wire.run_until_dead(client), LATENCY * 2);
        assert_eq!(wire.read(client), Err(Errno::ECONNRESET));
        assert_eq!(wire.write(client), Err(Errno::EPIPE));
    }
}

/// Ch. 5.7: the four segments, and the states on the way.
#[test]
fn an_orderly_close_goes_through_time_wait() {
    let (mut wire, client, server) = Wire::connected(book());
    wire.client.close(wire.now, client);
    wire.run(LATENCY * 3);
    assert_eq!(Wire::state(&wire.client), [TcpState::FinWait2]);
    assert_eq!(Wire::state(&wire.server), [TcpState::Listen, TcpState::CloseWait]);
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 8]), Ok(0));
    wire.server.close(wire.now, server);
    wire.run(LATENCY * 3);
    assert_eq!(Wire::state(&wire.client), [TcpState::TimeWait]);
    assert_eq!(Wire::state(&wire.server), [TcpState::Listen]);
    wire.run(Duration::from_secs(60));
    assert_eq!(Wire::state(&wire.client), [TcpState::Closed; 0]);
    assert!(wire.client.next_deadline().is_none() && wire.client.ports.is_empty(), "something is left over");
}

/// Ch. 5.12: the killed child's host says FIN, and answers the next line with a reset.
#[test]
fn data_for_a_closed_socket_is_answered_with_a_reset() {
    for (system, after) in [
        (System::Book, Err(Errno::ECONNRESET)),
        (System::Linux, Ok(0)),
        (System::Bsd, Err(Errno::ECONNRESET)),
        (System::Rfc, Err(Errno::ECONNRESET)),
    ] {
        let (mut wire, client, server) = Wire::connected(Profile::of(system));
        wire.server.close(wire.now, server);
        wire.run(Duration::from_secs(1));
        wire.write(client).unwrap();
        wire.run(Duration::from_secs(1));
        assert_eq!(wire.read(client), after, "{system:?}");
        assert_eq!(wire.write(client), Err(Errno::EPIPE), "{system:?}");
    }
}

/// RFC 1122, 4.2.2.13; 4.4BSD sends a FIN all the same.
#[test]
fn close_with_unread_data_resets_except_on_bsd() {
    for system in System::ALL {
        let (mut wire, client, server) = Wire::connected(Profile::of(system));
        wire.write(client).unwrap();
        wire.run(Duration::from_secs(1));
        wire.server.close(wire.now, server);
        wire.run(Duration::from_secs(1));
        let wanted = if system == System::Bsd { Ok(0) } else { Err(Errno::ECONNRESET) };
        assert_eq!(wire.read(client), wanted, "{system:?}");
    }
}

#[test]
fn linger_zero_resets() {
    let (mut wire, client, server) = Wire::connected(book());
    wire.server.set_option(wire.now, server, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    wire.server.close(wire.now, server);
    wire.run(LATENCY);
    assert_eq!(wire.read(client), Err(Errno::ECONNRESET));
}

/// Ch. 7.5: two hours, then nine probes 75 s apart.
#[test]
fn keepalive_notices_a_silent_peer_after_2_h_11_min_15_s() {
    let (mut wire, client, _) = Wire::connected(book());
    let heard = SimTime::ZERO + LATENCY * 2;
    wire.client.set_option(wire.now, client, SocketOption::KeepAlive(true)).unwrap();
    wire.server_dies();
    wire.run_until_dead(client);
    assert_eq!(wire.now - heard, Duration::from_secs(7_200 + 675));
    assert_eq!(wire.read(client), Err(Errno::ETIMEDOUT));
    let probes = wire.sent(SimTime::ZERO, |segment| segment.note == Some("keepalive"));
    assert_eq!(probes.len(), 9);
}

#[test]
fn keepalive_leaves_a_living_peer_alone() {
    let (mut wire, client, _) = Wire::connected(book());
    wire.client.set_option(wire.now, client, SocketOption::KeepAlive(true)).unwrap();
    wire.run(Duration::from_secs(86_400));
    assert_eq!(Wire::state(&wire.client), [TcpState::Established]);
    let probes = wire.sent(SimTime::ZERO, |segment| segment.note == Some("keepalive"));
    assert_eq!(probes.len(), 11, "one every two hours");
}

/// Ch. 7.5: EHOSTUNREACH in the book; Linux does not believe an error about a probe, and says ETIMEDOUT.
#[test]
fn keepalive_to_an_unreachable_host_says_so_except_on_linux_and_bsd() {
    for (system, wanted) in [
        (System::Book, Errno::EHOSTUNREACH),
        (System::Linux, Errno::ETIMEDOUT),
        (System::Bsd, Errno::ETIMEDOUT),
        (System::Rfc, Errno::EHOSTUNREACH),
    ] {
        let (mut wire, client, _) = Wire::connected(Profile::of(system));
        wire.client.set_option(wire.now, client, SocketOption::KeepAlive(true)).unwrap();
        wire.fate = Box::new(|_| Fate::Refuse(Unreachable::Host));
        wire.run_until_dead(client);
        assert_eq!(wire.read(client), Err(wanted), "{system:?}");
    }
}

#[test]
fn user_timeout_ends_the_wait_at_a_timer() {
    for system in System::ALL {
        let (mut wire, client, _) = Wire::connected(Profile::of(system));
        let limit = Duration::from_secs(10);
        wire.client.set_option(wire.now, client, SocketOption::UserTimeout(limit)).unwrap();
        wire.server_dies();
        wire.write(client).unwrap();
        let took = wire.run_until_dead(client);
        assert!(took >= limit && took < limit * 11 / 10, "{system:?}: {took:?}");
        assert_eq!(wire.read(client), Err(Errno::ETIMEDOUT));
    }
}

/// Ch. 5.11.
#[test]
fn a_connection_reset_before_accept_is_told_as_each_system_tells_it() {
    for system in System::ALL {
        let mut wire = Wire::new(Profile::of(system));
        let listener = wire.listen(5);
        let client = wire.connect();
        wire.run(Duration::from_millis(50));
        wire.client.set_option(wire.now, client, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
        wire.client.close(wire.now, client);
        wire.run(Duration::from_millis(50));
        let accepted = wire.server.accept(wire.now, listener);
        match system {
            System::Book | System::Rfc => assert_eq!(accepted, Err(Errno::ECONNABORTED)),
            System::Bsd => assert_eq!(accepted, Err(Errno::EAGAIN)),
            System::Linux => {
                let (child, _) = accepted.unwrap();
                assert_eq!(wire.server.read(wire.now, child, &mut [0; 8]), Err(Errno::ECONNRESET));
            }
        }
    }
}

/// Ch. 4.5: the SYN is ignored, not refused, and the client tries again.
#[test]
fn a_full_backlog_ignores_the_syn() {
    let mut wire = Wire::new(Profile::of(System::Rfc));
    let listener = wire.listen(1);
    wire.connect();
    wire.run(Duration::from_millis(500));
    let second = wire.connect();
    wire.run(Duration::from_millis(400));
    assert_eq!(wire.client.connect(wire.now, second, wire.server_addr()), Err(Errno::EALREADY));
    wire.server.accept(wire.now, listener).unwrap();
    wire.run(Duration::from_secs(2));
    assert_eq!(wire.client.connect(wire.now, second, wire.server_addr()), Ok(()));
}

#[test]
fn a_closed_listener_resets_what_waits() {
    let mut wire = Wire::new(book());
    let listener = wire.listen(5);
    let client = wire.connect();
    wire.run(Duration::from_millis(50));
    wire.server.close(wire.now, listener);
    wire.run(LATENCY);
    assert_eq!(wire.read(client), Err(Errno::ECONNRESET));
    assert!(wire.server.ports.is_empty());
}

#[test]
fn half_a_shutdown_leaves_the_other_half_open() {
    let (mut wire, client, server) = Wire::connected(book());
    wire.write(client).unwrap();
    wire.client.shutdown(wire.now, client, How::Write).unwrap();
    assert_eq!(wire.write(client), Err(Errno::EPIPE));
    wire.run(Duration::from_millis(50));
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 64]), Ok(6));
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 64]), Ok(0));
    assert_eq!(wire.server.write(wire.now, server, b"late"), Ok(4));
    wire.run(Duration::from_millis(50));
    assert_eq!(wire.read(client), Ok(4));
}

#[test]
fn an_orphan_does_not_stay_in_fin_wait_2_for_ever() {
    for (system, wait) in [(System::Book, 675), (System::Linux, 60)] {
        let (mut wire, client, _server) = Wire::connected(Profile::of(system));
        wire.client.close(wire.now, client);
        wire.run(Duration::from_secs(wait - 1));
        assert_eq!(Wire::state(&wire.client), [TcpState::FinWait2], "{system:?}");
        wire.run(Duration::from_secs(4));
        assert_eq!(Wire::state(&wire.client), [TcpState::Closed; 0], "{system:?}");
    }
}

/// A FIN that nobody acknowledges: as long as data in the book, and tcp_orphan_retries = 8 on Linux, which is
/// 102.2 s by the model.
#[test]
fn an_orphans_fin_is_given_up_like_data_and_sooner_on_linux() {
    for (system, least, most) in [(System::Book, 542.5, 542.5), (System::Linux, 102.2, 112.0)] {
        let (mut wire, client, _) = Wire::connected(Profile::of(system));
        wire.server_dies();
        let start = wire.now;
        wire.client.close(wire.now, client);
        while !wire.client.sockets(wire.now).is_empty() {
            assert!(wire.step(start + Duration::from_secs(10_000)), "{system:?}: it never ended");
        }
        let took = (wire.now - start).as_secs_f64();
        assert!((least..=most).contains(&took), "{system:?}: {took} s");
    }
}

/// RFC 9293, 3.7.4: while something is in flight, a small segment waits; TCP_NODELAY lets it go.
#[test]
fn nagle_holds_a_second_small_segment_back_unless_it_is_turned_off() {
    for (no_delay, segments) in [(false, 1), (true, 3)] {
        let (mut wire, client, _) = Wire::connected(book());
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(no_delay)).unwrap();
        let start = wire.now;
        for _ in 0..3 {
            wire.write(client).unwrap();
        }
        assert_eq!(wire.sent(start, |segment| segment.len > 0).len(), segments);
    }
}

/// A reader that does not read: the window shuts, probes go out, and no octet is lost when it reads again.
#[test]
fn a_shut_window_is_probed_until_it_opens() {
    let (mut wire, client, server) = Wire::connected(book());
    let mut written = 0;
    while let Ok(n) = wire.client.write(wire.now, client, &[7; 50_000]) {
        written += n;
        wire.run(Duration::from_secs(1));
    }
    wire.run(Duration::from_secs(300));
    let probes = wire.sent(SimTime::ZERO, |segment| segment.note == Some("window probe"));
    assert!(probes.len() >= 5, "{} probes", probes.len());
    let mut read = 0;
    while read < written {
        match wire.server.read(wire.now, server, &mut [0; 65_536]) {
            Ok(n) => read += n,
            Err(error) => assert_eq!(error, Errno::EAGAIN),
        }
        let before = wire.now;
        wire.run(Duration::from_secs(70));
        assert!(before < SimTime::ZERO + Duration::from_secs(5_000), "{read} of {written} after {before}");
    }
    assert_eq!(read, written);
}

/// RFC 1191: what was too big goes out again in pieces.
#[test]
fn fragmentation_needed_makes_segments_smaller() {
    let (mut wire, client, server) = Wire::connected(book());
    wire.fate = Box::new(|packet| match packet.len() {
        0..=600 => Fate::Deliver,
        _ => Fate::Refuse(Unreachable::FragmentationNeeded { mtu: 600 }),
    });
    wire.client.write(wire.now, client, &[7; 4_000]).unwrap();
    wire.run(Duration::from_secs(30));
    let mut read = 0;
    while let Ok(n) = wire.server.read(wire.now, server, &mut [0; 4_000]) {
        read += n;
    }
    assert_eq!(read, 4_000);
}

#[test]
fn a_rebooted_host_uses_other_sequence_numbers_and_ports() {
    let recorder = Recorder::off("client");
    let mut first = stack(CLIENT, book(), 1, &recorder);
    let mut second = stack(CLIENT, book(), 2, &recorder);
    let syn = |stack: &mut Stack| {
        let id = stack.socket();
        let _ = stack.connect(SimTime::ZERO, id, "192.0.2.2:7".parse().unwrap());
        let crate::packet::Packet::Tcp(segment) = crate::packet::parse(&stack.transmit().unwrap()).unwrap()
        else {
            panic!("no segment")
        };
        (segment.seq, segment.src.port())
    };
    let (one, two) = (syn(&mut first), syn(&mut second));
    assert!(one.0 != two.0 && one.1 != two.1, "{one:?} {two:?}");
}

#[test]
fn checksums_left_to_the_link_are_computed_for_the_timeline_only() {
    for (recorder, computed) in [(Recorder::off("client"), false), (Recorder::new("client"), true)] {
        let mut client = stack(CLIENT, book(), 1, &recorder);
        let mut server = stack(SERVER, book(), 2, &recorder);
        client.offload_checksums();
        server.offload_checksums();
        let (caller, listener) = (client.socket(), server.socket());
        server.bind(listener, SocketAddr::new(server.addrs()[0], PORT)).unwrap();
        server.listen(listener, 1).unwrap();
        let _ = client.connect(SimTime::ZERO, caller, SocketAddr::new(server.addrs()[0], PORT));
        let syn = client.transmit().unwrap();
        assert_eq!(crate::packet::parse(&syn).is_ok(), computed);
        server.receive(SimTime::ZERO, syn);
        let answer = crate::packet::view(&server.transmit().unwrap()).unwrap();
        let crate::packet::Packet::Tcp(answer) = answer else { panic!("no segment") };
        assert_eq!(answer.flags, Flags::SYN.with(Flags::ACK));
    }
}

#[test]
fn connect_says_once_that_it_is_done() {
    let (mut wire, client, server) = Wire::connected(book());
    let peer = wire.server_addr();
    assert_eq!(wire.client.connect(wire.now, client, peer), Err(Errno::EISCONN));
    assert_eq!(wire.server.connect(wire.now, server, peer), Err(Errno::EISCONN), "an accepted socket");
}

/// A sleeper is woken when there is something for it, and by nothing that it did itself.
#[test]
fn an_event_is_a_change_of_readiness() {
    let (mut wire, client, server) = Wire::connected(book());
    while wire.server.poll_event().is_some() || wire.client.poll_event().is_some() {}
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 8]), Err(Errno::EAGAIN));
    assert_eq!(wire.server.poll_event(), None);
    wire.write(client).unwrap();
    wire.run(LATENCY);
    assert_eq!(wire.server.poll_event(), Some(server));
    assert_eq!((wire.server.poll_event(), wire.client.poll_event()), (None, None));
}

#[test]
fn bind_says_what_stands_in_its_way() {
    let mut wire = Wire::new(book());
    wire.listen(1);
    let other = wire.server.socket();
    let port = |ip: &str| SocketAddr::new(ip.parse().unwrap(), PORT);
    assert_eq!(wire.server.bind(other, port("0.0.0.0")), Err(Errno::EADDRINUSE));
    assert_eq!(wire.server.bind(other, port("198.51.100.1")), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(wire.server.listen(other, 1), Err(Errno::EDESTADDRREQ));
    assert_eq!(wire.server.bind(other, "0.0.0.0:0".parse().unwrap()), Ok(()));
    assert_eq!(wire.server.bind(other, port("0.0.0.0")), Err(Errno::EINVAL));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let (mut wire, _, _) = Wire::connected(book());
        for packet in packets {
            wire.client.receive(wire.now, packet.into());
            wire.server.handle_timeout(wire.now);
        }
    }

    /// Well-formed segments from a madman: any flags, any numbers, on the connection's own addresses.
    #[test]
    fn arbitrary_segments_never_panic(
        segments in proptest::collection::vec((0u8..32, any::<i16>(), any::<i16>(), any::<u16>(), 0usize..2_000), 0..40)
    ) {
        let (mut wire, client, _) = Wire::connected(book());
        let info = wire.client.sockets(wire.now).remove(0);
        let seen = wire.recorder.events_from(0);
        prop_assert!(!seen.is_empty());
        let (mut seq, mut ack) = (0u32, 0u32);
        let _ = wire.write(client);
        while let Some(packet) = wire.client.transmit() {
            if let Ok(crate::packet::Packet::Tcp(segment)) = crate::packet::parse(&packet) {
                (seq, ack) = (segment.ack.unwrap_or(0), segment.seq);
            }
        }
        for (bits, seq_off, ack_off, win, len) in segments {
            let flags = [Flags::FIN, Flags::SYN, Flags::RST, Flags::PSH, Flags::ACK];
            let flags = flags.into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0);
            let flags = flags.fold(Flags::default(), |all, (_, flag)| all.with(flag));
            let segment = crate::packet::Segment {
                src: info.remote.unwrap(),
                dst: info.local,
                flags,
                seq: seq.wrapping_add(seq_off as u32),
                ack: flags.has(Flags::ACK).then(|| ack.wrapping_add(ack_off as u32)),
                win,
                len,
                hop_limit: 64,
            };
            let len = len.min(1_400);
            wire.client.receive(wire.now, crate::packet::emit_segment(&segment, &vec![7; len]));
            wire.now += Duration::from_millis(700);
            wire.client.handle_timeout(wire.now);
            let _ = wire.read(client);
            let _ = wire.write(client);
        }
    }

    /// Both ends send and lose at the same time, so both go back and both windows shut: the acknowledgments must
    /// still be acceptable to the other end.
    #[test]
    fn an_echo_gets_through_loss_both_ways(seed in 0u64..1_000) {
        let (mut wire, client, server) = Wire::connected(Profile::of(System::Linux));
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        wire.fate = Box::new(move |_| if rand::Rng::random_bool(&mut dice, 0.05) { Fate::Lose } else { Fate::Deliver });
        let text: Vec<u8> = (0..400_000u32).map(|n| n as u8).collect();
        let (mut written, mut held, mut back) = (0, VecDeque::new(), Vec::new());
        let end = wire.now + Duration::from_secs(900);
        while back.len() < text.len() {
            written += wire.client.write(wire.now, client, &text[written..]).unwrap_or(0);
            let mut buf = [0; 4_096];
            // The server reads only when it has written: its window shuts when its answers do not get away.
            while held.is_empty() && let Ok(n) = wire.server.read(wire.now, server, &mut buf) {
                held.extend(&buf[..n]);
                let sent = wire.server.write(wire.now, server, held.make_contiguous()).unwrap_or(0);
                held.drain(..sent);
            }
            let sent = wire.server.write(wire.now, server, held.make_contiguous()).unwrap_or(0);
            held.drain(..sent);
            while let Ok(n) = wire.client.read(wire.now, client, &mut buf) {
                back.extend_from_slice(&buf[..n]);
            }
            prop_assert!(wire.step(end), "stuck with {} of {} octets back", back.len(), text.len());
        }
        prop_assert!(back == text);
    }

    /// Whatever the loss, what is read is a prefix of what was written, and either everything arrives or
    /// somebody is told.
    #[test]
    fn nothing_is_lost_without_an_error(losses in proptest::collection::vec(any::<bool>(), 0..60), system in 0usize..4) {
        let profile = Profile::of(System::ALL[system]);
        let (mut wire, client, server) = Wire::connected(profile);
        let mut losses = losses.into_iter();
        wire.fate = Box::new(move |_| if losses.next() == Some(true) { Fate::Lose } else { Fate::Deliver });
        let text: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        let mut written = 0;
        let mut read = Vec::new();
        let mut errors = 0;
        let end = wire.now + Duration::from_secs(4_000);
        loop {
            if written < text.len() {
                match wire.client.write(wire.now, client, &text[written..]) {
                    Ok(n) => written += n,
                    Err(Errno::EAGAIN) => {}
                    Err(_) => { errors += 1; written = text.len(); }
                }
                if written == text.len() && errors == 0 {
                    let _ = wire.client.shutdown(wire.now, client, How::Write);
                }
            }
            let mut buf = [0; 4_096];
            let end_of_file = loop {
                match wire.server.read(wire.now, server, &mut buf) {
                    Ok(0) => break true,
                    Ok(n) => read.extend_from_slice(&buf[..n]),
                    Err(Errno::EAGAIN) => break false,
                    Err(_) => { errors += 1; break true; }
                }
            };
            if end_of_file || !wire.step(end) { break }
        }
        prop_assert!(text.starts_with(&read));
        prop_assert!(read.len() == text.len() || errors > 0 || wire.client.take_error(client).is_some(),
            "{} of {} read and nobody was told", read.len(), text.len());
    }
}
