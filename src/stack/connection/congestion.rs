//! Congestion control: RFC 5681, counted in octets (RFC 3465).
//!
//! smoltcp's own counts acknowledgments, of which a burst has one, and begins with 2 048 octets whatever the system. So it
//! is off, and smoltcp is shown no more of the peer's window than this one lets through (`shown.rs`).

use bytes::Bytes;

use super::{Connection, Cx};
use crate::packet::{Flags, Segment, Seq};
use crate::stack::profile::InitialWindow;

/// RFC 5681, 3.2: so many duplicates say that a segment is lost.
const DUPLICATES: u32 = 3;

/// cwnd, ssthresh and what they depend on, in octets.
#[derive(Debug)]
pub(super) struct Congestion {
    /// SMSS.
    segment: usize,
    window: usize,
    threshold: usize,
    /// What was acknowledged since the window last grew, in congestion avoidance.
    acknowledged: usize,
    duplicates: u32,
    /// Fast recovery: until something new is acknowledged.
    recovering: bool,
    /// The timer has fired: until something new is acknowledged …
    timed_out: bool,
    /// … and until the threshold is reached again.
    cautious: bool,
}

impl Congestion {
    pub(super) fn new(segment: usize, initial: InitialWindow, retransmissions: u32) -> Congestion {
        Congestion {
            segment,
            window: initial.octets(segment, retransmissions),
            threshold: usize::MAX,
            acknowledged: 0,
            duplicates: 0,
            recovering: false,
            timed_out: false,
            cautious: false,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// So much is acknowledged of `flight` octets, if anything. The window grows as long as it is what limits the flight
    /// (RFC 7661).
    fn on_ack(&mut self, octets: usize, flight: usize) {
        self.duplicates = 0;
        if octets == 0 {
            return;
        }
        self.timed_out = false;
        if std::mem::take(&mut self.recovering) {
            self.window = self.threshold;
        } else if self.window < self.threshold {
            if self.window < 2 * flight {
                // RFC 3465, 2.3: what is acknowledged after a timeout may have arrived long ago.
                let octets = if self.cautious { octets.min(self.segment) } else { octets };
                self.window = (self.window + octets).min(self.threshold);
                self.cautious &= self.window < self.threshold;
            }
        } else if self.window < flight + self.segment {
            self.acknowledged += octets;
            if self.acknowledged >= self.window {
                self.acknowledged -= self.window;
                self.window += self.segment;
            }
        }
    }

    /// Says whether it is the one that shows a loss.
    fn on_duplicate(&mut self, flight: usize) -> bool {
        self.duplicates += 1;
        if self.recovering {
            self.window += self.segment;
        } else if self.duplicates == DUPLICATES {
            self.halve(flight);
            self.window = self.threshold + DUPLICATES as usize * self.segment;
            self.recovering = true;
            return true;
        }
        false
    }

    /// RFC 5681, 3.1: the loss window; what is lost again does not halve the threshold again.
    fn on_timeout(&mut self, flight: usize) {
        if !std::mem::replace(&mut self.timed_out, true) {
            self.halve(flight);
        }
        self.window = self.segment;
        self.recovering = false;
        self.cautious = true;
    }

    fn halve(&mut self, flight: usize) {
        self.threshold = (flight / 2).max(2 * self.segment);
        self.acknowledged = 0;
    }

    /// RFC 5681, 4.1: after a silence the window tells nothing of the path any more.
    fn restart(&mut self, initial: InitialWindow) {
        self.window = self.window.min(initial.octets(self.segment, 0));
    }
}

impl Connection {
    /// Hands a segment to the engine, and what it acknowledges to the congestion control.
    pub(super) fn hand_over(&mut self, cx: &Cx<'_>, segment: &Segment, packet: Bytes) {
        let flight = self.flight();
        if self.is_duplicate(segment) {
            // smoltcp counts duplicates, too: once a loss is known, more of them are not to tell of another.
            if !self.congestion.recovering {
                self.show(cx, segment, packet);
            }
            if self.congestion.on_duplicate(flight) {
                self.recover = Some(self.nxt);
            }
        } else {
            self.congestion.on_ack(self.newly_acknowledged(segment), flight);
            self.show(cx, segment, packet);
        }
    }

    /// RFC 5681, 2: nothing new, no data, the same window, and something is in flight.
    fn is_duplicate(&self, segment: &Segment) -> bool {
        segment.flags == Flags::ACK
            && segment.len == 0
            && segment.ack == Some(self.una)
            && self.window_of(segment) == self.peer_window
            && self.flight() > 0
    }

    fn newly_acknowledged(&self, segment: &Segment) -> usize {
        let is_new = |ack: &Seq| self.una.before(*ack) && ack.at_or_before(self.nxt);
        segment.ack.filter(is_new).map_or(0, |ack| (ack - self.una) as usize)
    }

    /// Octets that were sent since the last timeout, if there was one, and are not acknowledged.
    fn flight(&self) -> usize {
        if self.una.before(self.sent_to) { (self.sent_to - self.una) as usize } else { 0 }
    }

    /// The timer has fired for what is in flight.
    pub(super) fn note_timeout(&mut self) {
        self.recover = Some(self.nxt);
        self.congestion.on_timeout((self.nxt - self.una) as usize);
    }

    /// Something is about to be sent: after a silence of more than a timeout, no more than at first.
    pub(super) fn restart_after_idle(&mut self, cx: &Cx<'_>) {
        let timeout = self.rto(cx.profile);
        if !self.in_flight() && self.sent_at.is_some_and(|sent| cx.now - sent > timeout) {
            self.congestion.restart(cx.profile.initial_window);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: usize = 1_000;

    /// RFC 3465, 2.3: by a segment at a time, but only as long as what is acknowledged may have arrived before the timeout.
    #[test]
    fn caution_after_a_timeout_ends_at_the_threshold() {
        let mut congestion = Congestion::new(SEGMENT, InitialWindow::ONE, 0);
        congestion.on_timeout(20 * SEGMENT);
        for segments in 2..=10 {
            congestion.on_ack(5 * SEGMENT, congestion.window());
            assert_eq!(congestion.window(), segments * SEGMENT);
        }
        congestion.restart(InitialWindow::ONE);
        congestion.on_ack(5 * SEGMENT, congestion.window());
        assert_eq!(congestion.window(), 6 * SEGMENT);
    }
}
