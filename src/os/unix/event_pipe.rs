//! One timeline for many processes: they write events to a socket, one reads them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};

use crate::time::SimTime;
use crate::timeline::{Event, Kind, Line, Waiting};

/// Octets of one message.
const LONGEST: usize = 512 << 10;
/// Octets of a line; what is longer is cut. Escaped, an octet takes six at most.
const LONGEST_LINE: usize = 64 << 10;

/// What a process writes to the pipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Something happened.
    Event(Event),
    /// A process made a call that may take its time; the event comes when it returns.
    Enters {
        /// Which process, and which call.
        call: Waiting,
        /// Whether the call ends by itself, after a time.
        timed: bool,
    },
}

/// The writing end: a process's own, or one it has inherited. Cheap to clone.
///
/// Times are of the machine's monotonic clock, from the moment the pipe was made.
#[derive(Clone, Debug)]
pub struct EventPipe {
    host: Arc<str>,
    start: Instant,
    socket: Rc<OwnedFd>,
}

/// The reading end.
#[derive(Debug)]
pub struct EventReader {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl EventPipe {
    /// A pipe whose time starts now, and its reading end. A message is a datagram, so that those of many processes
    /// never mix.
    ///
    /// # Errors
    ///
    /// Out of descriptors; or a system without SOCK_SEQPACKET in AF_UNIX (macOS).
    pub fn new(host: &str) -> io::Result<(EventPipe, EventReader)> {
        let (writer, reader) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        // Room for a burst; the kernel may grant less.
        _ = setsockopt(&writer, sockopt::SndBuf, &(4 * LONGEST));
        let pipe = EventPipe { host: host.into(), start: Instant::now(), socket: Rc::new(high(writer)?) };
        Ok((pipe, EventReader { socket: high(reader)?, buffer: vec![0; LONGEST] }))
    }

    /// The same pipe, written to in the name of another host.
    pub fn for_host(&self, host: &str) -> EventPipe {
        EventPipe { host: host.into(), ..self.clone() }
    }

    /// The moment that times are counted from.
    pub(crate) const fn start(&self) -> Instant {
        self.start
    }

    /// The time of the next event.
    pub fn now(&self) -> SimTime {
        SimTime::ZERO + self.start.elapsed()
    }

    /// Writes that something happens now. If it has no reader any more it is lost.
    pub fn record(&self, kind: Kind) {
        self.event(&Event { t: self.now(), host: self.host.clone(), kind, packet: None });
    }

    /// The number of its descriptor.
    pub(crate) fn number(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    /// Writes an event of another time or host.
    pub fn event(&self, event: &Event) {
        match &event.kind {
            Kind::Line(line) if line.text.len() > LONGEST_LINE => {
                let cut = line.text.floor_char_boundary(LONGEST_LINE);
                let kind = Kind::Line(Line { text: line.text[..cut].to_owned(), ..line.clone() });
                self.write(&Message::Event(Event { kind, ..event.clone() }));
            }
            _ => self.write(&Message::Event(event.clone())),
        }
    }

    /// Writes any message. If it has no reader any more it is lost.
    pub fn write(&self, message: &Message) {
        let text = serde_json::to_vec(message).expect("a message has no keys but strings");
        while send(self.socket.as_raw_fd(), &text, MsgFlags::MSG_NOSIGNAL) == Err(nix::errno::Errno::EINTR) {}
    }

    /// Writes that a process makes a call that may take its time.
    pub(super) fn enters(&self, call: Waiting, timed: bool) {
        self.write(&Message::Enters { call, timed });
    }

    /// The host whose processes write here.
    pub(super) fn host(&self) -> Arc<str> {
        self.host.clone()
    }
}

impl EventReader {
    /// The next message; `Ok(None)` if none has come.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when every process that could write has ended.
    pub fn read(&mut self) -> io::Result<Option<Message>> {
        loop {
            match recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    return serde_json::from_slice(&self.buffer[..len]).map(Some).map_err(io::Error::other);
                }
                Err(nix::errno::Errno::EAGAIN) => return Ok(None),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for EventReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Moves a descriptor out of the way: programs are to get the low numbers, as without a pipe.
pub(super) fn high(fd: OwnedFd) -> io::Result<OwnedFd> {
    /// Above what a program here opens, below any common limit.
    const FIRST: i32 = 200;
    use nix::fcntl::{FcntlArg, fcntl};
    match fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(FIRST)) {
        Ok(number) => Ok(super::raw::own(number)),
        // The limit is lower than that: then it stays where it is.
        Err(nix::errno::Errno::EINVAL | nix::errno::Errno::EMFILE) => Ok(fd),
        Err(errno) => Err(errno.into()),
    }
}
