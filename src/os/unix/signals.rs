//! The program's handlers, and what the kernel is told of them.

use nix::sys::signal::{SigSet, SigmaskHow};

use super::UnixOs;
use super::errors::errno;
use super::names::native;
use super::raw::{self, Reaction};
use crate::os::{Action, Disposition, Errno, Handler, MaskHow, Signal, SignalSet};
use crate::timeline::SignalChange;

/// What a process does about signals; the mask is the kernel's as well.
pub(super) struct Signals {
    /// By number.
    actions: [Action<UnixOs>; NUMBERS],
    caught: SignalSet,
    mask: SignalSet,
}

/// One more than the greatest number.
const NUMBERS: usize = Signal::ALL[Signal::ALL.len() - 1] as usize + 1;

impl Default for Signals {
    fn default() -> Signals {
        Signals {
            actions: [const { Action::DEFAULT }; NUMBERS],
            caught: SignalSet::EMPTY,
            mask: SignalSet::EMPTY,
        }
    }
}

/// A handler whose turn has come.
pub(super) struct Delivery {
    signal: Signal,
    action: Action<UnixOs>,
    handler: Handler<UnixOs>,
}

impl Signals {
    /// The signals that have a handler.
    pub(super) fn caught(&self) -> SignalSet {
        self.caught
    }

    /// Whether a handler is due.
    pub(super) fn has_deliverable(&self) -> bool {
        raw::noted().minus(self.mask) != SignalSet::EMPTY
    }

    pub(super) fn act(&mut self, signal: Signal, action: Action<UnixOs>) -> Result<Action<UnixOs>, Errno> {
        let reaction = match action.disposition {
            Disposition::Default => Reaction::Default,
            Disposition::Ignore => Reaction::Ignore,
            Disposition::Handle(_) => Reaction::Note,
        };
        let was_ignored = raw::react(native(signal), reaction).map_err(errno)?;
        if let Disposition::Ignore = action.disposition {
            raw::forget(signal); // POSIX, 2.4.3: to ignore a pending signal discards it
        }
        self.caught = match reaction {
            Reaction::Note => self.caught.with(signal),
            Reaction::Default | Reaction::Ignore => self.caught.without(signal),
        };
        let before = std::mem::replace(&mut self.actions[signal as usize], action);
        // Whoever started this program may have had the signal ignored (nohup).
        let inherited = was_ignored && matches!(before.disposition, Disposition::Default);
        Ok(if inherited { Action::IGNORE } else { before })
    }

    pub(super) fn change_mask(&mut self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let mask = match how {
            MaskHow::Block => self.mask | set,
            MaskHow::Unblock => self.mask.minus(set),
            MaskHow::SetMask => set,
        };
        self.set_mask(mask)
    }

    /// Puts `mask` in force; the one before.
    pub(super) fn set_mask(&mut self, mask: SignalSet) -> Result<SignalSet, Errno> {
        native_set(mask).thread_set_mask().map_err(errno)?;
        Ok(std::mem::replace(&mut self.mask, mask))
    }

    fn next_delivery(&mut self) -> Option<Delivery> {
        loop {
            let signal = raw::noted().minus(self.mask).iter().next()?;
            raw::forget(signal);
            match &self.actions[signal as usize] {
                action @ Action { disposition: Disposition::Handle(handler), .. } => {
                    return Some(Delivery { signal, action: action.clone(), handler: handler.clone() });
                }
                // Its handler was taken away before its turn came: the kernel shall do what it does by default.
                _ => _ = nix::sys::signal::raise(native(signal)),
            }
        }
    }
}

impl UnixOs {
    /// Runs the handlers that are due; whether every one of them had SA_RESTART.
    pub(super) async fn run_handlers(&self) -> bool {
        let mut restart = true;
        loop {
            let delivery = self.process.signals.borrow_mut().next_delivery();
            let Some(Delivery { signal, action, handler }) = delivery else { return restart };
            self.process.record_signal(self.process.pid.get(), signal, SignalChange::Delivered);
            let blocked = action.mask.with(signal);
            let before = self.process.signals.borrow_mut().change_mask(MaskHow::Block, blocked);
            handler.call(self.without_label(), signal).await;
            if let Ok(before) = before {
                // A mask that was in force can be again.
                _ = self.process.signals.borrow_mut().set_mask(before);
            }
            restart &= action.restart;
        }
    }
}

/// Blocks `set` besides what is blocked; returns what was.
pub(super) fn block(set: SignalSet) -> Result<SigSet, Errno> {
    native_set(set).thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(errno)
}

fn native_set(set: SignalSet) -> SigSet {
    set.iter().map(native).collect()
}
