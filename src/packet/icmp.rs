//! ICMP (RFC 792) and ICMPv6 (RFC 4443) errors about TCP segments.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Icmpv4Packet, Icmpv6Packet, IpProtocol, IpVersion, Ipv4Packet, Ipv6Packet};

use super::segment::ip_repr;
use super::{Ip, Malformed, Seq};

/// What an ICMP error says of the packet it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unreachable {
    /// No route to the network: type 3 code 0; ICMPv6 1/0.
    Net,
    /// No answer from the host on its link: 3/1; ICMPv6 1/3.
    Host,
    /// The host does not speak the protocol: 3/2; ICMPv6 4/1.
    Protocol,
    /// No socket has the port: 3/3; ICMPv6 1/4.
    Port,
    /// The packet is larger than the next link's MTU in octets: 3/4 (RFC 1191); ICMPv6 2/0 (RFC 8201).
    FragmentationNeeded {
        /// The next link's MTU, in octets.
        mtu: u16,
    },
    /// Forbidden by the administrator: 3/13 (RFC 1812); ICMPv6 1/1.
    Prohibited,
    /// The hop limit ran out on the way: 11/0; ICMPv6 3/0.
    TimeExceeded,
}

impl Unreachable {
    /// ICMP type and code.
    pub const fn type_code(self, version: IpVersion) -> (u8, u8) {
        match (self, version) {
            (Unreachable::Net, IpVersion::Ipv4) => (3, 0),
            (Unreachable::Host, IpVersion::Ipv4) => (3, 1),
            (Unreachable::Protocol, IpVersion::Ipv4) => (3, 2),
            (Unreachable::Port, IpVersion::Ipv4) => (3, 3),
            (Unreachable::FragmentationNeeded { .. }, IpVersion::Ipv4) => (3, 4),
            (Unreachable::Prohibited, IpVersion::Ipv4) => (3, 13),
            (Unreachable::TimeExceeded, IpVersion::Ipv4) => (11, 0),
            (Unreachable::Net, IpVersion::Ipv6) => (1, 0),
            (Unreachable::Host, IpVersion::Ipv6) => (1, 3),
            (Unreachable::Protocol, IpVersion::Ipv6) => (4, 1),
            (Unreachable::Port, IpVersion::Ipv6) => (1, 4),
            (Unreachable::FragmentationNeeded { .. }, IpVersion::Ipv6) => (2, 0),
            (Unreachable::Prohibited, IpVersion::Ipv6) => (1, 1),
            (Unreachable::TimeExceeded, IpVersion::Ipv6) => (3, 0),
        }
    }

    /// tcpdump's words for it: `host unreachable`.
    pub const fn name(self) -> &'static str {
        match self {
            Unreachable::Net => "net unreachable",
            Unreachable::Host => "host unreachable",
            Unreachable::Protocol => "protocol unreachable",
            Unreachable::Port => "port unreachable",
            Unreachable::FragmentationNeeded { .. } => "fragmentation needed",
            Unreachable::Prohibited => "admin prohibited",
            Unreachable::TimeExceeded => "time exceeded",
        }
    }

    fn from_type_code(version: IpVersion, kind: u8, code: u8, mtu: u32) -> Option<Unreachable> {
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let all = [
            Unreachable::Net,
            Unreachable::Host,
            Unreachable::Protocol,
            Unreachable::Port,
            Unreachable::FragmentationNeeded { mtu },
            Unreachable::Prohibited,
            Unreachable::TimeExceeded,
        ];
        all.into_iter().find(|what| what.type_code(version) == (kind, code))
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an ICMP error quotes of the packet it is about: enough to find the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Source of the quoted segment: the host that the error is sent to.
    pub src: SocketAddr,
    /// Where the quoted segment was going.
    pub dst: SocketAddr,
    /// Its sequence number.
    pub seq: Seq,
}

/// An ICMP error that quotes a TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Who sent it: a router, or the host that the segment was for.
    pub src: IpAddr,
    /// Who it was sent to.
    pub dst: IpAddr,
    /// What it says.
    pub what: Unreachable,
    /// The segment it is about.
    pub about: Quoted,
}

impl IcmpError {
    /// ICMP type and code, of the IP version it travels in.
    pub fn type_code(&self) -> (u8, u8) {
        self.what.type_code(version_of(self.dst))
    }
}

/// Octets of the offending packet that an ICMP error repeats beyond the IP header: 8 (RFC 792); as TCP's ports
/// and sequence number are in them, no more is needed.
const QUOTED_TCP: usize = 8;
/// Octets before the quotation, in either version.
const ERROR_HEADER: usize = 8;

pub(super) fn parse(ip: &Ip<'_>) -> Result<IcmpError, Malformed> {
    let version = version_of(ip.src);
    let (kind, code, mtu) = match (version, ip.protocol) {
        (IpVersion::Ipv4, IpProtocol::Icmp) => {
            let icmp = Icmpv4Packet::new_checked(ip.payload).map_err(|_| Malformed("ICMP header"))?;
            if !icmp.verify_checksum() {
                return Err(Malformed("ICMP checksum"));
            }
            // RFC 1191, 4: the next-hop MTU stands in the low half of the second word.
            let word = word_at(ip.payload, 4)?;
            (icmp.msg_type().into(), icmp.msg_code(), word & 0xffff)
        }
        (IpVersion::Ipv6, IpProtocol::Icmpv6) => {
            let icmp = Icmpv6Packet::new_checked(ip.payload).map_err(|_| Malformed("ICMPv6 header"))?;
            let (src, dst) = addresses_v6(ip)?;
            if !icmp.verify_checksum(&src, &dst) {
                return Err(Malformed("ICMPv6 checksum"));
            }
            (icmp.msg_type().into(), icmp.msg_code(), word_at(ip.payload, 4)?)
        }
        _ => return Err(Malformed("ICMP of the other IP version")),
    };
    let what = Unreachable::from_type_code(version, kind, code, mtu)
        .ok_or(Malformed("an ICMP message that is no error known here"))?;
    let quoted = ip.payload.get(ERROR_HEADER..).ok_or(Malformed("ICMP error without a quotation"))?;
    Ok(IcmpError { src: ip.src, dst: ip.dst, what, about: parse_quoted(version, quoted)? })
}

/// The quotation is cut short after 8 octets of TCP, so its lengths are not what its headers claim.
fn parse_quoted(version: IpVersion, quoted: &[u8]) -> Result<Quoted, Malformed> {
    const CUT: Malformed = Malformed("ICMP quotation");
    let (src, dst, protocol, header_len): (IpAddr, IpAddr, _, _) = match version {
        IpVersion::Ipv4 => {
            if quoted.len() < smoltcp::wire::IPV4_HEADER_LEN || IpVersion::of_packet(quoted) != Ok(version) {
                return Err(CUT);
            }
            let ip = Ipv4Packet::new_unchecked(quoted);
            (ip.src_addr().into(), ip.dst_addr().into(), ip.next_header(), usize::from(ip.header_len()))
        }
        IpVersion::Ipv6 => {
            if quoted.len() < smoltcp::wire::IPV6_HEADER_LEN || IpVersion::of_packet(quoted) != Ok(version) {
                return Err(CUT);
            }
            let ip = Ipv6Packet::new_unchecked(quoted);
            (ip.src_addr().into(), ip.dst_addr().into(), ip.next_header(), smoltcp::wire::IPV6_HEADER_LEN)
        }
    };
    if protocol != IpProtocol::Tcp {
        return Err(Malformed("ICMP error about another protocol than TCP"));
    }
    let tcp = quoted.get(header_len..header_len + QUOTED_TCP).ok_or(CUT)?;
    let port = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    Ok(Quoted {
        src: SocketAddr::new(src, port(0)),
        dst: SocketAddr::new(dst, port(2)),
        seq: Seq::new(word_at(tcp, 4)?),
    })
}

/// Writes the error `what` about the packet `offending`, from `src` to the offender's source.
///
/// # Errors
///
/// [`Malformed`] if `offending` is no IP packet of `src`'s family: it could not be sent to a sender.
pub fn emit(src: IpAddr, what: Unreachable, offending: &[u8]) -> Result<Bytes, Malformed> {
    let ip = Ip::parse(offending)?;
    let version = version_of(src);
    if version != version_of(ip.src) {
        return Err(Malformed("packet of the other IP version"));
    }
    let quoted_len = (offending.len() - ip.payload.len() + QUOTED_TCP).min(offending.len());
    let quoted = &offending[..quoted_len];
    let protocol = match version {
        IpVersion::Ipv4 => IpProtocol::Icmp,
        IpVersion::Ipv6 => IpProtocol::Icmpv6,
    };
    let (kind, code) = what.type_code(version);
    let word: u32 = match what {
        Unreachable::FragmentationNeeded { mtu } => mtu.into(),
        // RFC 4443, 3.4: the pointer shows the field in error, here the next header octet.
        Unreachable::Protocol if version == IpVersion::Ipv6 => 6,
        _ => 0,
    };
    let repr = ip_repr(src, ip.src, protocol, ERROR_HEADER + quoted.len(), 64);
    let mut bytes = vec![0; repr.buffer_len()];
    repr.emit(&mut bytes, &ChecksumCapabilities::default());
    let icmp = &mut bytes[repr.header_len()..];
    icmp[0] = kind;
    icmp[1] = code;
    icmp[4..8].copy_from_slice(&word.to_be_bytes());
    icmp[8..].copy_from_slice(quoted);
    match (src, ip.src) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => Icmpv6Packet::new_unchecked(icmp).fill_checksum(&src, &dst),
        _ => Icmpv4Packet::new_unchecked(icmp).fill_checksum(),
    }
    Ok(bytes.into())
}

fn version_of(addr: IpAddr) -> IpVersion {
    match addr {
        IpAddr::V4(_) => IpVersion::Ipv4,
        IpAddr::V6(_) => IpVersion::Ipv6,
    }
}

fn addresses_v6(ip: &Ip<'_>) -> Result<(std::net::Ipv6Addr, std::net::Ipv6Addr), Malformed> {
    match (ip.src, ip.dst) {
        (IpAddr::V6(src), IpAddr::V6(dst)) => Ok((src, dst)),
        _ => Err(Malformed("ICMPv6 in IPv4")),
    }
}

fn word_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    let word = bytes.get(at..at + 4).ok_or(Malformed("cut short"))?;
    Ok(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
}
