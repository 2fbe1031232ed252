//! Segmentation offload: bursts that leave as one packet and count as their segments.

use super::*;

/// Octets of data in a segment of 1 500 octets.
const SEGMENT: usize = 1_460;

/// Sends `octets` to a server that reads; answers when it had read them, and the data of every segment sent.
fn transfer(wire: &mut Wire, client: SocketId, server: SocketId, octets: usize) -> (Duration, Vec<usize>) {
    let (start, seen) = (wire.now, wire.recorder.len());
    let text: Vec<u8> = (0..octets).map(|n| (n ^ n >> 8) as u8).collect();
    let (mut written, mut read) = (0, Vec::new());
    let end = wire.now + Duration::from_secs(60);
    while read.len() < octets {
        written += wire.client.write(wire.now, client, &text[written..]).unwrap_or(0);
        assert!(wire.step(end), "stuck after {} octets", read.len());
        let mut buf = [0; 65_536];
        while let Ok(n) = wire.server.read(wire.now, server, &mut buf) {
            read.extend_from_slice(&buf[..n]);
        }
    }
    assert!(read == text);
    let events = wire.recorder.events_from(seen);
    let sent = events.iter().filter_map(|event| match &event.kind {
        Kind::Segment(segment) if segment.dir == Direction::Out && segment.len > 0 => Some(segment.len),
        _ => None,
    });
    (wire.now - start, sent.collect())
}

#[test]
fn a_burst_is_one_packet_of_whole_segments_and_has_its_checksum() {
    let (mut wire, client, server) = Wire::connected_with(linux(), true);
    let (_, sent) = transfer(&mut wire, client, server, 1_000_000);
    assert_eq!(sent.iter().max(), Some(&(44 * SEGMENT)));
    for event in wire.recorder.events_from(0) {
        assert!(event.packet.is_none_or(|packet| crate::packet::parse(&packet).is_ok()));
    }
}

/// A burst lies in memory that others have used before, and smoltcp is trusted to write all of it.
#[test]
fn what_memory_held_before_is_in_no_packet() {
    let [first, second] = [0xff, 0x00].map(|before| {
        let (mut wire, client, server) = Wire::connected_with(linux(), true);
        wire.client.write(wire.now, client, &[before; 60_000]).unwrap();
        wire.run(Duration::from_secs(1));
        while wire.server.read(wire.now, server, &mut [0; 65_536]).is_ok() {}
        let seen = wire.recorder.len();
        transfer(&mut wire, client, server, 300_000);
        wire.recorder.events_from(seen).into_iter().filter_map(|event| event.packet).collect::<Vec<_>>()
    });
    assert!(first.len() > 10 && first == second);
}

/// RFC 3465: the congestion window opens by what is acknowledged, not by how many packets that took. (With Nagle's
/// algorithm a burst is faster: smoltcp sends its rest with it, where a segment less than full would wait.)
#[test]
fn bursts_take_as_long_as_their_segments() {
    let took = [false, true].map(|bursts| {
        let (mut wire, client, server) = Wire::connected_with(linux(), bursts);
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
        transfer(&mut wire, client, server, 1_000_000).0
    });
    assert_eq!(took[0], took[1]);
}

#[test]
fn segmentation_offload_can_be_turned_off_while_a_connection_is_open() {
    let (mut wire, client, server) = Wire::connected_with(linux(), true);
    transfer(&mut wire, client, server, 100_000);
    wire.client.set_segmentation_offload(false);
    let (_, sent) = transfer(&mut wire, client, server, 100_000);
    assert_eq!(sent.iter().max(), Some(&SEGMENT));
}

/// RFC 8985, 7.3, and RFC 6298 (5.4): one segment, not the burst it was in.
#[test]
fn what_is_sent_again_is_one_segment() {
    let (mut wire, client, server) = Wire::connected_with(linux(), true);
    transfer(&mut wire, client, server, 200_000);
    wire.run(Duration::from_millis(100));
    wire.server_dies();
    let (start, seen) = (wire.now, wire.recorder.len());
    wire.client.write(wire.now, client, &[7; 20 * SEGMENT + 100]).unwrap();
    wire.run(Duration::from_secs(2));
    let events = wire.recorder.events_from(seen);
    let sent: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Segment(segment) => Some((segment.len, segment.note, segment.retransmission.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(sent[0], (20 * SEGMENT + 100, None, false), "at {start}");
    assert_eq!(sent[1], (100, Some("tail loss probe"), true));
    assert!(sent.len() > 3 && sent[2..].iter().all(|again| *again == (SEGMENT, None, true)), "{sent:?}");
}

/// What comes at one moment is acknowledged once.
#[test]
fn a_moment_has_one_acknowledgment() {
    let (mut wire, client, server) = Wire::connected_with(linux(), true);
    transfer(&mut wire, client, server, 200_000);
    wire.run(Duration::from_millis(100));
    wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
    for _ in 0..3 {
        wire.client.write(wire.now, client, &[7; 10 * SEGMENT]).unwrap();
        wire.client.handle_timeout(wire.now);
    }
    wire.collect();
    assert_eq!(wire.in_flight.len(), 3);
    let mut read = 0;
    while let Some(((at, _), (_, packet))) = wire.in_flight.pop_first() {
        wire.now = at;
        wire.server.receive(at, packet);
        read += wire.server.read(at, server, &mut [0; 65_536]).unwrap();
    }
    assert_eq!(read, 3 * 10 * SEGMENT);
    assert!(wire.server.transmit().is_none());
    wire.server.handle_timeout(wire.now);
    let packet = wire.server.transmit().unwrap();
    let Ok(crate::packet::Packet::Tcp(ack)) = crate::packet::parse(&packet) else { panic!("no segment") };
    assert_eq!((ack.flags, ack.len), (Flags::ACK, 0));
    assert!(wire.server.transmit().is_none());
}

/// Octets of data in the packets that the client has sent since it was last asked.
fn lens(wire: &mut Wire) -> Vec<usize> {
    let packets = std::iter::from_fn(|| wire.client.transmit());
    let len = |packet: Bytes| match crate::packet::parse(&packet) {
        Ok(crate::packet::Packet::Tcp(segment)) => segment.len,
        other => panic!("no segment: {other:?}"),
    };
    packets.map(len).collect()
}

/// The first write of a moment goes out at once, what comes behind it when the moment ends: `tcp_autocorking`.
#[test]
fn what_is_written_behind_a_packet_of_the_same_moment_gathers() {
    for (bursts, expected) in [(true, [vec![1], vec![2 + 3]]), (false, [vec![1, 2, 3], vec![]])] {
        let (mut wire, client, _) = Wire::connected_with(linux(), bursts);
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
        for len in [1, 2, 3] {
            wire.client.write(wire.now, client, &vec![7; len]).unwrap();
        }
        let at_once = lens(&mut wire);
        wire.client.handle_timeout(wire.now);
        assert_eq!([at_once, lens(&mut wire)], expected, "bursts: {bursts}");
    }
}

#[test]
fn nothing_written_is_nothing_to_wait_for() {
    let (mut wire, client, _) = Wire::connected_with(linux(), true);
    wire.client.write(wire.now, client, b"one").unwrap();
    let deadline = wire.client.next_deadline();
    assert_eq!(wire.client.write(wire.now, client, b""), Ok(0));
    assert_eq!(wire.client.next_deadline(), deadline);
}
