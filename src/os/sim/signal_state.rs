//! What a process has said about signals, and those that wait for it.

use std::collections::BTreeMap;

use crate::os::{Action, Disposition, Signal, SignalSet};

/// A process's signal actions, its mask, and the signals that wait.
///
/// The pending ones are a set: a signal sent again before it was delivered is sent once (UNP 5.8, "Unix signals
/// are normally not queued").
pub(super) struct SignalState<O> {
    pub(super) actions: BTreeMap<Signal, Action<O>>,
    pub(super) mask: SignalSet,
    pub(super) pending: SignalSet,
}

impl<O> Default for SignalState<O> {
    fn default() -> SignalState<O> {
        SignalState { actions: BTreeMap::new(), mask: SignalSet::EMPTY, pending: SignalSet::EMPTY }
    }
}

impl<O> SignalState<O> {
    /// What a forked child has: the same actions and mask, nothing pending.
    pub(super) fn inherited(&self) -> SignalState<O> {
        SignalState { actions: self.actions.clone(), mask: self.mask, pending: SignalSet::EMPTY }
    }

    /// Whether SIGCHLD is ignored on purpose: then children leave no zombies (POSIX `_exit`).
    pub(super) fn refuses_zombies(&self) -> bool {
        matches!(self.effect(Signal::SIGCHLD), Effect::IgnoredOnPurpose)
    }

    /// Whether a handler is due.
    pub(super) fn has_deliverable(&self) -> bool {
        self.pending.minus(self.mask) != SignalSet::EMPTY
    }

    /// What it would do now.
    pub(super) fn effect(&self, signal: Signal) -> Effect {
        match signal {
            Signal::SIGKILL => return Effect::Ends,
            Signal::SIGSTOP => return Effect::Stops,
            _ => {}
        }
        match self.actions.get(&signal).map(|action| &action.disposition) {
            Some(Disposition::Ignore) => Effect::IgnoredOnPurpose,
            Some(Disposition::Handle(_)) => Effect::Handled,
            Some(Disposition::Default) | None if signal.is_ignored_by_default() => Effect::Ignored,
            Some(Disposition::Default) | None => Effect::Ends,
        }
    }
}

/// What a signal does to its process.
pub(super) enum Effect {
    Ends,
    Stops,
    Ignored,
    IgnoredOnPurpose,
    Handled,
}
