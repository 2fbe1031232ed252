//! A listening socket and its backlog (ch. 4.5).

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::connection::Owner;
use super::info::SocketInfo;
use super::options::Options;
use super::profile::AbortedAccept;
use super::{Socket, SocketId, Stack};
use crate::time::SimTime;
use crate::timeline::TcpState;

pub(super) struct Listener {
    /// The address may be unspecified: then it is every address of the host.
    pub(super) local: SocketAddr,
    pub(super) options: Options,
    pub(super) backlog: usize,
    /// Connections in their handshake.
    pub(super) incomplete: usize,
    /// Connections that wait for `accept`.
    pub(super) completed: VecDeque<SocketId>,
}

impl Listener {
    pub(super) fn info(&self) -> SocketInfo {
        SocketInfo {
            local: self.local,
            remote: None,
            state: TcpState::Listen,
            recv_q: self.completed.len(),
            send_q: self.backlog,
            timer: None,
            rto: std::time::Duration::ZERO,
            rtt: None,
            backoff: 0,
            retransmits: 0,
        }
    }
}

impl Stack {
    fn listener_mut(&mut self, id: SocketId) -> Option<&mut Listener> {
        match self.sockets.get_mut(id.0) {
            Some(Socket::Listener(listener)) => Some(listener),
            _ => None,
        }
    }

    /// A connection that waits at `listener` went from one state to another.
    pub(super) fn handshake_went_on(
        &mut self,
        id: SocketId,
        listener: SocketId,
        before: TcpState,
        state: TcpState,
    ) {
        let was_incomplete = matches!(before, TcpState::Listen | TcpState::SynReceived);
        let dead = state == TcpState::Closed;
        if was_incomplete && state != before && state != TcpState::SynReceived {
            if let Some(queue) = self.listener_mut(listener) {
                queue.incomplete -= 1;
                if !dead {
                    queue.completed.push_back(id);
                }
            }
            if dead {
                self.remove(id);
            } else {
                self.changed(listener);
            }
        } else if dead && before != TcpState::Closed {
            self.died_before_accept(id, listener);
        }
    }

    /// Ch. 5.11: the connection ended between its handshake and `accept`.
    fn died_before_accept(&mut self, id: SocketId, listener: SocketId) {
        let reset = matches!(self.sockets.get(id.0), Some(Socket::Connection(c)) if c.was_reset());
        match self.around.profile.aborted_accept {
            AbortedAccept::Fails(_) if reset => self.changed(listener),
            AbortedAccept::Succeeds => {}
            _ => {
                if let Some(queue) = self.listener_mut(listener) {
                    queue.completed.retain(|waiting| *waiting != id);
                }
                self.remove(id);
            }
        }
    }

    /// Nobody will accept what waits here any more: it is reset.
    pub(super) fn close_listener(&mut self, now: SimTime, id: SocketId) {
        let Some(listener) = self.listener_mut(id) else { return };
        let port = listener.local.port();
        let waiting: Vec<SocketId> = self
            .sockets
            .iter()
            .filter_map(|(key, socket)| match socket {
                Socket::Connection(c) if c.owner == Owner::Listener(id) => Some(SocketId(key)),
                _ => None,
            })
            .collect();
        for child in waiting {
            self.with_connection(now, child, |connection, cx| {
                connection.owner = Owner::Nobody;
                connection.abort(cx);
            });
        }
        if let Some(ids) = self.listeners.get_mut(&port) {
            ids.retain(|listening| *listening != id);
            if ids.is_empty() {
                self.listeners.remove(&port);
            }
        }
        self.release_port(port);
        self.remove(id);
    }
}
