//! A socket before it is connected or listens.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{TcpListener, TcpStream};
use crate::errno::Errno;
use crate::net::host::AttachedHost;
use crate::net::socket::Socket;
use crate::net::waits::Side;
use crate::stack::profile::{BufferSizes, SocketMemory};
use crate::stack::{Options, Profile, SocketOption};

/// A socket that is neither connected nor listens yet, `tokio::net::TcpSocket`.
pub struct TcpSocket {
    socket: Socket,
    version_of: IpAddr,
    traffic_class: AtomicU32,
}

impl TcpSocket {
    /// A new IPv4 socket.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] outside a turmoil host.
    pub fn new_v4() -> io::Result<TcpSocket> {
        TcpSocket::for_addr(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0))
    }

    /// A new IPv6 socket.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] outside a turmoil host.
    pub fn new_v6() -> io::Result<TcpSocket> {
        TcpSocket::for_addr(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0))
    }

    pub(super) fn for_addr(addr: SocketAddr) -> io::Result<TcpSocket> {
        let socket = Socket::new(AttachedHost::current(addr.ip())?)?;
        Ok(TcpSocket { socket, version_of: addr.ip(), traffic_class: AtomicU32::new(0) })
    }

    /// Waits until the host knows its own address.
    pub(super) async fn known(&self) -> io::Result<IpAddr> {
        poll_fn(|cx| self.socket.host.poll_addr(cx)).await
    }

    /// Gives the socket a local address; port 0 asks for an ephemeral one.
    ///
    /// # Errors
    ///
    /// EADDRNOTAVAIL if it is not the host's, EADDRINUSE if the port is taken, EINVAL if the socket is bound,
    /// EAFNOSUPPORT for the other IP version.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        if addr.is_ipv4() != self.version_of.is_ipv4() {
            return Err(Errno::EAFNOSUPPORT.into());
        }
        let bound = self.socket.host.call(|state, _| {
            if state.own.is_none() && !addr.ip().is_unspecified() {
                // The host will know in a tick; until then the program is believed to know itself.
                state.stack.add_addr(addr.ip());
            }
            state.stack.bind(self.socket.id, addr)
        })?;
        Ok(bound?)
    }

    /// Connects to `addr`.
    ///
    /// # Errors
    ///
    /// ECONNREFUSED (no listener), ETIMEDOUT (no answer), EHOSTUNREACH or ENETUNREACH (a router says
    /// so; no such host), when and which as the host's profile has it; ENETUNREACH for a multicast or broadcast address;
    /// EADDRNOTAVAIL if the address bound to turned out not to be the host's; EAFNOSUPPORT for an IPv6 address on an
    /// IPv4 socket, EINVAL the other way round.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        match (self.version_of, addr) {
            (IpAddr::V4(_), SocketAddr::V6(_)) => return Err(Errno::EAFNOSUPPORT.into()),
            (IpAddr::V6(_), SocketAddr::V4(_)) => return Err(Errno::EINVAL.into()),
            _ => {}
        }
        let own = self.known().await?;
        let to = addr.ip().to_canonical();
        let socket = self.socket;
        let started = socket.host.call(|state, now| {
            let bound = state.stack.local_addr(socket.id)?;
            if !bound.ip().is_unspecified() && !state.stack.is_own(bound.ip()) {
                return Err(Errno::EADDRNOTAVAIL);
            }
            let stays = to.is_loopback() || to.is_unspecified();
            if !stays && to.is_ipv4() != own.is_ipv4() {
                return Err(Errno::ENETUNREACH);
            }
            state.stack.connect(now, socket.id, addr)
        })?;
        match started {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        poll_fn(|cx| socket.poll(cx, Side::Write, |stack, now, id| stack.connect(now, id, addr))).await?;
        Ok(TcpStream::new(socket))
    }

    /// Listens, with room for `backlog` connections that are not accepted yet.
    ///
    /// # Errors
    ///
    /// EADDRINUSE if another listens there.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        let backlog = usize::try_from(backlog).unwrap_or(usize::MAX).min(1 << 16);
        self.socket.call(|stack, _, id| stack.listen(id, backlog))?;
        Ok(TcpListener::new(self.socket))
    }

    /// The local address; unspecified with port 0 before it is bound.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let local = self.socket.local_addr()?;
        Ok(if local.port() == 0 { SocketAddr::new(unspecified(self.version_of), 0) } else { local })
    }

    /// SO_ERROR.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}

/// Options; every one fails with ENETDOWN after the host has crashed.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
impl TcpSocket {
    /// SO_KEEPALIVE.
    pub fn set_keepalive(&self, keepalive: bool) -> io::Result<()> {
        self.socket.set(SocketOption::KeepAlive(keepalive))
    }

    /// SO_KEEPALIVE.
    pub fn keepalive(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.keepalive)
    }

    /// SO_REUSEADDR.
    pub fn set_reuseaddr(&self, reuseaddr: bool) -> io::Result<()> {
        self.socket.set(SocketOption::ReuseAddr(reuseaddr))
    }

    /// SO_REUSEADDR.
    pub fn reuseaddr(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.reuse_addr)
    }

    /// SO_REUSEPORT: several listen on one port, and share its clients.
    pub fn set_reuseport(&self, reuseport: bool) -> io::Result<()> {
        self.socket.set(SocketOption::ReusePort(reuseport))
    }

    /// SO_REUSEPORT.
    pub fn reuseport(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.reuse_port)
    }

    /// SO_SNDBUF, in octets. [`send_buffer_size`](TcpSocket::send_buffer_size) then says what the host's system makes of
    /// it: Linux doubles it, for its own bookkeeping.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        let octets = self.kept(size, BufferSizes::send)?;
        self.socket.set(SocketOption::SendBuffer(octets))
    }

    /// SO_SNDBUF, in octets.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.shown(|options| options.send_buffer, |profile| profile.send_memory)
    }

    /// SO_RCVBUF, in octets; see [`set_send_buffer_size`](TcpSocket::set_send_buffer_size).
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        let octets = self.kept(size, BufferSizes::receive)?;
        self.socket.set(SocketOption::ReceiveBuffer(octets))
    }

    /// SO_RCVBUF, in octets.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.shown(|options| options.receive_buffer, |profile| profile.receive_memory)
    }

    /// The octets of a connection's that a buffer holds whose size is set.
    fn kept(&self, size: u32, sizes: fn(&BufferSizes, usize) -> usize) -> io::Result<usize> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.socket.option(|_, profile| sizes(&profile.buffer_sizes, size) / profile.buffer_sizes.factor)
    }

    fn shown(
        &self,
        set: fn(&Options) -> Option<usize>,
        memory: fn(&Profile) -> SocketMemory,
    ) -> io::Result<u32> {
        let size = self.socket.option(|options, profile| match set(options) {
            Some(octets) => octets * profile.buffer_sizes.factor,
            None => profile.buffer.unwrap_or(memory(profile).default),
        })?;
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    /// SO_LINGER: zero makes `close` send a reset; any other time is kept but not waited for.
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set(SocketOption::Linger(dur))
    }

    /// SO_LINGER of zero.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
    }

    /// SO_LINGER.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// TCP_NODELAY.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set(SocketOption::NoDelay(nodelay))
    }

    /// TCP_NODELAY.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.no_delay)
    }

    /// IP_TOS, which is kept but has no effect.
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        self.traffic_class.store(tos, Ordering::Relaxed);
        Ok(())
    }

    /// IP_TOS.
    pub fn tos_v4(&self) -> io::Result<u32> {
        Ok(self.traffic_class.load(Ordering::Relaxed))
    }

    /// IPV6_TCLASS, which is kept but has no effect.
    pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
        self.set_tos_v4(tclass)
    }

    /// IPV6_TCLASS.
    pub fn tclass_v6(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// IP_TOS.
    #[deprecated(note = "tokio's old name of `tos_v4`")]
    #[doc(hidden)]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// IP_TOS.
    #[deprecated(note = "tokio's old name of `set_tos_v4`")]
    #[doc(hidden)]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.set_tos_v4(tos)
    }

    pub(super) fn inner(&self) -> &Socket {
        &self.socket
    }
}

fn unspecified(version_of: IpAddr) -> IpAddr {
    match version_of {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpSocket").field("addr", &self.local_addr().ok()).finish()
    }
}
