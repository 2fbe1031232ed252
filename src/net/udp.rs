//! turmoil's UDP sockets, and what they show of its settings.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use turmoil::net::UdpSocket;

/// The ephemeral ports that turmoil has if a test names none.
const DEFAULT_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// A socket on this port of the running host. turmoil binds without waiting.
///
/// # Errors
///
/// What turmoil says.
pub(super) fn bind(addr: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let bind = pin!(UdpSocket::bind(SocketAddr::new(addr, port)));
    match bind.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(bound) => bound,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// The ephemeral ports that a test names for its hosts (`turmoil::Builder::ephemeral_ports`), if it names any.
///
/// turmoil does not tell, but gives them out one after the other: until they begin again. The next one that it gives on
/// the running host is another one afterwards.
///
/// # Errors
///
/// As [`bind`].
pub(super) fn named_ports(any: IpAddr) -> io::Result<Option<RangeInclusive<u16>>> {
    let next = || Ok::<_, io::Error>(bind(any, 0)?.local_addr()?.port());
    let mut last = next()?;
    loop {
        let port = next()?;
        if port <= last {
            let range = port..=last;
            return Ok(Some(range).filter(|range| *range != DEFAULT_PORTS));
        }
        last = port;
    }
}
