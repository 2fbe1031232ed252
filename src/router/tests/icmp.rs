use smoltcp::wire::Ipv4Packet;

use super::*;
use crate::packet::{IcmpError, Quoted, Seq, Unreachable};
use crate::timeline::{Direction, Way};

const FAMILIES: [Family; 2] = [V4, V6];

fn net() -> Net {
    Net::new(LinkConfig::default())
}

fn narrow_server(mtu: usize) -> Net {
    Net::with(LinkConfig::default(), LinkConfig { mtu, ..LinkConfig::default() }, 1)
}

/// The one packet that came back: an error to the client, at the time one trip along its link and back takes.
fn error_at_client(net: &mut Net) -> IcmpError {
    let [Arrived { at, to: CLIENT, packet }] = net.finish() else { panic!("{:?}", net.arrived) };
    assert_eq!(*at, us(5_000));
    match packet::parse(packet) {
        Ok(Packet::Icmp(error)) => error,
        other => panic!("{other:?} is no ICMP error"),
    }
}

/// The error as the router ought to send it about [`Family::request`] number 7.
fn expected(family: Family, what: Unreachable) -> IcmpError {
    let (src, dst) = (addr(family.client), addr(family.server));
    IcmpError {
        src: family.router.parse().unwrap(),
        dst: src.ip(),
        what,
        about: Quoted { src, dst, seq: Seq::new(7) },
    }
}

#[test]
fn every_error_is_answered_for_an_unreachable_host_in_both_families() {
    let errors = [
        Unreachable::Net,
        Unreachable::Host,
        Unreachable::Protocol,
        Unreachable::Port,
        Unreachable::Prohibited,
        Unreachable::FragmentationNeeded { mtu: 1280 },
        Unreachable::TimeExceeded,
    ];
    for family in FAMILIES {
        for what in errors {
            let mut net = net();
            net.router.unreachable(SERVER, Some(what));
            net.send(us(0), CLIENT, family.request(7, 6));
            assert_eq!(error_at_client(&mut net), expected(family, what));
            assert_eq!(net.losses(), [(2_500, LostReason::Unreachable)]);
            assert_eq!(net.router.met(SERVER), Met { unreachable: 1, ..Met::default() });
        }
    }
}

#[test]
fn the_router_records_the_error_it_sends_after_the_loss() {
    let mut net = net();
    net.router.unreachable(SERVER, Some(Unreachable::Host));
    net.send(us(0), CLIENT, V4.request(7, 6));
    net.finish();
    let events = net.recorder.events_from(0);
    let [lost, icmp] = &events[..] else { panic!("{events:?}") };
    assert!(matches!(lost.kind, Kind::Lost { .. }));
    let Kind::Icmp(icmp_event) = &icmp.kind else { panic!("{icmp:?}") };
    assert_eq!((icmp_event.dir, icmp_event.what), (Direction::Out, Unreachable::Host));
    assert_eq!((icmp.t, &*icmp.host), (us(2_500), "router"));
}

#[test]
fn a_host_declared_reachable_again_is() {
    let mut net = net();
    net.router.unreachable(SERVER, Some(Unreachable::Host));
    net.router.unreachable(SERVER, None);
    net.send(us(0), CLIENT, V4.request(7, 6));
    assert_eq!(net.arrivals(), [(SERVER, 7, 5_000)]);
}

#[test]
fn what_the_unreachable_host_sends_goes_on() {
    let mut net = net();
    net.router.unreachable(SERVER, Some(Unreachable::Host));
    net.send(us(0), SERVER, V4.reply(7));
    assert_eq!(net.arrivals(), [(CLIENT, 7, 5_000)]);
}

#[test]
fn an_unknown_address_is_answered_net_unreachable() {
    for (family, nowhere) in [(V4, "203.0.113.9:7"), (V6, "[2001:db8:9::9]:7")] {
        let mut net = net();
        let segment = Segment { dst: addr(nowhere), ..family.header(7) };
        net.send(us(0), CLIENT, packet::emit_segment(&segment, b"hello\n"));
        let error = error_at_client(&mut net);
        assert_eq!((error.what, error.about.dst), (Unreachable::Net, addr(nowhere)));
        assert_eq!(net.losses(), [(2_500, LostReason::NoRoute)]);
    }
}

/// RFC 1812, 5.3.1: a packet whose time to live comes to 0 here goes no further.
#[test]
fn the_last_hop_is_answered_time_exceeded() {
    for family in FAMILIES {
        for hop_limit in [0, 1] {
            let mut net = net();
            net.send(us(0), CLIENT, packet::emit_segment(&Segment { hop_limit, ..family.header(7) }, b""));
            assert_eq!(error_at_client(&mut net), expected(family, Unreachable::TimeExceeded));
            assert_eq!(net.losses(), [(2_500, LostReason::HopLimit)]);
        }
    }
}

#[test]
fn a_forwarded_packet_has_one_hop_less_and_is_otherwise_the_same() {
    for family in FAMILIES {
        let mut net = net();
        let sent = family.request(7, 6);
        net.send(us(0), CLIENT, sent.clone());
        let mut expected = sent.to_vec();
        assert_eq!(packet::decrement_hop_limit(&mut expected), Ok(63));
        assert_eq!(net.finish()[0].packet, expected);
        assert_eq!(sent, family.request(7, 6), "bytes that somebody else holds are left alone");
    }
}

/// RFC 1191, 4; RFC 8201: the answer names the next link's MTU.
#[test]
fn a_packet_too_big_for_the_next_link_is_answered_with_its_mtu() {
    for (family, headers) in [(V4, HEADERS), (V6, HEADERS + 20)] {
        let mut net = narrow_server(1_280);
        net.send(us(0), CLIENT, family.request(7, 1_281 - headers));
        let what = Unreachable::FragmentationNeeded { mtu: 1_280 };
        assert_eq!(error_at_client(&mut net), expected(family, what));
        assert_eq!(net.losses(), [(2_500, LostReason::TooBig)]);

        let mut net = narrow_server(1_280);
        net.send(us(0), CLIENT, family.request(7, 1_280 - headers));
        assert_eq!(net.arrivals(), [(SERVER, 7, 5_000)]);
    }
}

#[test]
fn a_packet_that_may_be_fragmented_is_lost_without_an_answer() {
    let mut net = narrow_server(576);
    let mut packet = V4.request(7, 1_000).to_vec();
    let mut ip = Ipv4Packet::new_unchecked(&mut packet);
    ip.set_dont_frag(false);
    ip.fill_checksum();
    net.send(us(0), CLIENT, packet.into());
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::TooBig)]);
}

#[test]
fn a_packet_too_big_for_the_senders_own_link_is_answered_at_its_near_end() {
    let mut net = net();
    net.send(us(9), CLIENT, V4.request(7, 1_501 - HEADERS));
    let [Arrived { at, to: CLIENT, packet }] = net.finish() else { panic!("{:?}", net.arrived) };
    let error = expected(V4, Unreachable::FragmentationNeeded { mtu: 1_500 });
    assert_eq!((*at, packet::parse(packet)), (us(2_509), Ok(Packet::Icmp(error))), "one way along the link");
    assert_eq!(net.losses(), [(9, LostReason::TooBig)]);
}

/// RFC 1122, 3.2.2.1: the router is a host that has no TCP.
#[test]
fn a_segment_for_the_router_is_answered_protocol_unreachable() {
    for family in FAMILIES {
        let mut net = net();
        let dst = SocketAddr::new(family.router.parse().unwrap(), 7);
        net.send(us(0), CLIENT, packet::emit_segment(&Segment { dst, ..family.header(7) }, b""));
        assert_eq!(error_at_client(&mut net).what, Unreachable::Protocol);
        assert_eq!(net.losses(), [(2_500, LostReason::Unreachable)]);
    }
}

/// RFC 1122, 3.2.2; RFC 4443, 2.4 (e.1): or two routers could talk of errors forever.
#[test]
fn an_icmp_error_is_never_answered() {
    for family in FAMILIES {
        let mut net = net();
        let about_a_reply = packet::emit_icmp(addr(family.client).ip(), Unreachable::Port, &family.reply(1));
        net.router.unreachable(SERVER, Some(Unreachable::Host));
        net.send(us(0), CLIENT, about_a_reply.unwrap());
        assert_eq!(net.finish(), []);
        assert_eq!(net.losses(), [(2_500, LostReason::Unreachable)]);
    }
}

#[test]
fn what_is_no_packet_is_lost_as_corrupt_and_never_answered() {
    let mut net = net();
    let mut cut_short = V4.request(7, 100);
    cut_short.truncate(50);
    for bytes in [Bytes::new(), Bytes::from_static(b"GET / HTTP/1.1"), cut_short] {
        net.send(us(0), CLIENT, bytes);
    }
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::Corrupt); 3]);
}

#[test]
fn a_sender_that_cannot_be_reached_is_not_told() {
    let mut net = net();
    let forged = Segment { src: addr("203.0.113.9:40000"), hop_limit: 1, ..V4.header(7) };
    net.send(us(0), CLIENT, packet::emit_segment(&forged, b""));
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::HopLimit)]);
}

#[test]
fn a_router_without_an_address_of_the_family_loses_in_silence() {
    let recorder = Recorder::new("test");
    let mut router = Router::new(vec![V6.router.parse().unwrap()], 1, recorder.clone());
    let client = router.attach("client", &[addr(V4.client).ip()], LinkConfig::default());
    let mut net = Net { router, recorder, arrived: Vec::new() };
    net.send(us(0), client, V4.request(7, 6));
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::NoRoute)]);
}

#[test]
fn an_error_travels_as_any_packet_and_may_be_lost() {
    let mut net = net();
    net.router.unreachable(SERVER, Some(Unreachable::Host));
    net.router.partition(us(0), CLIENT, Way::ToHost);
    net.send(us(0), CLIENT, V4.request(7, 6));
    assert_eq!(net.finish(), []);
    assert_eq!(net.losses(), [(2_500, LostReason::Unreachable), (2_500, LostReason::Partition)]);
}
