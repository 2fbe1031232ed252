//! Congestion control: RFC 5681, counted in octets (RFC 3465).

use crate::stack::profile::InitialWindow;

/// cwnd, ssthresh and what they depend on, in octets.
#[derive(Debug)]
pub(crate) struct Congestion {
    /// SMSS.
    segment: usize,
    window: usize,
    threshold: usize,
    /// What was acknowledged since the window last grew, in congestion avoidance.
    acknowledged: usize,
    duplicates: u32,
    /// Fast recovery: until something new is acknowledged.
    is_recovering: bool,
    /// The timer has fired: until something new is acknowledged …
    timed_out: bool,
    /// … and until the threshold is reached again.
    cautious: bool,
}

impl Congestion {
    /// RFC 5681, 3.2: so many duplicates say that a segment is lost.
    pub(crate) const DUPLICATES: u32 = 3;

    pub(crate) fn new(segment: usize, initial: InitialWindow, retransmissions: u32) -> Congestion {
        Congestion {
            segment,
            window: initial.octets(segment, retransmissions),
            threshold: usize::MAX,
            acknowledged: 0,
            duplicates: 0,
            is_recovering: false,
            timed_out: false,
            cautious: false,
        }
    }

    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// So much is acknowledged of `flight` octets, if anything. The window grows as long as it is what limits the flight
    /// (RFC 7661).
    pub(crate) fn on_ack(&mut self, octets: usize, flight: usize) {
        self.duplicates = 0;
        if octets == 0 {
            return;
        }
        self.timed_out = false;
        if std::mem::take(&mut self.is_recovering) {
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
    pub(crate) fn on_duplicate(&mut self, flight: usize) -> bool {
        self.duplicates += 1;
        if self.is_recovering {
            self.window += self.segment;
        } else if self.duplicates == Congestion::DUPLICATES {
            self.halve(flight);
            self.window = self.threshold + Congestion::DUPLICATES as usize * self.segment;
            self.is_recovering = true;
            return true;
        }
        false
    }

    /// RFC 5681, 3.1: the loss window; what is lost again does not halve the threshold again.
    pub(crate) fn on_timeout(&mut self, flight: usize) {
        if !std::mem::replace(&mut self.timed_out, true) {
            self.halve(flight);
        }
        self.window = self.segment;
        self.is_recovering = false;
        self.cautious = true;
    }

    fn halve(&mut self, flight: usize) {
        self.threshold = (flight / 2).max(2 * self.segment);
        self.acknowledged = 0;
    }

    /// RFC 5681, 4.1: after a silence the window tells nothing of the path any more.
    pub(crate) fn restart(&mut self, initial: InitialWindow) {
        self.window = self.window.min(initial.octets(self.segment, 0));
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
