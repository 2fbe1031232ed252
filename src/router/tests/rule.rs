use std::time::Duration;

use super::*;
use crate::packet::Unreachable;

fn psh_ack() -> Option<Flags> {
    Flags::from_letters("P.")
}

fn rule() -> RuleConfig {
    RuleConfig { place: Place::Sender, from: Some(CLIENT), nth: 1, count: 1, ..RuleConfig::default() }
}

/// The client sends segments 1 to 5, each `P.`, under these rules; those that arrive.
fn five_under(rules: &[RuleConfig]) -> (Vec<u32>, Net) {
    let mut net = Net::new(LinkConfig::default());
    for rule in rules {
        net.router.add_rule(rule.clone());
    }
    for n in 1..=5 {
        net.send(us(0), CLIENT, V4.request(n, 6));
    }
    (net.order(), net)
}

#[test]
fn the_nth_match_is_lost_when_it_is_sent() {
    let (arrived, net) = five_under(&[RuleConfig { flags: psh_ack(), nth: 2, ..rule() }]);
    assert_eq!(arrived, [1, 3, 4, 5]);
    assert_eq!(net.losses(), [(0, LostReason::Dropped)]);
}

#[test]
fn a_count_takes_as_many_from_there_on() {
    assert_eq!(five_under(&[RuleConfig { nth: 2, count: 3, ..rule() }]).0, [1, 5]);
    assert_eq!(five_under(&[RuleConfig { nth: 4, count: u64::MAX, ..rule() }]).0, [1, 2, 3]);
    assert_eq!(five_under(&[RuleConfig { nth: 0, ..rule() }]).0, [2, 3, 4, 5]);
    assert_eq!(five_under(&[RuleConfig { count: 0, ..rule() }]).0, [1, 2, 3, 4, 5]);
}

#[test]
fn flags_match_exactly() {
    // ACK alone is part of `P.`, and not it.
    assert_eq!(five_under(&[RuleConfig { flags: Some(Flags::ACK), ..rule() }]).0.len(), 5);
}

#[test]
fn rules_count_what_they_match_by_themselves() {
    let second = RuleConfig { nth: 2, ..rule() };
    let third = RuleConfig { nth: 3, ..rule() };
    assert_eq!(five_under(&[second.clone(), third]).0, [1, 4, 5]);
    let never_met = RuleConfig { flags: Some(Flags::SYN), ..rule() };
    assert_eq!(five_under(&[second.clone(), never_met]).0, [1, 3, 4, 5]);
    let (arrived, net) = five_under(&[second.clone(), second]);
    assert_eq!(arrived, [1, 3, 4, 5]);
    assert_eq!(net.losses().len(), 1, "both took it, it is lost once");
}

#[test]
fn a_rule_asks_who_sends_and_whom_it_is_for() {
    let others = [RuleConfig { from: Some(SERVER), ..rule() }, RuleConfig { to: Some(CLIENT), ..rule() }];
    assert_eq!(five_under(&others).0.len(), 5);
    assert_eq!(five_under(&[RuleConfig { to: Some(SERVER), ..rule() }]).0, [2, 3, 4, 5]);
}

#[test]
fn a_rule_knows_how_many_it_has_lost() {
    let mut net = Net::new(LinkConfig::default());
    let met = net.router.add_rule(rule());
    let unmet = net.router.add_rule(RuleConfig { flags: Some(Flags::SYN), ..rule() });
    net.send(us(0), CLIENT, V4.request(1, 6));
    assert_eq!((net.router.taken_by(met), net.router.taken_by(unmet)), (1, 0));
}

#[test]
fn a_rule_without_flags_takes_any_bytes() {
    let mut net = Net::new(LinkConfig::default());
    net.router.add_rule(rule());
    net.send(us(0), CLIENT, Bytes::from_static(b"no packet"));
    assert_eq!(net.losses(), [(0, LostReason::Dropped)]);
}

/// A rule in the router for everything that matches.
fn in_router() -> RuleConfig {
    RuleConfig::default()
}

#[test]
fn a_rule_in_the_router_takes_a_packet_when_it_is_there() {
    let (arrived, net) = five_under(&[RuleConfig { nth: 2, count: 1, ..in_router() }]);
    assert_eq!(arrived, [1, 3, 4, 5]);
    let latency = LinkConfig::default().latency.as_micros() as u64;
    assert_eq!(net.losses(), [(latency, LostReason::Dropped)]);
}

#[test]
fn a_rule_asks_for_ports_and_lengths() {
    let port = V4.header(1).dst.port();
    for (rule, left) in [
        (RuleConfig { port: Some(port), ..in_router() }, 0),
        (RuleConfig { port: Some(port + 1), ..in_router() }, 5),
        (RuleConfig { longer: Some(46), ..in_router() }, 5),
        (RuleConfig { longer: Some(45), ..in_router() }, 0),
        (RuleConfig { shorter: Some(46), ..in_router() }, 5),
        (RuleConfig { shorter: Some(47), ..in_router() }, 0),
        (RuleConfig { connection: Some(1), ..in_router() }, 0),
        (RuleConfig { connection: Some(2), ..in_router() }, 5),
        (RuleConfig { probability: 0.0, ..in_router() }, 5),
    ] {
        assert_eq!(five_under(std::slice::from_ref(&rule)).0.len(), left, "{rule:?}");
    }
}

#[test]
fn what_is_delayed_is_overtaken_and_what_is_doubled_comes_twice() {
    let second = |action| RuleConfig { action, nth: 2, count: 1, ..in_router() };
    assert_eq!(five_under(&[second(Action::Delay(Duration::from_millis(1)))]).0, [1, 3, 4, 5, 2]);
    assert_eq!(five_under(&[second(Action::Duplicate)]).0, [1, 2, 2, 3, 4, 5]);
}

#[test]
fn who_is_rejected_is_told() {
    for (how, told) in [(Refusal::Reset, true), (Refusal::Icmp(Unreachable::Prohibited), false)] {
        let mut net = Net::new(LinkConfig::default());
        net.router.add_rule(RuleConfig { action: Action::Reject(how), ..in_router() });
        net.send(us(0), CLIENT, V4.request(1, 6));
        net.finish();
        assert_eq!(
            net.losses().iter().map(|(_, reason)| *reason).collect::<Vec<_>>(),
            [LostReason::Rejected]
        );
        let answers: Vec<_> = net.arrived.iter().map(|it| (it.to, packet::parse(&it.packet))).collect();
        let [(CLIENT, Ok(answer))] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(matches!(answer, Packet::Tcp(reset) if reset.flags.has(Flags::RST)), told, "{answer:?}");
    }
}

#[test]
fn a_rule_for_the_first_packet_after_silence_takes_no_other() {
    let mut net = Net::new(LinkConfig::default());
    net.router.add_rule(RuleConfig { idle: Some(Duration::from_millis(5)), ..in_router() });
    for (at, n) in [(0, 1), (4_000, 2), (10_000, 3), (11_000, 4)] {
        net.send(us(at), CLIENT, V4.request(n, 6));
    }
    assert_eq!(net.order(), [1, 2, 4]);
}

#[test]
fn a_rule_is_there_from_one_time_to_another() {
    let mut net = Net::new(LinkConfig::default());
    net.router.add_rule(RuleConfig { since: us(4_000), until: Some(us(8_000)), ..in_router() });
    for (at, n) in [(0, 1), (2_000, 2), (6_000, 3)] {
        net.send(us(at), CLIENT, V4.request(n, 6));
    }
    assert_eq!(net.order(), [1, 3]);
}
