//! When data are acknowledged (RFC 1122, 4.2.3.2; RFC 5681, 4.2), as Linux decides it.
//!
//! A connection has *quick* acknowledgments, 16 at first, which are sent at once; it gets more when data come late or
//! twice. Where answers carry the acknowledgments (what the kernel calls pingpong mode) they wait; and else until the
//! program has read, or until a timer ends.

use std::time::Duration;

use crate::stack::profile::Profile;
use crate::time::SimTime;

/// Linux's TCP_MAX_QUICKACKS.
const QUICK: u32 = 16;
/// Octets that are taken for a full segment before one has come (RFC 9293, 3.7.1), and the least that may be one.
const FULL: usize = 536;
const LEAST_FULL: usize = 88;
/// Duplicate acknowledgments that are sent at once; after them some are left out.
const DUPLICATES: u32 = 3;
/// The longest that an acknowledgment of data beyond a gap waits for the next (`tcp_comp_sack_delay_ns`).
const COMPRESSION: Duration = Duration::from_millis(1);

/// What is to be done about an acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is nothing to acknowledge.
    Nothing,
    Now,
    /// When the timer ends that is set to this.
    At(SimTime),
    /// The same for data beyond a gap, by a clock finer than the timer wheel.
    Compressed(Duration),
}

#[derive(Debug, Default)]
pub(super) struct Acknowledgment {
    /// Something has come that is to be acknowledged …
    is_due: bool,
    /// … at once.
    is_urgent: bool,
    /// Data went out soon after data came in: answers are likely to carry the acknowledgments.
    is_interactive: bool,
    last_data_in: Option<SimTime>,
    /// Acknowledgments that are still sent at once.
    quick: u32,
    /// How soon the next data is believed to come; `None` before any came.
    interval: Option<Duration>,
    /// Octets of data of a full segment, and of the last one that may have been full.
    full: usize,
    last_size: usize,
    /// How many segments came that were not full, since the last acknowledgment.
    small: u32,
    /// Duplicate acknowledgments sent since anything came in order.
    duplicates: u32,
}

/// What a decision depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub(super) now: SimTime,
    /// Octets that have come in order since the last acknowledgment.
    pub(super) owed: usize,
    /// Whether as much can be offered as was.
    pub(super) window_advances: bool,
    /// Whether there is a gap.
    pub(super) has_gap: bool,
    pub(super) rtt: Option<Duration>,
    pub(super) srtt: Option<Duration>,
    /// When an acknowledgment that waits is to be sent.
    pub(super) waiting: Option<SimTime>,
}

impl Acknowledgment {
    /// Octets of data that a full segment of the peer's has.
    pub(super) fn full(&self) -> usize {
        self.full.max(1)
    }

    /// The handshake is over: a segment of the peer's has at most so many octets, and this window.
    pub(super) fn begin(&mut self, mss: usize, window: usize) {
        self.full = mss.min(FULL).min((window / 2).max(LEAST_FULL));
    }

    /// Data have come that were not here before: so many octets in a segment, at most `mss` of them. `rto` is the timeout,
    /// `window` what the peer may send. Says whether they are more than those of any full segment before.
    pub(super) fn on_data(
        &mut self,
        now: SimTime,
        profile: &Profile,
        (octets, mss, is_pushed): (usize, usize, bool),
        rto: Duration,
        window: usize,
    ) -> bool {
        self.is_due = true;
        let is_larger = octets.min(mss) > self.full;
        self.measure(octets.min(mss), is_pushed);
        let delay = profile.ack.delay;
        let apart = self.last_data_in.replace(now).map_or(Duration::ZERO, |last| now - last);
        match self.interval {
            None => {
                self.be_quick(window);
                self.interval = Some(delay);
            }
            Some(interval) if apart <= delay / 2 => self.interval = Some(interval / 2 + delay / 2),
            Some(interval) if apart < interval => self.interval = Some((interval / 2 + apart).min(rto)),
            // The sender may have lost something, and begins with little in flight.
            Some(_) if apart > rto => self.be_quick(window),
            Some(_) => {}
        }
        is_larger
    }

    fn measure(&mut self, octets: usize, is_pushed: bool) {
        if octets >= self.full {
            self.full = octets;
            self.last_size = octets;
            return;
        }
        if octets >= FULL || octets >= LEAST_FULL && !is_pushed {
            if octets == self.last_size {
                self.full = octets;
                return;
            }
            self.last_size = octets;
        }
        self.small += 1;
    }

    /// The window grows with what came: its sender is to hear of it.
    pub(super) fn on_growth(&mut self) {
        self.quick |= 1;
    }

    /// The buffer is more than half full: there is no hurry.
    pub(super) fn on_scarcity(&mut self) {
        self.quick = 0;
    }

    /// A segment has come that is to be answered, though it brought nothing new: its acknowledgment may have been lost.
    pub(super) fn on_duplicate(&mut self, profile: &Profile, window: usize) {
        self.be_quick(window);
        self.is_interactive = false;
        self.interval = Some(profile.ack.delay);
        self.is_due = true;
    }

    /// A FIN is acknowledged with what the program says next, if it is soon.
    pub(super) fn on_fin(&mut self) {
        self.is_due = true;
    }

    /// What answers there are carry the acknowledgments.
    pub(super) fn be_interactive(&mut self) {
        self.is_interactive = true;
    }

    /// Something is to be acknowledged at once.
    pub(super) fn demand(&mut self) {
        (self.is_due, self.is_urgent) = (true, true);
    }

    /// Whether something is to be acknowledged at once.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// Data came in order.
    pub(super) fn on_progress(&mut self) {
        self.duplicates = 0;
    }

    /// Whether something is to be acknowledged.
    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Data go out.
    pub(super) fn on_data_out(&mut self, now: SimTime) {
        let soon = self.interval.unwrap_or_default();
        if self.last_data_in.is_some_and(|came| now - came < soon) {
            self.is_interactive = true;
        }
    }

    /// When data last came.
    pub(super) fn last_data_in(&self) -> Option<SimTime> {
        self.last_data_in
    }

    /// Something has been sent that acknowledges all that came.
    pub(super) fn on_sent(&mut self, profile: &Profile) {
        if self.is_due && self.quick > 0 {
            self.quick -= 1;
            if self.quick == 0 {
                self.interval = Some(profile.ack.delay);
            }
        }
        (self.is_due, self.is_urgent, self.small) = (false, false, 0);
    }

    /// The timer has fired: no answer came in time to carry the acknowledgment. `rto` is the timeout. Says whether there is
    /// anything to acknowledge.
    pub(super) fn on_timer(&mut self, profile: &Profile, rto: Duration) -> bool {
        if self.is_due {
            self.interval = match self.interval {
                Some(interval) if !self.is_interactive => Some((interval * 2).min(rto)),
                _ => Some(profile.ack.delay),
            };
            self.is_interactive = false;
        }
        self.is_due
    }

    /// The program has read, and `is_all` that there is: whether an acknowledgment that waits is sent now.
    pub(super) fn ends_with_read(&self, owed: usize, is_all: bool) -> bool {
        let is_some = self.small > 1 || self.small > 0 && !self.is_interactive;
        self.is_due && (owed > self.full || is_some && is_all)
    }

    /// Whether acknowledgments are sent at once: TCP_QUICKACK.
    pub(super) fn is_quick(&self) -> bool {
        !self.is_interactive
    }

    /// Sets TCP_QUICKACK, until the traffic says otherwise.
    pub(super) fn set_quick(&mut self, quick: bool) {
        self.is_interactive = !quick;
    }

    /// What is to be done about what is due.
    pub(super) fn decide(&mut self, profile: &Profile, on: Situation) -> Decision {
        if !self.is_due {
            return Decision::Nothing;
        }
        let is_quick = self.quick > 0 && !self.is_interactive;
        if self.is_urgent || is_quick || on.owed > self.full && on.window_advances {
            return Decision::Now;
        }
        if on.has_gap {
            if self.duplicates < DUPLICATES {
                self.duplicates += 1;
                return Decision::Now;
            }
            let rtt = [on.rtt, on.srtt].into_iter().flatten().min().unwrap_or_default();
            return Decision::Compressed((rtt / 20).min(COMPRESSION));
        }
        let delay = profile.ack.delay;
        // A FIN before any data: the kernel believes the next to come at once, and waits for its next jiffy.
        let longest = on.srtt.map_or(delay, |srtt| srtt.max(delay));
        let wait = self.interval.unwrap_or_default().min(longest);
        if on.waiting.is_some_and(|at| at <= on.now + wait / 4) {
            return Decision::Now;
        }
        let at = profile.rounded(on.now, on.now + wait);
        Decision::At(on.waiting.map_or(at, |waiting| waiting.min(at)))
    }

    /// As many as the window has room for segments, by twos.
    fn be_quick(&mut self, window: usize) {
        let by_window = (window / (2 * self.full())) as u32;
        let quick = if by_window == 0 { 2 } else { by_window.min(QUICK) };
        self.quick = self.quick.max(quick);
    }
}
