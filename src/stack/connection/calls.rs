//! What the process that owns a connection may ask of it.

use super::{Connection, Cx, Death, KeepaliveTimer, Owner};
use crate::errno::Errno;
use crate::stack::{How, Readiness, SocketOption};
use crate::timeline::TcpState;

impl Connection {
    /// How `connect` fares: EALREADY while it is under way, then once Ok or why it failed, EISCONN from then on.
    pub(crate) fn connected(&mut self) -> Result<(), Errno> {
        match self.state {
            TcpState::SynSent | TcpState::SynReceived => Err(Errno::EALREADY),
            TcpState::Closed => Err(self.error.take().unwrap_or(Errno::ECONNABORTED)),
            _ if std::mem::take(&mut self.connecting) => Ok(()),
            _ => Err(Errno::EISCONN),
        }
    }

    /// Reads; with `peek` what was read stays there.
    pub(crate) fn read(&mut self, cx: &mut Cx<'_>, buf: &mut [u8], peek: bool) -> Result<usize, Errno> {
        if !self.read_shut && self.unread() > 0 {
            let read = self.read_unread(buf, peek);
            if !self.is_dead() && !peek {
                // Room in the buffer may be worth a window update.
                if cx.cuts_segments { self.push(cx) } else { self.cork(cx) }
            }
            return Ok(read);
        }
        if self.read_shut || (self.fin_received && cx.profile.eof_hides_reset) {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.state {
            TcpState::SynSent | TcpState::SynReceived => Err(Errno::ENOTCONN),
            _ if self.fin_received || self.is_dead() => Ok(0),
            _ => Err(Errno::EAGAIN),
        }
    }

    pub(crate) fn write(&mut self, cx: &mut Cx<'_>, buf: &[u8]) -> Result<usize, Errno> {
        if matches!(self.state, TcpState::SynSent | TcpState::SynReceived) {
            return Err(Errno::ENOTCONN);
        }
        if self.write_shut || self.is_dead() || !self.engine.socket(|socket| socket.may_send()) {
            // Berkeley looks first whether anything can be sent at all, Linux whether there is an error.
            let error = if cx.profile.write_reports_reset { self.error.take() } else { None };
            return Err(error.unwrap_or(Errno::EPIPE));
        }
        self.restart_after_idle(cx);
        let written =
            self.engine.socket_mut(|socket| socket.send_slice(buf)).expect("the connection may send");
        if written == 0 {
            return if buf.is_empty() { Ok(0) } else { Err(Errno::EAGAIN) };
        }
        if self.autocorks(cx) {
            self.cork(cx)
        } else {
            self.push(cx)
        }
        Ok(written)
    }

    pub(crate) fn shutdown(&mut self, cx: &mut Cx<'_>, how: How) -> Result<(), Errno> {
        if self.is_dead() || matches!(self.state, TcpState::SynSent | TcpState::SynReceived) {
            return Err(Errno::ENOTCONN);
        }
        self.read_shut |= how != How::Write;
        if how != How::Read && !self.write_shut {
            self.write_shut = true;
            self.engine.socket_mut(|socket| socket.close());
            self.push(cx);
        }
        Ok(())
    }

    /// The last descriptor is gone: FIN, or RST where data would be lost unseen.
    pub(crate) fn close(&mut self, cx: &mut Cx<'_>) {
        self.owner = Owner::Nobody;
        if self.is_dead() {
            return;
        }
        let unread = self.unread() > 0;
        let lingers_not = self.options.linger.is_some_and(|linger| linger.is_zero());
        let handshaking = matches!(self.state, TcpState::SynSent | TcpState::SynReceived);
        if lingers_not || handshaking || (unread && cx.profile.reset_on_close_unread) {
            self.abort(cx);
        } else {
            self.engine.socket_mut(|socket| socket.close());
            self.keepalive = KeepaliveTimer::default();
            self.push(cx);
            self.wait_for_fin(cx);
        }
    }

    /// RFC 9293, 3.10.5: a reset, and the end.
    pub(crate) fn abort(&mut self, cx: &mut Cx<'_>) {
        if !self.is_dead() {
            if self.state != TcpState::TimeWait {
                self.send_reset(cx);
            }
            self.die(cx, Death::Closed);
        }
    }

    pub(crate) fn set_option(&mut self, cx: &Cx<'_>, option: SocketOption) {
        self.options.set(option);
        let no_delay = self.options.no_delay;
        let hop_limit = self.options.hop_limit;
        self.engine.socket_mut(|socket| {
            socket.set_nagle_enabled(!no_delay);
            socket.set_hop_limit(Some(hop_limit));
        });
        if matches!(
            option,
            SocketOption::KeepAlive(_)
                | SocketOption::KeepIdle(_)
                | SocketOption::KeepInterval(_)
                | SocketOption::KeepCount(_)
        ) {
            self.reconsider_keepalive(cx);
        }
    }

    pub(crate) fn quick_ack(&self) -> bool {
        self.delayed_ack.is_quick()
    }

    pub(crate) fn set_quick_ack(&mut self, cx: &mut Cx<'_>, quick: bool) {
        self.delayed_ack.set_quick(quick);
        if quick {
            self.send_held_ack(cx);
        }
    }

    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        self.error.take()
    }

    pub(crate) fn readiness(&self) -> Readiness {
        let (can_recv, can_send) = (self.unread() > 0, self.engine.socket(|socket| socket.can_send()));
        let eof = self.fin_received || self.read_shut;
        let over = self.is_dead();
        let connecting = matches!(self.state, TcpState::SynSent | TcpState::SynReceived);
        Readiness {
            readable: !connecting && (can_recv || eof || over),
            writable: !connecting && (can_send || self.write_shut || over),
            error: self.error.is_some(),
            hangup: over || (eof && self.write_shut),
            read_hangup: eof || over,
        }
    }
}
