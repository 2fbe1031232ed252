//! IP packets in turmoil's UDP datagrams: the patch cables between hosts and router.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use bytes::Bytes;
use turmoil::net::UdpSocket;

/// The UDP port that IP rides on.
const PORT: u16 = 4;

/// The longest IP packet there is, RFC 791 and RFC 8200 without jumbograms.
const LONGEST_PACKET: usize = 65_575;

/// How many datagrams one socket can hold: as many as may ever be in flight at one moment.
pub(super) const CAPACITY: usize = 1 << 20;

/// How many datagrams are in the cables: sent, and not yet taken out.
#[derive(Clone, Debug, Default)]
pub(super) struct InCables(Rc<Cell<u64>>);

impl InCables {
    pub(super) fn any(&self) -> bool {
        self.0.get() > 0
    }

    /// A machine was switched off with these still before it.
    pub(super) fn forget(&self, datagrams: u64) {
        self.0.set(self.0.get() - datagrams);
    }
}

/// One end of a cable, or of all of them at the router.
pub(super) struct Plug {
    socket: UdpSocket,
    in_cables: InCables,
    buffer: Box<[u8]>,
}

impl Plug {
    /// Plugs in the turmoil host that calls this.
    pub(super) async fn new(own: IpAddr, in_cables: InCables) -> io::Result<Plug> {
        let any: IpAddr =
            if own.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, PORT)).await?;
        Ok(Plug { socket, in_cables, buffer: vec![0; LONGEST_PACKET].into() })
    }

    /// Waits for a packet without taking it.
    pub(super) async fn readable(&self) {
        // turmoil's socket has no error to give here.
        let _ = self.socket.readable().await;
    }

    /// The next packet that has arrived, and the turmoil address of the machine that sent it.
    pub(super) fn receive(&mut self) -> Option<(IpAddr, Bytes)> {
        let (len, from) = self.socket.try_recv_from(&mut self.buffer).ok()?;
        self.in_cables.forget(1);
        Some((from.ip(), Bytes::copy_from_slice(&self.buffer[..len])))
    }

    /// Sends a packet to the machine at that turmoil address.
    pub(super) fn send(&self, to: IpAddr, packet: &[u8]) -> io::Result<()> {
        self.socket.try_send_to(packet, SocketAddr::new(to, PORT))?;
        self.in_cables.0.set(self.in_cables.0.get() + 1);
        Ok(())
    }
}
