//! What a program may ask of its operating system, under POSIX's names and with POSIX's errors.
//!
//! A program is written once, against the trait [`Os`]. [`sim`] answers it with a simulated host, [`unix`]
//! with system calls. The words are C's turned into Rust: a descriptor is an [`Fd`], −1 with `errno`
//! is an `Err`([`Errno`]), and what `fork` returns twice is one closure for the child and one pid for the parent.
//!
//! Read in this order: [`Os`], then [`Signal`] and [`Action`], then [`sim`].

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

mod abi;
mod action;
mod fd;
mod line_buffer;
mod poll;
mod process;
mod returned;
mod signal;
pub mod sim;
#[cfg(all(feature = "cli", unix))]
pub mod unix;

pub use crate::errno::Errno;
pub use crate::stack::{How, SocketOption};
pub use abi::{Abi, ByteOrder};
pub use action::{Action, Disposition, Handler, MaskHow};
pub use fd::{Family, Fd};
pub use poll::{PollEvents, PollFd};
pub use process::{Child, Pid, WaitStatus};
pub use signal::{Signal, SignalSet};

/// One process's handle of its operating system; cheap to clone.
///
/// A call that may block is `async`, and a process is one thread: it awaits one call at a time. In the real arm
/// nothing is ever pending, for there the call itself blocks.
///
/// Handlers of caught signals run inside the `async` calls, before these return: that is "between two steps of the
/// program". A handler may make calls itself.
///
/// Every call with an [`Fd`] fails with `EBADF` if that is no open descriptor, and every call that wants a
/// socket with `ENOTSOCK` if it is none.
#[allow(async_fn_in_trait, reason = "a process is one thread: its futures need not be Send")]
pub trait Os: Clone + 'static {
    /// The same process, its calls labelled with the function that makes them: `readline`, `writen`.
    fn within(&self, function: &'static str) -> Self;

    /// How this machine lays out a `long`: no call, for the compiler knows.
    fn abi(&self) -> Abi {
        Abi::NATIVE
    }

    // -- sockets ----------------------------------------------------------------------------------

    /// A new TCP socket. `EMFILE`, `ENFILE`.
    fn socket(&self, family: Family) -> Result<Fd, Errno>;

    /// Gives the socket its local address. `EADDRINUSE`, `EADDRNOTAVAIL`, `EINVAL` if it has one.
    fn bind(&self, fd: Fd, addr: SocketAddr) -> Result<(), Errno>;

    /// Makes the socket a listener with room for `backlog` connections that wait for `accept`.
    fn listen(&self, fd: Fd, backlog: usize) -> Result<(), Errno>;

    /// Takes the next connection: its descriptor, and who is at the other end.
    ///
    /// `ECONNABORTED` if it was reset before (UNP 5.11), `EINTR`, `EMFILE`, `ENFILE`, `EINVAL` on a socket that
    /// does not listen.
    async fn accept(&self, fd: Fd) -> Result<(Fd, SocketAddr), Errno>;

    /// Connects the socket (UNP 4.3). `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, `EISCONN`.
    ///
    /// After `EINTR` the handshake goes on by itself; ask again or [`poll`](Self::poll) to see it done.
    async fn connect(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno>;

    /// Shuts one half of the connection, or both, whatever other descriptors of it there are (UNP 6.6). `ENOTCONN`.
    fn shutdown(&self, fd: Fd, how: How) -> Result<(), Errno>;

    /// Sets one of the socket's options.
    fn setsockopt(&self, fd: Fd, option: SocketOption) -> Result<(), Errno>;

    /// `getsockopt(SO_ERROR)`: the error that waits to be told, which is then forgotten.
    fn so_error(&self, fd: Fd) -> Result<Option<Errno>, Errno>;

    /// The local address (UNP 4.10).
    fn getsockname(&self, fd: Fd) -> Result<SocketAddr, Errno>;

    /// The other end's address. `ENOTCONN`.
    fn getpeername(&self, fd: Fd) -> Result<SocketAddr, Errno>;

    // -- descriptors ------------------------------------------------------------------------------

    /// Reads what is there, at least one octet if `buf` has room; 0 is the end of the file.
    async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno>;

    /// Writes all of `buf` into the send buffer or pipe, waiting for room; less only if a signal's handler
    /// interrupted it, or something failed on the way: then the next call says what. `EPIPE`, after SIGPIPE, if
    /// the peer will never read it (UNP 5.13).
    async fn write(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno>;

    /// Gives the descriptor back. What it stands for is closed with its last descriptor in any process.
    fn close(&self, fd: Fd) -> Result<(), Errno>;

    /// Another descriptor, the lowest free one, for the same open file. `EMFILE`.
    fn dup(&self, fd: Fd) -> Result<Fd, Errno>;

    /// Sets O_NONBLOCK of the open file, or takes it away: `fcntl(F_SETFL)`. Calls that would wait then fail with `EAGAIN`,
    /// `connect` with `EINPROGRESS` (UNP 16.1).
    fn set_nonblocking(&self, fd: Fd, on: bool) -> Result<(), Errno>;

    /// A pipe: the end to read from, the end to write to. `EMFILE`, `ENFILE`.
    fn pipe(&self) -> Result<(Fd, Fd), Errno>;

    /// Waits until one of `fds` is ready or `timeout` has passed (`None`: however long), fills in every
    /// [`PollFd::revents`] and says how many have any (UNP 6.10). Never restarted: `EINTR`.
    async fn poll(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize, Errno>;

    // -- processes --------------------------------------------------------------------------------

    /// This process.
    fn getpid(&self) -> Pid;

    /// The process that forked it, or init once that has died.
    fn getppid(&self) -> Pid;

    /// Makes a child process with descriptors, signal actions and mask of its own, all as they are here now.
    ///
    /// `child` runs in it and its output is the exit status. What `child` captures should be its own: memory
    /// is not shared between processes. `EAGAIN` if there are too many.
    fn fork<F, Fut>(&self, child: F) -> Result<Pid, Errno>
    where
        F: FnOnce(Self) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static;

    /// Ends this process: descriptors are closed, the parent is told. Of `status` the low eight bits count.
    async fn exit(&self, status: i32) -> !;

    /// Waits for any child to end. `ECHILD` if there is none, `EINTR`.
    async fn wait(&self) -> Result<(Pid, WaitStatus), Errno>;

    /// Waits for this child to end; with `nohang` (WNOHANG) it does not wait but says `None`. `ECHILD`, `EINTR`.
    async fn waitpid(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno>;

    /// Lets this much time pass. `EINTR` if a handler ran meanwhile, whatever its SA_RESTART says.
    async fn sleep(&self, span: Duration) -> Result<(), Errno>;

    // -- signals ----------------------------------------------------------------------------------

    /// Says what `signal` shall do to this process; returns what it did before (UNP 5.8). `EINVAL` for SIGKILL
    /// and SIGSTOP.
    fn sigaction(&self, signal: Signal, action: Action<Self>) -> Result<Action<Self>, Errno>;

    /// Changes the set of blocked signals; returns the set before. Pending ones that are let through are
    /// delivered before this returns.
    async fn sigprocmask(&self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno>;

    /// Sends a signal; one sent to oneself is delivered before this returns. `ESRCH`.
    async fn kill(&self, pid: Pid, signal: Signal) -> Result<(), Errno>;
}
