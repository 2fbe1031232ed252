//! The way down: a host that is being shut down (UNP 5.16).

use std::time::Duration;

use crate::time::SimTime;

/// From the last process's end to the switch: file systems are unmounted meanwhile, and TCP still says goodbye.
const HALT: Duration = Duration::from_secs(1);

/// Whether a host is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// It is.
    On,
    /// Its processes have been asked to end and will be killed at this time.
    Ending { kill_at: SimTime },
    /// Its processes have ended; it is switched off at this time.
    Halting { off_at: SimTime },
    /// It is not.
    Off,
}

impl Power {
    pub(crate) fn deadline(self) -> Option<SimTime> {
        match self {
            Power::Ending { kill_at: t } | Power::Halting { off_at: t } => Some(t),
            Power::On | Power::Off => None,
        }
    }

    pub(crate) fn is_time_to_kill(self, now: SimTime) -> bool {
        matches!(self, Power::Ending { kill_at } if kill_at <= now)
    }

    pub(crate) fn next(self, now: SimTime, all_ended: bool) -> Power {
        match self {
            Power::Ending { .. } if all_ended => Power::Halting { off_at: now + HALT },
            Power::Halting { off_at } if off_at <= now => Power::Off,
            power => power,
        }
    }
}
