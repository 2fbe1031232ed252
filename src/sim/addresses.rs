//! Who has which address: each link is a network of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which version of the Internet Protocol the world speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpVersion {
    /// IPv4: the hosts are in 10.0.0.0/8.
    #[default]
    V4,
    /// IPv6: the hosts are in 2001:db8::/32, the prefix for documentation (RFC 3849).
    V6,
}

/// The `count` addresses of the host whose link is the `link`-th, from 0.
pub fn host_addrs(version: IpVersion, link: usize, count: usize) -> Vec<IpAddr> {
    (1..=count).map(|n| on_network(version, link as u16 + 1, n as u8)).collect()
}

/// The router's own address.
pub fn router_addr(version: IpVersion) -> IpAddr {
    on_network(version, 0, 254)
}

/// turmoil's address of the host that all simulated hosts are in: no packet of theirs has it.
pub(super) fn hosts_addr(version: IpVersion) -> IpAddr {
    on_network(version, 0, 253)
}

fn on_network(version: IpVersion, network: u16, host: u8) -> IpAddr {
    let [high, low] = network.to_be_bytes();
    match version {
        IpVersion::V4 => Ipv4Addr::new(10, high, low, host).into(),
        IpVersion::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host.into()).into(),
    }
}

/// The wildcard address: any of a host's.
pub fn wildcard(version: IpVersion) -> IpAddr {
    match version {
        IpVersion::V4 => Ipv4Addr::UNSPECIFIED.into(),
        IpVersion::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}
