//! Which host stands where.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::packet::Flags;
use crate::report::wording;
use crate::timeline::{Direction, Event, Kind};

/// A lifeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The host's name.
    pub name: String,
    /// It forwards what others send each other.
    pub router: bool,
}

/// Finds a column by a host's name or address.
#[derive(Debug)]
pub(super) struct Places<'a> {
    names: BTreeMap<&'a str, usize>,
    addrs: BTreeMap<IpAddr, usize>,
    /// Columns there are.
    count: usize,
}

impl Places<'_> {
    pub(super) fn host(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Whoever has this address; a host that never said or heard a word is taken for the one furthest from `from`.
    pub(super) fn addr(&self, addr: IpAddr, from: usize) -> usize {
        let furthest = if from == 0 { self.count.saturating_sub(1) } else { 0 };
        self.addrs.get(&addr).copied().unwrap_or(furthest)
    }
}

/// What a host is for, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Client,
    Router,
    Server,
}

pub(super) fn columns(events: &[Event]) -> (Vec<Column>, Places<'_>) {
    let mut hosts: Vec<(&str, Part)> = Vec::new();
    let mut addrs: BTreeMap<IpAddr, &str> = BTreeMap::new();
    for event in events {
        let host: &str = &event.host;
        let part = match &event.kind {
            // A fault is the world's doing, and no host's.
            Kind::Fault { .. } => continue,
            Kind::Segment(segment) => {
                let out = segment.dir == Direction::Out;
                addrs.insert(if out { segment.src.ip() } else { segment.dst.ip() }, host);
                let opens = out && segment.flags.has(Flags::SYN) && segment.ack.is_none();
                opens.then_some(Part::Client)
            }
            Kind::Icmp(icmp) if icmp.dir == Direction::Out => {
                addrs.insert(icmp.src, host);
                None
            }
            _ => None,
        };
        match hosts.iter_mut().find(|(name, _)| *name == host) {
            Some((_, known)) => *known = part.map_or(*known, |part| part.min(*known)),
            None => {
                let other = if is_router(event) { Part::Router } else { Part::Server };
                hosts.push((host, part.unwrap_or(other)));
            }
        }
    }
    hosts.sort_by_key(|(_, part)| *part);
    let names: BTreeMap<&str, usize> = hosts.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let addrs = addrs.into_iter().map(|(addr, host)| (addr, names[host])).collect();
    let columns: Vec<Column> = hosts
        .iter()
        .map(|(name, part)| Column {
            name: wording::printable(name).into_owned(),
            router: *part == Part::Router,
        })
        .collect();
    let places = Places { names, addrs, count: columns.len() };
    (columns, places)
}

/// Only a router says the first thing of its own about somebody else's packet.
fn is_router(event: &Event) -> bool {
    match &event.kind {
        Kind::Lost { .. } => true,
        Kind::Icmp(icmp) => icmp.dir == Direction::Out,
        _ => false,
    }
}
