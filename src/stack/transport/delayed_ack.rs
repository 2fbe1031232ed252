//! Delayed acknowledgment (RFC 1122, 4.2.3.2; RFC 5681, 4.2): whether an acknowledgment without data may wait.
//!
//! Berkeley's rule is short: it waits until the next of the host's timers, or for the next segment. Linux acknowledges at
//! once while it has *quick* acknowledgments left, of which a connection starts with 16 and gets more when data comes
//! late or twice; it waits where answers carry the acknowledgments (what the kernel calls pingpong mode); and else until
//! the program has read.

use std::time::Duration;

use super::context::Context;
use super::timer_table::{Timer, TimerTable};
use crate::stack::profile::Profile;
use crate::time::SimTime;

/// What decides whether the next acknowledgment waits.
#[derive(Debug, Default)]
pub(crate) struct DelayedAck {
    /// Data went out soon after data came in: answers are likely to carry the acknowledgments.
    is_interactive: bool,
    last_data_in: Option<SimTime>,
    /// Acknowledgments that are still sent at once.
    quick: u32,
    /// How soon the next data is believed to come; `None` before any came.
    interval: Option<Duration>,
    /// Octets that have come and that nothing sent has acknowledged.
    owed: usize,
    /// How many segments brought them that were not full.
    small: u32,
    /// Octets of data of the largest segment that has come: a full one.
    full: usize,
}

/// Linux's TCP_MAX_QUICKACKS.
const QUICK: u32 = 16;
/// Octets that are taken for a full segment before one has come (RFC 9293, 3.7.1).
const FULL: usize = 536;

impl DelayedAck {
    /// Data has come in order: so many octets, where no segment has more than `mss`. `rto` is the timeout, `window` what
    /// the peer may send.
    pub(crate) fn on_data_in(
        &mut self,
        cx: &Context<'_>,
        (octets, mss): (usize, usize),
        rto: Duration,
        window: usize,
    ) {
        let delay = cx.profile.ack.delay;
        self.full = self.full.max(FULL.min(mss)).max(octets.min(mss));
        let apart = self.last_data_in.replace(cx.now).map_or(Duration::ZERO, |last| cx.now - last);
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
        self.owed += octets;
        self.small += u32::from(octets < self.full);
    }

    /// Data has come that was here already: its acknowledgment may have been lost.
    pub(crate) fn on_duplicate(&mut self, cx: &Context<'_>, window: usize) {
        self.be_quick(window);
        self.is_interactive = false;
        self.interval = Some(cx.profile.ack.delay);
    }

    /// The peer has nothing more to say: what the program says next is likely to carry the acknowledgment.
    pub(crate) fn on_fin(&mut self, profile: &Profile) {
        self.is_interactive |= profile.ack.quick_start;
    }

    pub(crate) fn on_data_out(&mut self, cx: &Context<'_>) {
        let soon = self.interval.unwrap_or(cx.profile.ack.delay);
        if self.last_data_in.is_some_and(|came| cx.now - came < soon) {
            self.is_interactive = true;
        }
    }

    /// Something has been sent that acknowledges all that came.
    pub(crate) fn on_sent(&mut self, profile: &Profile) {
        if self.owed > 0 {
            self.quick = self.quick.saturating_sub(1);
            if self.quick == 0 {
                self.interval = Some(profile.ack.delay);
            }
        }
        (self.owed, self.small) = (0, 0);
    }

    /// The timer has fired: no answer came in time to carry the acknowledgment. `rto` is the timeout.
    pub(crate) fn on_timer(&mut self, profile: &Profile, rto: Duration) {
        self.interval = match self.interval {
            Some(interval) if !self.is_interactive => Some((interval * 2).min(rto)),
            _ => Some(profile.ack.delay),
        };
        self.is_interactive &= !profile.ack.quick_start;
    }

    /// The program has read all there is: whether an acknowledgment that waits is sent now.
    pub(crate) fn ends_with_read(&self, profile: &Profile) -> bool {
        let is_some = self.small > 1 || self.small > 0 && !self.is_interactive;
        profile.ack.quick_start && (self.owed > self.full || is_some)
    }

    /// Whether the acknowledgment of data may wait at all.
    pub(crate) fn waits_for_data(&self, profile: &Profile) -> bool {
        let is_quick = profile.ack.quick_start && self.quick > 0 && !self.is_interactive;
        !profile.ack.delay.is_zero() && !is_quick
    }

    /// Whether acknowledgments are sent at once: TCP_QUICKACK.
    pub(crate) fn is_quick(&self) -> bool {
        !self.is_interactive
    }

    /// Sets TCP_QUICKACK, until the traffic says otherwise.
    pub(crate) fn set_quick(&mut self, quick: bool) {
        self.is_interactive = !quick;
    }

    /// An acknowledgment may wait: starts the timer, unless another one waits already. Of two the second is sent at once;
    /// on Linux if both are of more than a full segment, or the timer is about to fire. `srtt` is the round-trip time.
    /// Returns whether it waits.
    pub(crate) fn start(&self, cx: &Context<'_>, timers: &mut TimerTable, srtt: Option<Duration>) -> bool {
        let delay = cx.profile.ack.delay;
        let waiting = timers.at(Timer::DelayedAck);
        if !cx.profile.ack.quick_start {
            match waiting {
                Some(_) => timers.stop(Timer::DelayedAck),
                None => timers.set(Timer::DelayedAck, cx.after(delay)),
            }
            return waiting.is_none();
        }
        let longest = srtt.map_or(delay, |srtt| srtt.max(delay));
        // A FIN before any data: the kernel believes the next to come at once, and waits for its next jiffy.
        let wait = self.interval.unwrap_or_default().min(longest);
        let is_about_to_fire = waiting.is_some_and(|at| at <= cx.now + wait / 4);
        if self.owed > self.full || is_about_to_fire {
            timers.stop(Timer::DelayedAck);
            return false;
        }
        let at = cx.after(wait);
        timers.set(Timer::DelayedAck, waiting.map_or(at, |waiting| waiting.min(at)));
        true
    }

    /// As many as the window has room for segments, by twos.
    fn be_quick(&mut self, window: usize) {
        let by_window = (window / (2 * self.full.max(1))) as u32;
        let quick = if by_window == 0 { 2 } else { by_window.min(QUICK) };
        self.quick = self.quick.max(quick);
    }
}
