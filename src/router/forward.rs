//! The router between the links: forwards a packet, or says why not (RFC 1812, 5.2 and 4.3).

use bytes::Bytes;
use smoltcp::wire::Ipv4Packet;

use super::pipe::{Heading, PipeId};
use super::{LinkId, Place, Router};
use crate::packet::{self, IcmpError, Malformed, Packet, Quoted, Unreachable};
use crate::time::SimTime;
use crate::timeline::{Direction, LostReason};

impl Router {
    /// A packet has come out of a host's link: one hop on, or an ICMP error back.
    pub(super) fn forward(&mut self, now: SimTime, from: LinkId, packet: Bytes) {
        if self.links[from.0].is_shared
            && let Ok(Packet::Neighbour(message)) = packet::parse(&packet)
        {
            return self.hand_on(now, from, &message, packet);
        }
        // RFC 1812, 5.2.2: a header whose checksum or length is wrong is dropped without a word.
        let Ok((_, dst)) = packet::addresses(&packet) else {
            return self.lose(now, &packet, LostReason::Corrupt);
        };
        if self.addrs.contains(&dst) {
            // RFC 1122, 3.2.2.1: for the router itself, which speaks no transport protocol.
            return self.refuse(now, &packet, LostReason::Unreachable, Unreachable::Protocol);
        }
        let Some(to) = self.route(dst) else {
            return self.refuse(now, &packet, LostReason::NoRoute, Unreachable::Net);
        };
        let Some((packet, verdict)) = self.by_rules(now, Place::Router, from, packet) else { return };
        if self.is_switched(from, to) {
            return self.enter_by(now, PipeId { link: to, heading: Heading::ToHost }, packet, verdict);
        }
        if !self.passes_middleboxes(now, from, to, &packet) {
            return;
        }
        self.note_passage((from, to), &packet);
        let (packet, left) = match one_hop(packet) {
            Ok(hopped) => hopped,
            Err((packet, Malformed(_))) => return self.lose(now, &packet, LostReason::Corrupt),
        };
        if left == 0 {
            return self.refuse(now, &packet, LostReason::HopLimit, Unreachable::TimeExceeded);
        }
        let link = &mut self.links[to.0];
        if let Some(answer) = link.unreachable {
            link.met.unreachable += 1;
            return self.refuse(now, &packet, LostReason::Unreachable, answer);
        }
        if packet.len() > link.config.mtu {
            return self.too_big(now, to, &packet);
        }
        self.enter_by(now, PipeId { link: to, heading: Heading::ToHost }, packet, verdict);
    }

    /// The packet is longer than the link can take (RFC 1191, 4).
    pub(super) fn too_big(&mut self, now: SimTime, link: LinkId, packet: &Bytes) {
        if may_be_fragmented(packet) || !self.links[link.0].config.tells_too_big {
            return self.lose(now, packet, LostReason::TooBig);
        }
        let mtu = u16::try_from(self.links[link.0].config.mtu).unwrap_or(u16::MAX);
        self.refuse(now, packet, LostReason::TooBig, Unreachable::FragmentationNeeded { mtu });
    }

    /// Loses the packet and tells its sender.
    pub(super) fn refuse(&mut self, now: SimTime, packet: &Bytes, reason: LostReason, what: Unreachable) {
        self.lose(now, packet, reason);
        if let Some((link, error)) = self.error_about(now, packet, what) {
            self.enter(now, PipeId { link, heading: Heading::ToHost }, error);
        }
    }

    /// The ICMP error about a packet, if one may be sent, and the link of the host to be told.
    fn error_about(&self, now: SimTime, offending: &[u8], what: Unreachable) -> Option<(LinkId, Bytes)> {
        // RFC 1122, 3.2.2; RFC 4443, 2.4 (e): never about an ICMP error, nor about what cannot be read.
        let Ok(Packet::Tcp(segment)) = packet::parse(offending) else { return None };
        let dst = segment.src.ip();
        let link = self.route(dst)?;
        let src = *self.addrs.iter().find(|own| own.is_ipv4() == dst.is_ipv4())?;
        let error = packet::emit_icmp(src, what, offending).ok()?;
        let about = Quoted { src: segment.src, dst: segment.dst, seq: segment.seq };
        self.recorder.icmp(now, Direction::Out, &IcmpError { src, dst, what, about }, &error);
        Some((link, error))
    }
}

/// Takes one hop off; returns what is left. Nothing is copied if the bytes have no other holder.
fn one_hop(packet: Bytes) -> Result<(Bytes, u8), (Bytes, Malformed)> {
    let mut bytes = super::writable(packet);
    match packet::decrement_hop_limit(&mut bytes) {
        Ok(left) => Ok((bytes.freeze(), left)),
        Err(malformed) => Err((bytes.freeze(), malformed)),
    }
}

/// Whether a router on the way is asked to cut the packet up (RFC 791, 3.1: DF is 0). This one does not: it is
/// then lost without an answer.
fn may_be_fragmented(packet: &[u8]) -> bool {
    Ipv4Packet::new_checked(packet).is_ok_and(|ip| ip.version() == 4 && !ip.dont_frag())
}
