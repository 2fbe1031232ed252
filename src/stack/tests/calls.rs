//! Calls that return at once.

use super::*;

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

/// UNP 4.4.
#[test]
fn listen_on_a_socket_that_is_not_bound_chooses_a_port() {
    let mut wire = Wire::new(book());
    let id = wire.server.socket();
    assert_eq!(wire.server.listen(id, 1), Ok(()));
    assert_ne!(wire.server.local_addr(id).unwrap().port(), 0);
}

#[test]
fn bind_says_what_stands_in_its_way() {
    let mut wire = Wire::new(book());
    wire.listen(1);
    let other = wire.server.socket();
    let port = |ip: &str| SocketAddr::new(ip.parse().unwrap(), PORT);
    assert_eq!(wire.server.bind(other, port("0.0.0.0")), Err(Errno::EADDRINUSE));
    assert_eq!(wire.server.bind(other, port("198.51.100.1")), Err(Errno::EADDRNOTAVAIL));
    assert_eq!(wire.server.bind(other, "0.0.0.0:0".parse().unwrap()), Ok(()));
    assert_eq!(wire.server.bind(other, port("0.0.0.0")), Err(Errno::EINVAL));
}
