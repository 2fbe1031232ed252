//! Which host has which address, as far as packets show it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::timeline::{Direction, Event, Kind};

/// Hosts and routers that have sent or received anything, by address.
#[derive(Debug, Default)]
pub(crate) struct Hosts<'a>(BTreeMap<IpAddr, &'a str>);

impl<'a> Hosts<'a> {
    pub(crate) fn of(events: &'a [Event]) -> Hosts<'a> {
        let address = |event: &'a Event| match &event.kind {
            Kind::Segment(segment) => Some(match segment.dir {
                Direction::Out => segment.src.ip(),
                Direction::In => segment.dst.ip(),
            }),
            // An ICMP error that arrives quotes a packet of its receiver's, whose address is known from that.
            Kind::Icmp(icmp) => (icmp.dir == Direction::Out).then_some(icmp.src),
            _ => None,
        };
        Hosts(events.iter().filter_map(|event| Some((address(event)?, &*event.host))).collect())
    }

    /// The host that has this address.
    pub(crate) fn at(&self, addr: IpAddr) -> Option<&'a str> {
        self.0.get(&addr).copied()
    }

    /// The host's name, or the address if no host is known to have it.
    pub(crate) fn name(&self, addr: IpAddr) -> String {
        self.at(addr).map_or_else(|| addr.to_string(), str::to_owned)
    }

    /// Whether a host of this name has sent or received anything.
    pub(crate) fn knows(&self, host: &str) -> bool {
        self.0.values().any(|known| *known == host)
    }
}
