//! Resets, the orderly close, and half of one.

use super::*;

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

/// A FIN that is never acknowledged: as long as data in the book, and tcp_orphan_retries = 8 on Linux, which is
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

/// RFC 9293, 3.9.1.2 (MUST-61): the last segment has PSH, beside FIN too.
#[test]
fn a_fin_that_carries_data_has_psh() {
    let (mut wire, client, _) = Wire::connected(book());
    let start = wire.now;
    wire.write(client).unwrap();
    wire.write(client).unwrap(); // held back by Nagle's algorithm until the FIN takes it along
    wire.client.shutdown(wire.now, client, How::Write).unwrap();
    wire.run(Duration::from_secs(1));
    let pushed_fin = Flags::FIN.with(Flags::PSH).with(Flags::ACK);
    assert_eq!(wire.sent(start, |segment| segment.flags == pushed_fin && segment.len == 6), [0]);
    for event in wire.recorder.events_from(0) {
        assert!(event.packet.is_none_or(|packet| crate::packet::parse(&packet).is_ok()));
    }
}
