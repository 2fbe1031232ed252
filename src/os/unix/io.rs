//! `read`, `write`, `connect` and `poll`: what is tried, and what is waited for.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::poll::{PollFd as NativePollFd, PollFlags};
use nix::sys::socket::{MsgFlags, recv, send};
use socket2::{SockAddr, SockRef, Socket};

use super::UnixOs;
use super::errors::{errno, io_errno};
use super::file::File;
use super::wait::{Woken, is_ready};
use crate::os::{Errno, Fd, PollEvents, PollFd};

/// Octets that go into a pipe whole (PIPE_BUF on every system here): after POLLOUT so many do not block.
const ATOMIC: usize = 512;

impl UnixOs {
    /// What the machine gives a socket before its program asks for anything.
    pub(super) fn prepare(&self, socket: Socket) -> io::Result<Socket> {
        if let Some(octets) = self.process.persona.buffer {
            socket.set_send_buffer_size(octets)?;
            socket.set_recv_buffer_size(octets)?;
        }
        #[cfg(any(target_os = "linux", target_os = "freebsd"))]
        if let Some(name) = self.process.persona.congestion {
            // Where it is not allowed, the machine's own stays.
            _ = socket.set_tcp_congestion(name.as_bytes());
        }
        Ok(socket)
    }

    /// A host with one address has no choice where a connection comes from; a loopback has.
    fn bind_to_home(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        let Some(home) = self.process.persona.addr.filter(|home| home.is_ipv4() == peer.is_ipv4()) else {
            return Ok(());
        };
        self.on_socket(fd, |socket| {
            let is_bound = socket.local_addr().and_then(address).is_ok_and(|addr| addr.port() != 0);
            if is_bound { Ok(()) } else { socket.bind(&SocketAddr::new(home, 0).into()) }
        })
    }

    /// A write that goes on until all is written or a handler interrupts it.
    pub(super) async fn write_all(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let mut done = 0;
        let catching = self.waits_in_poll(fd, PollFlags::POLLOUT);
        let result = self.block(fd, PollFlags::POLLOUT, |file| {
            loop {
                // What was written is reported first, the error by the next call.
                if done > 0 && has_error(file) {
                    return Ok(done);
                }
                done += write_some(file, &buf[done..], catching)?;
                if done == buf.len() {
                    return Ok(done);
                }
            }
        });
        match result.await {
            Err(Errno::EINTR | Errno::EAGAIN) if done > 0 => Ok(done),
            result => result,
        }
    }

    pub(super) async fn connect_to(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        self.process.files.borrow().socket(fd)?;
        self.bind_to_home(fd, peer)?;
        let peer = SockAddr::from(peer);
        if !self.waits_in_poll(fd, PollFlags::POLLOUT) {
            match self.on_socket(fd, |socket| socket.connect(&peer)) {
                // No handler ran, so the caller need not hear of it.
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
        self.on_socket(fd, |socket| socket.set_nonblocking(true))?;
        let mut begun = false;
        let result = self
            .block(fd, PollFlags::POLLOUT, |file| {
                let socket = SockRef::from(file);
                if begun && !is_ready(file.as_fd(), PollFlags::POLLOUT) {
                    return Err(Errno::EAGAIN);
                }
                if begun && let Some(error) = socket.take_error().map_err(|error| io_errno(&error))? {
                    return Err(io_errno(&error));
                }
                match socket.connect(&peer).map_err(|error| io_errno(&error)) {
                    Err(Errno::EINPROGRESS | Errno::EALREADY | Errno::EINTR) => {
                        begun = true;
                        Err(Errno::EAGAIN)
                    }
                    Err(Errno::EISCONN) if begun => Ok(()),
                    result => result,
                }
            })
            .await;
        let nonblocking = self.process.files.borrow().get(fd)?.timeouts.get().nonblocking;
        self.on_socket(fd, |socket| socket.set_nonblocking(nonblocking))?;
        // The handshake goes on.
        result.map_err(|errno| if errno == Errno::EAGAIN { Errno::EINPROGRESS } else { errno })
    }

    pub(super) fn poll_once(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<Woken, Errno> {
        let files = self.process.files.borrow();
        let (mut native, mut places, mut invalid) = (Vec::with_capacity(fds.len()), Vec::new(), 0);
        for (place, fd) in fds.iter_mut().enumerate() {
            fd.revents = PollEvents::NONE;
            match files.get(fd.fd) {
                Ok(file) => {
                    native.push(NativePollFd::new(file.as_fd(), to_native(fd.events)));
                    places.push(place);
                }
                Err(_) if fd.fd.as_raw() < 0 => {} // POSIX: this one is not looked at
                Err(_) => {
                    fd.revents = PollEvents::NVAL;
                    invalid += 1;
                }
            }
        }
        let timeout = if invalid > 0 { Some(Duration::ZERO) } else { timeout };
        let Woken::Ready(ready) = self.pause(&mut native, timeout)? else { return Ok(Woken::Interrupted) };
        for (native, place) in native.iter().zip(places) {
            fds[place].revents = native.revents().map_or(PollEvents::NONE, from_native);
        }
        Ok(Woken::Ready(ready + invalid))
    }
}

/// Whether the file has an error to report, or its other end is gone.
fn has_error(file: &File) -> bool {
    let mut fds = [NativePollFd::new(file.as_fd(), PollFlags::empty())];
    nix::poll::poll(&mut fds, nix::poll::PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// Writes what there is room for, without a SIGPIPE if it is a socket.
pub(super) fn write_some(file: &File, buf: &[u8], catching: bool) -> Result<usize, Errno> {
    if file.is_socket {
        let dontwait = if catching { MsgFlags::MSG_DONTWAIT } else { MsgFlags::empty() };
        return send(file.as_raw_fd(), buf, MsgFlags::MSG_NOSIGNAL | dontwait).map_err(errno);
    }
    if !catching {
        return nix::unistd::write(file, buf).map_err(errno);
    }
    if !is_ready(file.as_fd(), PollFlags::POLLOUT) {
        return Err(Errno::EAGAIN);
    }
    nix::unistd::write(file, &buf[..buf.len().min(ATOMIC)]).map_err(errno)
}

pub(super) fn read_some(file: &File, buf: &mut [u8], catching: bool) -> Result<usize, Errno> {
    if !catching {
        return nix::unistd::read(file, buf).map_err(errno);
    }
    if file.is_socket {
        return recv(file.as_raw_fd(), buf, MsgFlags::MSG_DONTWAIT).map_err(errno);
    }
    if !is_ready(file.as_fd(), PollFlags::POLLIN) {
        return Err(Errno::EAGAIN);
    }
    nix::unistd::read(file, buf).map_err(errno)
}

pub(super) fn address(addr: SockAddr) -> io::Result<SocketAddr> {
    addr.as_socket().ok_or_else(|| nix::errno::Errno::EAFNOSUPPORT.into())
}

const EVENTS: [(PollEvents, PollFlags); 5] = [
    (PollEvents::IN, PollFlags::POLLIN),
    (PollEvents::OUT, PollFlags::POLLOUT),
    (PollEvents::ERR, PollFlags::POLLERR),
    (PollEvents::HUP, PollFlags::POLLHUP),
    (PollEvents::NVAL, PollFlags::POLLNVAL),
];

fn to_native(events: PollEvents) -> PollFlags {
    let mut flags = PollFlags::empty();
    for (ours, native) in EVENTS {
        flags.set(native, events.any(ours));
    }
    #[cfg(target_os = "linux")]
    flags.set(PollFlags::from_bits_retain(nix::libc::POLLRDHUP), events.any(PollEvents::RDHUP));
    flags
}

fn from_native(flags: PollFlags) -> PollEvents {
    let mut events = PollEvents::NONE;
    for (ours, native) in EVENTS {
        events |= ours.when(flags.contains(native));
    }
    #[cfg(target_os = "linux")]
    {
        let hangup = PollFlags::from_bits_retain(nix::libc::POLLRDHUP);
        events |= PollEvents::RDHUP.when(flags.contains(hangup));
    }
    events
}
