//! Which fault explains what a connection has suffered.

use std::net::IpAddr;

use super::Hosts;
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind};

/// A fault of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Struck<'a> {
    /// Its event.
    pub(crate) at: usize,
    pub(crate) t: SimTime,
    pub(crate) kind: FaultKind,
    /// The host that it struck, or whose link.
    pub(crate) host: &'a str,
}

/// The two hosts of a connection: what happens to others, or to their links, does not concern it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Concern<'a> {
    own: &'a str,
    peer: Option<&'a str>,
}

impl<'a> Concern<'a> {
    /// A connection of `own` with the host at `peer`.
    pub(crate) fn of(hosts: &Hosts<'a>, own: &'a str, peer: Option<IpAddr>) -> Concern<'a> {
        Concern { own, peer: peer.and_then(|addr| hosts.at(addr)) }
    }

    /// Whether this host is the peer. A peer that never sent or received anything may be any host that did not either.
    pub(crate) fn is_peer(&self, hosts: &Hosts<'_>, host: &str) -> bool {
        match self.peer {
            Some(peer) => host == peer,
            None => host != self.own && !hosts.knows(host),
        }
    }

    /// Whether the link of this host lies between the two.
    pub(crate) fn is_on_path(&self, hosts: &Hosts<'_>, host: &str) -> bool {
        host == self.own || self.is_peer(hosts, host)
    }
}

/// All faults of a run, in time order.
#[derive(Debug)]
pub(crate) struct Faults<'a>(Vec<Struck<'a>>);

impl<'a> Faults<'a> {
    pub(crate) fn of(events: &'a [Event]) -> Faults<'a> {
        let struck = |(at, event): (usize, &'a Event)| match &event.kind {
            Kind::Fault { fault, target } => Some(Struck { at, t: event.t, kind: *fault, host: target }),
            _ => None,
        };
        Faults(events.iter().enumerate().filter_map(struck).collect())
    }

    /// The last fault before the event `before` that does harm, is wanted, and lasts until then: nothing mended it.
    pub(crate) fn in_force(&self, before: usize, wanted: impl Fn(&Struck<'a>) -> bool) -> Option<Struck<'a>> {
        let past = &self.0[..self.0.partition_point(|struck| struck.at < before)];
        let lasts = |nth: usize| {
            let struck = past[nth];
            let mends = |later: &&Struck<'_>| later.host == struck.host && later.kind.mends(struck.kind);
            !past[nth + 1..].iter().any(|later| mends(&later))
        };
        (0..past.len())
            .rev()
            .find(|&nth| past[nth].kind.harms() && wanted(&past[nth]) && lasts(nth))
            .map(|nth| past[nth])
    }

    /// The last end of a host between two events that is wanted: a host that boots has forgotten its connections, so no
    /// boot mends them.
    pub(crate) fn end_of_host(
        &self,
        since: usize,
        before: usize,
        wanted: impl Fn(&Struck<'a>) -> bool,
    ) -> Option<Struck<'a>> {
        let ends = |struck: &&Struck<'a>| {
            (since..before).contains(&struck.at)
                && matches!(struck.kind, FaultKind::Crash | FaultKind::Shutdown)
                && wanted(struck)
        };
        self.0.iter().rev().find(ends).copied()
    }
}
