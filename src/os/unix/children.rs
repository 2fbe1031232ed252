//! Waiting for children, and telling of those who can no longer tell it themselves.

use nix::sys::wait::{WaitPidFlag, WaitStatus as NativeWaitStatus};

use super::UnixOs;
use super::errors::errno;
use super::names::{native_pid, ours, pid};
use crate::os::{Child, Errno, Pid, WaitStatus};
use crate::timeline::{ProcessChange, SignalChange};

impl UnixOs {
    pub(super) fn wait_once(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let which = match child {
            Child::Any => None,
            Child::Pid(pid) => Some(native_pid(pid)),
        };
        let flags = nohang.then_some(WaitPidFlag::WNOHANG);
        let ended = match nix::sys::wait::waitpid(which, flags).map_err(errno)? {
            NativeWaitStatus::Exited(child, status) => (pid(child), WaitStatus::Exited(status as u8)),
            NativeWaitStatus::Signaled(child, signal, _) => {
                // What is not among our signals is told as a shell tells it.
                let unknown = WaitStatus::Exited((128 + signal as i32) as u8);
                (pid(child), ours(signal).map_or(unknown, WaitStatus::Signaled))
            }
            _ => return Ok(None),
        };
        Ok(Some(ended))
    }

    /// A child was waited for: what it could not tell itself is told in its stead.
    pub(super) fn record_reaped(&self, (child, status): (Pid, WaitStatus)) {
        if let WaitStatus::Signaled(signal) = status {
            self.process.record_signal(child, signal, SignalChange::Killed);
            self.process.record_change(child, ProcessChange::Killed { signal: signal.name() });
        }
        self.process.record_change(child, ProcessChange::Reaped);
    }
}
