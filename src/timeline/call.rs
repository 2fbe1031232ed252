//! System calls, with their arguments as data.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::interned::{Name, interned, interned_option};
use crate::errno::Errno;
use crate::time::SimTime;

/// A system call that returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Call {
    /// Process id.
    pub pid: u32,
    /// Its program's name.
    pub process: Arc<str>,
    /// The library function of the book that made it: `readline`, `writen`, `fgets`.
    #[serde(deserialize_with = "interned_option")]
    pub within: Option<Name>,
    /// Which call it was, and its arguments.
    pub what: SystemCall,
    /// The connection it was about, if its descriptor stands for one.
    pub connection: Option<ConnectionId>,
    /// What it returned, or why it failed.
    pub result: Result<i64, Errno>,
    /// When it was made; it returned at the event's `t`.
    pub since: SimTime,
}

impl Call {
    /// `read`, `connect` …
    pub const fn name(&self) -> Name {
        self.what.name()
    }

    /// The name that the program knows it by: `readline` rather than `read`.
    pub fn known_as(&self) -> Name {
        self.within.unwrap_or(self.name())
    }

    /// The error of a call that returned at `t`, if that is a failure. "Not yet" of a call that was asked not to wait is an answer, as
    /// is "no child left" of the last `wait` in a loop; a call that has waited for a time, or a `fork`, fails with EAGAIN.
    pub fn failure(&self, t: SimTime) -> Option<Errno> {
        /// What a call may take that does not wait, on a machine that is not busy.
        const AT_ONCE: Duration = Duration::from_millis(1);
        match self.result {
            Err(Errno::EAGAIN) if self.what != SystemCall::Fork && t.since(self.since) < AT_ONCE => None,
            Err(Errno::EINPROGRESS | Errno::EALREADY | Errno::ECHILD) => None,
            result => result.err(),
        }
    }

    /// Whether it reads from a descriptor, and this is not standard input.
    pub const fn reads_from_peer(&self) -> bool {
        matches!(self.what, SystemCall::Read { fd, .. } if fd != STDIN)
    }
}

/// Standard input's descriptor.
const STDIN: i32 = 0;

/// A connection by its two ends, as its host names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionId {
    /// The host's end.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
}

impl ConnectionId {
    /// The connection between these ends.
    pub const fn new(local: SocketAddr, remote: SocketAddr) -> ConnectionId {
        ConnectionId { local, remote }
    }
}

/// Octets that a call moved, as many as strace shows: `-s 32`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Octets {
    /// The first of them, 32 at the most.
    pub beginning: Vec<u8>,
    /// How many there were.
    pub len: usize,
}

impl Octets {
    /// Octets kept of a call's data.
    const KEPT: usize = 32;

    /// These octets.
    pub fn new(octets: &[u8]) -> Octets {
        Octets { beginning: octets[..octets.len().min(Octets::KEPT)].to_vec(), len: octets.len() }
    }

    /// Whether only their beginning was kept.
    pub fn is_cut(&self) -> bool {
        self.beginning.len() < self.len
    }
}

/// The value of a socket option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OptionValue {
    /// An `int`.
    Int(i64),
    /// `struct linger`: the seconds, if it is on.
    Linger(Option<u64>),
    /// `struct timeval`.
    Time(Duration),
}

/// How a child ended: what `wait` fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChildStatus {
    /// WIFEXITED: its exit status.
    Exited(u8),
    /// WIFSIGNALED: the signal that ended it.
    Signaled(#[serde(deserialize_with = "interned")] Name),
}

/// What a signal is to do: `sa_handler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignalHandler {
    /// SIG_DFL.
    Default,
    /// SIG_IGN.
    Ignore,
    /// A function of the program's.
    Function,
}

/// One descriptor of a `poll`: `struct pollfd`, with Linux's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Polled {
    /// The descriptor.
    pub fd: i32,
    /// What was asked for.
    pub events: u16,
    /// What was found.
    pub revents: u16,
}

impl Polled {
    /// This descriptor, what was asked for and what was found.
    pub const fn new(fd: i32, events: u16, revents: u16) -> Polled {
        Polled { fd, events, revents }
    }
}

/// Which call, and its arguments. What a call fills in is `None` if it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the arguments of POSIX's calls, under their names")]
pub enum SystemCall {
    /// `socket` with SOCK_STREAM and IPPROTO_TCP.
    Socket {
        #[serde(deserialize_with = "interned")]
        family: Name,
    },
    /// `bind`.
    Bind { fd: i32, addr: SocketAddr },
    /// `listen`.
    Listen { fd: i32, backlog: usize },
    /// `accept`.
    Accept { fd: i32, peer: Option<SocketAddr> },
    /// `connect`.
    Connect { fd: i32, peer: SocketAddr },
    /// `shutdown`.
    Shutdown {
        fd: i32,
        #[serde(deserialize_with = "interned")]
        how: Name,
    },
    /// `setsockopt`.
    SetSockOpt {
        fd: i32,
        #[serde(deserialize_with = "interned")]
        level: Name,
        #[serde(deserialize_with = "interned")]
        option: Name,
        value: OptionValue,
    },
    /// `getsockopt` with SO_ERROR.
    GetSockError { fd: i32, error: Option<Errno> },
    /// `getsockname`.
    GetSockName { fd: i32, addr: Option<SocketAddr> },
    /// `getpeername`.
    GetPeerName { fd: i32, addr: Option<SocketAddr> },
    /// `read`.
    Read { fd: i32, data: Option<Octets>, size: usize },
    /// `write`.
    Write { fd: i32, data: Octets },
    /// `close`.
    Close { fd: i32 },
    /// `dup`.
    Dup { fd: i32 },
    /// `fcntl(F_SETFL)`: with O_NONBLOCK, or without.
    SetNonblocking { fd: i32, on: bool },
    /// `pipe`: the end to read from, the end to write to.
    Pipe { fds: Option<(i32, i32)> },
    /// `poll`.
    Poll { fds: Vec<Polled>, timeout: Option<Duration> },
    /// `fork`.
    Fork,
    /// `wait`.
    Wait { status: Option<ChildStatus> },
    /// `waitpid`; no child is any.
    WaitPid { child: Option<u32>, status: Option<ChildStatus>, nohang: bool },
    /// `sleep`.
    Sleep { span: Duration },
    /// `sigaction`; `mask` is a set of signals, bit n for signal n.
    SigAction {
        #[serde(deserialize_with = "interned")]
        signal: Name,
        handler: SignalHandler,
        mask: u32,
        restart: bool,
    },
    /// `sigprocmask`.
    SigProcMask {
        #[serde(deserialize_with = "interned")]
        how: Name,
        set: u32,
    },
    /// `kill`.
    Kill {
        pid: u32,
        #[serde(deserialize_with = "interned")]
        signal: Name,
    },
}

impl SystemCall {
    /// The name in C.
    pub const fn name(&self) -> Name {
        match self {
            SystemCall::Socket { .. } => "socket",
            SystemCall::Bind { .. } => "bind",
            SystemCall::Listen { .. } => "listen",
            SystemCall::Accept { .. } => "accept",
            SystemCall::Connect { .. } => "connect",
            SystemCall::Shutdown { .. } => "shutdown",
            SystemCall::SetSockOpt { .. } => "setsockopt",
            SystemCall::GetSockError { .. } => "getsockopt",
            SystemCall::GetSockName { .. } => "getsockname",
            SystemCall::GetPeerName { .. } => "getpeername",
            SystemCall::Read { .. } => "read",
            SystemCall::Write { .. } => "write",
            SystemCall::Close { .. } => "close",
            SystemCall::Dup { .. } => "dup",
            SystemCall::SetNonblocking { .. } => "fcntl",
            SystemCall::Pipe { .. } => "pipe",
            SystemCall::Poll { .. } => "poll",
            SystemCall::Fork => "fork",
            SystemCall::Wait { .. } => "wait",
            SystemCall::WaitPid { .. } => "waitpid",
            SystemCall::Sleep { .. } => "sleep",
            SystemCall::SigAction { .. } => "sigaction",
            SystemCall::SigProcMask { .. } => "sigprocmask",
            SystemCall::Kill { .. } => "kill",
        }
    }

    /// The descriptor it is about, if it is about one.
    pub const fn fd(&self) -> Option<i32> {
        match self {
            SystemCall::Bind { fd, .. }
            | SystemCall::Listen { fd, .. }
            | SystemCall::Accept { fd, .. }
            | SystemCall::Connect { fd, .. }
            | SystemCall::Shutdown { fd, .. }
            | SystemCall::SetSockOpt { fd, .. }
            | SystemCall::GetSockError { fd, .. }
            | SystemCall::GetSockName { fd, .. }
            | SystemCall::GetPeerName { fd, .. }
            | SystemCall::Read { fd, .. }
            | SystemCall::Write { fd, .. }
            | SystemCall::Close { fd }
            | SystemCall::Dup { fd }
            | SystemCall::SetNonblocking { fd, .. } => Some(*fd),
            SystemCall::Socket { .. }
            | SystemCall::Pipe { .. }
            | SystemCall::Poll { .. }
            | SystemCall::Fork
            | SystemCall::Wait { .. }
            | SystemCall::WaitPid { .. }
            | SystemCall::Sleep { .. }
            | SystemCall::SigAction { .. }
            | SystemCall::SigProcMask { .. }
            | SystemCall::Kill { .. } => None,
        }
    }
}
