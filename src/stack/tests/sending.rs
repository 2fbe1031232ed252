//! What data goes out when.

use super::*;
use crate::timeline::Probe;

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
    let probes = wire.sent(SimTime::ZERO, |segment| segment.probe == Some(Probe::Window));
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
fn checksums_left_to_the_link_are_computed_for_readers_of_the_timeline() {
    let recorder = Recorder::new("client");
    let mut client = stack(CLIENT, book(), 1, &recorder);
    let mut server = stack(SERVER, book(), 2, &recorder.for_host("server"));
    client.offload_checksums();
    server.offload_checksums();
    let (caller, listener) = (client.socket(), server.socket());
    server.bind(listener, SocketAddr::new(server.addrs()[0], PORT)).unwrap();
    server.listen(listener, 1).unwrap();
    let _ = client.connect(SimTime::ZERO, caller, SocketAddr::new(server.addrs()[0], PORT));
    let syn = client.transmit().unwrap();
    assert!(crate::packet::parse(&syn).is_err());
    server.receive(SimTime::ZERO, syn.clone());
    let answer = crate::packet::view(&server.transmit().unwrap()).unwrap();
    let crate::packet::Packet::Tcp(answer) = answer else { panic!("no segment") };
    assert_eq!(answer.flags, Flags::SYN.with(Flags::ACK));
    recorder.lost(SimTime::ZERO, &syn, crate::timeline::LostReason::Partition);
    let events = recorder.events_from(0);
    let packets: Vec<_> = events.iter().filter_map(|event| event.packet.as_ref()).collect();
    // The SYN twice, its answer, and the SYN that was lost, which can be read.
    assert_eq!(packets.len(), 4);
    assert!(packets.iter().all(|packet| crate::packet::parse(packet).is_ok()));
    assert!(!format!("{:?}", events.last()).contains("Malformed"));
}

/// RFC 9293, 3.10.7.4: what is acknowledged is not sent again, even if the peer took a part of a segment and shut its window.
#[test]
fn what_the_peer_took_of_a_segment_is_not_sent_again() {
    let (mut wire, client, _) = Wire::connected(linux());
    wire.client.write(wire.now, client, &[7; 1_000]).unwrap();
    let packet = wire.client.transmit().unwrap();
    let Ok(crate::packet::Packet::Tcp(sent)) = crate::packet::parse(&packet) else { panic!("no segment") };
    let part = crate::packet::Segment {
        src: sent.dst,
        dst: sent.src,
        flags: Flags::ACK,
        seq: sent.ack.unwrap(),
        ack: Some(sent.seq + 400),
        win: 0,
        len: 0,
        hop_limit: 64,
    };
    wire.client.receive(wire.now, crate::packet::emit_segment(&part, &[]));
    wire.server_dies();
    let start = wire.now;
    wire.run(Duration::from_secs(3));
    let again = wire.sent(start, |segment| segment.retransmission.is_some());
    assert!(!again.is_empty());
    assert_eq!(wire.sent(start, |segment| (segment.seq, segment.len) == (401, 600)), again);
}
