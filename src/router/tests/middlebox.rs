use std::time::Duration;

use super::*;
use crate::packet::Unreachable;
use crate::timeline::FaultKind;

const IDLE: Duration = Duration::from_secs(2);

fn net(config: MiddleboxConfig) -> Net {
    let mut net = Net::new(LinkConfig::default());
    net.router.add_middlebox(SERVER, config);
    net
}

fn silent() -> MiddleboxConfig {
    MiddleboxConfig { idle: Some(IDLE), ..MiddleboxConfig::default() }
}

fn ms(millis: u64) -> SimTime {
    us(millis * 1_000)
}

/// A segment of the client's from this port, with these control bits.
fn from_port(family: Family, port: u16, flags: &str, number: u32) -> Bytes {
    let segment = family.header(number);
    let flags = Flags::from_letters(flags).unwrap();
    let src = SocketAddr::new(segment.src.ip(), port);
    let ack = flags.has(Flags::ACK).then_some(Seq::new(9));
    packet::emit_segment(&Segment { src, flags, ack, len: 0, ..segment }, &[])
}

fn syn(family: Family, number: u32) -> Bytes {
    from_port(family, addr(family.client).port(), "S", number)
}

#[test]
fn a_flow_begins_with_a_syn_and_is_forgotten_when_nothing_passes() {
    for family in [V4, V6] {
        let mut net = net(silent());
        net.send(ms(0), CLIENT, family.request(1, 6));
        net.send(ms(10), CLIENT, syn(family, 2));
        net.send(ms(1_900), CLIENT, family.request(3, 6));
        // The other side keeps it known as well.
        net.send(ms(3_800), SERVER, family.reply(4));
        net.send(ms(5_700), CLIENT, family.request(5, 6));
        net.send(ms(7_800), CLIENT, family.request(6, 6));
        assert_eq!(net.order(), [2, 3, 4, 5]);
        let unknown = LostReason::UnknownFlow;
        assert_eq!(net.losses(), [(2_500, unknown), (7_802_500, unknown)]);
        assert_eq!(net.router.met(SERVER).unknown_flow, 2);
    }
}

/// RFC 9293, 3.10.7.1: as the one end would answer what belongs to no connection; and a RST is not answered.
#[test]
fn what_is_not_known_is_answered_by_rst_to_the_sender_or_to_both() {
    for (unknown, told) in [(Unknown::Reset, vec![CLIENT]), (Unknown::ResetBoth, vec![CLIENT, SERVER])] {
        let mut net = net(MiddleboxConfig { unknown, ..silent() });
        net.send(ms(0), CLIENT, V4.request(7, 6));
        net.send(ms(1), CLIENT, from_port(V4, 40_000, "R", 8));
        let arrived = net.finish();
        let resets: Vec<(LinkId, Segment)> = arrived
            .iter()
            .map(|arrived| match packet::parse(&arrived.packet) {
                Ok(Packet::Tcp(segment)) => (arrived.to, segment),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(resets.iter().map(|(to, _)| *to).collect::<Vec<_>>(), told);
        let request = V4.header(7);
        assert!(resets.iter().all(|(_, reset)| reset.flags.has(Flags::RST) && reset.len == 0));
        assert_eq!((resets[0].1.src, resets[0].1.dst), (request.dst, request.src));
        assert_eq!(Some(resets[0].1.seq), request.ack);
        if let Some((_, reset)) = resets.get(1) {
            assert_eq!((reset.src, reset.dst, reset.seq), (request.src, request.dst, request.seq));
        }
    }
}

#[test]
fn what_is_not_known_is_answered_by_icmp() {
    let mut net = net(MiddleboxConfig { unknown: Unknown::Icmp(Unreachable::Prohibited), ..silent() });
    net.send(ms(0), CLIENT, V4.request(7, 6));
    let [Arrived { to: CLIENT, packet, .. }] = net.finish() else { panic!("{:?}", net.arrived) };
    assert!(matches!(packet::parse(packet), Ok(Packet::Icmp(it)) if it.what == Unreachable::Prohibited));
}

#[test]
fn one_that_picks_up_takes_any_segment_for_a_beginning_but_a_rst() {
    let mut net = net(MiddleboxConfig { picks_up: true, ..silent() });
    net.send(ms(0), CLIENT, from_port(V4, 40_000, "R", 1));
    net.send(ms(1), CLIENT, V4.request(2, 6));
    net.send(ms(9_000), CLIENT, V4.request(3, 6));
    assert_eq!(net.order(), [2, 3]);
}

#[test]
fn a_full_table_forgets_the_flow_that_was_silent_the_longest() {
    let mut net = net(MiddleboxConfig { flows: 2, ..MiddleboxConfig::default() });
    for (at, port) in [(0, 1), (1, 2)] {
        net.send(ms(at), CLIENT, from_port(V4, port, "S", u32::from(port)));
    }
    net.send(ms(2), CLIENT, from_port(V4, 1, ".", 11));
    net.send(ms(3), CLIENT, from_port(V4, 3, "S", 3));
    net.send(ms(4), CLIENT, from_port(V4, 2, ".", 12));
    net.send(ms(5), CLIENT, from_port(V4, 1, ".", 13));
    assert_eq!(net.order(), [1, 2, 11, 3, 13]);
}

#[test]
fn one_that_takes_over_knows_no_flow_and_lets_new_ones_pass() {
    let mut net = net(MiddleboxConfig::default());
    net.send(ms(0), CLIENT, syn(V4, 1));
    net.until(ms(100));
    net.router.strike(ms(100), SERVER, FaultKind::Forget);
    net.send(ms(101), CLIENT, V4.request(2, 6));
    net.send(ms(102), CLIENT, from_port(V4, 5, "S", 3));
    assert_eq!(net.order(), [1, 3]);
}

/// Whoever ends a flow by RST frees its place.
#[test]
fn a_reset_passes_and_ends_the_flow() {
    let mut net = net(MiddleboxConfig::default());
    net.send(ms(0), CLIENT, syn(V4, 1));
    net.send(ms(1), CLIENT, from_port(V4, 40_000, "R", 2));
    net.send(ms(2), CLIENT, V4.request(3, 6));
    assert_eq!(net.order(), [1, 2]);
}
