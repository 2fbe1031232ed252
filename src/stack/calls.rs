//! The calls: POSIX's names and errors, none of which blocks.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::connection::Connection;
use super::listener::Listener;
use super::options::{Options, SocketOption};
use super::profile::{AbortedAccept, Engine};
use super::transport::Context;
use super::{How, Readiness, Socket, SocketId, Stack};
use crate::errno::Errno;
use crate::time::SimTime;
use crate::timeline::{ConnectionId, TcpState};

impl Stack {
    /// A new socket, neither bound nor connected.
    pub fn socket(&mut self) -> SocketId {
        let fresh = Socket::Fresh { local: None, options: Options::default() };
        self.sockets.insert(fresh)
    }

    /// Gives the socket a local address; port 0 asks for an ephemeral one.
    ///
    /// # Errors
    ///
    /// EADDRNOTAVAIL if the host does not have the address, EADDRINUSE if the port is taken, EINVAL if the
    /// socket has an address already.
    pub fn bind(&mut self, id: SocketId, addr: SocketAddr) -> Result<(), Errno> {
        let Some(Socket::Fresh { local: None, options }) = self.sockets.get(id) else {
            return Err(Errno::EINVAL);
        };
        if !addr.ip().is_unspecified() && !self.is_own(addr.ip()) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        let options = options.clone();
        let port = match addr.port() {
            0 => self.ports.unused().ok_or(Errno::EADDRINUSE)?,
            port => port,
        };
        if self.is_taken(id, SocketAddr::new(addr.ip(), port), &options) {
            return Err(Errno::EADDRINUSE);
        }
        self.ports.acquire(port, false);
        if let Some(Socket::Fresh { local, .. }) = self.sockets.get_mut(id) {
            *local = Some(SocketAddr::new(addr.ip(), port));
        }
        Ok(())
    }

    /// Whether another socket stands in the way of a bind (UNP 7.5, SO_REUSEADDR and SO_REUSEPORT).
    fn is_taken(&self, own: SocketId, addr: SocketAddr, options: &Options) -> bool {
        let reuse_of_both = self.shared.profile.reuse_addr_of_both;
        let stands_in_the_way = |socket: &Socket| {
            let (local, theirs, listens) = match socket {
                Socket::Fresh { local: None, .. } => return false,
                Socket::Fresh { local: Some(local), options } => (*local, options, false),
                Socket::Listener(listener) => (listener.local, &listener.options, true),
                Socket::Connection(connection) if connection.is_dead() => return false,
                Socket::Connection(connection) => (connection.local, connection.tcp.options(), false),
            };
            let overlaps =
                local.ip() == addr.ip() || local.ip().is_unspecified() || addr.ip().is_unspecified();
            let shares = options.reuse_port && theirs.reuse_port
                || options.reuse_addr && !listens && (theirs.reuse_addr || !reuse_of_both);
            local.port() == addr.port() && overlaps && !shares
        };
        self.ports.is_used(addr.port())
            && self.sockets.iter().any(|(id, socket)| id != own && stands_in_the_way(socket))
    }

    /// A port for a socket that connects to `peer` without one.
    fn port_to(&mut self, ip: IpAddr, peer: SocketAddr) -> Result<u16, Errno> {
        if let Some(port) = self.ports.unused() {
            return Ok(port);
        }
        let connections = &self.connections;
        let is_free = |port| !connections.contains_key(&(SocketAddr::new(ip, port), peer));
        let shares = self.shared.profile.shares_ephemeral_ports;
        shares.then(|| self.ports.shared(is_free)).flatten().ok_or(Errno::EADDRNOTAVAIL)
    }

    /// Makes the socket passive, with room for `backlog` connections that are not accepted yet. One that is not bound
    /// gets a port now (UNP 4.4).
    ///
    /// # Errors
    ///
    /// EINVAL if it is connected, EADDRINUSE if another listens there.
    pub fn listen(&mut self, id: SocketId, backlog: usize) -> Result<(), Errno> {
        if let Some(Socket::Fresh { local: None, .. }) = self.sockets.get(id) {
            self.bind(id, self.no_addr())?;
        }
        let (local, options) = match self.sockets.get_mut(id) {
            Some(Socket::Listener(listener)) => {
                listener.backlog = backlog;
                return Ok(());
            }
            Some(Socket::Fresh { local: Some(local), options }) => (*local, options.clone()),
            _ => return Err(Errno::EINVAL),
        };
        if self.is_taken(id, local, &options) {
            return Err(Errno::EADDRINUSE);
        }
        let completed = VecDeque::new();
        let listener = Listener { local, options, backlog, incomplete: 0, completed, cookies_sent_at: None };
        self.sockets.replace(id, Socket::Listener(listener));
        self.listeners.entry(local.port()).or_default().push(id);
        Ok(())
    }

    /// Sends a SYN to `peer`; asked again after an event, tells how it went.
    ///
    /// # Errors
    ///
    /// EINPROGRESS the first time; later EALREADY while it is under way, or once why it failed. At once:
    /// ENETUNREACH without an address of the peer's family or to a group, EADDRINUSE or EADDRNOTAVAIL, as the profile
    /// has it, if the pair of addresses is taken, EADDRNOTAVAIL if no port is left,
    /// EISCONN on a socket that was connected before, EOPNOTSUPP on a listener.
    pub fn connect(&mut self, now: SimTime, id: SocketId, peer: SocketAddr) -> Result<(), Errno> {
        let (bound, options) = match self.sockets.get_mut(id) {
            Some(Socket::Connection(connection)) => return connection.connected(),
            Some(Socket::Listener(_)) => return Err(Errno::EOPNOTSUPP),
            Some(Socket::Fresh { local, options }) => (*local, options.clone()),
            None => return Err(Errno::EBADF),
        };
        let mapped = match peer.ip() {
            IpAddr::V6(ip) => ip.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        let peer = self.meant(mapped.map_or(peer, |ip| SocketAddr::new(ip.into(), peer.port())));
        if is_group(peer.ip()) {
            return Err(Errno::ENETUNREACH);
        }
        if peer.port() == 0 {
            return Err(Errno::ECONNREFUSED);
        }
        if !self.shared.is_up && !self.is_own(peer.ip()) {
            return Err(self.shared.profile.link_down);
        }
        let default = self.addrs.iter().copied().find(|addr| addr.is_ipv4() == peer.is_ipv4());
        let ip = match bound.map(|addr| addr.ip()).filter(|ip| !ip.is_unspecified()) {
            Some(ip) if ip.is_ipv4() != peer.is_ipv4() => return Err(Errno::EAFNOSUPPORT),
            Some(ip) => ip,
            // A loopback address speaks to its like only (RFC 1122, 3.2.1.3 (g)).
            None if peer.ip().is_loopback() => self.loopback(peer.is_ipv4()).ok_or(Errno::ENETUNREACH)?,
            None => default.ok_or(Errno::ENETUNREACH)?,
        };
        let port = match bound {
            Some(addr) => addr.port(),
            None => {
                let port = self.port_to(ip, peer)?;
                self.ports.acquire(port, true);
                port
            }
        };
        let local = SocketAddr::new(ip, port);
        if self.connections.contains_key(&(local, peer)) {
            return Err(self.shared.profile.taken_pair);
        }
        let setup = self.setup(options);
        let mut connection = Connection::open(&mut self.shared.context(now), local, peer, setup);
        connection.is_mapped = mapped.is_some();
        connection.port_was_chosen = bound.is_none();
        self.sockets.replace(id, Socket::Connection(Box::new(connection)));
        self.connections.insert((local, peer), id);
        self.with_connection(now, id, |_, _| ());
        Err(Errno::EINPROGRESS)
    }

    /// The next connection that waits at the listener, and its peer.
    ///
    /// # Errors
    ///
    /// EAGAIN if none waits, EINVAL if the socket does not listen; ECONNABORTED or EPROTO for a connection that
    /// was reset meanwhile, where the profile reports it (ch. 5.11).
    pub fn accept(&mut self, now: SimTime, id: SocketId) -> Result<(SocketId, SocketAddr), Errno> {
        let Some(Socket::Listener(listener)) = self.sockets.get_mut(id) else { return Err(Errno::EINVAL) };
        let child = listener.completed.pop_front().ok_or(Errno::EAGAIN)?;
        let Some(Socket::Connection(connection)) = self.sockets.get_mut(child) else {
            return Err(Errno::ECONNABORTED);
        };
        if let (true, AbortedAccept::Fails(errno)) =
            (connection.was_reset(), self.shared.profile.aborted_accept)
        {
            self.remove(child);
            return Err(errno);
        }
        let peer = connection.shown(connection.remote);
        self.with_connection(now, child, |connection, cx| connection.accept(cx));
        Ok((child, peer))
    }

    /// Reads what has come; 0 is the peer's FIN.
    ///
    /// # Errors
    ///
    /// EAGAIN if nothing has; ENOTCONN; or why the connection died, once.
    pub fn read(&mut self, now: SimTime, id: SocketId, buf: &mut [u8]) -> Result<usize, Errno> {
        self.on_connection(now, id, |connection, cx| connection.read(cx, buf, false))
    }

    /// Reads without taking (MSG_PEEK); errors as [`read`](Stack::read)'s.
    ///
    /// # Errors
    ///
    /// As [`read`](Stack::read).
    pub fn peek(&mut self, now: SimTime, id: SocketId, buf: &mut [u8]) -> Result<usize, Errno> {
        self.on_connection(now, id, |connection, cx| connection.read(cx, buf, true))
    }

    /// Queues as much of `buf` as there is room for.
    ///
    /// # Errors
    ///
    /// EAGAIN if there is no room; ENOTCONN; EPIPE when nothing can be sent any more: the caller raises
    /// SIGPIPE (ch. 5.13).
    pub fn write(&mut self, now: SimTime, id: SocketId, buf: &[u8]) -> Result<usize, Errno> {
        self.on_connection(now, id, |connection, cx| connection.write(cx, buf))
    }

    /// Ends one half of the connection, or both.
    ///
    /// # Errors
    ///
    /// ENOTCONN if it is not connected.
    pub fn shutdown(&mut self, now: SimTime, id: SocketId, how: How) -> Result<(), Errno> {
        self.on_connection(now, id, |connection, cx| connection.shutdown(cx, how))
    }

    fn on_connection<R>(
        &mut self,
        now: SimTime,
        id: SocketId,
        work: impl FnOnce(&mut Connection, &mut Context<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.with_connection(now, id, work).unwrap_or(Err(Errno::ENOTCONN))
    }

    /// The last descriptor is gone. A connection goes on to its end without an owner: FIN, or RST where data
    /// would be lost unseen or SO_LINGER asks for it. `id` is no longer valid.
    pub fn close(&mut self, now: SimTime, id: SocketId) {
        match self.sockets.get(id) {
            Some(Socket::Fresh { local, .. }) => {
                if let Some(local) = *local {
                    self.ports.release(local.port(), false);
                }
                self.remove(id);
            }
            Some(Socket::Listener(_)) => self.close_listener(now, id),
            Some(Socket::Connection(_)) => {
                self.with_connection(now, id, |connection, cx| connection.close(cx));
            }
            None => {}
        }
    }

    /// Sets an option.
    ///
    /// # Errors
    ///
    /// EBADF if there is no such socket, ENOPROTOOPT if the system has no such option, EINVAL if it does not take the value.
    pub fn set_option(&mut self, now: SimTime, id: SocketId, option: SocketOption) -> Result<(), Errno> {
        if option.is_of_linux() && self.profile().engine != Engine::Native {
            return Err(Errno::ENOPROTOOPT);
        }
        if !option.is_in_range() {
            return Err(Errno::EINVAL);
        }
        match self.sockets.get_mut(id) {
            None => return Err(Errno::EBADF),
            Some(Socket::Fresh { options, .. }) => options.set(option),
            Some(Socket::Listener(listener)) => listener.options.set(option),
            Some(Socket::Connection(_)) => {
                self.with_connection(now, id, |connection, cx| connection.tcp.set_option(cx, option));
            }
        }
        Ok(())
    }

    /// A socket's options, as they were set or inherited.
    ///
    /// # Errors
    ///
    /// EBADF if there is no such socket.
    pub fn options(&self, id: SocketId) -> Result<&Options, Errno> {
        match self.sockets.get(id).ok_or(Errno::EBADF)? {
            Socket::Fresh { options, .. } => Ok(options),
            Socket::Listener(listener) => Ok(&listener.options),
            Socket::Connection(connection) => Ok(connection.tcp.options()),
        }
    }

    /// TCP_QUICKACK of a connection, `tcp(7)`: whether it acknowledges data at once.
    ///
    /// # Errors
    ///
    /// ENOPROTOOPT where the profile knows no quick acknowledgments, ENOTCONN if it is no connection.
    pub fn quick_ack(&self, id: SocketId) -> Result<bool, Errno> {
        self.knows_quick_ack()?;
        match self.sockets.get(id) {
            Some(Socket::Connection(connection)) => Ok(connection.tcp.quick_ack()),
            _ => Err(Errno::ENOTCONN),
        }
    }

    /// Sets TCP_QUICKACK. It does not last: a connection that turns out to be interactive delays its
    /// acknowledgments again.
    ///
    /// # Errors
    ///
    /// As [`quick_ack`](Stack::quick_ack).
    pub fn set_quick_ack(&mut self, now: SimTime, id: SocketId, quick: bool) -> Result<(), Errno> {
        self.knows_quick_ack()?;
        match self.sockets.get(id) {
            Some(Socket::Connection(_)) => {
                self.with_connection(now, id, |connection, cx| connection.tcp.set_quick_ack(cx, quick));
                Ok(())
            }
            _ => Err(Errno::ENOTCONN),
        }
    }

    fn knows_quick_ack(&self) -> Result<(), Errno> {
        if self.profile().ack.quick { Ok(()) } else { Err(Errno::ENOPROTOOPT) }
    }

    /// SO_ERROR: why the connection died, once; under Linux also an ICMP error that has not ended it.
    pub fn take_error(&mut self, id: SocketId) -> Option<Errno> {
        match self.sockets.get_mut(id)? {
            Socket::Connection(connection) => connection.take_error(&self.shared.profile),
            _ => None,
        }
    }

    /// `getsockname`: the local address; unspecified with port 0 if the socket has none yet.
    ///
    /// # Errors
    ///
    /// EBADF if there is no such socket.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr, Errno> {
        match self.sockets.get(id).ok_or(Errno::EBADF)? {
            Socket::Fresh { local, .. } => Ok(local.unwrap_or_else(|| self.no_addr())),
            Socket::Listener(listener) => Ok(listener.local),
            Socket::Connection(connection) => Ok(connection.shown(connection.local)),
        }
    }

    /// `getpeername`.
    ///
    /// # Errors
    ///
    /// ENOTCONN if there is no peer, or no more: in TIME_WAIT there is none.
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr, Errno> {
        match self.sockets.get(id) {
            Some(Socket::Connection(connection))
                if !matches!(connection.state(), TcpState::Closed | TcpState::TimeWait) =>
            {
                Ok(connection.shown(connection.remote))
            }
            _ => Err(Errno::ENOTCONN),
        }
    }

    /// The connection that the socket is, or was.
    pub fn connection(&self, id: SocketId) -> Option<ConnectionId> {
        match self.sockets.get(id)? {
            Socket::Connection(connection) => Some(ConnectionId::new(connection.local, connection.remote)),
            Socket::Fresh { .. } | Socket::Listener(_) => None,
        }
    }

    /// Whether packets to `ip` are for this host: one of its addresses, or any of 127.0.0.0/8 where 127.0.0.1 is.
    pub(crate) fn is_own(&self, ip: IpAddr) -> bool {
        let is_loopback = ip.is_ipv4() && ip.is_loopback();
        self.addrs.contains(&ip) || is_loopback && self.loopback(true).is_some()
    }

    fn loopback(&self, ipv4: bool) -> Option<IpAddr> {
        self.addrs.iter().copied().find(|addr| addr.is_loopback() && addr.is_ipv4() == ipv4)
    }

    /// The unspecified address means the host itself (`ip(7)`).
    fn meant(&self, peer: SocketAddr) -> SocketAddr {
        if !peer.ip().is_unspecified() {
            return peer;
        }
        let mut own = self.addrs.iter().copied().filter(|addr| addr.is_ipv4() == peer.is_ipv4());
        let own = self.loopback(peer.is_ipv4()).or_else(|| own.next());
        own.map_or(peer, |ip| SocketAddr::new(ip, peer.port()))
    }

    fn no_addr(&self) -> SocketAddr {
        let v4 = self.addrs.iter().any(IpAddr::is_ipv4);
        let ip = if v4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        SocketAddr::new(ip, 0)
    }

    /// What `poll` says of the socket.
    pub fn readiness(&self, id: SocketId) -> Readiness {
        match self.sockets.get(id) {
            Some(Socket::Connection(connection)) => connection.readiness(&connection.tcp.status()),
            Some(Socket::Listener(listener)) => {
                Readiness { readable: !listener.completed.is_empty(), ..Readiness::default() }
            }
            // An unconnected stream socket is writable and hung up, as on Linux.
            Some(Socket::Fresh { .. }) => Readiness { writable: true, hangup: true, ..Readiness::default() },
            None => Readiness { error: true, ..Readiness::default() },
        }
    }
}

/// A multicast address, or the limited broadcast: TCP connects to neither.
fn is_group(ip: IpAddr) -> bool {
    ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}
