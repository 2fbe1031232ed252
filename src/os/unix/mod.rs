//! The real arm: system calls of the machine this runs on.
//!
//! A call blocks where the kernel blocks, so every future is ready when it is first polled: [`block_on`] polls once.
//! There is no runtime and no second thread, and there must be none: `fork` copies only the thread that calls it.
//!
//! Signals that the program catches are only *noted* by the handler the kernel knows. The program's own handler runs
//! in the call that the signal interrupted, before this returns; whether the call then goes on (SA_RESTART) or fails
//! with `EINTR` is decided here, the same way for every system. So that no signal falls between the look at what
//! was noted and the wait, a process that catches any waits in `ppoll` with the signals blocked around it (UNP 20.5).
//!
//! | module | what lives there |
//! | --- | --- |
//! | `raw` | `fork`, `sigaction`, `_exit`: all the unsafe code there is |
//! | `unix_os`, `calls` | [`UnixOs`]; the trait's methods |
//! | `io`, `children` | what the longer ones do |
//! | `process`, `file` | what a process has: descriptors, actions, a mask |
//! | `signals`, `wait` | handlers, and waiting that they can interrupt |
//! | `machine` | what makes it several hosts |
//! | `options`, `errors` | the kernel's words for ours |
//! | `orphans` | processes that end with the one that made them |
//! | `event_pipe` | how the events of many processes come together |

mod calls;
mod children;
mod errors;
mod event_pipe;
mod file;
mod io;
mod names;
mod options;
mod orphans;
mod persona;
mod process;
mod raw;
mod signals;
mod unix_os;
mod wait;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use thiserror::Error;

#[cfg(target_os = "linux")]
pub(crate) use errors::io_errno;
pub use event_pipe::{EventPipe, EventReader, Message};
#[cfg(target_os = "linux")]
pub(crate) use options::set as set_socket_option;
pub(crate) use orphans::{GroupGuard, Parent};
pub use persona::Persona;
pub use unix_os::UnixOs;

/// Runs a program of the real arm to its end.
///
/// # Panics
///
/// If it waits for anything but calls of [`UnixOs`]: nothing would wake it.
pub fn block_on<F: Future>(program: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(program).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the program waits for something that is no call of its operating system"),
    }
}

/// Forks this process: `child` runs in the new one, which ends with its status. For code that sets a program up
/// before it has a [`UnixOs`].
///
/// # Errors
///
/// `EAGAIN`, `ENOMEM`.
pub fn fork(child: impl FnOnce() -> i32) -> Result<super::Pid, super::Errno> {
    raw::fork(child).map_err(errors::errno)
}

/// This process has more than one thread, of which `fork` would copy one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this process has {0} threads; programs are forked only from a process with one")]
pub struct Threads(usize);

/// Whether this process may fork, as far as the system tells.
///
/// # Errors
///
/// It has too many [`Threads`].
pub fn single_threaded() -> Result<(), Threads> {
    match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(threads) if threads > 1 => Err(Threads(threads)),
        _ => Ok(()),
    }
}

/// Notes SIGINT, SIGTERM and SIGHUP instead of dying of them, for code that has to clean up first; and SIGCHLD, so that
/// it interrupts a wait.
pub(crate) fn note_interrupts() -> Result<(), super::Errno> {
    for signal in INTERRUPTS.into_iter().chain([super::Signal::SIGCHLD]) {
        raw::react(names::native(signal), raw::Reaction::Note).map_err(errors::errno)?;
    }
    Ok(())
}

/// Asks to be run before all ordinary processes, and whatever this one forks as well; whether that was granted.
#[cfg(target_os = "linux")]
pub(crate) fn be_prompt() -> bool {
    raw::be_prompt()
}

/// Whether one of these has come since.
pub(crate) fn interrupted() -> bool {
    INTERRUPTS.iter().any(|signal| raw::noted().has(*signal))
}

const INTERRUPTS: [super::Signal; 3] = [super::Signal::SIGINT, super::Signal::SIGTERM, super::Signal::SIGHUP];
