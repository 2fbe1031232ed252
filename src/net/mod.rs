//! Real TCP for any program on a host of a plain `turmoil::Sim`.
mod alarm;
mod announce;
mod clock;
mod driver;
mod faults;
mod host;
mod idle;
mod network;
mod settings;
mod socket;
pub mod tcp;
mod waits;

use std::io;
use std::net::SocketAddr;

pub use tcp::{SockRef, TcpKeepalive, TcpListener, TcpSocket, TcpStream};
pub use turmoil::ToSocketAddrs;
pub use turmoil::net::{UdpSocket, lookup_host};

pub use alarm::{sleep, timeout};
pub use idle::run;
pub use settings::{loss, mtu, netstat, only_sockets, profile, reachable, recording, timeline, unreachable};

pub use crate::packet::Unreachable as Code;

async fn resolve(addr: impl ToSocketAddrs) -> io::Result<SocketAddr> {
    if !turmoil::in_simulation() {
        return Err(host::outside());
    }
    lookup_host(addr).await?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}
