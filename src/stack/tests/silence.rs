//! A peer that says nothing any more, and routers that say so: when a connection is given up, and with which errno.

use super::*;
use crate::packet::{self, Packet};
use crate::timeline::{Probe, SegmentEvent};

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

/// `tcp_schedule_loss_probe`: until all that was in flight at the timeout is acknowledged, the timer only sends again.
#[test]
fn after_a_timeout_there_is_no_tail_loss_probe_until_all_is_acknowledged() {
    let (mut wire, client, _) = Wire::connected(linux());
    wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
    let start = wire.now;
    wire.client.write(wire.now, client, &[7; 5 * 1_460]).unwrap();
    // All of it is lost, and all that is sent again but for the second time.
    let mut data = 0;
    wire.fate = Box::new(move |packet| {
        data += usize::from(packet.len() > 100);
        if packet.len() > 100 && data != 5 + 2 { Fate::Lose } else { Fate::Deliver }
    });
    wire.run(Duration::from_secs(5));
    let probes = wire.sent(start, |segment| segment.probe == Some(Probe::TailLoss));
    let again = wire.sent(start, |segment| segment.retransmission.is_some() && segment.probe.is_none());
    assert_eq!(probes.len(), 1, "{probes:?}");
    assert!(again.len() > 4 && probes[0] < again[0], "{probes:?}, {again:?}");
    wire.fate = Box::new(|_| Fate::Deliver);
    wire.run(Duration::from_secs(60));
    assert_eq!(wire.client.sockets(wire.now)[0].send_q, 0);
    let lost = wire.now;
    wire.server_dies();
    wire.client.write(wire.now, client, b"again").unwrap();
    wire.run(Duration::from_secs(5));
    assert_eq!(wire.sent(lost, |segment| segment.probe == Some(Probe::TailLoss)).len(), 1);
}

/// RFC 8985, 7.2, with srtt 10 ms: one segment allows for a delayed acknowledgment, more wait for two round trips and
/// 2 ms from the newest; either is rounded up to a jiffy of 4 ms and fires in the next.
#[test]
fn the_tail_loss_probe_comes_two_round_trips_after_the_newest_of_many_segments() {
    for (writes, newest, probe) in [(&[0][..], 0, 210..=220), (&[0, 0], 0, 22..=28), (&[0, 15], 15, 37..=45)]
    {
        let (mut wire, client, _) = Wire::connected(linux());
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
        wire.server_dies();
        let start = wire.now;
        for after in writes {
            wire.run(Duration::from_millis(*after));
            wire.write(client).unwrap();
        }
        wire.run(Duration::from_secs(1));
        let probes = wire.sent(start, |segment| segment.probe == Some(Probe::TailLoss));
        assert!(matches!(probes[..], [at] if probe.contains(&at)), "{writes:?}: {probes:?}, not {probe:?}");
        let sent = wire.sent(start, |segment| segment.len > 0);
        assert_eq!(sent[..writes.len()].last(), Some(&newest));
    }
}

/// What came since the segment was first sent is acknowledged, and by nothing else.
#[test]
fn the_tail_loss_probe_acknowledges_what_has_come_meanwhile() {
    let (mut wire, client, server) = Wire::connected(linux());
    wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
    let start = wire.now;
    // All that the client sends is lost; what the server sends comes.
    wire.fate = Box::new(|packet| match packet::parse(packet) {
        Ok(Packet::Tcp(segment)) if segment.dst.port() == PORT => Fate::Lose,
        _ => Fate::Deliver,
    });
    wire.write(client).unwrap();
    wire.server.write(wire.now, server, b"meanwhile").unwrap();
    wire.run(Duration::from_millis(500));
    let is_probe = |segment: &SegmentEvent| segment.probe == Some(Probe::TailLoss);
    assert_eq!(wire.sent(start, is_probe).len(), 1);
    assert_eq!(wire.sent(start, |segment| is_probe(segment) && segment.ack == Some(10)).len(), 1);
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
    let probes = wire.sent(SimTime::ZERO, |segment| segment.probe == Some(Probe::Keepalive));
    assert_eq!(probes.len(), 9);
}

#[test]
fn keepalive_leaves_a_living_peer_alone() {
    let (mut wire, client, _) = Wire::connected(book());
    wire.client.set_option(wire.now, client, SocketOption::KeepAlive(true)).unwrap();
    wire.run(Duration::from_secs(86_400));
    assert_eq!(Wire::state(&wire.client), [TcpState::Established]);
    let probes = wire.sent(SimTime::ZERO, |segment| segment.probe == Some(Probe::Keepalive));
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
