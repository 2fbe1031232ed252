//! How a host learns its own address.
//!
//! turmoil tells a program every host's address but its own. It shows only in what the host sends; so the host
//! sends an empty datagram to a multicast group that it alone is in, and reads where it came from. Meanwhile
//! any packet that arrives says it too, by its destination.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use turmoil::net::UdpSocket;

use crate::packet;

/// IANA's number of the protocol TCP, as a UDP port: no other program has it.
pub(super) const PORT: u16 = 6;

thread_local! {
    /// Groups used so far.
    static GROUPS: Cell<u32> = const { Cell::new(0) };
}

/// An empty datagram under way to its own sender.
pub(super) struct Announcement {
    /// The group; `None` once the host knows its address.
    group: Option<IpAddr>,
}

impl Announcement {
    pub(super) fn make(udp: &UdpSocket, version_of: IpAddr) -> io::Result<Announcement> {
        let n = GROUPS.get();
        GROUPS.set(n.wrapping_add(1));
        // RFC 2365, 6: a scope of one's own; in IPv6 the same, interface-local (RFC 4291, 2.7).
        let group = match version_of {
            IpAddr::V4(_) => {
                let group = Ipv4Addr::from_bits(0xef00_0000 | (n & 0x00ff_ffff));
                udp.join_multicast_v4(group, Ipv4Addr::UNSPECIFIED)?;
                IpAddr::V4(group)
            }
            IpAddr::V6(_) => {
                let group = Ipv6Addr::from_bits(0xff01 << 112 | u128::from(n));
                udp.join_multicast_v6(&group, 0)?;
                IpAddr::V6(group)
            }
        };
        udp.try_send_to(&[], (group, PORT))?;
        Ok(Announcement { group: Some(group) })
    }

    /// Whether this datagram tells the host its address, which it is to be told once.
    pub(super) fn answered(
        &mut self,
        udp: &UdpSocket,
        is_empty: bool,
        packet: Option<&Bytes>,
        from: IpAddr,
    ) -> Option<IpAddr> {
        let group = self.group?;
        let own = if is_empty { from } else { packet::addresses(packet?).ok()?.1 };
        self.group = None;
        let left = match group {
            IpAddr::V4(group) => udp.leave_multicast_v4(group, Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(group) => udp.leave_multicast_v6(&group, 0),
        };
        debug_assert!(left.is_ok(), "the group was joined");
        Some(own)
    }
}
