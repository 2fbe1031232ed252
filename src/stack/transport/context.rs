//! What a connection needs of its host while it works.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::packet::Segment;
use crate::stack::neighbours::{Neighbours, Outgoing, Wire};
use crate::stack::profile::Profile;
use crate::time::SimTime;
use crate::timeline::{Direction, Probe, Recorder, Retransmission};

/// The moment, the host's profile and recorder, and the queue of packets to be sent.
pub(crate) struct Context<'a> {
    pub(crate) now: SimTime,
    pub(crate) profile: &'a Profile,
    pub(crate) recorder: &'a Recorder,
    /// Whether bursts are cut into segments here, and not by the link.
    pub(crate) cuts_segments: bool,
    /// Whether the listener of a connection in its handshake has room for it.
    pub(crate) accept_queue: AcceptQueue,
    /// What a packet that is sent meets first.
    pub(crate) interface: &'a mut Interface,
    /// Whether the interface is on. Nothing leaves one that is off.
    pub(crate) is_up: bool,
    /// How many segments were sent so far, whatever became of them.
    pub(crate) sent: u32,
    /// Packets to be sent.
    pub(crate) out: &'a mut VecDeque<Bytes>,
}

/// A host's interface, as far as packets that leave are concerned.
#[derive(Debug, Default)]
pub(crate) enum Interface {
    /// There is one host at the other end: the router.
    #[default]
    PointToPoint,
    /// Several share a segment, and have to find each other.
    Shared(Box<Neighbours>),
}

/// Whether a listener has room for a connection whose handshake ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AcceptQueue {
    /// It has.
    #[default]
    HasRoom,
    /// It has none, and the acknowledgment is ignored.
    IsFull,
    /// It has none, and the peer is reset (`tcp_abort_on_overflow`).
    Resets,
}

impl Context<'_> {
    /// When a timer fires that is set to so long from now.
    pub(crate) fn after(&self, wait: Duration) -> SimTime {
        self.at(self.now + wait)
    }

    /// When a timer fires that is set to `moment`.
    pub(crate) fn at(&self, moment: SimTime) -> SimTime {
        self.profile.rounded(self.now, moment)
    }

    /// Sends a segment, which is in `packet`, for the first time or again.
    pub(crate) fn send(
        &mut self,
        segment: &Segment,
        packet: Bytes,
        again: Option<Retransmission>,
        probe: Option<Probe>,
    ) {
        self.sent += 1;
        if !self.is_up {
            return;
        }
        match self.interface {
            Interface::PointToPoint => {
                self.recorder.segment(self.now, Direction::Out, segment, &packet, again, probe);
                self.out.push_back(packet);
            }
            Interface::Shared(neighbours) => {
                let outgoing = Outgoing { segment: segment.clone(), packet, again, probe };
                let (now, profile, recorder) = (self.now, self.profile, self.recorder);
                neighbours.output(&mut Wire { now, profile, recorder, out: self.out }, outgoing);
            }
        }
    }

    /// The peer has answered something: its host is there.
    pub(crate) fn gets_on(&mut self, segment: &Segment) {
        if let Interface::Shared(neighbours) = self.interface {
            neighbours.gets_on(segment.src.ip());
        }
    }

    /// Sends a segment without data.
    pub(crate) fn send_bare(&mut self, segment: &Segment, probe: Option<Probe>) {
        self.send(segment, crate::packet::emit_segment(segment, &[]), None, probe);
    }
}
