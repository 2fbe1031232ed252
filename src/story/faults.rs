//! Which fault, or which process that was killed, explains what a connection has suffered.

use std::net::IpAddr;

use super::Hosts;
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind, Process, ProcessChange};

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

impl Struck<'_> {
    fn ends_host(&self) -> bool {
        matches!(self.kind, FaultKind::Crash | FaultKind::Shutdown)
    }
}

/// The two hosts of a connection: what happens to others, or to their links, does not concern it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Concern<'s> {
    hosts: &'s Hosts<'s>,
    own: &'s str,
    peer: Option<&'s str>,
}

impl<'s> Concern<'s> {
    /// A connection of `own` with the host at `peer`.
    pub(super) fn of(hosts: &'s Hosts<'s>, own: &'s str, peer: Option<IpAddr>) -> Concern<'s> {
        Concern { hosts, own, peer: peer.and_then(|addr| hosts.at(addr)) }
    }

    /// Whether this host is the peer. A peer that never sent or received anything may be any host that did not either.
    pub(crate) fn is_peer(&self, host: &str) -> bool {
        match self.peer {
            Some(peer) => host == peer,
            None => host != self.own && !self.hosts.knows(host),
        }
    }

    /// Whether the link of this host lies between the two.
    pub(crate) fn is_on_path(&self, host: &str) -> bool {
        host == self.own || self.is_peer(host)
    }
}

/// How a connection ended, which says what can have caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symptom {
    /// Nothing was sent, so nothing could be noticed.
    Unnoticed,
    /// The peer's RST or FIN came.
    PeerClosed,
}

/// What brought a symptom about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause<'a> {
    Fault(Struck<'a>),
    /// A signal ended a process of the peer's.
    Killed(Death<'a>),
}

/// A process that a signal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death<'a> {
    at: usize,
    pub(crate) t: SimTime,
    host: &'a str,
    pub(crate) process: &'a str,
    pub(crate) pid: u32,
    pub(crate) signal: &'static str,
}

/// All faults of a run, and all processes that were killed, in time order.
#[derive(Debug, Default)]
pub(crate) struct Faults<'a> {
    struck: Vec<Struck<'a>>,
    deaths: Vec<Death<'a>>,
}

impl<'a> Faults<'a> {
    pub(super) fn read(&mut self, at: usize, event: &'a Event) {
        let t = event.t;
        match &event.kind {
            Kind::Fault { fault, target } => self.struck.push(Struck { at, t, kind: *fault, host: target }),
            Kind::Process(Process { pid, process, what: ProcessChange::Killed { signal } }) => {
                self.deaths.push(Death { at, t, host: &event.host, process, pid: *pid, signal });
            }
            _ => {}
        }
    }

    /// What explains a symptom at `t` of a connection that was opened at `since`: the latest that fits, if there is one.
    /// What was over when the connection was opened does not.
    pub(crate) fn cause(
        &self,
        concern: Concern<'_>,
        symptom: Symptom,
        (since, t): (Option<SimTime>, SimTime),
    ) -> Option<Cause<'a>> {
        let past = &self.struck[..self.struck.partition_point(|struck| struck.t <= t)];
        let deaths = &self.deaths[..self.deaths.partition_point(|death| death.t <= t)];
        let came_before = |t: SimTime| since.is_some_and(|since| t < since);
        let ended_before =
            |host: &str, at: usize| past.iter().any(|it| it.at < at && it.host == host && it.ends_host());
        let fits = |nth: &usize| {
            let it = &past[*nth];
            let mut later = past[nth + 1..].iter().filter(|later| later.host == it.host);
            let mut is_back = || {
                later
                    .any(|later| later.kind == FaultKind::Boot && since.is_some_and(|since| later.t <= since))
            };
            let (at_peer, silent) = (concern.is_peer(it.host), symptom != Symptom::PeerClosed);
            match it.kind {
                FaultKind::Crash => silent && at_peer && !is_back(),
                FaultKind::Shutdown => at_peer && !is_back(),
                // It is over at once.
                FaultKind::Reset { .. } => false,
                FaultKind::Boot => at_peer && !came_before(it.t) && ended_before(it.host, it.at),
                // What gives back harms no connection; and the end of a process says more than the signal.
                kind if !kind.harms() || matches!(kind, FaultKind::Kill { .. }) && !kind.stops() => false,
                kind if kind.stops() && !at_peer => false,
                kind => {
                    let mended = later.any(|later| later.kind.mends(kind));
                    silent && concern.is_on_path(it.host) && !mended
                }
            }
        };
        let fault = (0..past.len()).rev().find(fits).map(|nth| past[nth]);
        let killed = |death: &&Death<'_>| {
            // A host that is shut down kills its processes itself.
            let is_own = !ended_before(death.host, death.at);
            concern.is_peer(death.host) && !came_before(death.t) && is_own
        };
        let death = deaths.iter().rev().filter(|_| symptom == Symptom::PeerClosed).find(killed).copied();
        match (fault, death) {
            (Some(fault), Some(death)) if fault.at < death.at => Some(Cause::Killed(death)),
            (None, Some(death)) => Some(Cause::Killed(death)),
            (fault, _) => fault.map(Cause::Fault),
        }
    }

    /// Whether a host crashed or was shut down, and has not booted since.
    pub(crate) fn is_off(&self, host: &str) -> bool {
        let turned = |it: &&Struck<'_>| it.host == host && (it.ends_host() || it.kind == FaultKind::Boot);
        self.struck.iter().rev().find(turned).is_some_and(Struck::ends_host)
    }

    /// The last fault before the event `before` that is wanted.
    pub(crate) fn last(&self, before: usize, wanted: impl Fn(&Struck<'a>) -> bool) -> Option<Struck<'a>> {
        self.struck.iter().rev().find(|struck| struck.at < before && wanted(struck)).copied()
    }

    /// The last fault before the event `before` that does harm, is wanted, and lasts until then: nothing mended it.
    pub(crate) fn in_force(&self, before: usize, wanted: impl Fn(&Struck<'a>) -> bool) -> Option<Struck<'a>> {
        let past = &self.struck[..self.struck.partition_point(|struck| struck.at < before)];
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
            (since..before).contains(&struck.at) && struck.ends_host() && wanted(struck)
        };
        self.struck.iter().rev().find(ends).copied()
    }
}
