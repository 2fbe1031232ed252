//! Flights and texts of timelines made by hand; pages of whole runs are read in `tests/html`.

use super::*;
use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{Direction, Kind, LostPacket, LostReason, SegmentEvent};

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
        note: None,
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
    let packet = LostPacket::Segment(line(Direction::Out, seq));
    event("router", Kind::Lost { packet, reason: LostReason::Loss })
}

#[test]
fn of_equal_packets_the_first_to_leave_is_the_first_to_arrive() {
    let events = [sent(1), sent(1), received(1), received(1)];
    assert_eq!(flight::flights(&events), [(0, 2), (1, 3)]);
}

#[test]
fn packets_that_overtake_each_other_keep_their_own_ends() {
    let events = [sent(1), sent(7), received(7), lost(1)];
    assert_eq!(flight::flights(&events), [(1, 2), (0, 3)]);
}

#[test]
fn a_second_copy_left_with_the_first() {
    let events = [sent(1), received(1), received(1)];
    assert_eq!(flight::flights(&events), [(0, 1), (0, 2)]);
}

#[test]
fn what_is_on_its_way_at_the_end_has_no_flight() {
    let events = [sent(1)];
    assert_eq!(flight::flights(&events), []);
}

#[test]
fn markup_in_a_text_is_text() {
    let mut out = Vec::new();
    inert::text(&mut out, "<b>&</b>").expect("memory takes it");
    assert_eq!(out, b"&lt;b&gt;&amp;&lt;/b&gt;");
}

#[test]
fn escaped_json_means_the_same_and_has_no_angle_bracket() {
    let mut out = Vec::new();
    let text = "</script><!--&\u{2028}\"\\";
    serde_json::to_writer(inert::Json(&mut out), text).expect("memory takes it");
    assert!(!out.contains(&b'<') && !out.contains(&b'>') && !out.contains(&b'&'));
    assert_eq!(serde_json::from_slice::<String>(&out).expect("it is still JSON"), text);
}
