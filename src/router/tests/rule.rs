use super::*;

fn psh_ack() -> Option<Flags> {
    Flags::from_letters("P.")
}

fn rule() -> DropRule {
    DropRule { from: CLIENT, to: None, flags: None, nth: 1, count: 1 }
}

/// The client sends segments 1 to 5, each `P.`, under these rules; those that arrive.
fn five_under(rules: &[DropRule]) -> (Vec<u32>, Net) {
    let mut net = Net::new(LinkConfig::default());
    for rule in rules {
        net.router.drop_rule(rule.clone());
    }
    for n in 1..=5 {
        net.send(us(0), CLIENT, V4.request(n, 6));
    }
    (net.order(), net)
}

#[test]
fn the_nth_match_is_lost_when_it_is_sent() {
    let (arrived, net) = five_under(&[DropRule { flags: psh_ack(), nth: 2, ..rule() }]);
    assert_eq!(arrived, [1, 3, 4, 5]);
    assert_eq!(net.losses(), [(0, LostReason::Dropped)]);
}

#[test]
fn a_count_takes_as_many_from_there_on() {
    assert_eq!(five_under(&[DropRule { nth: 2, count: 3, ..rule() }]).0, [1, 5]);
    assert_eq!(five_under(&[DropRule { nth: 4, count: u64::MAX, ..rule() }]).0, [1, 2, 3]);
    assert_eq!(five_under(&[DropRule { nth: 0, ..rule() }]).0, [2, 3, 4, 5]);
    assert_eq!(five_under(&[DropRule { count: 0, ..rule() }]).0, [1, 2, 3, 4, 5]);
}

#[test]
fn flags_match_exactly() {
    // ACK alone is part of `P.`, and not it.
    assert_eq!(five_under(&[DropRule { flags: Some(Flags::ACK), ..rule() }]).0.len(), 5);
}

#[test]
fn rules_count_what_they_match_by_themselves() {
    let second = DropRule { nth: 2, ..rule() };
    let third = DropRule { nth: 3, ..rule() };
    assert_eq!(five_under(&[second.clone(), third]).0, [1, 4, 5]);
    let never_met = DropRule { flags: Some(Flags::SYN), ..rule() };
    assert_eq!(five_under(&[second.clone(), never_met]).0, [1, 3, 4, 5]);
    let (arrived, net) = five_under(&[second.clone(), second]);
    assert_eq!(arrived, [1, 3, 4, 5]);
    assert_eq!(net.losses().len(), 1, "both took it, it is lost once");
}

#[test]
fn a_rule_asks_who_sends_and_whom_it_is_for() {
    let others = [DropRule { from: SERVER, ..rule() }, DropRule { to: Some(CLIENT), ..rule() }];
    assert_eq!(five_under(&others).0.len(), 5);
    assert_eq!(five_under(&[DropRule { to: Some(SERVER), ..rule() }]).0, [2, 3, 4, 5]);
}

#[test]
fn a_rule_knows_how_many_it_has_lost() {
    let mut net = Net::new(LinkConfig::default());
    let met = net.router.drop_rule(rule());
    let unmet = net.router.drop_rule(DropRule { flags: Some(Flags::SYN), ..rule() });
    net.send(us(0), CLIENT, V4.request(1, 6));
    assert_eq!((net.router.dropped_by(met), net.router.dropped_by(unmet)), (1, 0));
}

#[test]
fn a_rule_without_flags_takes_any_bytes() {
    let mut net = Net::new(LinkConfig::default());
    net.router.drop_rule(rule());
    net.send(us(0), CLIENT, Bytes::from_static(b"no packet"));
    assert_eq!(net.losses(), [(0, LostReason::Dropped)]);
}
