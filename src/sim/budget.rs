//! How much a run may come to. A scenario can ask for more than any machine has: a keepalive every nanosecond, say.

use std::fmt;

/// A limit of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Events that the timeline holds.
    Events,
    /// Octets of the packets that it holds.
    Octets,
    /// Steps from one moment, or one round of a moment, to the next.
    Steps,
}

/// Five million: with their packets some gigabytes.
const EVENTS: usize = 5_000_000;
/// 1 GiB.
const OCTETS: u64 = 1 << 30;
/// Fifty million: of idle timers a minute, of anything that is recorded more than the events.
const STEPS: u64 = 50_000_000;

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Events => write!(f, "{EVENTS} events in a timeline"),
            Limit::Octets => write!(f, "{OCTETS} octets of packets in a timeline"),
            Limit::Steps => write!(f, "{STEPS} steps of a run"),
        }
    }
}

/// What of it has been used.
#[derive(Debug, Default)]
pub(super) struct Budget {
    steps: u64,
}

impl Budget {
    /// One step more, with so many events in the timeline and so many octets of packets; the limit that is reached.
    pub(super) fn step(&mut self, (events, octets): (usize, u64)) -> Result<(), Limit> {
        self.steps += 1;
        match () {
            () if self.steps > STEPS => Err(Limit::Steps),
            () if events > EVENTS => Err(Limit::Events),
            () if octets > OCTETS => Err(Limit::Octets),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_last_step() {
        let mut budget = Budget { steps: STEPS - 1 };
        assert_eq!(budget.step((0, 0)), Ok(()));
        assert_eq!(budget.step((0, 0)), Err(Limit::Steps));
        assert_eq!(Limit::Steps.to_string(), "50000000 steps of a run");
    }

    #[test]
    fn a_timeline_holds_so_many_events_and_octets_and_no_more() {
        let step = |kept| Budget::default().step(kept);
        assert_eq!(step((EVENTS, OCTETS)), Ok(()));
        assert_eq!(step((EVENTS + 1, 0)), Err(Limit::Events));
        assert_eq!(step((0, OCTETS + 1)), Err(Limit::Octets));
        assert_eq!(Limit::Events.to_string(), "5000000 events in a timeline");
        assert_eq!(Limit::Octets.to_string(), "1073741824 octets of packets in a timeline");
    }
}
