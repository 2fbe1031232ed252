//! What is known about losses: the states of Linux's congestion control, RACK (RFC 8985), the tail loss probe, proportional
//! rate reduction (RFC 6937), F-RTO (RFC 5682) and what undoes a reduction that was not called for.

use std::time::Duration;

use crate::packet::Seq;
use crate::time::SimTime;

/// The states of Linux's congestion control (`tcp_ca_state`), by how much is amiss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Nothing is amiss.
    #[default]
    Open,
    /// Something came out of order, or was sent again.
    Disorder,
    /// The window is being reduced though nothing is to be sent again.
    Reducing,
    /// What was lost is sent again.
    Recovery,
    /// The retransmission timer has fired.
    Loss,
}

/// What is to be sent once the window is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resend {
    Nothing,
    /// What is lost.
    Lost,
    /// New data, to find out whether a timeout was spurious (RFC 5682).
    New,
}

/// Segments that may come out of order before one is believed to be lost (`tcp_reordering`), at first and at most.
pub(super) const REORDERING: u32 = 3;
const MOST_REORDERING: u32 = 300;

#[derive(Debug)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    /// SND.NXT when the phase began; it ends when that is acknowledged.
    pub(super) end: Seq,
    /// Until something tells that the reduction was not called for: where it began, how many segments that were sent again
    /// have not been told of as needless, and what the window and threshold were before.
    pub(super) undo: Option<Seq>,
    pub(super) needless_left: Option<u32>,
    pub(super) prior_threshold: u32,
    pub(super) prior_window: u32,
    /// RFC 6937: what was delivered and sent since the reduction began.
    pub(super) delivered: u32,
    pub(super) sent: u32,
    /// RFC 5682: whether the timeout may have been spurious.
    pub(super) doubts_timeout: bool,
    /// The tail loss probe that is not answered: SND.NXT when it was sent, and whether it was old data.
    pub(super) probe: Option<(Seq, bool)>,
    pub(super) reordering: u32,
    pub(super) has_seen_reordering: bool,
    pub(super) rack: Rack,
}

/// RFC 8985: what was sent before what has been delivered, and long enough before, is lost.
#[derive(Debug)]
pub(super) struct Rack {
    /// The newest of what was delivered: how many were sent before it, and its round trip.
    pub(super) order: u64,
    pub(super) rtt: Duration,
    pub(super) has_advanced: bool,
    /// Quarters of the least round trip that segments may come late by, and for how many recoveries that holds.
    pub(super) steps: u32,
    pub(super) persists: u32,
    pub(super) has_seen_needless: bool,
    pub(super) last_delivered: u32,
}

impl Recovery {
    pub(super) fn new() -> Recovery {
        Recovery {
            phase: Phase::Open,
            end: Seq::default(),
            undo: None,
            needless_left: None,
            prior_threshold: 0,
            prior_window: 0,
            delivered: 0,
            sent: 0,
            doubts_timeout: false,
            probe: None,
            reordering: REORDERING,
            has_seen_reordering: false,
            rack: Rack {
                order: 0,
                rtt: Duration::ZERO,
                has_advanced: false,
                steps: 1,
                persists: 0,
                has_seen_needless: false,
                last_delivered: 0,
            },
        }
    }

    /// Whether the window is on its way down to the threshold.
    pub(super) fn is_reducing(&self) -> bool {
        matches!(self.phase, Phase::Reducing | Phase::Recovery)
    }

    /// Something came `late`: behind what lies up to `highest`, in segments of `mss` octets.
    pub(super) fn note_reordering(&mut self, late: Seq, highest: Seq, mss: usize) {
        if !late.before(highest) {
            return;
        }
        let distance = (highest - late).div_ceil(mss.max(1) as u32);
        if distance > self.reordering {
            self.reordering = distance.min(MOST_REORDERING);
        }
        self.has_seen_reordering = true;
    }

    /// Segments that were sent again are told of as needless.
    pub(super) fn note_needless(&mut self, packets: u32) {
        if let Some(left) = self.needless_left.filter(|left| *left > 0) {
            self.needless_left = Some(left.saturating_sub(packets));
        }
    }

    /// Whether every segment that was sent again is known to have been needless.
    pub(super) fn all_was_needless(&self) -> bool {
        self.undo.is_some() && self.needless_left == Some(0)
    }
}

impl Rack {
    /// What was sent at `sent`, after `order` others, has been delivered, at `now`; `was_resent` if it went out more than once.
    pub(super) fn advance(
        &mut self,
        now: SimTime,
        sent: SimTime,
        order: u64,
        was_resent: bool,
        least_rtt: Option<Duration>,
    ) {
        let rtt = now - sent;
        // Sooner than any round trip: what was delivered is the first sending.
        if was_resent && least_rtt.is_some_and(|least| rtt < least) {
            return;
        }
        self.has_advanced = true;
        self.rtt = rtt;
        self.order = self.order.max(order);
    }

    /// How long what was sent at `sent` may still be on its way, if `patience` is allowed for its coming late.
    pub(super) fn left(&self, now: SimTime, sent: SimTime, patience: Duration) -> Duration {
        (self.rtt + patience).saturating_sub(now - sent)
    }
}
