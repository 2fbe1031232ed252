//! Connections that wait at a listener: for the end of their handshake, and for `accept` (ch. 4.5).

use super::connection::Owner;
use super::listener::Listener;
use super::profile::AbortedAccept;
use super::{Socket, SocketId, Stack};
use crate::time::SimTime;
use crate::timeline::TcpState;

impl Stack {
    fn listener_mut(&mut self, id: SocketId) -> Option<&mut Listener> {
        match self.sockets.get_mut(id) {
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
        let reset = matches!(self.sockets.get(id), Some(Socket::Connection(c)) if c.was_reset());
        match self.shared.profile.aborted_accept {
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

    /// What waits here will not be accepted any more: it is reset.
    pub(super) fn close_listener(&mut self, now: SimTime, id: SocketId) {
        let Some(listener) = self.listener_mut(id) else { return };
        let port = listener.local.port();
        let waiting: Vec<SocketId> = self
            .sockets
            .iter()
            .filter_map(|(key, socket)| match socket {
                Socket::Connection(c) if c.owner == Owner::Listener(id) => Some(key),
                _ => None,
            })
            .collect();
        for child in waiting {
            self.with_connection(now, child, |connection, cx| connection.abandon(cx));
        }
        if let Some(ids) = self.listeners.get_mut(&port) {
            ids.retain(|listening| *listening != id);
            if ids.is_empty() {
                self.listeners.remove(&port);
            }
        }
        self.ports.release(port, false);
        self.remove(id);
    }
}
