//! What is inside an IP packet, and the packets that are made from scratch.
//!
//! Everything above speaks of [`Segment`]s and [`IcmpError`]s; only here (and inside smoltcp) is a header a
//! row of bytes. Parsing never panics: what cannot be read is [`Malformed`].

pub(crate) mod ethernet;
mod icmp;
mod neighbour;
mod options;
mod segment;
mod seq;

use std::net::IpAddr;

use smoltcp::wire::{IPV6_HEADER_LEN, IpProtocol, IpVersion, Ipv4Packet, Ipv6Packet};
use thiserror::Error;

pub use icmp::{IcmpError, Quoted, Unreachable, emit as emit_icmp};
pub use neighbour::{Mac, NeighbourMessage, Resolution, emit as emit_neighbour};
pub(crate) use options::TcpOptions;
pub use segment::{Flags, Segment, emit as emit_segment};
pub(crate) use segment::{
    acknowledge_more, emit_with, fill_checksum, moved_back, pushed, renumbered, split as split_segment,
    with_checksum, with_window, without_fin,
};
#[cfg(feature = "cli")]
pub(crate) use segment::{emit_with_octets, tcp_options};
pub use seq::Seq;

/// An IP packet, or one of ARP, as far as a host or a router here looks into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A TCP segment (RFC 9293, 3.1).
    Tcp(Segment),
    /// An ICMP or ICMPv6 error that quotes a TCP segment (RFC 792, RFC 4443).
    Icmp(IcmpError),
    /// A message of ARP, which is no IP packet, or of Neighbor Discovery.
    Neighbour(NeighbourMessage),
}

/// Why bytes are not a packet this simulator understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("malformed packet: {0}")]
pub struct Malformed(pub(crate) &'static str);

/// Reads an IPv4, IPv6 or ARP packet, checking every length and checksum.
pub fn parse(bytes: &[u8]) -> Result<Packet, Malformed> {
    if neighbour::is_arp(bytes) {
        return neighbour::parse_arp(bytes).map(Packet::Neighbour);
    }
    let ip = Ip::parse(bytes)?;
    match ip.protocol {
        IpProtocol::Tcp => segment::parse(&ip).map(Packet::Tcp),
        IpProtocol::Icmp | IpProtocol::Icmpv6 => match neighbour::parse_v6(&ip) {
            Some(message) => Ok(Packet::Neighbour(message)),
            None => icmp::parse(&ip).map(Packet::Icmp),
        },
        _ => Err(Malformed("neither TCP nor ICMP")),
    }
}

/// Reads a packet that this host has made itself: without its checksums.
pub(crate) fn view(bytes: &[u8]) -> Result<Packet, Malformed> {
    let ip = Ip::read(bytes)?;
    match ip.protocol {
        IpProtocol::Tcp => segment::read(&ip).map(Packet::Tcp),
        _ => Err(Malformed("no TCP")),
    }
}

/// Where an IP packet is from and where it goes, without a look at what it carries.
pub fn addresses(bytes: &[u8]) -> Result<(IpAddr, IpAddr), Malformed> {
    let ip = Ip::parse(bytes)?;
    Ok((ip.src, ip.dst))
}

/// Octets of the headers of IP and TCP; all of a packet that is no TCP segment. Whether what follows is there or not.
pub(crate) fn headers_len(bytes: &[u8]) -> usize {
    const TCP: u8 = 6;
    let octet = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let (tcp_at, protocol) = match octet(0) >> 4 {
        4 => (usize::from(octet(0) & 0x0f) * 4, octet(9)),
        6 => (IPV6_HEADER_LEN, octet(6)),
        _ => return bytes.len(),
    };
    match protocol {
        TCP => (tcp_at + usize::from(octet(tcp_at + 12) >> 4) * 4).min(bytes.len()),
        _ => bytes.len(),
    }
}

/// Octets of a packet, as its IP header says: more than there are if it has been cut.
pub(crate) fn said_len(bytes: &[u8]) -> usize {
    let octet = |at: usize| usize::from(bytes.get(at).copied().unwrap_or_default());
    let said = match octet(0) >> 4 {
        4 => octet(2) << 8 | octet(3),
        6 => IPV6_HEADER_LEN + (octet(4) << 8 | octet(5)),
        _ => 0,
    };
    said.max(bytes.len())
}

/// Where a packet goes that this host has made itself.
pub(crate) fn destination(bytes: &[u8]) -> Result<IpAddr, Malformed> {
    Ok(Ip::read(bytes)?.dst)
}

/// Takes one hop off the packet's time to live (IPv4) or hop limit (IPv6), mending the header's checksum.
///
/// Returns what is left; at 0 a router drops the packet (RFC 1812, 5.3.1).
pub fn decrement_hop_limit(bytes: &mut [u8]) -> Result<u8, Malformed> {
    match version_of(bytes)? {
        IpVersion::Ipv4 => {
            let mut ip = Ipv4Packet::new_checked(bytes).map_err(|_| Malformed("IPv4 header"))?;
            let left = ip.hop_limit().saturating_sub(1);
            ip.set_hop_limit(left);
            ip.fill_checksum();
            Ok(left)
        }
        IpVersion::Ipv6 => {
            let mut ip = Ipv6Packet::new_checked(bytes).map_err(|_| Malformed("IPv6 header"))?;
            let left = ip.hop_limit().saturating_sub(1);
            ip.set_hop_limit(left);
            Ok(left)
        }
    }
}

fn version_of(bytes: &[u8]) -> Result<IpVersion, Malformed> {
    // smoltcp's own look at the first octet takes it for granted that there is one.
    if bytes.is_empty() {
        return Err(Malformed("empty"));
    }
    IpVersion::of_packet(bytes).map_err(|_| Malformed("IP version"))
}

/// An IP header, read; `payload` is what follows it.
struct Ip<'a> {
    src: IpAddr,
    dst: IpAddr,
    protocol: IpProtocol,
    hop_limit: u8,
    payload: &'a [u8],
}

impl<'a> Ip<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Ip<'a>, Malformed> {
        let ip = Ip::read(bytes)?;
        if ip.src.is_ipv4() && !Ipv4Packet::new_unchecked(bytes).verify_checksum() {
            return Err(Malformed("IPv4 header checksum"));
        }
        Ok(ip)
    }

    fn read(bytes: &'a [u8]) -> Result<Ip<'a>, Malformed> {
        match version_of(bytes)? {
            IpVersion::Ipv4 => {
                let ip = Ipv4Packet::new_checked(bytes).map_err(|_| Malformed("IPv4 header"))?;
                if ip.more_frags() || ip.frag_offset() != 0 {
                    return Err(Malformed("IPv4 fragment"));
                }
                Ok(Ip {
                    src: ip.src_addr().into(),
                    dst: ip.dst_addr().into(),
                    protocol: ip.next_header(),
                    hop_limit: ip.hop_limit(),
                    payload: ip.payload(),
                })
            }
            IpVersion::Ipv6 => {
                let ip = Ipv6Packet::new_checked(bytes).map_err(|_| Malformed("IPv6 header"))?;
                Ok(Ip {
                    src: ip.src_addr().into(),
                    dst: ip.dst_addr().into(),
                    protocol: ip.next_header(),
                    hop_limit: ip.hop_limit(),
                    payload: ip.payload(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
