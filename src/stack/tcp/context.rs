//! What a connection needs of its host while it works.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::packet::Segment;
use crate::stack::profile::Profile;
use crate::time::SimTime;
use crate::timeline::{Direction, Recorder, Retransmission};

/// The moment, the host's profile and recorder, and the queue of packets to be sent.
pub(in crate::stack) struct Context<'a> {
    pub(in crate::stack) now: SimTime,
    pub(in crate::stack) profile: &'a Profile,
    pub(in crate::stack) recorder: &'a Recorder,
    /// Whether bursts are cut into segments here, and not by the link.
    pub(in crate::stack) cuts_segments: bool,
    /// Packets to be sent.
    pub(in crate::stack) out: &'a mut VecDeque<Bytes>,
}

impl Context<'_> {
    /// When a timer fires that is set to so long from now.
    pub(in crate::stack) fn after(&self, wait: Duration) -> SimTime {
        self.at(self.now + wait)
    }

    /// When a timer fires that is set to `moment`.
    pub(in crate::stack) fn at(&self, moment: SimTime) -> SimTime {
        self.profile.rounded(self.now, moment)
    }

    /// Sends a segment, which is in `packet`, for the first time or again.
    pub(in crate::stack) fn send(
        &mut self,
        segment: &Segment,
        packet: Bytes,
        again: Option<Retransmission>,
        note: Option<&'static str>,
    ) {
        self.recorder.segment(self.now, Direction::Out, segment, &packet, again, note);
        self.out.push_back(packet);
    }

    /// Sends a segment without data.
    pub(in crate::stack) fn send_bare(&mut self, segment: &Segment, note: Option<&'static str>) {
        self.send(segment, crate::packet::emit_segment(segment, &[]), None, note);
    }
}
