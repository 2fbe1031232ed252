//! Which socket an incoming packet belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

use super::connection::{Connection, Owner};
use super::listener::Admission;
use super::transport::AcceptQueue;
use super::{Socket, SocketId, Stack};
use crate::packet::{Flags, IcmpError, Packet, Segment, TcpOptions};
use crate::time::SimTime;
use crate::timeline::{Direction, LostReason, TcpState};

impl Stack {
    /// A packet has come off the link. Whatever cannot be read, or is not for this host, is lost with a reason.
    pub fn receive(&mut self, now: SimTime, packet: Bytes) {
        let intact = if self.offloads_checksums { crate::packet::view(&packet).ok() } else { None };
        match intact.map_or_else(|| crate::packet::parse(&packet), Ok) {
            Err(_) => self.shared.recorder.lost(now, &packet, LostReason::Corrupt),
            Ok(Packet::Tcp(segment)) if self.is_own(segment.dst.ip()) => {
                self.shared.recorder.segment(now, Direction::In, &segment, &packet, None, None);
                self.receive_segment(now, &segment, packet);
            }
            Ok(Packet::Icmp(error)) if self.is_own(error.dst) => {
                self.shared.recorder.icmp(now, Direction::In, &error, &packet);
                self.receive_icmp(now, &error);
            }
            Ok(Packet::Neighbour(message)) if self.is_own(message.target) => {
                self.shared.recorder.neighbour(now, Direction::In, &message, &packet);
                self.on_neighbours(now, |neighbours, wire| neighbours.receive(wire, &message));
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
            self.shared.accept_queue = self.accept_queue_of(id);
            let is_reset = segment.flags.has(Flags::RST);
            if self.shared.accept_queue == AcceptQueue::IsFull && segment.ack.is_some() && !is_reset {
                self.shared.recorder.lost(now, &packet, LostReason::BacklogFull);
            }
            self.with_connection(now, id, |connection, cx| connection.tcp.on_segment(cx, segment, packet));
            self.shared.accept_queue = AcceptQueue::HasRoom;
            return;
        }
        match self.listener_for(segment) {
            Some(listener) if opens => self.receive_syn(now, listener, segment, packet),
            Some(listener) if self.receive_cookie(now, listener, segment, &packet) => {}
            _ => self.refuse(now, segment),
        }
    }

    /// Whether a connection in its handshake finds room at its listener.
    fn accept_queue_of(&self, id: SocketId) -> AcceptQueue {
        let Some(Socket::Connection(connection)) = self.sockets.get(id) else { return AcceptQueue::HasRoom };
        let Owner::Listener(listener) = connection.owner else { return AcceptQueue::HasRoom };
        if connection.state() != TcpState::SynReceived {
            return AcceptQueue::HasRoom;
        }
        self.accept_queue(listener)
    }

    fn accept_queue(&self, listener: SocketId) -> AcceptQueue {
        let profile = &self.shared.profile;
        match self.sockets.get(listener) {
            Some(Socket::Listener(listener)) if listener.has_no_room(profile) => {
                match profile.abort_on_overflow {
                    true => AcceptQueue::Resets,
                    false => AcceptQueue::IsFull,
                }
            }
            _ => AcceptQueue::HasRoom,
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

    /// The listener on the address itself goes before one on the wildcard address, and the wildcard of its own IP version
    /// before that of IPv6, which takes both (RFC 3493, 3.7). Several with SO_REUSEPORT share by the client's address.
    fn listener_for(&self, segment: &Segment) -> Option<SocketId> {
        let ids = self.listeners.get(&segment.dst.port())?;
        let on = |ip: IpAddr| {
            let is_on = move |id: &&SocketId| match self.sockets.get(**id) {
                Some(Socket::Listener(listener)) => listener.local.ip() == ip,
                _ => false,
            };
            let count = ids.iter().filter(is_on).count();
            ids.iter().filter(is_on).nth(spread(segment.src).checked_rem(count)?).copied()
        };
        let own_wildcard = match segment.dst.ip() {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        [segment.dst.ip(), own_wildcard, Ipv6Addr::UNSPECIFIED.into()].into_iter().find_map(on)
    }

    fn receive_syn(&mut self, now: SimTime, id: SocketId, syn: &Segment, packet: Bytes) {
        let Some(Socket::Listener(listener)) = self.sockets.get_mut(id) else { return };
        let options = listener.options.clone();
        match listener.admits(&self.shared.profile) {
            Admission::Ignored => {
                // Ch. 4.5: the SYN is ignored, not refused; the client sends it again.
                self.shared.recorder.lost(now, &packet, LostReason::BacklogFull);
                return;
            }
            Admission::ByCookie => {
                listener.cookies_sent_at = Some(now);
                let setup = self.setup(options);
                let read = TcpOptions::read(&packet);
                self.cookies.answer(&mut self.shared.context(now), syn, &read, setup);
                return;
            }
            Admission::Queued => listener.incomplete += 1,
        }
        let is_mapped = listener.local.is_ipv6() && syn.dst.is_ipv4();
        let setup = self.setup(options);
        let mut connection = Connection::listen(&self.shared.context(now), id, syn, setup);
        connection.is_mapped = is_mapped;
        self.add_child(now, connection, syn, packet);
    }

    /// A segment for no connection: it may acknowledge a cookie. Whether it does.
    fn receive_cookie(&mut self, now: SimTime, id: SocketId, ack: &Segment, packet: &Bytes) -> bool {
        let is_acknowledgment = ack.ack.is_some() && !ack.flags.has(Flags::RST) && !ack.flags.has(Flags::SYN);
        let Some(Socket::Listener(listener)) = self.sockets.get(id) else { return false };
        if !is_acknowledgment || !listener.has_sent_cookies(now) {
            return false;
        }
        let is_mapped = listener.local.is_ipv6() && ack.dst.is_ipv4();
        let options = listener.options.clone();
        let setup = self.setup(options);
        let read = TcpOptions::read(packet);
        let Some(tcb) = self.cookies.open(&self.shared.context(now), ack, &read, setup) else { return false };
        if self.accept_queue(id) != AcceptQueue::HasRoom {
            self.shared.recorder.lost(now, packet, LostReason::BacklogFull);
            return true;
        }
        let mut connection = Connection::from_cookie(id, ack, tcb);
        connection.is_mapped = is_mapped;
        if let Some(Socket::Listener(listener)) = self.sockets.get_mut(id) {
            listener.incomplete += 1;
        }
        self.add_child(now, connection, ack, packet.clone());
        true
    }

    /// A connection of a listener's, and the segment that it is made for.
    fn add_child(&mut self, now: SimTime, connection: Connection, segment: &Segment, packet: Bytes) {
        let child = self.sockets.insert(Socket::Connection(Box::new(connection)));
        self.connections.insert((segment.dst, segment.src), child);
        self.ports.acquire(segment.dst.port(), false);
        self.with_connection(now, child, |connection, cx| connection.tcp.on_segment(cx, segment, packet));
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

/// A number that tells clients apart: the same in every run (FNV-1a).
fn spread(client: SocketAddr) -> usize {
    let ip = match client.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    let octets = ip.into_iter().chain(client.port().to_be_bytes());
    let hash = octets.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)
    });
    (hash ^ hash >> 32) as usize
}
