//! What the compiler cannot vouch for: `fork`, `sigaction`, `_exit`, and who owns a new descriptor.
#![expect(unsafe_code, reason = "these calls are unsafe by nature; nothing else here is")]

#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, sigaction};
use nix::unistd::ForkResult;

use crate::os::{Pid, Signal, SignalSet};

/// Status of a program that panicked, as the standard library has it.
const PANICKED: i32 = 101;

/// Signals that came and whose handlers have not run yet, a bit each under our own numbers.
static NOTED: AtomicU32 = AtomicU32::new(0);

/// Signals that the kernel was told to note.
static REACTING: AtomicU32 = AtomicU32::new(0);

/// What the kernel does about a signal.
#[derive(Clone, Copy)]
pub(super) enum Reaction {
    Default,
    Ignore,
    Note,
}

/// Async-signal-safe: one atomic instruction, for signals among ours only.
extern "C" fn note(number: libc::c_int) {
    if (0..32).contains(&number) {
        NOTED.fetch_or(1 << number, Ordering::Relaxed);
    }
}

/// Tells the kernel what to do about a signal; whether it was ignored before. Never with SA_RESTART: that is decided
/// when the call comes back.
pub(super) fn react(signal: nix::sys::signal::Signal, reaction: Reaction) -> Result<bool, Errno> {
    if let Reaction::Note = reaction {
        REACTING.fetch_or(1 << signal as libc::c_int, Ordering::Relaxed);
    }
    let handler = match reaction {
        Reaction::Default => SigHandler::SigDfl,
        Reaction::Ignore => SigHandler::SigIgn,
        Reaction::Note => SigHandler::Handler(note),
    };
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: `note` does nothing but an atomic operation, which is safe in a handler whatever it interrupts.
    unsafe { sigaction(signal, &action) }.map(|before| matches!(before.handler(), SigHandler::SigIgn))
}

/// Sets an option of TCP's that is a number.
#[cfg(target_os = "linux")]
pub(super) fn set_tcp_option(fd: BorrowedFd<'_>, name: libc::c_int, value: libc::c_int) -> Result<(), Errno> {
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` octets of `value`, which has as many, and only during the call.
    let result = unsafe {
        libc::setsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, name, std::ptr::from_ref(&value).cast(), len)
    };
    Errno::result(result).map(drop)
}

/// SCHED_RR at its lowest priority; whether it was granted.
#[cfg(target_os = "linux")]
pub(super) fn be_prompt() -> bool {
    // SAFETY: the structure holds numbers, for which zero will do, and the kernel only reads it.
    unsafe {
        let mut param: libc::sched_param = std::mem::zeroed();
        param.sched_priority = 1;
        libc::sched_setscheduler(0, libc::SCHED_RR, &raw const param) == 0
    }
}

/// Gives up every noting, and what the standard library made of SIGPIPE; what was ignored (nohup) stays so.
pub(super) fn be_ordinary() {
    let noting = REACTING.swap(0, Ordering::Relaxed);
    for &signal in Signal::ALL {
        if noting & bit(signal) != 0 || signal == Signal::SIGPIPE {
            // Of these signals any may have its default action.
            _ = react(super::names::native(signal), Reaction::Default);
        }
    }
    NOTED.store(0, Ordering::Relaxed);
}

/// What has been noted.
pub(super) fn noted() -> SignalSet {
    let bits = NOTED.load(Ordering::Relaxed);
    if bits == 0 {
        return SignalSet::EMPTY;
    }
    let is_noted = |signal: &&Signal| bits & bit(**signal) != 0;
    Signal::ALL.iter().filter(is_noted).fold(SignalSet::EMPTY, |set, signal| set.with(*signal))
}

/// Notes a signal that was taken in some other way than by its handler.
pub(super) fn note_again(signal: Signal) {
    NOTED.fetch_or(bit(signal), Ordering::Relaxed);
}

/// Its handler is about to run.
pub(super) fn forget(signal: Signal) {
    NOTED.fetch_and(!bit(signal), Ordering::Relaxed);
}

fn bit(signal: Signal) -> u32 {
    let number = super::names::native(signal) as libc::c_int;
    1 << number
}

/// `fork`. `child` runs in the new process, which ends with the status it answers: it never comes back.
pub(super) fn fork(child: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    // A signal between the fork and the child's first step belongs to one of the two, not to both.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    // SAFETY: this arm has one thread (`super::threads` is asked before), so no lock is held by another
    // thread that the child will not have.
    match unsafe { nix::unistd::fork() } {
        Ok(ForkResult::Parent { child }) => {
            before.thread_set_mask()?;
            Ok(super::names::pid(child))
        }
        Ok(ForkResult::Child) => {
            NOTED.store(0, Ordering::Relaxed); // POSIX, fork: nothing is pending in the child
            // A panic must not unwind into the parent's frames, of which this process has a copy.
            let status = panic::catch_unwind(AssertUnwindSafe(|| {
                before.thread_set_mask().expect("a mask that was in force can be again");
                child()
            }));
            exit(status.unwrap_or(PANICKED))
        }
        Err(errno) => {
            before.thread_set_mask()?;
            Err(errno)
        }
    }
}

/// `_exit`: without a look at what the parent had buffered or registered before the fork.
pub(super) fn exit(status: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(status & 0xff) }
}

/// Has the kernel kill a process group as soon as `fd` can be read or has no writer any more.
#[cfg(target_os = "linux")]
pub(super) fn kill_group_on_input(fd: &OwnedFd, group: nix::unistd::Pid) -> Result<(), Errno> {
    let fd = fd.as_raw_fd();
    /// As fcntl(2) has it; `libc` leaves it out.
    const F_SETSIG: libc::c_int = 10;
    let requests =
        [(libc::F_SETOWN, -group.as_raw()), (F_SETSIG, libc::SIGKILL), (libc::F_SETFL, libc::O_ASYNC)];
    for (request, value) in requests {
        // SAFETY: these requests take a number each, and `fd` is open.
        Errno::result(unsafe { libc::fcntl(fd, request, value) })?;
    }
    Ok(())
}

/// Takes a descriptor that a call has just made.
pub(super) fn own(fresh: std::os::fd::RawFd) -> OwnedFd {
    // SAFETY: the caller got it from the kernel this moment, so it has no other owner.
    unsafe { OwnedFd::from_raw_fd(fresh) }
}
