//! Which socket an incoming packet belongs to.

use std::net::SocketAddr;

use bytes::Bytes;

use super::connection::Connection;
use super::{Socket, SocketId, Stack};
use crate::packet::{Flags, IcmpError, Packet, Segment};
use crate::time::SimTime;
use crate::timeline::{Direction, LostReason, TcpState};

impl Stack {
    /// A packet has come off the link. Whatever cannot be read, or is not for this host, is lost with a reason.
    pub fn receive(&mut self, now: SimTime, packet: Bytes) {
        let intact = if self.offloads_checksums { crate::packet::view(&packet).ok() } else { None };
        match intact.map_or_else(|| crate::packet::parse(&packet), Ok) {
            Err(_) => self.shared.recorder.lost(now, &packet, LostReason::Corrupt),
            Ok(Packet::Tcp(segment)) if self.addrs.contains(&segment.dst.ip()) => {
                self.shared.recorder.segment(now, Direction::In, &segment, &packet, None, None);
                self.receive_segment(now, &segment, packet);
            }
            Ok(Packet::Icmp(error)) if self.addrs.contains(&error.dst) => {
                self.shared.recorder.icmp(now, Direction::In, &error, &packet);
                self.receive_icmp(now, &error);
            }
            Ok(_) => self.shared.recorder.lost(now, &packet, LostReason::NotOurs),
        }
    }

    fn receive_segment(&mut self, now: SimTime, segment: &Segment, packet: Bytes) {
        let opens = segment.flags.has(Flags::SYN) && segment.ack.is_none() && !segment.flags.has(Flags::RST);
        let known = self.connection_between(segment.dst, segment.src);
        if let Some(id) = known
            && !(opens && self.gives_way(now, id))
        {
            self.with_connection(now, id, |connection, cx| connection.tcp.on_segment(cx, segment, packet));
            return;
        }
        match self.listener_for(segment).filter(|_| opens) {
            Some(listener) => self.receive_syn(now, listener, segment, packet),
            None => self.refuse(now, segment),
        }
    }

    fn connection_between(&mut self, local: SocketAddr, remote: SocketAddr) -> Option<SocketId> {
        let ends = (local, remote);
        if self.recent.is_none_or(|(known, _)| known != ends) {
            self.recent = Some((ends, self.connections.get(&ends).copied()?));
        }
        self.recent.map(|(_, id)| id)
    }

    /// A connection in TIME_WAIT makes room for a new one between the same two ends (RFC 9293, 3.10.7.4).
    fn gives_way(&mut self, now: SimTime, id: SocketId) -> bool {
        let waits = matches!(
            self.sockets.get(id),
            Some(Socket::Connection(connection)) if connection.state() == TcpState::TimeWait
        );
        if waits {
            self.with_connection(now, id, |connection, cx| connection.tcp.abort(cx));
        }
        waits
    }

    /// The listener on the address itself goes before one on the wildcard address.
    fn listener_for(&self, segment: &Segment) -> Option<SocketId> {
        let ids = self.listeners.get(&segment.dst.port())?;
        let local = |id: &&SocketId| match self.sockets.get(**id) {
            Some(Socket::Listener(listener)) => Some(listener.local.ip()),
            _ => None,
        };
        let exact = ids.iter().find(|id| local(id) == Some(segment.dst.ip()));
        let wildcard = || {
            ids.iter().find(|id| {
                local(id).is_some_and(|ip| ip.is_unspecified() && ip.is_ipv4() == segment.dst.is_ipv4())
            })
        };
        exact.or_else(wildcard).copied()
    }

    fn receive_syn(&mut self, now: SimTime, id: SocketId, syn: &Segment, packet: Bytes) {
        let Some(Socket::Listener(listener)) = self.sockets.get_mut(id) else { return };
        let limit = self.shared.profile.backlog_limit(listener.backlog);
        if listener.completed.len() + listener.incomplete >= limit {
            // Ch. 4.5: the SYN is ignored, not refused; the client sends it again.
            self.shared.recorder.lost(now, &packet, LostReason::BacklogFull);
            return;
        }
        listener.incomplete += 1;
        let options = listener.options.clone();
        let setup = self.setup(options);
        let connection = Connection::listen(&self.shared.context(now), id, syn, setup);
        let child = self.sockets.insert(Socket::Connection(Box::new(connection)));
        self.connections.insert((syn.dst, syn.src), child);
        self.use_port(syn.dst.port());
        self.with_connection(now, child, |connection, cx| connection.tcp.on_segment(cx, syn, packet));
    }

    /// RFC 9293, 3.10.7.1: what belongs to no connection is answered with a reset.
    fn refuse(&mut self, now: SimTime, segment: &Segment) {
        if let Some(reset) = segment.reset() {
            self.shared.context(now).send_bare(&reset, None);
        }
    }

    fn receive_icmp(&mut self, now: SimTime, error: &IcmpError) {
        if let Some(id) = self.connections.get(&(error.about.src, error.about.dst)).copied() {
            self.with_connection(now, id, |connection, cx| connection.tcp.on_icmp(cx, error));
        }
    }
}
