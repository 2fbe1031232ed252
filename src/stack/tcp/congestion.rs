//! The congestion window, counted in packets: slow start, congestion avoidance (RFC 5681, RFC 9438), and how it shrinks
//! while it is not used.

use std::time::Duration;

use super::cubic::Cubic;
use crate::packet::Seq;
use crate::stack::profile::CongestionControl;
use crate::time::SimTime;

/// What a threshold is that no loss has set.
const UNKNOWN: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Congestion {
    pub(super) window: u32,
    pub(super) threshold: u32,
    /// Packets acknowledged since the window last grew, in congestion avoidance.
    acknowledged: u32,
    /// The most of the window that was used since it was last looked at, and when that was.
    used: u32,
    looked_at: SimTime,
    /// Whether the window was all in flight, and the most that was, until `usage_end` is acknowledged.
    is_limiting: bool,
    most_out: u32,
    usage_end: Seq,
    /// What may be in flight at first.
    initial: u32,
    /// CUBIC's part; Reno has none.
    cubic: Option<Cubic>,
}

impl Congestion {
    pub(super) fn new(control: CongestionControl, initial: u32) -> Congestion {
        Congestion {
            window: initial,
            threshold: UNKNOWN,
            acknowledged: 0,
            used: 0,
            looked_at: SimTime::ZERO,
            is_limiting: false,
            most_out: 0,
            usage_end: Seq::default(),
            initial,
            cubic: (control == CongestionControl::Cubic).then(Cubic::default),
        }
    }

    /// The handshake is over: so many packets may be in flight.
    pub(super) fn begin(&mut self, now: SimTime, window: u32, nxt: Seq) {
        (self.window, self.looked_at, self.usage_end) = (window, now, nxt);
    }

    pub(super) fn is_slow_start(&self) -> bool {
        self.window < self.threshold
    }

    /// Whether a loss has set the threshold.
    pub(super) fn knows_threshold(&self) -> bool {
        self.threshold < UNKNOWN
    }

    /// The threshold as an idle time leaves it: three quarters of the window are not to be found out again.
    pub(super) fn current_threshold(&self, is_reducing: bool) -> u32 {
        if is_reducing { self.threshold } else { self.threshold.max(self.window / 2 + self.window / 4) }
    }

    /// A loss: the new threshold.
    pub(super) fn reduced(&mut self) -> u32 {
        match &mut self.cubic {
            Some(cubic) => cubic.threshold(self.window),
            None => (self.window / 2).max(2),
        }
    }

    pub(super) fn on_timeout(&mut self, now: SimTime, nxt: Seq) {
        self.acknowledged = 0;
        if let Some(cubic) = &mut self.cubic {
            cubic.on_timeout(now, nxt);
        }
    }

    pub(super) fn on_recovery(&mut self) {
        self.acknowledged = 0;
    }

    /// So many packets are acknowledged.
    pub(super) fn on_ack(&mut self, now: SimTime, packets: u32) {
        if !self.is_limited() {
            return;
        }
        let mut packets = packets;
        if self.is_slow_start() {
            let window = self.window.saturating_add(packets).min(self.threshold);
            packets -= window - self.window;
            self.window = window;
            if packets == 0 {
                return;
            }
        }
        let per_packet = match &mut self.cubic {
            Some(cubic) => cubic.on_ack(now, self.window, packets) as u32,
            None => self.window,
        }
        .max(1);
        if self.acknowledged >= per_packet {
            self.acknowledged = 0;
            self.window += 1;
        }
        self.acknowledged += packets;
        self.window += self.acknowledged / per_packet;
        self.acknowledged %= per_packet;
    }

    /// A round trip was measured.
    pub(super) fn on_rtt(&mut self, now: SimTime, rtt: Duration, una: Seq, nxt: Seq) {
        let stands = (self.window, self.is_slow_start());
        if self.cubic.as_mut().is_some_and(|cubic| cubic.on_rtt(now, rtt, stands, (una, nxt))) {
            self.threshold = self.window;
        }
    }

    /// RFC 7661: whether the window is what limits the flight; in slow start whether half of it is used.
    fn is_limited(&self) -> bool {
        self.is_limiting || self.is_slow_start() && self.window < 2 * self.most_out
    }

    /// Packets were sent: `out` are in flight now, and the window is all in flight if it `is_full`. A window that nobody
    /// uses shrinks each timeout `rto`, as long as nothing `is_amiss`.
    pub(super) fn validate(
        &mut self,
        now: SimTime,
        (una, nxt): (Seq, Seq),
        out: u32,
        is_full: bool,
        rto: Duration,
        is_amiss: bool,
    ) {
        if !una.before(self.usage_end) || is_full || (!self.is_limiting && out > self.most_out) {
            (self.is_limiting, self.most_out, self.usage_end) = (is_full, out, nxt);
        }
        if self.is_limited() {
            (self.used, self.looked_at) = (0, now);
            return;
        }
        self.used = self.used.max(out);
        if now - self.looked_at >= rto {
            if !is_amiss {
                let used = self.used.max(self.initial);
                if used < self.window {
                    self.threshold = self.current_threshold(false);
                    self.window = self.window.midpoint(used);
                }
                self.used = 0;
            }
            self.looked_at = now;
        }
    }

    /// Something is sent after a silence (RFC 5681, 4.1): the window halves with each timeout that passed.
    pub(super) fn restart(&mut self, now: SimTime, idle: Duration, rto: Duration) {
        self.threshold = self.current_threshold(false);
        let least = self.initial.min(self.window);
        let mut left = idle.saturating_sub(rto);
        while !left.is_zero() && self.window > least {
            self.window /= 2;
            left = left.saturating_sub(rto);
        }
        self.window = self.window.max(least);
        (self.used, self.looked_at) = (0, now);
    }

    /// The first packet after none was in flight.
    pub(super) fn on_first_packet(&mut self, idle: Duration, now: SimTime) {
        if let Some(cubic) = &mut self.cubic {
            cubic.on_restart(idle, now);
        }
    }
}
