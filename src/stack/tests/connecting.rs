//! `connect`, and the queue of a listener.

use super::*;

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

/// Connects from a host that has one ephemeral port: to two peers, and to the first again.
fn from_one_port(profile: Profile) -> [Errno; 3] {
    let mut wire = Wire::new(Profile { ephemeral_ports: 40_000..=40_000, ..profile });
    let (one, now) = (wire.server_addr(), wire.now);
    let two = SocketAddr::new(one.ip(), one.port() + 1);
    [one, two, one].map(|peer| {
        let id = wire.client.socket();
        wire.client.connect(now, id, peer).unwrap_err()
    })
}

/// Linux shares a port between connections that differ in their peer; Berkeley chooses one that nobody has.
#[test]
fn an_ephemeral_port_is_one_connections_or_one_for_each_peer() {
    assert_eq!(from_one_port(linux()), [Errno::EINPROGRESS, Errno::EINPROGRESS, Errno::EADDRNOTAVAIL]);
    assert_eq!(from_one_port(book()), [Errno::EINPROGRESS, Errno::EADDRNOTAVAIL, Errno::EADDRNOTAVAIL]);
}
