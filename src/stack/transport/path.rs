//! The two ends of a connection, and the size of packets between them.

use std::net::SocketAddr;

use smoltcp::wire::{IPV4_HEADER_LEN, IPV6_HEADER_LEN, TCP_HEADER_LEN};

/// Octets of data in a segment, where the peer does not say (RFC 9293, 3.7.1).
pub(crate) const DEFAULT_MSS: usize = 536;

/// The least MTU that is believed: RFC 791 for IPv4, RFC 8200 for IPv6.
const LEAST_MTU: (usize, usize) = (68, 1_280);

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// Octets of data of the largest segment on this host's link.
    pub(crate) mss: usize,
    /// Octets of data of the largest segment that the peer takes.
    pub(crate) peer_mss: usize,
    /// Octets of the largest IP packet that gets through, if a router said so (RFC 1191).
    pub(crate) mtu: Option<usize>,
    /// Octets of the largest IP packet on this host's link, and of the headers of IP and TCP.
    link_mtu: usize,
    headers: usize,
}

impl Path {
    /// A path of which nothing is known but that the link carries packets of up to `mtu` octets.
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr, mtu: usize) -> Path {
        let ip_header = if local.is_ipv4() { IPV4_HEADER_LEN } else { IPV6_HEADER_LEN };
        let headers = ip_header + TCP_HEADER_LEN;
        let mss = mtu - headers;
        Path { local, remote, mss, peer_mss: DEFAULT_MSS, mtu: None, link_mtu: mtu, headers }
    }

    /// SMSS (RFC 5681, 2): octets of data of the largest segment that may be sent.
    pub(crate) fn smss(&self) -> usize {
        self.mss.min(self.peer_mss)
    }

    /// The same, as far as it gets through.
    pub(crate) fn passing_mss(&self) -> usize {
        self.smss().min(self.mtu.map_or(usize::MAX, |mtu| mtu - self.headers))
    }

    /// Octets of the headers of IP and TCP, without options.
    pub(crate) fn headers(&self) -> usize {
        self.headers
    }

    /// Octets of the largest IP packet that is thought to get through.
    pub(crate) fn pmtu(&self) -> usize {
        self.mtu.map_or(self.link_mtu, |mtu| mtu.min(self.link_mtu))
    }

    /// A router says that only packets of up to `mtu` octets get through. Returns whether that is news: an MTU never
    /// grows here (RFC 1191, 6.3).
    pub(crate) fn shrink(&mut self, mtu: usize) -> bool {
        let least = if self.local.is_ipv4() { LEAST_MTU.0 } else { LEAST_MTU.1 };
        let mtu = mtu.max(least);
        let is_less = self.mtu.is_none_or(|known| mtu < known);
        if is_less {
            self.mtu = Some(mtu);
        }
        is_less
    }
}
