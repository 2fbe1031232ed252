//! IP packets in turmoil's UDP datagrams: the cable between the hosts and the router. The number of a packet's link goes
//! before it.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use bytes::Bytes;
use turmoil::net::UdpSocket;

use crate::router::LinkId;

/// The UDP port that IP rides on.
const PORT: u16 = 4;

/// The longest IP packet there is, RFC 791 and RFC 8200 without jumbograms.
const LONGEST_PACKET: usize = 65_575;

/// How many datagrams one socket can hold: as many as may ever be in flight at one moment.
pub(super) const CAPACITY: usize = 1 << 20;

/// How many datagrams are in the cable: sent, and not yet taken out.
#[derive(Clone, Debug, Default)]
pub(super) struct InCables(Rc<Cell<u64>>);

impl InCables {
    pub(super) fn any(&self) -> bool {
        self.0.get() > 0
    }

    fn add(&self, datagrams: i64) {
        self.0.set(self.0.get().strict_add_signed(datagrams));
    }
}

/// Octets of a link's number.
const NUMBER: usize = size_of::<u32>();

/// One end of the cable.
pub(super) struct Plug {
    socket: UdpSocket,
    other_end: SocketAddr,
    in_cables: InCables,
    buffer: Vec<u8>,
}

impl Plug {
    /// Plugs in the turmoil host that calls this; at the other end is that of this address.
    pub(super) async fn new(other_end: IpAddr, in_cables: InCables) -> io::Result<Plug> {
        let any: IpAddr =
            if other_end.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, PORT)).await?;
        let other_end = SocketAddr::new(other_end, PORT);
        Ok(Plug { socket, other_end, in_cables, buffer: vec![0; NUMBER + LONGEST_PACKET] })
    }

    /// Waits for a packet without taking it.
    pub(super) async fn readable(&self) {
        // turmoil's socket has no error to give here.
        let _ = self.socket.readable().await;
    }

    /// The next packet that has arrived, and its link.
    pub(super) fn receive(&mut self) -> Option<(LinkId, Bytes)> {
        let (len, _) = self.socket.try_recv_from(&mut self.buffer).ok()?;
        self.in_cables.add(-1);
        let (number, packet) = self.buffer[..len].split_first_chunk().expect("every datagram begins with it");
        Some((LinkId(u32::from_ne_bytes(*number) as usize), Bytes::copy_from_slice(packet)))
    }

    /// Sends a packet that comes from a link, or is to go there.
    pub(super) fn send(&mut self, LinkId(link): LinkId, packet: &[u8]) -> io::Result<()> {
        let number = u32::try_from(link).expect("there are not so many links").to_ne_bytes();
        self.buffer[..NUMBER].copy_from_slice(&number);
        self.buffer[NUMBER..][..packet.len()].copy_from_slice(packet);
        self.socket.try_send_to(&self.buffer[..NUMBER + packet.len()], self.other_end)?;
        self.in_cables.add(1);
        Ok(())
    }
}
