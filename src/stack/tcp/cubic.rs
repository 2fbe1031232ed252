//! CUBIC (RFC 9438) with HyStart, as Linux has them: how fast the congestion window grows.

use std::time::Duration;

use crate::packet::Seq;
use crate::time::SimTime;

/// What is left of the window after a loss: RFC 9438's beta, 0.7, in 1024ths.
const BETA: u64 = 717;
const ONE: u64 = 1_024;
/// RFC 9438's C, 0.4, as `C = 410 / 1024` per second³.
const C: u64 = 410;
/// A window this large is watched by HyStart.
const LOW_WINDOW: u32 = 16;
/// Acknowledgments this close together are a train.
const TRAIN_GAP: Duration = Duration::from_millis(2);
/// Round trips that are measured before their least counts.
const SAMPLES: u32 = 8;
/// What a round trip must be longer by than the least, in slow start, at least and at most.
const DELAY: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(16));

/// CUBIC's state.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic {
    /// The window at the last loss.
    most: u32,
    /// The window when it was last computed, and when that was.
    last_window: u32,
    last_time: Option<SimTime>,
    /// Acknowledgments for which the window grows by one packet.
    per_packet: u64,
    /// Since the last loss: when the window began to grow, and what follows from it.
    epoch: Option<Epoch>,
    /// The least round trip.
    least_rtt: Option<Duration>,
    hystart: HyStart,
}

#[derive(Clone, Debug)]
struct Epoch {
    start: SimTime,
    /// Packets acknowledged, and what Reno's window would be.
    acknowledged: u64,
    reno: u64,
    /// Where the curve is flat: the window there, and when it is, in 1024ths of a second.
    origin: u64,
    flat_at: u64,
}

/// HyStart (`tcp_cubic.c`): slow start ends before a queue overflows.
#[derive(Clone, Debug, Default)]
struct HyStart {
    has_found: bool,
    /// The round trip that is looked at: when it began, when it ends, its last acknowledgment of a train.
    start: SimTime,
    end: Seq,
    last_ack: SimTime,
    least: Option<Duration>,
    samples: u32,
}

impl Cubic {
    /// Packets that are acknowledged for each by which the window grows, where `packets` more are and it is `window`.
    pub(super) fn on_ack(&mut self, now: SimTime, window: u32, packets: u32) -> u64 {
        self.compute(now, window, packets);
        self.per_packet.max(2)
    }

    fn compute(&mut self, now: SimTime, window: u32, packets: u32) {
        let cwnd = u64::from(window);
        if let Some(epoch) = &mut self.epoch {
            epoch.acknowledged += u64::from(packets);
        }
        let since = self.last_time.map(|last| now - last);
        if self.last_window == window && since.is_some_and(|since| since <= Duration::from_millis(31)) {
            return;
        }
        let is_same_jiffy = since.is_some_and(|since| since < Duration::from_millis(4));
        if self.epoch.is_none() || !is_same_jiffy {
            (self.last_window, self.last_time) = (window, Some(now));
            let most = u64::from(self.most);
            let epoch = self.epoch.get_or_insert_with(|| Epoch {
                start: now,
                acknowledged: u64::from(packets),
                reno: cwnd,
                origin: most.max(cwnd),
                flat_at: cube_root(most.saturating_sub(cwnd)),
            });
            let passed = now - epoch.start + self.least_rtt.unwrap_or_default();
            let t = (passed.as_micros() * u128::from(ONE) / 1_000_000) as u64;
            let off = u128::from(t.abs_diff(epoch.flat_at));
            let delta = ((u128::from(C) * off * off * off) >> 40) as u64;
            let target = if t < epoch.flat_at {
                epoch.origin.saturating_sub(delta)
            } else {
                epoch.origin.saturating_add(delta)
            };
            self.per_packet = if target > cwnd { cwnd / (target - cwnd) } else { 100 * cwnd };
            if self.most == 0 {
                // Nothing is known of the path's bandwidth yet.
                self.per_packet = self.per_packet.min(20);
            }
        }
        self.be_no_slower_than_reno(cwnd);
    }

    /// RFC 9438, 4.3: where Reno's window would be larger, so is this one.
    fn be_no_slower_than_reno(&mut self, cwnd: u64) {
        let Some(epoch) = &mut self.epoch else { return };
        let scale = 8 * (ONE + BETA) / 3 / (ONE - BETA);
        let per_packet = ((cwnd * scale) >> 3).max(1);
        epoch.reno += epoch.acknowledged / per_packet;
        epoch.acknowledged %= per_packet;
        if let Some(more) = epoch.reno.checked_sub(cwnd).filter(|more| *more > 0) {
            self.per_packet = self.per_packet.min(cwnd / more);
        }
    }

    /// A loss: the slow start threshold, where the window is `window`.
    pub(super) fn threshold(&mut self, window: u32) -> u32 {
        self.epoch = None;
        let cwnd = u64::from(window);
        // RFC 9438, 4.7: fast convergence.
        let most = if window < self.most { cwnd * (ONE + BETA) / (2 * ONE) } else { cwnd };
        self.most = most as u32;
        ((cwnd * BETA / ONE) as u32).max(2)
    }

    /// The retransmission timer has fired: what was learned of the path is forgotten.
    pub(super) fn on_timeout(&mut self, now: SimTime, nxt: Seq) {
        *self = Cubic::default();
        self.hystart.restart(now, nxt);
    }

    /// Something is sent after a silence: the window does not grow by that.
    pub(super) fn on_restart(&mut self, idle: Duration, now: SimTime) {
        if let Some(epoch) = &mut self.epoch {
            epoch.start = (epoch.start + idle).min(now);
        }
    }

    /// A round trip was measured. Says whether slow start is to end.
    pub(super) fn on_rtt(
        &mut self,
        now: SimTime,
        rtt: Duration,
        (window, is_slow_start): (u32, bool),
        (una, nxt): (Seq, Seq),
    ) -> bool {
        if self.epoch.as_ref().is_some_and(|epoch| now - epoch.start < Duration::from_secs(1)) {
            return false;
        }
        let rtt = rtt.max(Duration::from_micros(1));
        let least = self.least_rtt.map_or(rtt, |least| least.min(rtt));
        self.least_rtt = Some(least);
        is_slow_start
            && window >= LOW_WINDOW
            && !self.hystart.has_found
            && self.hystart.finds(now, rtt, least, una, nxt)
    }
}

impl HyStart {
    fn restart(&mut self, now: SimTime, nxt: Seq) {
        *self = HyStart { start: now, last_ack: now, end: nxt, ..HyStart::default() };
    }

    fn finds(&mut self, now: SimTime, rtt: Duration, least: Duration, una: Seq, nxt: Seq) -> bool {
        if self.end.before(una) {
            self.restart(now, nxt);
        }
        if now - self.last_ack <= TRAIN_GAP {
            self.last_ack = now;
            self.has_found |= now - self.start > least / 2;
        }
        self.least = Some(self.least.map_or(rtt, |known| known.min(rtt)));
        if self.samples < SAMPLES {
            self.samples += 1;
        } else {
            let allowed = (least / 8).clamp(DELAY.0, DELAY.1);
            self.has_found |= self.least.is_some_and(|this| this > least + allowed);
        }
        self.has_found
    }
}

/// In how many 1024ths of a second the curve rises by `packets`: the cube root of `packets / C`.
fn cube_root(packets: u64) -> u64 {
    let cubed = u128::from(packets) * (1 << 40) / u128::from(C);
    (cubed as f64).cbrt() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9438, 4.2: K is the cube root of (W_max − cwnd) / C.
    #[test]
    fn the_curve_is_flat_after_the_cube_root_of_what_was_lost_over_c() {
        let k = cube_root(30) as f64 / ONE as f64;
        assert!((k - (30.0_f64 / 0.4).cbrt()).abs() < 0.01, "{k}");
    }

    /// RFC 9438, 4.6 and 4.7.
    #[test]
    fn a_loss_leaves_seven_tenths_and_a_second_one_a_lower_origin() {
        let mut cubic = Cubic::default();
        assert_eq!(cubic.threshold(100), 70);
        assert_eq!(cubic.most, 100);
        assert_eq!(cubic.threshold(70), 49);
        assert_eq!(cubic.most, 59);
    }

    /// RFC 9438, 4.1: a second after the flat point the window is C packets above it.
    #[test]
    fn the_window_grows_by_the_cube_of_time() {
        let mut cubic = Cubic { most: 1_000, ..Cubic::default() };
        let at = |secs: u64| SimTime::ZERO + Duration::from_secs(secs);
        cubic.on_ack(at(1), 700, 1);
        let flat_at = cubic.epoch.as_ref().unwrap().flat_at;
        assert!((flat_at as f64 / ONE as f64 - (300.0_f64 / 0.4).cbrt()).abs() < 0.01);
        // Ten seconds later the target lies 0.4 · 10³ above 1000.
        let later = SimTime::ZERO + Duration::from_millis(11_000 + flat_at * 1_000 / 1_024);
        cubic.epoch.as_mut().unwrap().reno = 0;
        cubic.compute(later, 1_000, 0);
        assert!((2..=3).contains(&cubic.per_packet), "{}", cubic.per_packet);
    }
}
