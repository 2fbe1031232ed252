//! Which host has which address, and what it is for, as far as packets show it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{Direction, Event, Kind, LostReason};

/// Hosts and routers that have sent or received anything, by address.
#[derive(Debug, Default)]
pub(crate) struct Hosts<'a> {
    by_addr: BTreeMap<IpAddr, &'a str>,
    /// Who last turned a packet away, and when: what it sends then is in the name of another.
    turned_away: Option<(&'a str, SimTime)>,
}

impl<'a> Hosts<'a> {
    pub(crate) fn of(events: &'a [Event]) -> Hosts<'a> {
        let mut hosts = Hosts::default();
        events.iter().for_each(|event| hosts.read(event));
        hosts
    }

    pub(super) fn read(&mut self, event: &'a Event) {
        let address = match &event.kind {
            Kind::Segment(segment) if segment.dir == Direction::In => segment.dst.ip(),
            Kind::Lost { reason: LostReason::UnknownFlow | LostReason::Rejected, .. } => {
                self.turned_away = Some((&event.host, event.t));
                return;
            }
            Kind::Segment(_) if self.turned_away == Some((&event.host, event.t)) => return,
            // What is injected is in the name of another, who has spoken before.
            Kind::Segment(segment) => {
                self.by_addr.entry(segment.src.ip()).or_insert(&event.host);
                return;
            }
            // An ICMP error that arrives quotes a packet of its receiver's, whose address is known from that.
            Kind::Icmp(icmp) if icmp.dir == Direction::Out => icmp.src,
            Kind::Neighbour(message) if message.dir == Direction::Out => message.sender,
            _ => return,
        };
        self.by_addr.insert(address, &event.host);
    }

    /// Every address, with its host.
    pub(crate) fn all(&self) -> impl Iterator<Item = (IpAddr, &'a str)> {
        self.by_addr.iter().map(|(addr, host)| (*addr, *host))
    }

    /// The host that has this address.
    pub(crate) fn at(&self, addr: IpAddr) -> Option<&'a str> {
        self.by_addr.get(&addr).copied()
    }

    /// The host's name, or the address if no host is known to have it.
    pub(crate) fn name(&self, addr: IpAddr) -> String {
        self.at(addr).map_or_else(|| addr.to_string(), str::to_owned)
    }

    /// Whether a host of this name has sent or received anything.
    pub(crate) fn knows(&self, host: &str) -> bool {
        self.by_addr.values().any(|known| *known == host)
    }
}

/// What a host is for, in the order in which pictures have them from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// It opens connections.
    Client,
    /// It forwards what others send each other.
    Router,
    Server,
}

/// Hosts that are `known` to be no routers, and all others of a run, by their roles.
pub(crate) fn roles<'a>(
    events: &'a [Event],
    known: impl IntoIterator<Item = &'a str>,
) -> Vec<(&'a str, Role)> {
    let mut roles: Vec<(&str, Role)> = known.into_iter().map(|name| (name, Role::Server)).collect();
    for event in events {
        let host: &str = &event.host;
        let opens = match &event.kind {
            // A fault is the world's doing, and no host's.
            Kind::Fault { .. } => continue,
            Kind::Segment(it) => it.dir == Direction::Out && it.flags.has(Flags::SYN) && it.ack.is_none(),
            _ => false,
        };
        let known = roles.iter_mut().find(|(name, _)| *name == host);
        match known {
            Some((_, role)) if opens => *role = Role::Client,
            Some(_) => {}
            None if opens => roles.push((host, Role::Client)),
            None if is_router(event) => roles.push((host, Role::Router)),
            None => roles.push((host, Role::Server)),
        }
    }
    roles.sort_by_key(|(_, role)| *role);
    roles
}

/// Only a router says the first thing of its own about another host's packet.
fn is_router(event: &Event) -> bool {
    match &event.kind {
        Kind::Lost { .. } => true,
        Kind::Icmp(icmp) => icmp.dir == Direction::Out,
        _ => false,
    }
}
