//! ARP (RFC 826) and IPv6's Neighbor Discovery (RFC 4861): who on the segment has an address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    NdiscNeighborFlags, NdiscRepr,
};

use super::segment::ip_repr;
use super::{Ip, Malformed};

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// That of the host whose first address this is: one that its owner administers himself (IEEE 802, 8.2.2).
    pub fn of(addr: IpAddr) -> Mac {
        let [a, b, c, d] = match addr {
            IpAddr::V4(addr) => addr.octets(),
            IpAddr::V6(addr) => {
                let octets = addr.octets();
                [octets[6], octets[7], octets[14], octets[15]]
            }
        };
        Mac([0x02, 0x00, a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What is asked or told about a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// An ARP request, or a neighbor solicitation: who has the target's address?
    Request,
    /// An ARP reply, or a neighbor advertisement: the sender has it.
    Reply,
}

/// A message of ARP or of Neighbor Discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourMessage {
    /// What it is.
    pub what: Resolution,
    /// Who asks or answers: its IP address.
    pub sender: IpAddr,
    /// The same host's Ethernet address.
    pub mac: Mac,
    /// Who is asked for, or told.
    pub target: IpAddr,
}

/// An ARP packet begins with its hardware type, an IP packet with its version: the first four bits tell them apart.
pub(super) fn is_arp(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|octet| octet >> 4 == 0)
}

pub(super) fn parse_arp(bytes: &[u8]) -> Result<NeighbourMessage, Malformed> {
    const BAD: Malformed = Malformed("ARP packet");
    let packet = ArpPacket::new_checked(bytes).map_err(|_| BAD)?;
    let repr = ArpRepr::parse(&packet).map_err(|_| BAD)?;
    let ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr,
        ..
    } = repr
    else {
        return Err(BAD);
    };
    let what = match operation {
        ArpOperation::Request => Resolution::Request,
        ArpOperation::Reply => Resolution::Reply,
        ArpOperation::Unknown(_) => return Err(BAD),
    };
    let (sender, target) = (source_protocol_addr.into(), target_protocol_addr.into());
    Ok(NeighbourMessage { what, sender, mac: Mac(source_hardware_addr.0), target })
}

/// A neighbor solicitation or advertisement; `None` for any other ICMPv6 message.
pub(super) fn parse_v6(ip: &Ip<'_>) -> Option<NeighbourMessage> {
    /// RFC 4861, 7.1: nothing that has passed a router is believed.
    const NEVER_FORWARDED: u8 = 255;
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (ip.src, ip.dst) else { return None };
    let icmp = Icmpv6Packet::new_checked(ip.payload).ok()?;
    if !icmp.msg_type().is_ndisc() || ip.hop_limit != NEVER_FORWARDED || !icmp.verify_checksum(&src, &dst) {
        return None;
    }
    let (what, target, sender, hardware) = match NdiscRepr::parse(&icmp).ok()? {
        NdiscRepr::NeighborSolicit { target_addr, lladdr } => {
            (Resolution::Request, IpAddr::V6(target_addr), ip.src, lladdr)
        }
        NdiscRepr::NeighborAdvert { target_addr, lladdr, .. } => {
            (Resolution::Reply, ip.dst, IpAddr::V6(target_addr), lladdr)
        }
        _ => return None,
    };
    // Who answers one host alone may leave it out (RFC 4861, 4.4): the frame has it.
    let mac = hardware.and_then(|addr| Some(Mac(addr.as_bytes().try_into().ok()?)));
    Some(NeighbourMessage { what, sender, mac: mac.unwrap_or_else(|| Mac::of(sender)), target })
}

/// Writes a message: an ARP packet, or an IPv6 packet. Who is asked for is known by the Ethernet address `asked`, if it is.
pub fn emit(message: &NeighbourMessage, asked: Option<Mac>) -> Bytes {
    match (message.sender, message.target) {
        (IpAddr::V4(sender), IpAddr::V4(target)) => emit_arp(message, sender, target, asked),
        (IpAddr::V6(sender), IpAddr::V6(target)) => emit_v6(message, sender, target, asked.is_some()),
        _ => unreachable!("a host asks for and answers addresses of one family at a time"),
    }
}

fn emit_arp(message: &NeighbourMessage, sender: Ipv4Addr, target: Ipv4Addr, asked: Option<Mac>) -> Bytes {
    let repr = ArpRepr::EthernetIpv4 {
        operation: match message.what {
            Resolution::Request => ArpOperation::Request,
            Resolution::Reply => ArpOperation::Reply,
        },
        source_hardware_addr: EthernetAddress(message.mac.0),
        source_protocol_addr: sender,
        target_hardware_addr: EthernetAddress(asked.map_or([0; 6], |mac| mac.0)),
        target_protocol_addr: target,
    };
    let mut bytes = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut bytes));
    bytes.into()
}

fn emit_v6(message: &NeighbourMessage, sender: Ipv6Addr, target: Ipv6Addr, is_known: bool) -> Bytes {
    let lladdr = Some(EthernetAddress(message.mac.0).into());
    let (dst, repr) = match message.what {
        Resolution::Request => (
            if is_known { target } else { solicited_node(target) },
            NdiscRepr::NeighborSolicit { target_addr: target, lladdr },
        ),
        Resolution::Reply => {
            let flags = NdiscNeighborFlags::SOLICITED | NdiscNeighborFlags::OVERRIDE;
            (target, NdiscRepr::NeighborAdvert { flags, target_addr: sender, lladdr })
        }
    };
    let icmp = Icmpv6Repr::Ndisc(repr);
    let ip = ip_repr(sender.into(), dst.into(), IpProtocol::Icmpv6, icmp.buffer_len(), 255);
    let mut bytes = vec![0; ip.buffer_len()];
    let checksums = ChecksumCapabilities::default();
    ip.emit(&mut bytes, &checksums);
    let header = ip.header_len();
    icmp.emit(&sender, &dst, &mut Icmpv6Packet::new_unchecked(&mut bytes[header..]), &checksums);
    bytes.into()
}

/// The group of all who have an address that ends in the same three octets (RFC 4291, 2.7.1).
fn solicited_node(addr: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = addr.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

#[cfg(test)]
mod tests {
    use super::super::{Packet, parse};
    use super::*;

    fn message(what: Resolution, sender: &str, target: &str) -> NeighbourMessage {
        let addr = |text: &str| text.parse().expect("an address");
        NeighbourMessage { what, sender: addr(sender), mac: Mac::of(addr(sender)), target: addr(target) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (sender, target) in [("10.0.1.1", "10.0.2.1"), ("2001:db8:0:1::1", "2001:db8:0:2::1")] {
            for what in [Resolution::Request, Resolution::Reply] {
                for asked in [None, Some(Mac([2; 6]))] {
                    let message = message(what, sender, target);
                    assert_eq!(parse(&emit(&message, asked)), Ok(Packet::Neighbour(message)));
                }
            }
        }
    }

    /// The request of RFC 826's example, in octets: hardware 1, protocol 0x0800, lengths 6 and 4, operation 1.
    #[test]
    fn arp_request_has_the_octets_of_rfc_826() {
        let bytes = emit(&message(Resolution::Request, "10.0.1.1", "10.0.2.1"), None);
        let octets = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 10, 0, 1, 1, 10, 0, 1, 1, 0, 0, 0, 0, 0, 0, 10, 0, 2, 1];
        assert_eq!(bytes[..], octets);
    }

    #[test]
    fn solicitation_that_a_router_forwarded_is_not_believed() {
        let bytes = emit(&message(Resolution::Request, "2001:db8:0:1::1", "2001:db8:0:2::1"), None);
        let mut forwarded = bytes.to_vec();
        forwarded[7] -= 1;
        assert!(parse(&forwarded).is_err());
    }
}
