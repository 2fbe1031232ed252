//! What a sleeping process sleeps on, as `ps -o wchan` prints it.

use serde::{Deserialize, Serialize};

/// The kernel function a process sleeps in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Wchan {
    /// `accept`.
    Accept,
    /// `connect`.
    Connect,
    /// Input or output of a socket.
    Socket,
    /// A terminal's input.
    Terminal,
    /// `read` from a pipe.
    PipeRead,
    /// `write` to a pipe.
    PipeWrite,
    /// `poll`.
    Poll,
    /// `wait`.
    Wait,
    /// `sleep`.
    Sleep,
}

impl Wchan {
    /// The name on a Linux of today, as Linux 6.18's `/proc/PID/wchan` has it.
    pub const fn today(self) -> &'static str {
        match self {
            Wchan::Accept => "inet_csk_accept",
            Wchan::Connect | Wchan::Socket | Wchan::Terminal => "wait_woken",
            Wchan::PipeRead => "anon_pipe_read",
            Wchan::PipeWrite => "anon_pipe_write",
            Wchan::Poll => "poll_schedule_timeout",
            Wchan::Wait => "do_wait",
            Wchan::Sleep => "hrtimer_nanosleep",
        }
    }

    /// The system call that it sleeps in.
    pub const fn call(self) -> &'static str {
        match self {
            Wchan::Accept => "accept",
            Wchan::Connect => "connect",
            Wchan::Socket | Wchan::Terminal | Wchan::PipeRead => "read",
            Wchan::PipeWrite => "write",
            Wchan::Poll => "poll",
            Wchan::Wait => "wait",
            Wchan::Sleep => "sleep",
        }
    }

    /// The name in the book (UNP 5.6), or on the Linux 2.2 it was printed by.
    pub const fn book(self) -> &'static str {
        match self {
            Wchan::Accept | Wchan::Connect => "wait_for_connect",
            Wchan::Socket => "tcp_data_wait",
            Wchan::Terminal => "read_chan",
            Wchan::PipeRead | Wchan::PipeWrite => "pipe_wait",
            Wchan::Poll => "do_poll",
            Wchan::Wait => "wait4",
            Wchan::Sleep => "nanosleep",
        }
    }
}
