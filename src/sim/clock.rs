//! The world's clock.

use std::cell::Cell;
use std::rc::Rc;

use crate::time::SimTime;

/// The world's clock; every machine reads the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Rc<Cell<SimTime>>);

impl Clock {
    pub(super) fn now(&self) -> SimTime {
        self.0.get()
    }

    pub(super) fn set(&self, now: SimTime) {
        debug_assert!(now >= self.now(), "time never runs backwards");
        self.0.set(now);
    }
}
