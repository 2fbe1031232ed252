use std::time::Duration;

use super::*;

/// 8 Mbit/s: an octet takes a microsecond.
const OCTET_A_MICROSECOND: Option<u64> = Some(8_000_000);

fn latency(micros: u64) -> LinkConfig {
    LinkConfig { latency: Duration::from_micros(micros), ..LinkConfig::default() }
}

#[test]
fn a_packet_takes_the_latency_of_both_links() {
    let mut net = Net::with(latency(300), latency(7_000), 1);
    net.send(us(1_000), CLIENT, V4.request(1, 6));
    net.send(us(1_000), SERVER, V6.reply(2));
    assert_eq!(net.router.next_deadline(), Some(us(1_300)));
    assert_eq!(net.arrivals(), [(SERVER, 1, 8_300), (CLIENT, 2, 8_300)]);
    assert_eq!(net.router.next_deadline(), None);
}

#[test]
fn the_default_round_trip_is_ten_milliseconds() {
    let mut net = Net::new(LinkConfig::default());
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(5_000));
    net.send(us(5_000), SERVER, V4.reply(2));
    assert_eq!(net.arrivals(), [(SERVER, 1, 5_000), (CLIENT, 2, 10_000)]);
}

#[test]
fn links_without_latency_deliver_at_the_same_instant() {
    let mut net = Net::new(latency(0));
    net.send(us(5), CLIENT, V4.request(1, 0));
    assert_eq!(net.arrivals(), [(SERVER, 1, 5)]);
}

#[test]
fn a_packet_keeps_the_wire_for_its_length() {
    let mut net = Net::new(LinkConfig { bandwidth: OCTET_A_MICROSECOND, ..latency(2_500) });
    for n in 1..=2 {
        net.send(us(0), CLIENT, V4.request(n, 1_000 - HEADERS));
    }
    // The first: 1000 on the wire, 2500 under way, and the same again. The second follows it by one wire time,
    // not two: it waits for the first link while the first packet has left it already.
    assert_eq!(net.arrivals(), [(SERVER, 1, 7_000), (SERVER, 2, 8_000)]);
}

#[test]
fn each_direction_has_the_wire_to_itself() {
    let mut net = Net::new(LinkConfig { bandwidth: OCTET_A_MICROSECOND, ..latency(0) });
    net.send(us(0), CLIENT, V4.request(1, 0));
    net.send(us(0), SERVER, V4.reply(2));
    assert_eq!(net.arrivals(), [(SERVER, 1, 80), (CLIENT, 2, 80)]);
}

#[test]
fn no_wire_is_faster_than_its_bandwidth() {
    let mut net = Net::with(LinkConfig { bandwidth: Some(3), ..latency(0) }, latency(0), 1);
    net.send(us(0), CLIENT, V4.request(1, 0));
    // 320 bits at 3 bit/s: 106.6̅ s, rounded up to the nanosecond.
    assert_eq!(net.finish()[0].at, SimTime::from_nanos(106_666_666_667));
}

#[test]
fn a_wire_of_no_bandwidth_delivers_nothing() {
    let mut net = Net::new(LinkConfig { bandwidth: Some(0), ..latency(0) });
    net.send(us(0), CLIENT, V4.request(1, 0));
    net.until(us(u64::MAX / 1_000 - 1));
    assert_eq!(net.arrived, []);
}

#[test]
fn a_full_queue_loses_what_comes_next() {
    let slow = LinkConfig { bandwidth: OCTET_A_MICROSECOND, queue: 2, ..latency(0) };
    let mut net = Net::with(slow, latency(0), 1);
    for n in 1..=4 {
        net.send(us(0), CLIENT, V4.request(n, 0));
    }
    // At 40 µs the first is out, the second gets the wire, and a place is free.
    net.send(us(39), CLIENT, V4.request(5, 0));
    net.send(us(40), CLIENT, V4.request(6, 0));
    assert_eq!(net.arrivals(), [(SERVER, 1, 40), (SERVER, 2, 80), (SERVER, 3, 120), (SERVER, 6, 160)]);
    assert_eq!(net.losses(), [(0, LostReason::QueueFull), (39, LostReason::QueueFull)]);
    assert_eq!(net.router.met(CLIENT).queue_full, 2);
}

/// 2 ms give or take one; 500 packets so far apart. Each one's delay.
fn jittery_delays(apart: u64) -> Vec<(u32, u64)> {
    let jittery = LinkConfig { jitter: Duration::from_micros(1_000), ..latency(2_000) };
    let mut net = Net::with(jittery, latency(0), 1);
    for n in 0..500 {
        net.send(us(u64::from(n) * apart), CLIENT, V4.request(n, 0));
    }
    net.arrivals().into_iter().map(|(_, n, at)| (n, at - u64::from(n) * apart)).collect()
}

#[test]
fn jitter_spreads_the_delay_over_its_whole_range() {
    let delays = jittery_delays(5_000);
    let (least, most) =
        (delays.iter().map(|d| d.1).min().unwrap(), delays.iter().map(|d| d.1).max().unwrap());
    assert!((1_000..1_050).contains(&least), "{least}");
    assert!((2_950..=3_000).contains(&most), "{most}");
}

#[test]
fn jitter_keeps_the_order() {
    let delays = jittery_delays(100);
    assert_eq!(delays.iter().map(|d| d.0).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert!(delays.iter().all(|d| d.1 <= 3_000), "waiting for those before costs no more than the jitter");
}

#[test]
fn what_happens_at_one_instant_happens_in_the_order_of_sending() {
    let mut net = Net::new(LinkConfig::default());
    for n in 0..100 {
        net.send(us(0), CLIENT, V4.request(n, 0));
    }
    assert_eq!(net.order(), (0..100).collect::<Vec<_>>());
}
