//! Signals and process ids, by our names and by the system's.

use nix::sys::signal as native;

use crate::os::{Pid, Signal};

/// The system's name for a signal.
pub(super) fn native(signal: Signal) -> native::Signal {
    match signal {
        Signal::SIGHUP => native::SIGHUP,
        Signal::SIGINT => native::SIGINT,
        Signal::SIGQUIT => native::SIGQUIT,
        Signal::SIGKILL => native::SIGKILL,
        Signal::SIGUSR1 => native::SIGUSR1,
        Signal::SIGUSR2 => native::SIGUSR2,
        Signal::SIGPIPE => native::SIGPIPE,
        Signal::SIGALRM => native::SIGALRM,
        Signal::SIGTERM => native::SIGTERM,
        Signal::SIGCHLD => native::SIGCHLD,
        Signal::SIGCONT => native::SIGCONT,
        Signal::SIGSTOP => native::SIGSTOP,
        Signal::SIGURG => native::SIGURG,
    }
}

/// Our name for one of the system's; `None` if it is not among ours.
pub(super) fn ours(signal: native::Signal) -> Option<Signal> {
    Signal::from_name(signal.as_str())
}

/// A process id.
pub(super) fn pid(pid: nix::unistd::Pid) -> Pid {
    Pid::from_raw(pid.as_raw().unsigned_abs())
}

/// The system's process id.
pub(super) fn native_pid(pid: Pid) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(pid.as_raw() as i32)
}
