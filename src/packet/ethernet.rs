//! Ethernet frames, where a capture or a kernel's device wants them: hosts here send each other packets.

use std::net::IpAddr;

use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};

use super::neighbour::{Mac, Resolution};
use super::{Ip, Packet};

/// Octets of a frame's header.
pub(crate) const HEADER: usize = 14;

/// The header of the frame that a packet is in on a shared segment; `None` if it is none that can be read.
pub(crate) fn header(packet: &[u8]) -> Option<[u8; HEADER]> {
    let (src, dst, ethertype) = match super::parse(packet) {
        Ok(Packet::Neighbour(message)) if message.sender.is_ipv4() => {
            let dst = match message.what {
                Resolution::Request => Mac([0xff; 6]),
                Resolution::Reply => Mac::of(message.target),
            };
            (message.mac, dst, EthernetProtocol::Arp)
        }
        _ => {
            let ip = Ip::read(packet).ok()?;
            let ethertype = if ip.src.is_ipv4() { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 };
            (Mac::of(ip.src), towards(ip.dst), ethertype)
        }
    };
    let mut header = [0; HEADER];
    let repr = EthernetRepr { src_addr: EthernetAddress(src.0), dst_addr: EthernetAddress(dst.0), ethertype };
    repr.emit(&mut EthernetFrame::new_unchecked(&mut header[..]));
    Some(header)
}

/// RFC 2464, 7: a group's address is the last four octets of it behind 33:33.
fn towards(dst: IpAddr) -> Mac {
    match dst {
        IpAddr::V6(group) if group.is_multicast() => {
            let [.., a, b, c, d] = group.octets();
            Mac([0x33, 0x33, a, b, c, d])
        }
        one => Mac::of(one),
    }
}

/// The packet in a frame; `None` if it carries neither IP nor ARP.
#[cfg(all(feature = "cli", target_os = "linux"))]
pub(crate) fn payload(frame: &[u8]) -> Option<&[u8]> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    let known = [EthernetProtocol::Arp, EthernetProtocol::Ipv4, EthernetProtocol::Ipv6];
    known.contains(&frame.ethertype()).then(|| frame.payload())
}

#[cfg(test)]
mod tests {
    use super::super::{NeighbourMessage, emit_neighbour};
    use super::*;

    /// RFC 826: a request is broadcast; RFC 4861, 7.2.2: a solicitation goes to the group of all who end in the same octets.
    #[test]
    fn who_is_asked_for_the_first_time_is_asked_with_all_others() {
        let request = |sender: &str, target: &str| {
            let addr = |text: &str| text.parse().expect("an address");
            let (what, sender, target) = (Resolution::Request, addr(sender), addr(target));
            emit_neighbour(&NeighbourMessage { what, sender, mac: Mac::of(sender), target }, None)
        };
        let v4 = header(&request("10.0.1.1", "10.0.2.1")).expect("a header");
        assert_eq!(v4, [255, 255, 255, 255, 255, 255, 2, 0, 10, 0, 1, 1, 8, 6]);
        let v6 = header(&request("2001:db8:0:1::1", "2001:db8:0:2::1")).expect("a header");
        assert_eq!(v6, [0x33, 0x33, 0xff, 0, 0, 1, 2, 0, 0, 1, 0, 1, 0x86, 0xdd]);
    }
}
