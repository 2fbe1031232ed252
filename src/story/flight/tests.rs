use std::collections::BTreeSet;

use super::{Fate, Flight, flights};
use crate::packet::Flags;
use crate::scenario::{self, Scenario};
use crate::time::SimTime;
use crate::timeline::{Direction, Event, Icmp, Kind, LostPacket, LostReason, SegmentEvent};

fn run(scenario: &Scenario) -> Vec<Event> {
    scenario.run().expect("it runs to its end").events
}

fn lossy(settings: &[(&str, &str)]) -> Vec<Event> {
    let mut scenario = scenario::load("lossy").expect("a scenario of the library");
    for (key, value) in settings {
        scenario.set(key, value).expect("a key of links");
    }
    run(&scenario)
}

fn dir(event: &Event) -> Option<Direction> {
    // What a host tells itself was sent by nobody.
    event.kind.direction().filter(|_| !event.kind.icmp().is_some_and(Icmp::is_own))
}

fn reason(event: &Event) -> Option<LostReason> {
    match event.kind {
        Kind::Lost { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Places of the events that this is true of.
fn places(events: &[Event], is: impl Fn(&Event) -> bool) -> BTreeSet<usize> {
    (0..events.len()).filter(|&at| is(&events[at])).collect()
}

fn ends(flights: &[Flight]) -> Vec<usize> {
    flights.iter().filter_map(Flight::end).collect()
}

#[test]
fn every_sending_has_one_flight_and_every_end_belongs_to_one() {
    for built_in in scenario::BUILT_IN {
        let events = run(&scenario::load(built_in.name).expect("a scenario of the library"));
        let flights = flights(&events);

        let sent: Vec<usize> =
            flights.iter().filter(|flight| !flight.copy).map(|flight| flight.sent).collect();
        assert_eq!(BTreeSet::from_iter(sent.clone()), places(&events, |it| dir(it) == Some(Direction::Out)));
        assert!(sent.is_sorted_by(|one, next| one < next));

        let ended = ends(&flights);
        let mut all = places(&events, |it| dir(it) == Some(Direction::In) || reason(it).is_some());
        // What a listener has no room for has come in, and ends with being lost.
        for lost in places(&events, |it| reason(it) == Some(LostReason::BacklogFull)) {
            all.remove(&(lost - 1));
        }
        assert_eq!(BTreeSet::from_iter(ended.clone()), all, "{}", built_in.name);
        assert_eq!(ended.len(), all.len(), "an end of two flights");
        assert!(flights.iter().all(|flight| !flight.copy), "nothing is duplicated there");
    }
}

#[test]
fn what_arrives_is_what_was_sent() {
    let events = lossy(&[("reorder", "0.2"), ("duplicate", "0.2"), ("jitter", "2ms")]);
    for flight in flights(&events) {
        let Fate::Arrived(at) = flight.fate else { continue };
        let (Kind::Segment(out), Kind::Segment(arrived)) = (&events[flight.sent].kind, &events[at].kind)
        else {
            panic!("no ICMP in this scenario");
        };
        assert_eq!((out.src, out.dst, out.flags), (arrived.src, arrived.dst, arrived.flags));
        assert_eq!((out.seq, out.ack, out.len), (arrived.seq, arrived.ack, arrived.len));
        assert!(events[flight.sent].t < events[at].t);
        assert_ne!(events[flight.sent].host, events[at].host);
    }
}

#[test]
fn a_second_arrival_is_a_copy() {
    let events = lossy(&[("loss", "0"), ("duplicate", "0.2")]);
    let flights = flights(&events);
    let sendings = places(&events, |it| dir(it) == Some(Direction::Out)).len();
    let arrivals = places(&events, |it| dir(it) == Some(Direction::In)).len();
    let copies = flights.iter().filter(|flight| flight.copy).count();
    assert!(copies > 10);
    assert_eq!(copies, arrivals - sendings);
}

#[test]
fn a_corrupted_packet_is_the_one_that_was_sent() {
    let events = lossy(&[("loss", "0"), ("corrupt", "0.1")]);
    let flights = flights(&events);
    let corrupt = flights.iter().filter(|flight| flight.lost(&events) == Some(LostReason::Corrupt)).count();
    assert!(corrupt > 10);
    assert_eq!(corrupt, places(&events, |it| reason(it) == Some(LostReason::Corrupt)).len());
    assert!(flights.iter().all(|flight| !flight.copy && flight.fate != Fate::Underway));
}

/// A line of six octets from the client to the server.
fn line(dir: Direction, seq: u32) -> SegmentEvent {
    SegmentEvent {
        dir,
        src: ([10, 0, 2, 1], 49_152).into(),
        dst: ([10, 0, 1, 1], 9_877).into(),
        flags: Flags::PSH.with(Flags::ACK),
        seq,
        ack: Some(1),
        win: 4_096,
        len: 6,
        retransmission: None,
        probe: None,
    }
}

fn event(host: &str, kind: Kind) -> Event {
    Event { t: SimTime::ZERO, host: host.into(), kind, packet: None }
}

fn sent(seq: u32) -> Event {
    event("client", Kind::Segment(line(Direction::Out, seq)))
}

fn received(seq: u32) -> Event {
    event("server", Kind::Segment(line(Direction::In, seq)))
}

fn lost(seq: u32) -> Event {
    let packet = Box::new(LostPacket::Segment(line(Direction::Out, seq)));
    event("router", Kind::Lost { packet, reason: LostReason::Loss })
}

/// Where each flight that ended began and ended.
fn ways(events: &[Event]) -> Vec<(usize, usize)> {
    flights(events).iter().filter_map(|flight| Some((flight.sent, flight.end()?))).collect()
}

#[test]
fn of_equal_packets_the_first_to_leave_is_the_first_to_arrive() {
    let events = [sent(1), sent(1), received(1), received(1)];
    assert_eq!(ways(&events), [(0, 2), (1, 3)]);
}

#[test]
fn packets_that_overtake_each_other_keep_their_own_ends() {
    let events = [sent(1), sent(7), received(7), lost(1)];
    assert_eq!(ways(&events), [(0, 3), (1, 2)]);
}

#[test]
fn a_second_copy_left_with_the_first() {
    let events = [sent(1), received(1), received(1)];
    assert_eq!(ways(&events), [(0, 1), (0, 2)]);
}

#[test]
fn what_is_on_its_way_at_the_end_has_no_end() {
    let events = [sent(1)];
    assert_eq!(flights(&events)[0].fate, Fate::Underway);
    assert_eq!(ways(&events), []);
}
