//! Signals: who is sent one, what becomes of it.

use std::collections::BTreeMap;

use super::SimOs;
use super::kernel::Kernel;
use crate::errno::Errno;
use crate::os::{Action, Disposition, Handler, MaskHow, Pid, Signal, SignalSet, WaitStatus};
use crate::timeline::{Kind, SignalChange};

/// A process's signal actions, its mask, and the signals that wait.
///
/// The pending ones are a set: a signal sent again before it was delivered is sent once (UNP 5.8, "Unix signals
/// are normally not queued").
pub(super) struct SignalState<O> {
    actions: BTreeMap<Signal, Action<O>>,
    mask: SignalSet,
    pending: SignalSet,
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

    fn effect(&self, signal: Signal) -> Effect {
        if signal == Signal::SIGKILL {
            return Effect::Ends;
        }
        match self.actions.get(&signal).map(|action| &action.disposition) {
            Some(Disposition::Ignore) => Effect::IgnoredOnPurpose,
            Some(Disposition::Handle(_)) => Effect::Handled,
            Some(Disposition::Default) | None if signal.is_ignored_by_default() => Effect::Ignored,
            Some(Disposition::Default) | None => Effect::Ends,
        }
    }
}

enum Effect {
    Ends,
    Ignored,
    IgnoredOnPurpose,
    Handled,
}

/// What a process that is about to go on has to do about signals first.
pub(super) enum Delivery {
    /// It is dead and does not go on.
    Dead,
    /// Nothing.
    None,
    /// Call `handler`, then go back to the mask `before`.
    Handler { signal: Signal, handler: Handler<SimOs>, restart: bool, before: SignalSet },
}

impl Kernel {
    /// Sends a signal. What needs no step of the process itself (its death, for one) happens at once; a handler
    /// waits until the process has its turn.
    pub(super) fn post(&mut self, to: Pid, signal: Signal) -> Result<(), Errno> {
        if to == Pid::INIT {
            return Ok(()); // init catches or ignores them all
        }
        let process = self.processes.get_mut(&to).ok_or(Errno::ESRCH)?;
        if !process.is_alive() {
            return Ok(());
        }
        let signals = &mut process.signals;
        if signals.mask.has(signal) && signal != Signal::SIGKILL {
            let what = if signals.pending.has(signal) { SignalChange::Merged } else { SignalChange::Pending };
            signals.pending = signals.pending.with(signal);
            self.record_signal(to, signal, what);
            return Ok(());
        }
        match signals.effect(signal) {
            Effect::Ignored | Effect::IgnoredOnPurpose => {
                self.record_signal(to, signal, SignalChange::Ignored);
            }
            Effect::Ends => {
                self.record_signal(to, signal, SignalChange::Killed);
                self.terminate(to, WaitStatus::Signaled(signal));
            }
            Effect::Handled if signals.pending.has(signal) => {
                self.record_signal(to, signal, SignalChange::Merged);
            }
            Effect::Handled => {
                signals.pending = signals.pending.with(signal);
                self.wake(to);
            }
        }
        Ok(())
    }

    /// The next signal to deliver to `pid`; its handler's mask is in force from now on.
    pub(super) fn next_delivery(&mut self, pid: Pid) -> Delivery {
        loop {
            let Some(process) = self.processes.get_mut(&pid).filter(|process| process.is_alive()) else {
                return Delivery::Dead;
            };
            let signals = &mut process.signals;
            let Some(signal) = signals.pending.minus(signals.mask).iter().next() else {
                return Delivery::None;
            };
            signals.pending = signals.pending.without(signal);
            let Some(Action { disposition: Disposition::Handle(handler), mask, restart }) =
                signals.actions.get(&signal).cloned()
            else {
                // It was blocked when it came, and has no handler: now its time has come.
                _ = self.post(pid, signal);
                continue;
            };
            let before = signals.mask;
            signals.mask = before | mask.with(signal);
            self.record_signal(pid, signal, SignalChange::Delivered);
            return Delivery::Handler { signal, handler, restart, before };
        }
    }

    /// A handler has returned.
    pub(super) fn restore_mask(&mut self, pid: Pid, mask: SignalSet) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.signals.mask = mask;
        }
    }

    pub(super) fn sigaction(
        &mut self,
        pid: Pid,
        signal: Signal,
        action: Action<SimOs>,
    ) -> Result<Action<SimOs>, Errno> {
        if signal == Signal::SIGKILL {
            return Err(Errno::EINVAL);
        }
        let signals = &mut self.process_mut(pid)?.signals;
        let before = signals.actions.insert(signal, action).unwrap_or(Action::DEFAULT);
        if matches!(signals.effect(signal), Effect::Ignored | Effect::IgnoredOnPurpose) {
            // POSIX, 2.4.3: to ignore a pending signal discards it.
            signals.pending = signals.pending.without(signal);
        }
        Ok(before)
    }

    pub(super) fn sigprocmask(&mut self, pid: Pid, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let signals = &mut self.process_mut(pid)?.signals;
        let before = signals.mask;
        signals.mask = match how {
            MaskHow::Block => before | set,
            MaskHow::Unblock => before.minus(set),
            MaskHow::SetMask => set,
        };
        Ok(before)
    }

    fn record_signal(&self, pid: Pid, signal: Signal, what: SignalChange) {
        if let Some(process) = self.processes.get(&pid) {
            self.recorder.record(self.now, || Kind::Signal {
                pid: pid.as_raw(),
                process: process.name.clone(),
                signal: signal.name(),
                what,
            });
        }
    }
}
