//! One connection of the server that takes whatever comes.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use crate::echo::lines::writen;
use crate::os::{Errno, Fd, Os, PollEvents, PollFd, SocketOption};

/// Octets read at once: the more, the fewer calls for a client that sends much.
const BUFFER: usize = 256 << 10;

/// What a connection's octets go through.
///
/// It is made once, before the first fork, and never used by the server itself: a child's copy is then nothing but
/// address space, of which each page costs memory when something is first read into it.
#[derive(Default)]
pub(super) struct Buffer(Cell<Vec<u8>>);

impl Buffer {
    pub(super) fn new() -> Buffer {
        Buffer(Cell::new(vec![0; BUFFER]))
    }

    /// Takes it; where children share their memory (in the simulation) all but the first get a new one.
    fn take(&self) -> Vec<u8> {
        match self.0.take() {
            taken if taken.is_empty() => vec![0; BUFFER],
            buffer => buffer,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// The client said FIN and has all its octets back.
    Closed,
    /// The client said nothing for too long.
    Idle(Duration),
    /// A call failed.
    Failed(&'static str, Errno),
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionEnd::Closed => f.write_str("closed"),
            SessionEnd::Idle(span) => write!(f, "idle for {span:?}"),
            SessionEnd::Failed(call, errno) => write!(f, "{call}: {}", errno.message()),
        }
    }
}

/// `str_echo` that also ends when the client is silent, or takes nothing, for `idle`. Returns how much was echoed.
pub(super) async fn echo<O: Os>(
    os: &O,
    connfd: Fd,
    idle: Option<Duration>,
    buffer: &Buffer,
) -> (u64, SessionEnd) {
    if let Some(span) = idle {
        // A write waits for as long as the client's window is shut: this ends it. Where the system does not
        // know the option, a client that reads nothing holds its own child and no other.
        _ = os.setsockopt(connfd, SocketOption::UserTimeout(span));
    }
    let mut buf = buffer.take();
    let mut echoed = 0;
    loop {
        if let Some(span) = idle {
            match os.poll(&mut [PollFd::new(connfd, PollEvents::IN)], Some(span)).await {
                Ok(0) => return (echoed, SessionEnd::Idle(span)),
                Err(Errno::EINTR) => continue,
                Err(errno) => return (echoed, SessionEnd::Failed("poll", errno)),
                Ok(_) => {}
            }
        }
        match os.within("str_echo").read(connfd, &mut buf).await {
            Ok(0) => return (echoed, SessionEnd::Closed),
            Ok(len) => {
                if let Err(errno) = writen(&os.within("writen"), connfd, &buf[..len]).await {
                    return (echoed, SessionEnd::Failed("write", errno));
                }
                echoed += len as u64;
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return (echoed, SessionEnd::Failed("read", errno)),
        }
    }
}
