//! Resets that neither end has sent: a firewall's, a middlebox's, an attacker's.
//!
//! Whoever watches a flow knows its numbers. RFC 5961 (3.2) tells a guess from what the peer sent: a RST has to have the very next
//! number; within the window it is challenged, outside it is ignored.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::pipe::{Heading, PipeId};
use super::{LinkId, Router};
use crate::packet::{Flags, Segment, Seq, emit_segment};
use crate::time::SimTime;
use crate::timeline::{Direction, ResetAim, ResetEnds};

/// What has passed on a link, one way between two ends.
#[derive(Debug, Default)]
pub(super) struct Watched(BTreeMap<(SocketAddr, SocketAddr), Seq>);

impl Watched {
    /// Takes in a segment.
    fn see(&mut self, segment: &Segment) {
        let way = (segment.src, segment.dst);
        if segment.flags.has(Flags::RST) {
            self.0.remove(&way);
            self.0.remove(&(segment.dst, segment.src));
            return;
        }
        let end = segment.seq_end();
        let next = self.0.entry(way).or_insert(end);
        if next.before(end) || segment.flags.has(Flags::SYN) {
            *next = end;
        }
    }
}

impl Router {
    /// From now on the flows on this link are watched, so that they can be [reset](Self::inject_resets).
    pub fn watch(&mut self, link: LinkId) {
        self.links[link.0].watched.get_or_insert_default();
    }

    pub(super) fn note_passage(&mut self, (from, to): (LinkId, LinkId), packet: &[u8]) {
        if self.links[from.0].watched.is_none() && self.links[to.0].watched.is_none() {
            return;
        }
        if let Ok(crate::packet::Packet::Tcp(segment)) = crate::packet::parse(packet) {
            for link in [from, to] {
                self.links[link.0].watched.iter_mut().for_each(|watched| watched.see(&segment));
            }
        }
    }

    /// Sends a RST into every flow that is watched on this link, to its host, to the peer or to both; returns whether there
    /// was one.
    pub fn inject_resets(&mut self, now: SimTime, link: LinkId, ends: ResetEnds, aim: ResetAim) -> bool {
        let Some(watched) = &self.links[link.0].watched else { return false };
        let flows: Vec<_> = watched.0.iter().map(|(way, next)| (*way, *next)).collect();
        let mut any = false;
        for ((src, dst), next) in flows {
            let Some(to) = self.route(dst.ip()) else { continue };
            let is_wanted = match ends {
                ResetEnds::Both => true,
                ResetEnds::Host => to == link,
                ResetEnds::Peer => to != link,
            };
            if !is_wanted {
                continue;
            }
            let seq = match aim {
                ResetAim::Exact => next,
                ResetAim::InWindow => next + 1,
                ResetAim::OutOfWindow => next + (1 << 31) - 1,
            };
            let reset =
                Segment { src, dst, flags: Flags::RST, seq, ack: None, win: 0, len: 0, hop_limit: 64 };
            let packet = emit_segment(&reset, &[]);
            self.recorder.segment(now, Direction::Out, &reset, &packet, None, None);
            self.enter(now, PipeId { link: to, heading: Heading::ToHost }, packet);
            any = true;
        }
        any
    }
}
