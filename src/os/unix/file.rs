//! A process's open descriptors.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::poll::PollFlags;
use socket2::SockRef;

use crate::os::{Errno, Fd, SocketOption};
use crate::timeline::{ConnectionId, Stream};

/// What a descriptor stands for.
#[derive(Debug)]
pub(super) struct File {
    held: Held,
    /// Whether it has O_NONBLOCK, as far as we have set it.
    nonblocking: Cell<bool>,
    pub(super) is_socket: bool,
    /// How long a call waits at the most to read and to write (SO_RCVTIMEO, SO_SNDTIMEO).
    pub(super) timeouts: Cell<Timeouts>,
    /// The connection that a socket is.
    pub(super) connection: Cell<Option<ConnectionId>>,
    /// The standard stream it is, so that lines printed can be told from data.
    pub(super) stream: Option<Stream>,
}

/// How long calls wait at the most: not at all with O_NONBLOCK; else `None` is however long.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timeouts {
    pub(super) receive: Option<Duration>,
    pub(super) send: Option<Duration>,
    pub(super) nonblocking: bool,
}

impl Timeouts {
    /// Those that the option sets, and the others as they were.
    pub(super) fn with(self, option: SocketOption) -> Timeouts {
        let some = |span: Duration| (!span.is_zero()).then_some(span);
        match option {
            SocketOption::ReceiveTimeout(span) => Timeouts { receive: some(span), ..self },
            SocketOption::SendTimeout(span) => Timeouts { send: some(span), ..self },
            _ => self,
        }
    }

    /// The one of a call that waits for these events.
    pub(super) fn of(self, events: PollFlags) -> Option<Duration> {
        match self.nonblocking {
            true => Some(Duration::ZERO),
            false if events.contains(PollFlags::POLLIN) => self.receive,
            false => self.send,
        }
    }
}

#[derive(Debug)]
enum Held {
    Owned(OwnedFd),
    /// Not ours to own: the process was started with them.
    Stdin(io::Stdin),
    Stdout(io::Stdout),
    Stderr(io::Stderr),
}

impl File {
    fn new(held: Held, is_socket: bool, stream: Option<Stream>) -> File {
        File {
            held,
            nonblocking: Cell::new(false),
            is_socket,
            timeouts: Cell::default(),
            connection: Cell::new(None),
            stream,
        }
    }

    /// Sets O_NONBLOCK or takes it away, if that is not so already.
    pub(super) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        if self.nonblocking.replace(on) != on {
            SockRef::from(self).set_nonblocking(on)?;
        }
        Ok(())
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.held {
            Held::Owned(fd) => fd.as_fd(),
            Held::Stdin(stdin) => stdin.as_fd(),
            Held::Stdout(stdout) => stdout.as_fd(),
            Held::Stderr(stderr) => stderr.as_fd(),
        }
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }
}

/// The open files: a table in which each stands at its number, as in the kernel.
#[derive(Debug)]
pub(super) struct Files(Vec<Option<File>>);

impl Files {
    /// The three standard streams.
    pub(super) fn standard() -> Files {
        let file = |held, stream| Some(File::new(held, false, Some(stream)));
        Files(vec![
            file(Held::Stdin(io::stdin()), Stream::Stdin),
            file(Held::Stdout(io::stdout()), Stream::Stdout),
            file(Held::Stderr(io::stderr()), Stream::Stderr),
        ])
    }

    pub(super) fn get(&self, fd: Fd) -> Result<&File, Errno> {
        place(fd).and_then(|place| self.0.get(place)?.as_ref()).ok_or(Errno::EBADF)
    }

    pub(super) fn socket(&self, fd: Fd) -> Result<&File, Errno> {
        self.get(fd).and_then(|file| if file.is_socket { Ok(file) } else { Err(Errno::ENOTSOCK) })
    }

    pub(super) fn open(&mut self, fd: OwnedFd, is_socket: bool, stream: Option<Stream>) -> Fd {
        let number = Fd::from_raw(fd.as_raw_fd());
        let place = place(number).expect("the kernel's numbers are not negative");
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(File::new(Held::Owned(fd), is_socket, stream));
        number
    }

    pub(super) fn close(&mut self, fd: Fd) -> Result<(), Errno> {
        let file = place(fd).and_then(|place| self.0.get_mut(place)?.take()).ok_or(Errno::EBADF)?;
        let result = match file.held {
            Held::Owned(fd) => nix::unistd::close(fd),
            Held::Stdin(_) | Held::Stdout(_) | Held::Stderr(_) => nix::unistd::close(fd.as_raw()),
        };
        match result.map_err(super::errors::errno) {
            // The descriptor is gone either way (POSIX leaves it open; Linux and the BSDs do not).
            Err(Errno::EINTR) => Ok(()),
            result => result,
        }
    }
}

fn place(fd: Fd) -> Option<usize> {
    usize::try_from(fd.as_raw()).ok()
}
