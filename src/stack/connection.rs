//! A connection as its process sees it: POSIX's calls and errors, over any [`Tcp`].

use std::net::{IpAddr, SocketAddr};

use super::profile::{Engine, Profile};
use super::socket::{How, Readiness, SocketId};
use super::transport::{Context, Death, Reader, Setup, Status, Tcp};
use super::{smoltcp, tcp};
use crate::errno::Errno;
use crate::packet::Segment;
use crate::timeline::TcpState;

/// Who has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It waits for its handshake, or for `accept`, at this listener.
    Listener(SocketId),
    /// A process has a descriptor of it.
    Process,
    /// The last descriptor is closed.
    Orphan,
}

pub(super) struct Connection {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) owner: Owner,
    pub(super) tcp: Box<dyn Tcp>,
    /// The socket is of IPv6, and speaks IPv4: programs are shown IPv4-mapped addresses (RFC 4291, 2.5.5.2).
    pub(super) is_mapped: bool,
    /// `connect` chose its local port.
    pub(super) port_was_chosen: bool,
    /// The process has not asked yet how `connect` went.
    is_connecting: bool,
    /// The process said that it reads, or writes, no more.
    read_shut: bool,
    write_shut: bool,
    is_dead: bool,
    /// SO_ERROR: to be reported once.
    error: Option<Errno>,
}

impl Connection {
    /// A connection that sends its SYN now.
    pub(super) fn open(
        cx: &mut Context<'_>,
        local: SocketAddr,
        remote: SocketAddr,
        setup: Setup,
    ) -> Connection {
        let tcp: Box<dyn Tcp> = match cx.profile.engine {
            Engine::Smoltcp => Box::new(smoltcp::Tcb::open(cx, local, remote, setup)),
            Engine::Native => Box::new(tcp::Tcb::open(cx, local, remote, setup)),
        };
        Connection::new(local, remote, Owner::Process, tcp)
    }

    /// A connection for `syn`, which came to `listener` and is to be given to its TCP next.
    pub(super) fn listen(cx: &Context<'_>, listener: SocketId, syn: &Segment, setup: Setup) -> Connection {
        let tcp: Box<dyn Tcp> = match cx.profile.engine {
            Engine::Smoltcp => Box::new(smoltcp::Tcb::listen(cx, syn, setup)),
            Engine::Native => Box::new(tcp::Tcb::listen(cx, syn, setup)),
        };
        Connection::new(syn.dst, syn.src, Owner::Listener(listener), tcp)
    }

    /// A connection whose SYN-ACK was a cookie of ours, which `ack` acknowledges; it is to be given to its TCP next.
    pub(super) fn from_cookie(listener: SocketId, ack: &Segment, tcb: tcp::Tcb) -> Connection {
        Connection::new(ack.dst, ack.src, Owner::Listener(listener), Box::new(tcb))
    }

    fn new(local: SocketAddr, remote: SocketAddr, owner: Owner, tcp: Box<dyn Tcp>) -> Connection {
        Connection {
            local,
            remote,
            owner,
            tcp,
            is_mapped: false,
            port_was_chosen: false,
            is_connecting: owner == Owner::Process,
            read_shut: false,
            write_shut: false,
            is_dead: false,
            error: None,
        }
    }

    /// Takes note of the connection's end, whose error is to be reported. Returns how the connection stands.
    pub(super) fn update(&mut self, profile: &Profile) -> Status {
        let status = self.tcp.status();
        if let Some(death) = status.death
            && !self.is_dead
        {
            self.is_dead = true;
            self.error = death.errno(profile, self.local.is_ipv6());
        }
        status
    }

    /// An address as programs are shown it.
    pub(super) fn shown(&self, addr: SocketAddr) -> SocketAddr {
        match addr.ip() {
            IpAddr::V4(ip) if self.is_mapped => SocketAddr::new(ip.to_ipv6_mapped().into(), addr.port()),
            _ => addr,
        }
    }

    pub(super) fn state(&self) -> TcpState {
        self.tcp.status().state
    }

    /// Whether the connection is over: no packet belongs to it any more.
    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Whether it was reset by the peer.
    pub(super) fn was_reset(&self) -> bool {
        matches!(self.tcp.status().death, Some(Death::Reset { .. }))
    }

    /// A process takes it from the listener.
    pub(super) fn accept(&mut self, cx: &mut Context<'_>) {
        self.owner = Owner::Process;
        self.tcp.set_reader(cx, Reader::Reading);
    }

    /// How `connect` fares: EALREADY while it is under way, then once Ok or why it failed, EISCONN from then on.
    pub(super) fn connected(&mut self) -> Result<(), Errno> {
        match self.state() {
            TcpState::SynSent | TcpState::SynReceived => Err(Errno::EALREADY),
            TcpState::Closed => Err(self.error.take().unwrap_or(Errno::ECONNABORTED)),
            _ if std::mem::take(&mut self.is_connecting) => Ok(()),
            _ => Err(Errno::EISCONN),
        }
    }

    /// Reads; with `peek` what was read stays there.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, buf: &mut [u8], peek: bool) -> Result<usize, Errno> {
        let status = self.tcp.status();
        if !self.read_shut && status.unread > 0 {
            return Ok(self.tcp.receive(cx, buf, peek));
        }
        if self.read_shut || (status.fin_received && cx.profile.eof_hides_reset) {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match status.state {
            TcpState::SynSent | TcpState::SynReceived => Err(Errno::ENOTCONN),
            _ if status.fin_received || self.is_dead => Ok(0),
            _ => Err(Errno::EAGAIN),
        }
    }

    pub(super) fn write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Result<usize, Errno> {
        if is_connecting(self.state()) {
            return Err(Errno::ENOTCONN);
        }
        let sent = if self.write_shut || self.is_dead { None } else { self.tcp.send(cx, buf) };
        match sent {
            Some(0) if !buf.is_empty() => Err(Errno::EAGAIN),
            Some(octets) => Ok(octets),
            None => {
                // Berkeley looks first whether anything can be sent at all, Linux whether there is an error.
                let error = if cx.profile.write_reports_reset { self.error.take() } else { None };
                Err(error.unwrap_or(Errno::EPIPE))
            }
        }
    }

    pub(super) fn shutdown(&mut self, cx: &mut Context<'_>, how: How) -> Result<(), Errno> {
        if self.is_dead || is_connecting(self.state()) {
            return Err(Errno::ENOTCONN);
        }
        if how != How::Write {
            self.read_shut = true;
            self.tcp.set_reader(cx, Reader::Stopped);
        }
        if how != How::Read && !self.write_shut {
            self.write_shut = true;
            self.tcp.close(cx);
        }
        Ok(())
    }

    /// The last descriptor is gone: FIN, or RST where data would be lost unseen.
    pub(super) fn close(&mut self, cx: &mut Context<'_>) {
        self.owner = Owner::Orphan;
        let status = self.tcp.status();
        let lingers_not = self.tcp.options().linger.is_some_and(|linger| linger.is_zero());
        let loses_data = status.unread > 0 && cx.profile.reset_on_close_unread;
        if lingers_not || loses_data || is_connecting(status.state) {
            self.tcp.abort(cx);
        } else if !self.is_dead {
            self.tcp.set_reader(cx, Reader::Gone);
            self.tcp.close(cx);
        }
    }

    /// No process takes it from its listener any more: a reset, and the end. What Linux keeps of a handshake it only forgets.
    pub(super) fn abandon(&mut self, cx: &mut Context<'_>) {
        self.owner = Owner::Orphan;
        let is_forgotten = cx.profile.engine == Engine::Native && self.state() == TcpState::SynReceived;
        if is_forgotten { self.tcp.forget(cx) } else { self.tcp.abort(cx) }
    }

    /// SO_ERROR: why the connection died, or what a router said of it.
    pub(super) fn take_error(&mut self, profile: &Profile) -> Option<Errno> {
        let is_v6 = self.local.is_ipv6();
        let soft = |tcp: &mut dyn Tcp| tcp.take_soft_error().map(|soft| soft.errno(profile, is_v6));
        self.error.take().or_else(|| soft(self.tcp.as_mut()))
    }

    pub(super) fn readiness(&self, status: &Status) -> Readiness {
        let eof = status.fin_received || self.read_shut;
        let connecting = is_connecting(status.state);
        let over = self.is_dead;
        Readiness {
            readable: !connecting && (status.unread > 0 || eof || over),
            writable: !connecting && (status.can_send || self.write_shut || over),
            error: self.error.is_some(),
            hangup: over || (eof && self.write_shut),
            read_hangup: eof || over,
        }
    }
}

fn is_connecting(state: TcpState) -> bool {
    matches!(state, TcpState::SynSent | TcpState::SynReceived)
}
