//! A host's own clock, which stands still while the host is paused.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::time::SimTime;

/// What a host takes for the time: the world's, without what it was paused for.
#[derive(Clone, Debug, Default)]
pub(super) struct HostClock(Rc<State>);

#[derive(Debug, Default)]
struct State {
    missed: Cell<Duration>,
    paused_at: Cell<Option<SimTime>>,
}

impl HostClock {
    pub(super) fn is_paused(&self) -> bool {
        self.0.paused_at.get().is_some()
    }

    pub(super) fn pause(&self, now: SimTime) {
        self.0.paused_at.set(Some(now));
    }

    /// Goes on where it stood; returns that time, and all that it has missed by now. `None` if it went.
    pub(super) fn resume(&self, now: SimTime) -> Option<(SimTime, Duration)> {
        let paused_at = self.0.paused_at.take()?;
        let stood = self.own(paused_at);
        let missed = self.0.missed.get() + (now - paused_at);
        self.0.missed.set(missed);
        Some((stood, missed))
    }

    /// The host's time at a moment of the world.
    pub(super) fn own(&self, now: SimTime) -> SimTime {
        let now = self.0.paused_at.get().unwrap_or(now);
        SimTime::ZERO + now.since(SimTime::ZERO).saturating_sub(self.0.missed.get())
    }

    /// When it will be so late by the host's clock, if that does not stop.
    pub(super) fn world(&self, own: SimTime) -> SimTime {
        own + self.0.missed.get()
    }
}
