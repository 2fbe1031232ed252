//! Segmentation offload: bursts that leave as one packet and count as their segments.

use super::*;
use crate::timeline::Probe;

/// Octets of data in a segment of 1 500 octets that has timestamps.
const SEGMENT: usize = 1_448;

/// Sends `octets` to a server that reads; returns when it had read them, and the data of every segment sent.
fn transfer(wire: &mut Wire, client: SocketId, server: SocketId, octets: usize) -> (Duration, Vec<usize>) {
    let (start, seen) = (wire.now, wire.recorder.len());
    let text = text(octets);
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
    let (_, sent) = transfer(&mut wire, client, server, 4_000_000);
    assert_eq!(sent.iter().max(), Some(&(45 * SEGMENT)));
    for event in wire.recorder.events_from(0) {
        assert!(event.packet.is_none_or(|packet| crate::packet::parse(&packet).is_ok()));
    }
}

/// A burst lies in memory that others have used before, and smoltcp is trusted to write all of it.
#[test]
fn what_memory_held_before_is_in_no_packet() {
    let [first, second] = [0xff, 0x00].map(|before| {
        let (mut wire, client, server) = Wire::connected_with(reno(), true);
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
        let (mut wire, client, server) = Wire::connected_with(reno(), bursts);
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
            Kind::Segment(segment) => Some((segment.len, segment.probe, segment.retransmission.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(sent[0], (20 * SEGMENT + 100, None, false), "at {start}");
    assert_eq!(sent[1], (100, Some(Probe::TailLoss), true));
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

/// Octets that differ from their neighbours'.
fn text(octets: usize) -> Vec<u8> {
    (0..octets).map(|n| (n ^ n >> 8) as u8).collect()
}

/// A connection whose congestion window is open.
fn opened(bursts: bool) -> (Wire, SocketId, SocketId) {
    let (mut wire, client, server) = Wire::connected_with(linux(), bursts);
    transfer(&mut wire, client, server, 300_000);
    wire.run(Duration::from_millis(100));
    (wire, client, server)
}

fn recv_q(wire: &Wire) -> usize {
    wire.server.sockets(wire.now).iter().find(|socket| socket.remote.is_some()).unwrap().recv_q
}

#[test]
fn a_burst_is_read_in_pieces_of_any_size_and_peeked_at() {
    let (mut wire, client, server) = opened(true);
    let text = text(50_000);
    wire.client.write(wire.now, client, &text).unwrap();
    wire.run(Duration::from_millis(100));
    assert_eq!(recv_q(&wire), text.len());
    let mut read = Vec::new();
    for len in [1, 7, 1_460, 20_000, 65_536] {
        let (mut peeked, mut buf) = (vec![0; len], vec![0; len]);
        let seen = wire.server.peek(wire.now, server, &mut peeked).unwrap();
        let n = wire.server.read(wire.now, server, &mut buf).unwrap();
        assert_eq!((n, &peeked[..seen]), (len.min(text.len() - read.len()), &buf[..n]));
        read.extend_from_slice(&buf[..n]);
    }
    assert!(read == text);
    assert_eq!(wire.server.read(wire.now, server, &mut [0]), Err(Errno::EAGAIN));
}

/// RFC 9293, 3.8.6.1: nothing but an answer for a window probe, and a window as soon as there is room.
#[test]
fn unread_bursts_shut_the_window_and_read_ones_open_it() {
    let mut profile = linux();
    profile.set("buffer", "65536").unwrap();
    let (mut wire, client, server) = Wire::connected_with(profile, true);
    let text = text(300_000);
    let mut written = 0;
    while let Ok(n) = wire.client.write(wire.now, client, &text[written..]) {
        written += n;
        wire.run(Duration::from_secs(1));
    }
    let start = wire.now;
    wire.run(Duration::from_secs(20));
    let probes = wire.sent(start, |segment| segment.probe == Some(Probe::Window));
    // Twice what was set, of which a segment takes 2 304 octets.
    let (buffer, unread) = (131_072 / 2_304 * SEGMENT, recv_q(&wire));
    assert!(probes.len() >= 3, "{} probes", probes.len());
    assert!(unread.abs_diff(buffer) < 2 * SEGMENT, "{unread} of {buffer}");
    let mut read = Vec::new();
    let start = wire.now;
    while read.len() < written {
        let mut buf = [0; 65_536];
        while let Ok(n) = wire.server.read(wire.now, server, &mut buf) {
            read.extend_from_slice(&buf[..n]);
        }
        assert!(wire.now - start < Duration::from_secs(1), "{} of {written}", read.len());
        wire.step(wire.now + Duration::from_secs(1));
    }
    assert!(read == text[..written]);
}

/// RFC 9293, 3.10.7.4: a reset is never answered, whatever lies beside it.
#[test]
fn a_reset_with_data_that_unread_bursts_leave_no_room_for_is_taken() {
    let (mut wire, client, server) = opened(true);
    wire.client.write(wire.now, client, &text(50_000)).unwrap();
    let packet = wire.client.transmit().unwrap();
    let Ok(crate::packet::Packet::Tcp(burst)) = crate::packet::parse(&packet) else { panic!("no segment") };
    wire.server.receive(wire.now, packet);
    wire.server.handle_timeout(wire.now);
    while wire.server.transmit().is_some() {}
    let reset =
        crate::packet::Segment { flags: Flags::RST.with(Flags::ACK), seq: burst.seq_end(), ..burst.clone() };
    wire.server.receive(wire.now, crate::packet::emit_segment(&reset, &[7; 60_000]));
    assert!(wire.server.transmit().is_none());
    assert!(wire.server.readiness(server).error);
}

/// What comes behind a gap goes smoltcp's way, its numbers behind by what has passed it by, and back.
#[test]
fn bursts_around_a_lost_one_are_read_in_order() {
    for lost in 0..6 {
        let (mut wire, client, server) = opened(true);
        let mut bursts = 0;
        wire.fate = Box::new(move |packet| match packet.len() {
            0..=1_500 => Fate::Deliver,
            _ => {
                bursts += 1;
                if bursts == lost + 1 { Fate::Lose } else { Fate::Deliver }
            }
        });
        let seen = wire.recorder.len();
        transfer(&mut wire, client, server, 600_000);
        let again = wire.recorder.events_from(seen).iter().any(|event| match &event.kind {
            Kind::Segment(segment) => segment.retransmission.is_some(),
            _ => false,
        });
        assert!(again, "burst {lost} was not lost");
        let (_, sent) = transfer(&mut wire, client, server, 100_000);
        assert!(sent.iter().any(|len| *len > SEGMENT), "after burst {lost}");
    }
}

/// RFC 2018: a gap is told of in the peer's numbers, not in those that smoltcp has.
#[test]
fn what_lies_behind_a_gap_is_acknowledged_selectively_by_its_own_numbers() {
    let (mut wire, client, _) = opened(true);
    wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
    let mut sent = Vec::new();
    for _ in 0..2 {
        wire.client.write(wire.now, client, &[7; 10 * SEGMENT]).unwrap();
        wire.client.handle_timeout(wire.now);
        let packet = wire.client.transmit().unwrap();
        let Ok(crate::packet::Packet::Tcp(segment)) = crate::packet::parse(&packet) else {
            panic!("no segment")
        };
        sent.push((segment, packet));
    }
    let [(lost, _), (early, packet)] = &sent[..] else { panic!("two bursts") };
    wire.server.receive(wire.now, packet.clone());
    wire.server.handle_timeout(wire.now);
    let ack = wire.server.transmit().unwrap();
    let Ok(crate::packet::Packet::Tcp(segment)) = crate::packet::parse(&ack) else { panic!("no segment") };
    assert_eq!(segment.ack, Some(lost.seq));
    // The only option: two that do nothing, or none, and a block.
    let block = [early.seq.get().to_be_bytes(), early.seq_end().get().to_be_bytes()].concat();
    assert!(ack.windows(8).any(|octets| octets == block), "{ack:02x?}");
}

#[test]
fn a_fin_behind_a_burst_is_read_behind_it() {
    let (mut wire, client, server) = opened(true);
    wire.client.write(wire.now, client, &text(50_000)).unwrap();
    wire.client.shutdown(wire.now, client, How::Write).unwrap();
    wire.run(Duration::from_millis(100));
    let mut buf = vec![0; 65_536];
    assert_eq!(wire.server.read(wire.now, server, &mut buf), Ok(50_000));
    assert!(buf[..50_000] == text(50_000));
    assert_eq!(wire.server.read(wire.now, server, &mut buf), Ok(0));
    wire.run(Duration::from_millis(100));
    assert_eq!(Wire::state(&wire.client), [TcpState::FinWait2]);
}

/// RFC 9293, 3.10.7.4: an acknowledgment of what was never sent makes the data beside it worthless.
#[test]
fn a_burst_that_acknowledges_what_was_never_sent_is_dropped() {
    let (mut wire, client, server) = opened(true);
    wire.client.write(wire.now, client, &[7; 10 * SEGMENT]).unwrap();
    let packet = wire.client.transmit().unwrap();
    let Ok(crate::packet::Packet::Tcp(burst)) = crate::packet::parse(&packet) else { panic!("no segment") };
    let forged = crate::packet::Segment { ack: burst.ack.map(|ack| ack + 1), ..burst.clone() };
    wire.server.receive(wire.now, crate::packet::emit_segment(&forged, &[7; 10 * SEGMENT]));
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 65_536]), Err(Errno::EAGAIN));
    wire.server.receive(wire.now, packet);
    assert_eq!(wire.server.read(wire.now, server, &mut [0; 65_536]), Ok(10 * SEGMENT));
}

/// A burst that ends a state is acknowledged all the same.
#[test]
fn a_burst_that_acknowledges_a_fin_is_acknowledged() {
    let (mut wire, client, server) = opened(true);
    wire.fate = Box::new(|packet| if packet.len() > 40 { Fate::Deliver } else { Fate::Lose });
    let latest = wire.recorder.len();
    wire.server.shutdown(wire.now, server, How::Write).unwrap();
    let fin = wire.server.transmit().unwrap();
    wire.client.receive(wire.now, fin);
    wire.client.write(wire.now, client, &[7; 10 * SEGMENT]).unwrap();
    wire.client.handle_timeout(wire.now);
    wire.collect();
    wire.fate = Box::new(|_| Fate::Deliver);
    wire.run(Duration::from_millis(50));
    assert_eq!(Wire::state(&wire.server), [TcpState::Listen, TcpState::FinWait2]);
    let events = wire.recorder.events_from(latest);
    assert!(
        !events
            .iter()
            .any(|event| matches!(&event.kind, Kind::Segment(segment) if segment.retransmission.is_some()))
    );
    assert_eq!(wire.client.sockets(wire.now)[0].send_q, 0);
}

/// Ch. 5.13: unread data makes `close` a reset, wherever it lies; what came before a reset is still read.
#[test]
fn resets_find_unread_bursts_as_they_find_the_rest() {
    for bursts in [false, true] {
        let (mut wire, client, server) = opened(bursts);
        assert_eq!(wire.client.write(wire.now, client, &text(50_000)), Ok(50_000));
        wire.run(Duration::from_millis(100));
        wire.client.set_option(wire.now, client, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
        wire.client.close(wire.now, client);
        wire.run(Duration::from_millis(100));
        let mut read = 0;
        let end = loop {
            match wire.server.read(wire.now, server, &mut [0; 4_096]) {
                Ok(n) => read += n,
                end => break end,
            }
        };
        assert_eq!((read, end), (50_000, Err(Errno::ECONNRESET)), "bursts: {bursts}");

        let (mut wire, client, server) = Wire::connected_with(linux(), bursts);
        wire.client.write(wire.now, client, &text(10_000)).unwrap();
        wire.run(Duration::from_millis(100));
        wire.server.close(wire.now, server);
        wire.run(Duration::from_millis(100));
        assert_eq!(wire.read(client), Err(Errno::ECONNRESET), "bursts: {bursts}");
    }
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
