//! The shared segment: a switch among the links of the hosts that are on it, where the router is one more station.

use bytes::Bytes;

use super::pipe::{Heading, PipeId};
use super::{LinkId, Router};
use crate::packet::{Mac, NeighbourMessage, Resolution, emit_neighbour};
use crate::time::SimTime;
use crate::timeline::LostReason;

impl Router {
    /// Puts the host of this link on the shared segment.
    pub fn share(&mut self, link: LinkId) {
        self.links[link.0].is_shared = true;
    }

    /// Whether a packet goes from one host of the segment to another, past the router.
    pub(super) fn is_switched(&self, from: LinkId, to: LinkId) -> bool {
        self.links[from.0].is_shared && self.links[to.0].is_shared
    }

    /// Hands on a message of ARP or Neighbor Discovery, or answers for who is not on the segment (RFC 1027).
    pub(super) fn hand_on(&mut self, now: SimTime, from: LinkId, message: &NeighbourMessage, packet: Bytes) {
        let to = self.route(message.target);
        match (message.what, to) {
            (_, Some(to)) if to != from && self.is_switched(from, to) => {
                self.enter(now, PipeId { link: to, heading: Heading::ToHost }, packet);
            }
            (Resolution::Request, Some(to)) if to != from && self.links[from.0].is_shared => {
                self.answer_for(now, from, message);
            }
            (Resolution::Request, None) if self.addrs.contains(&message.target) => {
                self.answer_for(now, from, message);
            }
            _ => self.lose(now, &packet, LostReason::NoRoute),
        }
    }

    /// The router says that it is the one asked for.
    fn answer_for(&mut self, now: SimTime, link: LinkId, request: &NeighbourMessage) {
        let Some(own) = self.addrs.iter().find(|own| own.is_ipv4() == request.sender.is_ipv4()) else {
            return;
        };
        let mac = Mac::of(*own);
        let (sender, target) = (request.target, request.sender);
        let answer = NeighbourMessage { what: Resolution::Reply, sender, mac, target };
        let packet = emit_neighbour(&answer, Some(request.mac));
        self.recorder.neighbour(now, crate::timeline::Direction::Out, &answer, &packet);
        self.enter(now, PipeId { link, heading: Heading::ToHost }, packet);
    }
}
