//! Faults of links and hosts: partition, hold, unreachable, host down; and whether they met anything.

use bytes::Bytes;

use super::middlebox::Middlebox;
use super::pipe::{Heading, PipeId};
use super::{LinkId, Router};
use crate::packet::Unreachable;
use crate::time::SimTime;
use crate::timeline::{FaultKind, LostReason, Way};

fn headings(way: Way) -> &'static [Heading] {
    match way {
        Way::Both => &[Heading::ToHost, Heading::FromHost],
        Way::ToHost => &[Heading::ToHost],
        Way::FromHost => &[Heading::FromHost],
    }
}

/// How many packets the faults of one link have met since the start, both ways together.
///
/// A fault that leaves its number as it was met nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Lost to a partition, sent during it or in flight when it came.
    pub partitioned: u64,
    /// Kept at the end of a held link.
    pub held: u64,
    /// Refused because the host was declared unreachable.
    pub unreachable: u64,
    /// Came to a host that was off.
    pub host_down: u64,
    /// Came to an interface that was off.
    pub link_down: u64,
    /// Came to a host that was paused.
    pub paused: u64,
    /// Belonged to a flow that a middlebox did not know.
    pub unknown_flow: u64,
    /// How often a fault reset any flow.
    pub reset: u64,
    /// Lost by the link's loss rate.
    pub lost: u64,
    /// Found too many before them waiting for the wire.
    pub queue_full: u64,
    /// Arrived twice.
    pub duplicated: u64,
    /// Kept back so that later ones overtake.
    pub reordered: u64,
    /// Had a bit flipped.
    pub corrupted: u64,
}

impl Met {
    /// How many packets a lasting fault of this kind has met; `None` of one that is over once it has struck.
    pub fn by(&self, fault: FaultKind) -> Option<u64> {
        match fault {
            FaultKind::Crash => Some(self.host_down),
            FaultKind::Partition(_) => Some(self.partitioned),
            FaultKind::Hold(_) => Some(self.held),
            FaultKind::Unreachable(_) => Some(self.unreachable),
            FaultKind::Forget => Some(self.unknown_flow),
            FaultKind::Reset { .. } => Some(self.reset),
            FaultKind::Boot
            | FaultKind::Shutdown
            | FaultKind::Kill { .. }
            | FaultKind::Repair(_)
            | FaultKind::Release(_)
            | FaultKind::Reachable
            | FaultKind::LinkDown
            | FaultKind::LinkUp
            | FaultKind::Pause
            | FaultKind::Resume => None,
        }
    }
}

/// The faults. All of them may be set again while they last, and lifted when they do not.
impl Router {
    /// Does to a link what a fault does to it. A fault of a host's processes does nothing.
    pub fn strike(&mut self, now: SimTime, link: LinkId, fault: FaultKind) {
        match fault {
            FaultKind::Crash => self.host_down(now, link, true),
            FaultKind::Boot => self.host_down(now, link, false),
            FaultKind::Partition(way) => self.partition(now, link, way),
            FaultKind::Repair(way) => self.repair(link, way),
            FaultKind::Hold(way) => self.hold(link, way),
            FaultKind::Release(way) => self.release(now, link, way),
            FaultKind::Unreachable(what) => self.unreachable(link, Some(what)),
            FaultKind::Reachable => self.unreachable(link, None),
            FaultKind::Forget => self.links[link.0].middleboxes.iter_mut().for_each(Middlebox::forget),
            FaultKind::Reset { ends, aim } => {
                let met = self.inject_resets(now, link, ends, aim);
                self.links[link.0].met.reset += u64::from(met);
            }
            FaultKind::Pause => self.links[link.0].paused = true,
            FaultKind::Resume => self.links[link.0].paused = false,
            FaultKind::LinkDown => self.links[link.0].off = true,
            FaultKind::LinkUp => self.links[link.0].off = false,
            FaultKind::Kill { .. } | FaultKind::Shutdown => {}
        }
    }

    /// Cuts the link: what is in flight on it is lost, as is everything sent until [`repair`](Self::repair).
    pub fn partition(&mut self, now: SimTime, link: LinkId, way: Way) {
        for &heading in headings(way) {
            let pipe = self.links[link.0].pipe(heading);
            pipe.cut = true;
            pipe.clear();
            let mut lost: Vec<_> = pipe.held.iter_mut().flat_map(|held| held.drain(..)).collect();
            lost.extend(self.flight.cut(PipeId { link, heading }));
            self.links[link.0].met.partitioned += lost.len() as u64;
            for packet in lost {
                self.lose(now, &packet, LostReason::Partition);
            }
        }
    }

    /// Mends a partition. What was lost stays lost.
    pub fn repair(&mut self, link: LinkId, way: Way) {
        for &heading in headings(way) {
            self.links[link.0].pipe(heading).cut = false;
        }
    }

    /// Lets nothing out of the far end of the link: packets wait there until [`release`](Self::release).
    pub fn hold(&mut self, link: LinkId, way: Way) {
        for &heading in headings(way) {
            self.links[link.0].pipe(heading).held.get_or_insert_default();
        }
    }

    /// Ends a hold: what waits goes on at once and in order. What was sent too lately to have arrived
    /// already takes its time.
    pub fn release(&mut self, now: SimTime, link: LinkId, way: Way) {
        for &heading in headings(way) {
            for packet in self.links[link.0].pipe(heading).held.take().unwrap_or_default() {
                self.arrive(now, PipeId { link, heading }, packet);
            }
        }
    }

    /// From now on refuses every packet for the host with this ICMP error; with `None` forwards them again.
    pub fn unreachable(&mut self, link: LinkId, answer: Option<Unreachable>) {
        self.links[link.0].unreachable = answer;
    }

    /// Says that the host is off, or on again. Packets that come to a host that is off are lost; what it sent
    /// before goes on its way.
    pub fn host_down(&mut self, now: SimTime, link: LinkId, down: bool) {
        self.links[link.0].down = down;
        // A host that boots turns its interface on.
        self.links[link.0].off &= down;
        if down {
            // Arrived at this instant, but not taken in by the host.
            let (gone, rest) = self.outbox.drain(..).partition(|(to, _)| *to == link);
            self.outbox = rest;
            for (_, packet) in gone {
                self.lose_at_dead_host(now, link, &packet);
            }
        }
    }

    pub(super) fn lose_at_dead_host(&mut self, now: SimTime, link: LinkId, packet: &Bytes) {
        self.links[link.0].met.host_down += 1;
        self.lose(now, packet, LostReason::HostDown);
    }

    pub(super) fn lose_at_paused(&mut self, now: SimTime, link: LinkId, packet: &Bytes) {
        self.links[link.0].met.paused += 1;
        self.lose(now, packet, LostReason::HostPaused);
    }

    pub(super) fn lose_at_interface(&mut self, now: SimTime, link: LinkId, packet: &Bytes) {
        self.links[link.0].met.link_down += 1;
        self.lose(now, packet, LostReason::LinkDown);
    }

    /// What the faults of this link have met so far.
    pub fn met(&self, link: LinkId) -> Met {
        self.links[link.0].met
    }
}
