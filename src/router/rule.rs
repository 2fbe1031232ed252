//! Drop the n-th packet that matches.

use bytes::Bytes;

use super::{LinkId, Router};
use crate::packet::{self, Flags, Packet};
use crate::time::SimTime;
use crate::timeline::LostReason;

/// Loses chosen packets as their host sends them: `{ from = "client", flags = "P.", nth = 2 }`.
///
/// Every sending counts, so a retransmission is the next match. A rule counts what it matches even if
/// another rule loses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRule {
    /// The host that sends.
    pub from: LinkId,
    /// The host it is for; `None` is any.
    pub to: Option<LinkId>,
    /// A TCP segment with exactly these control bits; `None` is any packet.
    pub flags: Option<Flags>,
    /// The first match that is lost, counted from 1 (0 is taken for 1).
    pub nth: u64,
    /// How many matches are lost from there on; `u64::MAX` for all of them.
    pub count: u64,
}

/// A rule given to [`Router::drop_rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId {
    link: LinkId,
    index: usize,
}

/// A rule at work.
#[derive(Debug)]
pub(super) struct Rule {
    rule: DropRule,
    matched: u64,
    dropped: u64,
}

impl Rule {
    fn is_spent(&self) -> bool {
        self.dropped >= self.rule.count
    }

    /// Whether the packet is one of those to be lost.
    fn takes(&mut self, to: Option<LinkId>, flags: Option<Flags>) -> bool {
        let DropRule { to: wanted_to, flags: wanted_flags, nth, .. } = self.rule;
        if (wanted_to.is_some() && wanted_to != to) || (wanted_flags.is_some() && wanted_flags != flags) {
            return false;
        }
        self.matched += 1;
        let taken = self.matched >= nth && !self.is_spent();
        self.dropped += u64::from(taken);
        taken
    }
}

impl Router {
    /// Adds a rule to the link it names. Those of one link are all asked about every packet.
    pub fn drop_rule(&mut self, rule: DropRule) -> RuleId {
        let link = rule.from;
        let rules = &mut self.links[link.0].rules;
        rules.push(Rule { rule, matched: 0, dropped: 0 });
        RuleId { link, index: rules.len() - 1 }
    }

    /// How many packets the rule has lost.
    pub fn dropped_by(&self, rule: RuleId) -> u64 {
        self.links[rule.link.0].rules[rule.index].dropped
    }

    /// Applies the rules to a packet that `from` sends; if one takes it, it is lost.
    pub(super) fn drops(&mut self, now: SimTime, from: LinkId, bytes: &Bytes) -> bool {
        // Only a rule that still has something to lose is worth reading the packet for.
        if self.links[from.0].rules.iter().all(Rule::is_spent) {
            return false;
        }
        let (to, flags) = match packet::parse(bytes) {
            Ok(Packet::Tcp(segment)) => (self.route(segment.dst.ip()), Some(segment.flags)),
            Ok(Packet::Icmp(error)) => (self.route(error.dst), None),
            Ok(Packet::Neighbour(message)) => (self.route(message.target), None),
            Err(_) => (None, None),
        };
        let mut dropped = false;
        for rule in &mut self.links[from.0].rules {
            dropped |= rule.takes(to, flags);
        }
        if dropped {
            self.lose(now, bytes, LostReason::Dropped);
        }
        dropped
    }
}
