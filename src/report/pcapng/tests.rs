use std::net::{IpAddr, Ipv6Addr};

use super::block::{LinkType, Way, enhanced_packet, interface, name_resolution, section_header};
use super::pcapng;
use crate::report::RunInfo;
use crate::scenario;
use crate::time::SimTime;
use crate::timeline::{Direction, Event, Kind};

/// Cuts a file into blocks, as a reader does: both lengths of each must agree.
fn blocks(mut file: &[u8]) -> Vec<(u32, &[u8])> {
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().expect("four octets"));
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = word(&file[4..]) as usize;
        assert_eq!(length % 4, 0);
        assert_eq!(word(&file[length - 4..]) as usize, length);
        blocks.push((word(file), &file[8..length - 4]));
        file = &file[length..];
    }
    blocks
}

fn capture(name: &str) -> (scenario::Outcome, Vec<u8>) {
    let scenario = scenario::load(name).expect("a scenario of the library");
    let outcome = scenario.run().expect("it runs to its end");
    let mut file = Vec::new();
    pcapng(&mut file, &RunInfo::default(), &outcome.events, None).expect("memory takes it");
    (outcome, file)
}

#[test]
fn every_block_is_a_whole_number_of_words() {
    let host: IpAddr = Ipv6Addr::LOCALHOST.into();
    for n in 0..9 {
        let text = "x".repeat(n);
        for block in [
            section_header(&text, &[&text]),
            interface(&text, LinkType::Raw),
            name_resolution(&[(host, text.as_str())].into()),
            enhanced_packet(3, SimTime::ZERO, (&[], text.as_bytes()), Way::Inbound, &text),
        ] {
            assert_eq!(blocks(&block).len(), 1);
        }
    }
}

#[test]
fn a_host_has_an_interface_and_a_packet_a_block() {
    let (outcome, file) = capture("unreachable");
    let kinds: Vec<u32> = blocks(&file).into_iter().map(|(kind, _)| kind).collect();
    let is_one = |event: &&Event| match &event.kind {
        Kind::Segment(segment) => segment.dir == Direction::Out,
        Kind::Icmp(icmp) => icmp.dir == Direction::In,
        _ => false,
    };
    assert_eq!(kinds[..4], [0x0a0d_0d0a, 1, 1, 4], "section, two interfaces, names");
    assert_eq!(kinds[4..], vec![6; outcome.events.iter().filter(is_one).count()]);
}

#[test]
fn times_are_kept_to_the_nanosecond() {
    let t = SimTime::from_nanos(7_200_000_000_001);
    let block = enhanced_packet(3, t, (&[], b"packet"), Way::Inbound, "");
    let (_, body) = blocks(&block)[0];
    let half = |at: usize| u64::from(u32::from_le_bytes(body[at..at + 4].try_into().expect("a word")));
    assert_eq!((half(0), half(4) << 32 | half(8)), (3, t.as_nanos()));
}

#[test]
fn what_was_lost_is_there_once_with_its_reason() {
    let (_, file) = capture("crash");
    let comments = String::from_utf8_lossy(&file).matches("lost: host down").count();
    assert_eq!(comments, 14, "the line, twelve retransmissions, the reset at the end");
}
