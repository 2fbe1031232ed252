//! A host's clock: tokio's, counted from the start of the simulation.

use std::time::Duration;

use tokio::runtime::{Handle, Id};

use crate::time::SimTime;

/// Turns the paused clock of one turmoil host into [`SimTime`] and back. It has tokio's resolution, 1 ms.
///
/// [`tokio::time::Instant`] shows simulated time on a host of turmoil, never the machine's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    runtime: Id,
    /// What tokio's clock showed …
    instant: tokio::time::Instant,
    /// … at this moment of the simulation.
    at: SimTime,
}

impl Clock {
    /// The clock of the host that is running, which `skipped` has been taken off turmoil's; `None` outside.
    pub(super) fn here(skipped: Duration) -> Option<Clock> {
        let runtime = Handle::try_current().ok()?.id();
        let at = SimTime::ZERO + turmoil::sim_elapsed()? + skipped;
        Some(Clock { runtime, instant: tokio::time::Instant::now(), at })
    }

    /// Which runtime's clock it is.
    pub(super) fn runtime(&self) -> Id {
        self.runtime
    }

    /// What it shows; `None` to code that does not run on its host.
    pub(super) fn now(&self) -> Option<SimTime> {
        let handle = Handle::try_current().ok()?;
        (handle.id() == self.runtime).then(|| self.at + (tokio::time::Instant::now() - self.instant))
    }

    /// The tokio instant of a moment.
    pub(super) fn instant(&self, at: SimTime) -> tokio::time::Instant {
        self.instant + (at - self.at)
    }
}
