//! A listening socket.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use turmoil::ToSocketAddrs;

use super::{TcpSocket, TcpStream};
use crate::net::resolve;
use crate::net::socket::Socket;
use crate::net::waits::Side;

/// How many connections wait for `accept`, where the program does not say: tokio's number.
const BACKLOG: u32 = 1_024;

/// A socket that listens, `tokio::net::TcpListener`.
pub struct TcpListener {
    socket: Socket,
}

impl TcpListener {
    /// Listens on `addr`, with SO_REUSEADDR and a backlog of 1 024 as tokio does. Port 0 asks for an ephemeral
    /// one.
    ///
    /// # Errors
    ///
    /// EADDRNOTAVAIL if the address is not the host's, EADDRINUSE if the port is taken;
    /// [`io::ErrorKind::NotFound`] for a name that turmoil does not know.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let addr = resolve(addr).await?;
        let socket = TcpSocket::for_addr(addr)?;
        if !addr.ip().is_unspecified() && !addr.ip().is_loopback() {
            // Whether an address is the host's shows only once the host knows its own.
            socket.known().await?;
        }
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    }

    pub(super) fn new(socket: Socket) -> TcpListener {
        TcpListener { socket }
    }

    /// The next connection, once its handshake is over.
    ///
    /// # Errors
    ///
    /// ECONNABORTED or EPROTO for a connection that was reset while it waited, where the profile tells
    /// (UNP 5.11; Linux does not).
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for the next connection; errors as [`accept`](TcpListener::accept)'s.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.socket.poll(cx, Side::Read, |stack, now, id| stack.accept(now, id));
        accepted.map_ok(|(id, peer)| {
            let host = self.socket.host.clone();
            (TcpStream::new(Socket { host, id }), peer)
        })
    }

    /// The address listened on; unspecified if that is all of them.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// IP_TTL, which accepted connections inherit.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// Sets IP_TTL.
    ///
    /// # Errors
    ///
    /// EINVAL if it is not 1 to 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("addr", &self.local_addr().ok()).finish()
    }
}
