//! Congestion control (RFC 5681): how much is in flight.

use super::*;
use crate::timeline::SegmentEvent;

const SEGMENT: usize = 1_460;
/// The peer takes more than any first flight.
const BUFFER: usize = 1 << 17;
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// A client that always has something to send, and a server that reads it all.
struct Flow {
    wire: Wire,
    client: SocketId,
    server: SocketId,
}

impl Flow {
    /// Under Reno.
    fn new() -> Flow {
        Flow::under(Profile { buffer: Some(BUFFER), ..reno() })
    }

    fn under(profile: Profile) -> Flow {
        let (mut wire, client, server) = Wire::connected(profile);
        wire.client.set_option(wire.now, client, SocketOption::NoDelay(true)).unwrap();
        Flow { wire, client, server }
    }

    fn write(&mut self) {
        while self.wire.client.write(self.wire.now, self.client, &[7; 65_536]).is_ok() {}
        self.wire.collect();
    }

    /// Writes and reads as long as that, and returns how many full segments' worth of data the client sent,
    /// by round trip.
    fn run(&mut self, span: Duration) -> Vec<usize> {
        let (start, seen) = (self.wire.now, self.wire.recorder.len());
        self.write();
        while self.wire.step(start + span) {
            while self.wire.server.read(self.wire.now, self.server, &mut [0; 65_536]).is_ok() {}
            self.write();
        }
        let mut octets = Vec::new();
        for (at, segment) in self.sent_since(seen) {
            let round = ((at - start).as_nanos() / ROUND_TRIP.as_nanos()) as usize;
            octets.resize(octets.len().max(round + 1), 0);
            octets[round] += segment.len;
        }
        octets.into_iter().map(|octets| octets.div_ceil(SEGMENT)).collect()
    }

    /// The client's segments with data since so many events.
    fn sent_since(&self, seen: usize) -> Vec<(SimTime, SegmentEvent)> {
        let events = self.wire.recorder.events_from(seen).into_iter();
        let sent = events.filter(|event| &*event.host == "client").filter_map(|event| match event.kind {
            Kind::Segment(segment) if segment.dir == Direction::Out && segment.len > 0 => {
                Some((event.t, segment))
            }
            _ => None,
        });
        sent.collect()
    }

    /// When the client sent data again since so many events.
    fn sent_again_since(&self, seen: usize) -> Vec<SimTime> {
        let sent = self.sent_since(seen).into_iter();
        sent.filter(|(_, segment)| segment.retransmission.is_some()).map(|(at, _)| at).collect()
    }
}

/// How many segments are in the first flight of a connection whose first `lost` SYNs were.
fn first_flight(system: System, lost: usize) -> usize {
    let mut wire = Wire::new(Profile::of(system));
    wire.listen(5);
    let mut syns = 0;
    wire.fate = Box::new(move |_| {
        syns += 1;
        if syns <= lost { Fate::Lose } else { Fate::Deliver }
    });
    let client = wire.connect();
    wire.run(Duration::from_secs(30));
    let seen = wire.recorder.len();
    assert_eq!(wire.client.connect(wire.now, client, wire.server_addr()), Ok(()));
    let mut flow = Flow { wire, client, server: SocketId(0) };
    flow.write();
    flow.sent_since(seen).len()
}

/// RFC 5681, 3.1; RFC 6928; 4.4BSD's `tcp_mss`.
#[test]
fn the_first_flight_is_the_systems() {
    let flights = System::ALL.map(|system| (system, first_flight(system, 0)));
    let expected = System::ALL.map(|system| match system {
        System::Book | System::Bsd => (system, 1),
        System::Linux => (system, 10),
        System::Rfc => (system, 3),
    });
    assert_eq!(flights, expected);
}

/// RFC 5681, 3.1: "if the SYN or SYN/ACK is lost"; Linux forgives one (`tcp_init_transfer`).
#[test]
fn a_lost_syn_makes_the_first_flight_one_segment() {
    assert_eq!(first_flight(System::Rfc, 1), 1);
    assert_eq!(first_flight(System::Linux, 1), 10);
    assert_eq!(first_flight(System::Linux, 2), 1);
}

#[test]
fn slow_start_doubles_the_flight_in_every_round_trip() {
    assert_eq!(Flow::new().run(ROUND_TRIP * 3 - Duration::from_millis(1)), [10, 20, 40]);
}

/// RFC 7661: small requests say nothing of what else the path could carry.
#[test]
fn a_window_that_limits_nothing_does_not_grow() {
    let mut flow = Flow::new();
    for _ in 0..100 {
        flow.wire.client.write(flow.wire.now, flow.client, b"request").unwrap();
        flow.wire.run(ROUND_TRIP);
    }
    assert_eq!(flow.run(Duration::from_millis(5)), [10]);
}

/// RFC 5681, 4.1.
#[test]
fn after_a_silence_the_flight_is_as_at_first() {
    let mut flow = Flow::new();
    flow.run(Duration::from_millis(100));
    flow.wire.run(Duration::from_secs(10));
    while flow.wire.server.read(flow.wire.now, flow.server, &mut [0; 65_536]).is_ok() {}
    flow.wire.run(Duration::from_secs(10));
    assert_eq!(flow.run(Duration::from_millis(5)), [10]);
}

/// RFC 5681, 3.2: fast retransmit and fast recovery.
#[test]
fn the_third_duplicate_sends_one_segment_again_and_halves_the_flight() {
    let mut flow = Flow::new();
    flow.run(Duration::from_millis(100));
    let mut data = 0;
    flow.wire.fate = Box::new(move |packet| {
        data += usize::from(packet.len() > SEGMENT);
        if data == 5 && packet.len() > SEGMENT { Fate::Lose } else { Fate::Deliver }
    });
    let (start, seen) = (flow.wire.now, flow.wire.recorder.len());
    let rounds = flow.run(ROUND_TRIP * 10);
    let again = flow.sent_again_since(seen);
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0] - start <= ROUND_TRIP * 2, "{again:?}");
    // The flight was what the peer's buffer takes; after recovery it is half of that, and a segment more in each
    // round trip.
    let recovered = &rounds[3..];
    assert!(recovered[0].abs_diff(BUFFER / SEGMENT / 2) <= 2, "{rounds:?}");
    assert!((5..=7).contains(&(recovered[7] - recovered[0])), "{rounds:?}");
}

/// RFC 9438, 4.6; RFC 8985: CUBIC keeps seven tenths of the flight.
#[test]
fn under_cubic_the_third_duplicate_leaves_seven_tenths_of_the_flight() {
    let mut flow = Flow::under(linux());
    flow.run(Duration::from_millis(100));
    let mut data = 0;
    flow.wire.fate = Box::new(move |packet| {
        data += usize::from(packet.len() > 1_000);
        if data == 5 && packet.len() > 1_000 { Fate::Lose } else { Fate::Deliver }
    });
    let (start, seen) = (flow.wire.now, flow.wire.recorder.len());
    let rounds = flow.run(ROUND_TRIP * 6);
    let again = flow.sent_again_since(seen);
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0] - start <= ROUND_TRIP * 2, "{again:?}");
    // The round of the recovery lies between.
    let (before, after) = (rounds[1], rounds[3]);
    assert!(after.abs_diff(before * 7 / 10) <= before / 50, "{rounds:?}");
}

/// RFC 5681, 3.1: the loss window, and slow start from there to half of what was in flight.
#[test]
fn a_timeout_makes_the_flight_one_segment() {
    let mut flow = Flow::new();
    flow.run(Duration::from_millis(100));
    flow.wire.server_dies();
    let seen = flow.wire.recorder.len();
    flow.run(Duration::from_millis(500));
    let again = flow.sent_again_since(seen).len();
    // One segment at each timeout.
    assert_eq!(again, 1);
    flow.wire.fate = Box::new(|_| Fate::Deliver);
    let sent = flow.run(Duration::from_secs(2));
    let first = sent.iter().position(|sent| *sent > 0).unwrap();
    assert_eq!(sent[first..first + 4], [1, 2, 4, 8], "{sent:?}");
}
