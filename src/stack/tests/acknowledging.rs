//! When what came is acknowledged. What Linux does is what a 6.18 kernel did in the laboratory.

use super::*;

/// The server sends a line; how many milliseconds after it has come the client acknowledges it, and whether the client
/// has read it a while after it came.
fn waited(wire: &mut Wire, (client, server): (SocketId, SocketId), reads_after: Option<u64>) -> u64 {
    wire.server.write(wire.now, server, b"world\n").unwrap();
    wire.run(LATENCY);
    let came = wire.now;
    if let Some(millis) = reads_after {
        wire.run(Duration::from_millis(millis));
        wire.read(client).unwrap();
    }
    wire.run(Duration::from_millis(100));
    wire.sent(came, |segment| segment.flags == Flags::ACK)[0]
}

/// A program that reads nothing: 16 acknowledgments are sent at once, and then they wait for 40 ms and the timer wheel.
#[test]
fn linux_acknowledges_sixteen_times_at_once() {
    let (mut wire, client, server) = Wire::connected(linux());
    let all: Vec<u64> = (0..20).map(|_| waited(&mut wire, (client, server), None)).collect();
    assert_eq!(all[..16], [0; 16]);
    assert!(all[16..].iter().all(|millis| (40..=48).contains(millis)), "{all:?}");
}

#[test]
fn a_program_that_reads_sends_what_waits_on_linux() {
    let (mut wire, client, server) = Wire::connected(linux());
    for _ in 0..16 {
        waited(&mut wire, (client, server), Some(0));
    }
    assert_eq!(waited(&mut wire, (client, server), Some(7)), 7);
    // Berkeley's waits for its timer.
    let (mut wire, client, server) = Wire::connected(book());
    wire.server.write(wire.now, server, b"world\n").unwrap();
    wire.run(LATENCY);
    let came = wire.now;
    wire.read(client).unwrap();
    wire.run(Duration::from_millis(300));
    assert_eq!(wire.sent(came, |segment| segment.flags == Flags::ACK), [200]);
}

/// A client that answers at once: its acknowledgments wait for the answers, until one does not come.
#[test]
fn linux_acknowledges_at_once_again_when_no_answer_came_in_time() {
    let (mut wire, client, server) = Wire::connected(linux());
    assert_eq!(waited(&mut wire, (client, server), Some(0)), 0);
    wire.server.write(wire.now, server, b"world\n").unwrap();
    wire.run(LATENCY);
    wire.read(client).unwrap();
    wire.write(client).unwrap();
    wire.run(Duration::from_millis(20));
    let first = waited(&mut wire, (client, server), Some(0));
    assert!((40..=48).contains(&first), "{first}");
    assert_eq!(waited(&mut wire, (client, server), Some(0)), 0);
}

/// What came twice tells that its acknowledgment was lost.
#[test]
fn linux_acknowledges_what_came_twice_at_once_and_what_comes_next() {
    let (mut wire, client, server) = Wire::connected(linux());
    for _ in 0..18 {
        waited(&mut wire, (client, server), None);
    }
    assert!(waited(&mut wire, (client, server), None) >= 40);
    // The acknowledgment of this one is lost, and so it is sent again.
    let mut losses = 1;
    wire.fate = Box::new(move |packet| {
        let is_acknowledgment = packet[12..16] == [192, 0, 2, 1] && losses > 0;
        losses -= i32::from(is_acknowledgment);
        if is_acknowledgment { Fate::Lose } else { Fate::Deliver }
    });
    wire.server.write(wire.now, server, b"world\n").unwrap();
    wire.run(Duration::from_secs(2));
    assert_eq!(waited(&mut wire, (client, server), None), 0);
}

/// Before any data came the kernel's timer for it is set to no time at all; afterwards to 40 ms.
#[test]
fn linux_waits_with_a_fins_acknowledgment_as_long_as_for_data() {
    for (lines, range) in [(0, 0..=8), (1, 40..=48)] {
        let (mut wire, client, server) = Wire::connected(linux());
        for _ in 0..lines {
            waited(&mut wire, (client, server), Some(0));
        }
        wire.server.close(wire.now, server);
        wire.run(LATENCY);
        let came = wire.now;
        wire.run(Duration::from_millis(100));
        let acknowledged = wire.sent(came, |segment| segment.flags == Flags::ACK);
        assert!(range.contains(&acknowledged[0]), "{acknowledged:?} after {lines} lines");
    }
}
