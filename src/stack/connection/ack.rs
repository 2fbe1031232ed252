//! Delayed acknowledgment (RFC 1122, 4.2.3.2; RFC 5681, 4.2): a bare ACK may wait for company.

use bytes::Bytes;

use crate::packet::Segment;
use crate::stack::profile::Profile;
use crate::time::SimTime;

/// The acknowledgment that waits, and what decides whether the next one will.
#[derive(Debug, Default)]
pub(super) struct DelayedAck {
    held: Option<(SimTime, Segment, Bytes)>,
    /// Data went out soon after data came in: somebody is typing, and answers carry the acknowledgments.
    interactive: bool,
    last_data_in: Option<SimTime>,
}

impl DelayedAck {
    pub(super) fn on_data_in(&mut self, now: SimTime) {
        self.last_data_in = Some(now);
    }

    pub(super) fn on_data_out(&mut self, now: SimTime, profile: &Profile) {
        if self.last_data_in.is_some_and(|came| now - came < profile.ack.delay) {
            self.interactive = true;
        }
    }

    /// Whether the acknowledgment of data may wait at all.
    pub(super) fn waits_for_data(&self, profile: &Profile) -> bool {
        !profile.ack.delay.is_zero() && (self.interactive || !profile.ack.quick_start)
    }

    /// Whether acknowledgments are sent at once.
    pub(super) fn is_quick(&self) -> bool {
        !self.interactive
    }

    /// Until the traffic says otherwise.
    pub(super) fn set_quick(&mut self, quick: bool) {
        self.interactive = !quick;
    }

    /// Holds `ack` back, or hands it out at once if one is held already: every second segment is acknowledged.
    pub(super) fn hold(
        &mut self,
        now: SimTime,
        ack: (Segment, Bytes),
        profile: &Profile,
    ) -> Option<(Segment, Bytes)> {
        if self.held.take().is_some() {
            return Some(ack);
        }
        let at = profile.rounded(now, now + profile.ack.delay);
        self.held = Some((at, ack.0, ack.1));
        None
    }

    /// Something else carries the acknowledgment.
    pub(super) fn cancel(&mut self) {
        self.held = None;
    }

    pub(super) fn deadline(&self) -> Option<SimTime> {
        self.held.as_ref().map(|(at, ..)| *at)
    }

    /// Takes the acknowledgment whose time has come.
    pub(super) fn take(&mut self) -> Option<(Segment, Bytes)> {
        self.held.take().map(|(_, segment, packet)| (segment, packet))
    }
}
