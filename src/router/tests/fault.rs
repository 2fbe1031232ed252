use super::*;
use crate::timeline::Way;

fn net() -> Net {
    Net::new(LinkConfig::default())
}

const PARTITION: LostReason = LostReason::Partition;
const HOST_DOWN: LostReason = LostReason::HostDown;

#[test]
fn a_partition_loses_what_is_in_flight_and_what_is_sent_until_it_is_mended() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(1_000));
    net.router.partition(us(1_000), CLIENT, Way::Both);
    net.send(us(2_000), CLIENT, V4.request(2, 6));
    net.until(us(3_000));
    net.router.repair(CLIENT, Way::Both);
    net.send(us(3_000), CLIENT, V4.request(3, 6));
    assert_eq!(net.arrivals(), [(SERVER, 3, 8_000)]);
    assert_eq!(net.losses(), [(1_000, PARTITION), (2_000, PARTITION)]);
    assert_eq!(net.router.met(CLIENT), Met { partitioned: 2, ..Met::default() });
    assert_eq!(net.router.met(SERVER), Met::default());
}

#[test]
fn a_partition_leaves_alone_what_is_past_the_link() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(2_500));
    net.router.partition(us(2_500), CLIENT, Way::Both);
    assert_eq!(net.arrivals(), [(SERVER, 1, 5_000)]);
}

#[test]
fn a_one_way_partition_strikes_that_way_only() {
    for (way, comes_through) in [(Way::FromHost, (CLIENT, 2, 5_000)), (Way::ToHost, (SERVER, 1, 5_000))] {
        let mut net = net();
        net.send(us(0), CLIENT, V4.request(1, 6));
        net.send(us(0), SERVER, V4.reply(2));
        // Both are in the middle of the client's link then, or have yet to enter it.
        net.until(us(1_000));
        net.router.partition(us(1_000), CLIENT, way);
        assert_eq!(net.arrivals(), [comes_through], "{way:?}");
        assert_eq!(net.router.met(CLIENT).partitioned, 1, "{way:?}");
    }
}

#[test]
fn a_partition_takes_packets_in_flight_towards_the_host() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(4_000));
    net.router.partition(us(4_000), SERVER, Way::ToHost);
    net.router.repair(SERVER, Way::ToHost);
    assert_eq!(net.arrivals(), []);
    assert_eq!(net.losses(), [(4_000, PARTITION)]);
}

#[test]
fn a_partition_empties_the_queue_for_the_wire() {
    let slow = LinkConfig { bandwidth: Some(8_000_000), queue: 2, ..LinkConfig::default() };
    let mut net = Net::with(slow, LinkConfig::default(), 1);
    for n in 1..=3 {
        net.send(us(0), CLIENT, V4.request(n, 1_000 - HEADERS));
    }
    net.router.partition(us(0), CLIENT, Way::FromHost);
    net.router.repair(CLIENT, Way::FromHost);
    for n in 4..=6 {
        net.send(us(0), CLIENT, V4.request(n, 1_000 - HEADERS));
    }
    // The wire was free at once, and so were both places in the queue for it.
    assert_eq!(net.arrivals(), [(SERVER, 4, 6_000), (SERVER, 5, 7_000), (SERVER, 6, 8_000)]);
    assert_eq!(net.losses(), [(0, PARTITION); 3]);
}

#[test]
fn a_held_link_keeps_packets_until_it_is_released_in_order() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(1_000));
    net.router.hold(CLIENT, Way::Both);
    for n in 2..=4 {
        net.send(us(n * 1_000), CLIENT, V4.request(n as u32, 6));
    }
    net.until(us(60_000));
    assert_eq!((net.router.next_deadline(), &net.arrived[..]), (None, &[][..]));
    net.router.release(us(60_000), CLIENT, Way::Both);
    assert_eq!(net.arrivals(), [1, 2, 3, 4].map(|n| (SERVER, n, 62_500)));
    assert_eq!(net.router.met(CLIENT), Met { held: 4, ..Met::default() });
    assert_eq!(net.losses(), []);
}

#[test]
fn a_release_does_not_shorten_the_way() {
    let mut net = net();
    net.router.hold(CLIENT, Way::FromHost);
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.send(us(2_000), CLIENT, V4.request(2, 6));
    net.until(us(3_000));
    net.router.release(us(3_000), CLIENT, Way::FromHost);
    assert_eq!(net.arrivals(), [(SERVER, 1, 5_500), (SERVER, 2, 7_000)]);
}

#[test]
fn a_release_comes_before_what_arrives_at_that_instant() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.send(us(1_000), CLIENT, V4.request(2, 6));
    net.router.hold(SERVER, Way::ToHost);
    net.until(us(5_999));
    net.router.release(us(6_000), SERVER, Way::ToHost);
    net.collect(us(6_000));
    assert_eq!(net.arrivals(), [(SERVER, 1, 6_000), (SERVER, 2, 6_000)]);
}

#[test]
fn a_partition_takes_what_is_held_and_the_hold_goes_on() {
    let mut net = net();
    net.router.hold(CLIENT, Way::FromHost);
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.until(us(3_000));
    net.router.partition(us(3_000), CLIENT, Way::FromHost);
    net.router.repair(CLIENT, Way::FromHost);
    net.send(us(3_000), CLIENT, V4.request(2, 6));
    net.until(us(9_000));
    assert_eq!(net.arrived, []);
    net.router.release(us(9_000), CLIENT, Way::FromHost);
    assert_eq!(net.arrivals(), [(SERVER, 2, 11_500)]);
    assert_eq!(net.losses(), [(3_000, PARTITION)]);
}

#[test]
fn a_dead_host_gets_nothing_and_what_it_sent_before_goes_its_way() {
    let mut net = net();
    net.send(us(0), SERVER, V4.reply(1));
    net.send(us(0), CLIENT, V4.request(2, 6));
    net.until(us(1_000));
    net.router.host_down(us(1_000), SERVER, true);
    assert_eq!(net.arrivals(), [(CLIENT, 1, 5_000)]);
    assert_eq!(net.losses(), [(5_000, HOST_DOWN)]);
    assert_eq!(net.router.met(SERVER), Met { host_down: 1, ..Met::default() });
}

#[test]
fn a_packet_in_flight_across_a_reboot_reaches_the_new_boot() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.router.host_down(us(0), SERVER, true);
    net.until(us(4_999));
    net.router.host_down(us(4_999), SERVER, false);
    assert_eq!(net.arrivals(), [(SERVER, 1, 5_000)]);
}

#[test]
fn a_host_that_dies_at_the_instant_of_arrival_gets_nothing() {
    let mut net = net();
    net.send(us(0), CLIENT, V4.request(1, 6));
    net.send(us(0), SERVER, V4.reply(2));
    net.until(us(2_500));
    net.router.handle_timeout(us(5_000));
    net.router.host_down(us(5_000), SERVER, true);
    net.collect(us(5_000));
    assert_eq!(net.arrivals(), [(CLIENT, 2, 5_000)]);
    assert_eq!(net.losses(), [(5_000, HOST_DOWN)]);
}

/// RFC 5961, 3.2: the very next number of each side; one that is challenged; one that is ignored.
#[test]
fn injected_resets_are_aimed_at_what_was_seen_last() {
    use crate::timeline::{FaultKind, ResetAim, ResetEnds};
    for (aim, client_number, server_number) in [
        (ResetAim::Exact, 100, 206),
        (ResetAim::InWindow, 101, 207),
        (ResetAim::OutOfWindow, 99_u32.wrapping_add(1 << 31), 205_u32.wrapping_add(1 << 31)),
    ] {
        let mut net = Net::new(LinkConfig::default());
        let kind = FaultKind::Reset { ends: ResetEnds::Both, aim };
        net.router.strike(us(0), CLIENT, kind);
        assert_eq!(net.router.met(CLIENT).reset, 0, "there is nothing to reset");
        net.router.watch(CLIENT);
        net.send(us(0), CLIENT, V4.request(200, 6));
        net.send(us(0), CLIENT, V4.request(150, 6));
        net.send(us(0), SERVER, V4.reply(100));
        net.finish();
        net.arrived.clear();
        net.router.strike(us(20_000), CLIENT, kind);
        let mut arrivals: Vec<(LinkId, u32)> =
            net.arrivals().into_iter().map(|(to, seq, _)| (to, seq)).collect();
        arrivals.sort();
        assert_eq!(arrivals, [(CLIENT, client_number), (SERVER, server_number)], "{aim:?}");
        assert_eq!(net.router.met(CLIENT).reset, 1);
    }
}

#[test]
fn a_black_hole_tells_nobody() {
    let narrow = LinkConfig { mtu: 576, tells_too_big: false, ..LinkConfig::default() };
    let mut net = Net::with(LinkConfig::default(), narrow, 1);
    net.send(us(0), CLIENT, V4.request(1, 1_000));
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::TooBig)]);
}
