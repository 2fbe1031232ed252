//! Signals: who is sent one, what becomes of it.

use super::SimOs;
use super::kernel::Kernel;
use super::signal_state::Effect;
use crate::errno::Errno;
use crate::os::{Action, Disposition, Handler, MaskHow, Pid, Signal, SignalSet, WaitStatus};
use crate::timeline::{Kind, SignalChange};

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
        let process = self.processes.get_mut(to).ok_or(Errno::ESRCH)?;
        if !process.is_alive() {
            return Ok(());
        }
        let goes_on = signal == Signal::SIGCONT && self.go_on(to);
        let Some(process) = self.processes.get_mut(to) else { return Ok(()) };
        let waits = process.signals.mask.has(signal) || process.is_stopped;
        let signals = &mut process.signals;
        if waits && !signal.is_absolute() {
            let what = if signals.pending.has(signal) { SignalChange::Merged } else { SignalChange::Pending };
            signals.pending = signals.pending.with(signal);
            self.record_signal(to, signal, what);
            return Ok(());
        }
        match signals.effect(signal) {
            Effect::Ignored | Effect::IgnoredOnPurpose if goes_on => {}
            Effect::Ignored | Effect::IgnoredOnPurpose => {
                self.record_signal(to, signal, SignalChange::Ignored);
            }
            Effect::Stops => self.halt(to),
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

    /// SIGSTOP: the process has no turn any more. Its parent is told, as of a child's end.
    fn halt(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(pid) else { return };
        process.signals.pending = process.signals.pending.without(Signal::SIGCONT);
        if std::mem::replace(&mut process.is_stopped, true) {
            return;
        }
        let parent = process.parent;
        self.record_signal(pid, Signal::SIGSTOP, SignalChange::Stopped);
        _ = self.post(parent, Signal::SIGCHLD);
    }

    /// SIGCONT: a process that was stopped has its turn if that came meanwhile, or a signal waits. Whether it was stopped.
    fn go_on(&mut self, pid: Pid) -> bool {
        let Some(process) = self.processes.get_mut(pid) else { return false };
        if !std::mem::take(&mut process.is_stopped) {
            return false;
        }
        let (parent, is_due) = (process.parent, std::mem::take(&mut process.is_due));
        process.slept_on = None;
        let has_signal = process.signals.has_deliverable();
        self.record_signal(pid, Signal::SIGCONT, SignalChange::Continued);
        if is_due {
            self.ready.push_back(pid);
        } else if has_signal {
            self.wake(pid);
        }
        _ = self.post(parent, Signal::SIGCHLD);
        true
    }

    /// The next signal to deliver to `pid`; its handler's mask is in force from now on.
    pub(super) fn next_delivery(&mut self, pid: Pid) -> Delivery {
        loop {
            let Some(process) = self.processes.get_mut(pid).filter(|process| process.is_alive()) else {
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
        if let Some(process) = self.processes.get_mut(pid) {
            process.signals.mask = mask;
        }
    }

    pub(super) fn sigaction(
        &mut self,
        pid: Pid,
        signal: Signal,
        action: Action<SimOs>,
    ) -> Result<Action<SimOs>, Errno> {
        if signal.is_absolute() {
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
        if let Some(process) = self.processes.get(pid) {
            self.recorder.record(self.now, || Kind::Signal {
                pid: pid.as_raw(),
                process: process.name.clone(),
                signal: signal.name(),
                what,
            });
        }
    }
}
