//! How far the times of a pair of events are apart, and how far they may be.

use std::time::Duration;

use super::cause::{Cause, How, causes, is_given};
use super::given;
use super::report::{Drift, Timing};
use crate::scenario::{Stall, Tolerance};
use crate::time::SimTime;
use crate::timeline::Event;

/// How near a stall has to be to have made an event late.
const NEAR: Duration = Duration::from_millis(20);

/// Both runs' times, and what is known of them.
pub(super) struct Clocks<'a> {
    sim: &'a [Event],
    real: &'a [Event],
    stalls: &'a [Stall],
    tolerance: Tolerance,
    /// The partner, in the real run, of each simulated event that has one.
    partner: Vec<Option<usize>>,
    causes: Vec<Option<Cause>>,
    real_causes: Vec<Option<Cause>>,
}

/// What a time is counted from.
struct Origin {
    sim: SimTime,
    real: SimTime,
    /// The timers of TCP that ran since, one after the other.
    timers: Vec<Duration>,
    /// How long the program slept since.
    slept: Duration,
}

impl<'a> Clocks<'a> {
    pub(super) fn new(
        sim: &'a [Event],
        real: &'a [Event],
        stalls: &'a [Stall],
        tolerance: Tolerance,
        pairs: impl Iterator<Item = (usize, usize)>,
    ) -> Clocks<'a> {
        let mut partner = vec![None; sim.len()];
        for (sim, real) in pairs.chain(given::pairs(sim, real)) {
            partner[sim] = Some(real);
        }
        Clocks { sim, real, stalls, tolerance, partner, causes: causes(sim), real_causes: causes(real) }
    }

    pub(super) fn timing(&self, sim: usize, real: usize) -> Timing {
        let (at, there) = (self.sim[sim].t, self.real[real].t);
        if is_given(&self.sim[sim].kind) {
            return Timing { allowed: Duration::MAX, ..Timing::default() };
        }
        let origin = self.origin(sim);
        let (span, real_span) = (at.since(origin.sim), there.since(origin.real));
        let timers = origin.timers.iter().map(|span| self.tolerance.of(*span)).sum::<Duration>();
        let allowed = timers.max(self.tolerance.of(Duration::ZERO))
            + origin.slept.mul_f64(self.tolerance.share)
            + self.late(origin.real, there);
        Timing { sim: span, real: real_span, allowed }
    }

    /// Which of these real events has the same cause as the simulated one.
    pub(super) fn caused_alike(&self, sim: usize, real: &[usize]) -> Option<usize> {
        let cause = self.partner[self.causes[sim]?.at]?;
        let is_alike = |there: &&usize| self.real_causes[**there].is_some_and(|theirs| theirs.at == cause);
        real.iter().find(is_alike).copied()
    }

    /// The nearest of the event's causes that both runs have; the start of the run if there is none.
    fn origin(&self, sim: usize) -> Origin {
        let mut origin =
            Origin { sim: SimTime::ZERO, real: SimTime::ZERO, timers: Vec::new(), slept: Duration::ZERO };
        let mut at = sim;
        while let Some(cause) = self.causes[at] {
            let span = self.sim[at].t.since(self.sim[cause.at].t);
            match cause.how {
                How::Timer => origin.timers.push(span),
                How::Sleeps => origin.slept += span,
                How::Follows | How::Travels => {}
            }
            at = cause.at;
            if let Some(real) = self.partner[at] {
                (origin.sim, origin.real) = (self.sim[at].t, self.real[real].t);
                break;
            }
        }
        origin
    }

    /// How late this machine was about one of these two moments.
    fn late(&self, one: SimTime, other: SimTime) -> Duration {
        let is_near = |stall: &Stall, moment: SimTime| {
            stall.t <= moment + NEAR
                && moment.since(SimTime::ZERO) <= (stall.t + stall.late + NEAR).since(SimTime::ZERO)
        };
        let near = self.stalls.iter().filter(|stall| is_near(stall, one) || is_near(stall, other));
        near.map(|stall| stall.late).sum()
    }

    /// How late all the kernel's timers were of which both the setting and the firing is in both runs.
    pub(super) fn drift(&self) -> Drift {
        let mut late = Vec::new();
        for (sim, cause) in self.causes.iter().enumerate() {
            let (Some(cause), Some(real)) =
                (cause.filter(|cause| cause.how == How::Timer), self.partner[sim])
            else {
                continue;
            };
            let Some(set) = self.partner[cause.at] else { continue };
            let (set, fired) = (self.real[set].t, self.real[real].t);
            if self.late(set, fired).is_zero() {
                let span = self.sim[sim].t.since(self.sim[cause.at].t);
                let granule = self.tolerance.granule(span).as_secs_f64();
                late.push((fired.since(set).as_secs_f64() - span.as_secs_f64()) / granule);
            }
        }
        let timers = late.len();
        Drift { mean: if timers == 0 { 0.0 } else { late.iter().sum::<f64>() / timers as f64 }, timers }
    }
}
