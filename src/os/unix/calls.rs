//! The real arm of [`Os`]: the trait's methods, a system call each.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::time::Duration;

use nix::poll::{PollFd as NativePollFd, PollFlags};
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::wait::{WaitPidFlag, WaitStatus as NativeWaitStatus};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use super::errors::{errno, io_errno};
use super::file::File;
use super::process::Process;
use super::signals::{native, native_pid, ours, pid};
use super::tape::Tape;
use super::wait::{Woken, is_ready};
use super::{options, raw};
use crate::os::strace::{self, Returned};
use crate::os::{
    Action, Child, Errno, Family, Fd, How, MaskHow, Os, Pid, PollEvents, PollFd, Signal, SignalSet,
    SocketOption, WaitStatus,
};
use crate::time::SimTime;
use crate::timeline::{Call, Kind, ProcessChange, SignalChange};

/// This process, on the machine's own kernel.
#[derive(Clone)]
pub struct UnixOs {
    pub(super) process: Rc<Process>,
    within: Option<&'static str>,
}

/// Octets that go into a pipe whole (PIPE_BUF on every system here): after POLLOUT so many do not block.
const ATOMIC: usize = 512;

struct Entered {
    name: &'static str,
    since: SimTime,
}

impl UnixOs {
    /// This process as a program called `name`, with its standard streams and nothing else; what it does is
    /// recorded on `tape` if there is one.
    ///
    /// Signals do from here on what they do to a C program: the standard library's SIGPIPE is default again.
    pub fn new(name: &str, tape: Option<Tape>) -> UnixOs {
        raw::be_ordinary();
        UnixOs { process: Rc::new(Process::new(name, tape)), within: None }
    }

    pub(super) fn without_label(&self) -> UnixOs {
        UnixOs { within: None, ..self.clone() }
    }

    fn enter(&self, name: &'static str) -> Entered {
        Entered { name, since: self.process.tape.as_ref().map_or(SimTime::ZERO, Tape::now) }
    }

    /// The same for a call that may wait.
    fn enter_slow(&self, name: &'static str) -> Entered {
        if let Some(tape) = &self.process.tape {
            tape.enters(self.process.pid.get().as_raw(), &self.process.name, name, self.within);
        }
        self.enter(name)
    }

    /// Every call that cannot have woken a handler ends here.
    fn record<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> String,
    ) -> Result<T, Errno> {
        self.process.record(|| {
            Kind::Call(Call {
                pid: self.process.pid.get().as_raw(),
                process: self.process.name.clone(),
                call: call.name,
                within: self.within,
                args: args(&result),
                result: result.as_ref().map(Returned::value).map_err(|errno| *errno),
                since: call.since,
            })
        });
        result
    }

    /// Every call during which a signal may have come ends here.
    async fn leave<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> String,
    ) -> Result<T, Errno> {
        let result = self.record(call, result, args);
        self.run_handlers().await;
        result
    }

    fn on_socket<T>(&self, fd: Fd, work: impl FnOnce(SockRef<'_>) -> io::Result<T>) -> Result<T, Errno> {
        let files = self.process.files.borrow();
        work(SockRef::from(files.socket(fd)?)).map_err(|error| io_errno(&error))
    }

    fn is_catching(&self) -> bool {
        self.process.signals.borrow().caught() != SignalSet::EMPTY
    }

    /// A write that goes on until all is written or a handler interrupts it.
    async fn write_all(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let mut done = 0;
        let catching = self.is_catching();
        let result = self.block(fd, PollFlags::POLLOUT, |file| {
            loop {
                done += write_some(file, &buf[done..], catching)?;
                if done == buf.len() {
                    return Ok(done);
                }
            }
        });
        match result.await {
            Err(Errno::EINTR) if done > 0 => Ok(done),
            result => result,
        }
    }

    async fn connect_to(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        self.process.files.borrow().socket(fd)?;
        let peer = SockAddr::from(peer);
        if !self.is_catching() {
            match self.on_socket(fd, |socket| socket.connect(&peer)) {
                // No handler ran, so nobody wants to hear of it.
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
        self.on_socket(fd, |socket| socket.set_nonblocking(false))?;
        result
    }

    fn wait_once(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let which = match child {
            Child::Any => None,
            Child::Pid(pid) => Some(native_pid(pid)),
        };
        let flags = nohang.then_some(WaitPidFlag::WNOHANG);
        let ended = match nix::sys::wait::waitpid(which, flags).map_err(errno)? {
            NativeWaitStatus::Exited(child, status) => (pid(child), WaitStatus::Exited(status as u8)),
            NativeWaitStatus::Signaled(child, signal, _) => {
                // What is not among our signals is told as a shell tells it.
                let unknown = WaitStatus::Exited((128 + signal as i32) as u8);
                (pid(child), ours(signal).map_or(unknown, WaitStatus::Signaled))
            }
            _ => return Ok(None),
        };
        Ok(Some(ended))
    }

    /// A child was waited for: what it could not tell itself is told in its stead.
    fn record_reaped(&self, (child, status): (Pid, WaitStatus)) {
        if let WaitStatus::Signaled(signal) = status {
            self.process.record_signal(child, signal, SignalChange::Killed);
            self.process.record_change(child, ProcessChange::Killed { signal: signal.name() });
        }
        self.process.record_change(child, ProcessChange::Reaped);
    }
}

/// Writes what there is room for, without a SIGPIPE if it is a socket.
fn write_some(file: &File, buf: &[u8], catching: bool) -> Result<usize, Errno> {
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

fn read_some(file: &File, buf: &mut [u8], catching: bool) -> Result<usize, Errno> {
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

fn address(addr: SockAddr) -> io::Result<SocketAddr> {
    addr.as_socket().ok_or_else(|| nix::errno::Errno::EAFNOSUPPORT.into())
}

impl Os for UnixOs {
    fn within(&self, function: &'static str) -> UnixOs {
        UnixOs { within: Some(function), ..self.clone() }
    }

    fn socket(&self, family: Family) -> Result<Fd, Errno> {
        let call = self.enter("socket");
        let domain = match family {
            Family::Inet => Domain::IPV4,
            Family::Inet6 => Domain::IPV6,
        };
        let result = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
            .map(|socket| self.process.files.borrow_mut().open(socket.into(), true, None))
            .map_err(|error| io_errno(&error));
        self.record(&call, result, |_| format!("{}, SOCK_STREAM, IPPROTO_TCP", family.name()))
    }

    fn bind(&self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let call = self.enter("bind");
        let result = self.on_socket(fd, |socket| socket.bind(&addr.into()));
        self.record(&call, result, |_| format!("{fd}, {addr}"))
    }

    fn listen(&self, fd: Fd, backlog: usize) -> Result<(), Errno> {
        let call = self.enter("listen");
        let result = self.on_socket(fd, |socket| {
            socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
            // UNP 16.6: a connection may be gone between poll's word that it is there and accept.
            socket.set_nonblocking(true)
        });
        self.record(&call, result, |_| format!("{fd}, {backlog}"))
    }

    async fn accept(&self, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let call = self.enter_slow("accept");
        let is_socket = self.process.files.borrow().socket(fd).map(drop);
        let accepted = match is_socket {
            Ok(()) => {
                self.block(fd, PollFlags::POLLIN, |file| {
                    let (socket, peer) = SockRef::from(file).accept().map_err(|error| io_errno(&error))?;
                    // The BSDs let it inherit the listener's O_NONBLOCK.
                    #[cfg(not(target_os = "linux"))]
                    socket.set_nonblocking(false).map_err(|error| io_errno(&error))?;
                    Ok((socket, address(peer).map_err(|error| io_errno(&error))?))
                })
                .await
            }
            Err(errno) => Err(errno),
        };
        let result = accepted
            .map(|(socket, peer)| (self.process.files.borrow_mut().open(socket.into(), true, None), peer));
        let args = |result: &Result<(Fd, SocketAddr), _>| match result {
            Ok((_, peer)) => format!("{fd}, {peer}"),
            Err(_) => format!("{fd}"),
        };
        self.leave(&call, result, args).await
    }

    async fn connect(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        let call = self.enter_slow("connect");
        let result = self.connect_to(fd, peer).await;
        self.leave(&call, result, |_| format!("{fd}, {peer}")).await
    }

    fn shutdown(&self, fd: Fd, how: How) -> Result<(), Errno> {
        let call = self.enter("shutdown");
        let (half, name) = match how {
            How::Read => (std::net::Shutdown::Read, "SHUT_RD"),
            How::Write => (std::net::Shutdown::Write, "SHUT_WR"),
            How::Both => (std::net::Shutdown::Both, "SHUT_RDWR"),
        };
        let result = self.on_socket(fd, |socket| socket.shutdown(half));
        self.record(&call, result, |_| format!("{fd}, {name}"))
    }

    fn setsockopt(&self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let call = self.enter("setsockopt");
        let result = self.process.files.borrow().socket(fd).and_then(|file| options::set(file, option));
        self.record(&call, result, |_| format!("{fd}, {}", strace::socket_option(option)))
    }

    fn so_error(&self, fd: Fd) -> Result<Option<Errno>, Errno> {
        let call = self.enter("getsockopt");
        let result =
            self.on_socket(fd, |socket| socket.take_error()).map(|error| error.as_ref().map(io_errno));
        self.record(&call, result, |result| {
            let error = result.ok().flatten().map_or("0", Errno::name);
            format!("{fd}, SOL_SOCKET, SO_ERROR, [{error}]")
        })
    }

    fn getsockname(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter("getsockname");
        let result = self.on_socket(fd, |socket| socket.local_addr().and_then(address));
        self.record(&call, result, |result| format!("{fd}, {}", strace::address(result)))
    }

    fn getpeername(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter("getpeername");
        let result = self.on_socket(fd, |socket| socket.peer_addr().and_then(address));
        self.record(&call, result, |result| format!("{fd}, {}", strace::address(result)))
    }

    async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
        let call = self.enter_slow("read");
        let catching = self.is_catching();
        let result = self.block(fd, PollFlags::POLLIN, |file| read_some(file, buf, catching)).await;
        let args = |result: &_| format!("{fd}, {}, {}", strace::buffer(buf, result), buf.len());
        self.leave(&call, result, args).await
    }

    async fn write(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let call = self.enter_slow("write");
        let result = self.write_all(fd, buf).await;
        let (is_socket, stream) = match self.process.files.borrow().get(fd) {
            Ok(file) => (file.is_socket, file.stream),
            Err(_) => (false, None),
        };
        if let (Some(stream), Ok(len)) = (stream, result) {
            self.process.printed(stream, &buf[..len]);
        }
        let result = self.record(&call, result, |_| format!("{fd}, {}, {}", strace::string(buf), buf.len()));
        if result == Err(Errno::EPIPE) && is_socket {
            // Sent by us and not by the kernel, so that the call stands in the timeline before the death.
            _ = nix::sys::signal::raise(native(Signal::SIGPIPE));
        }
        self.run_handlers().await;
        result
    }

    fn close(&self, fd: Fd) -> Result<(), Errno> {
        let call = self.enter("close");
        let result = self.process.files.borrow_mut().close(fd);
        self.record(&call, result, |_| format!("{fd}"))
    }

    fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        let call = self.enter("dup");
        let duplicate = self.process.files.borrow().get(fd).and_then(|file| {
            let duplicate = nix::unistd::dup(file).map_err(errno)?;
            Ok((duplicate, file.is_socket, file.stream))
        });
        let result = duplicate
            .map(|(fd, is_socket, stream)| self.process.files.borrow_mut().open(fd, is_socket, stream));
        self.record(&call, result, |_| format!("{fd}"))
    }

    fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let call = self.enter("pipe");
        let result = nix::unistd::pipe().map_err(errno).map(|(reader, writer)| {
            let mut files = self.process.files.borrow_mut();
            (files.open(reader, false, None), files.open(writer, false, None))
        });
        self.record(&call, result, |result| match result {
            Ok((reader, writer)) => format!("[{reader}, {writer}]"),
            Err(_) => "...".to_owned(),
        })
    }

    async fn poll(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize, Errno> {
        let call = self.enter_slow("poll");
        let result = match self.poll_once(fds, timeout) {
            Ok(Woken::Ready(ready)) => Ok(ready),
            Ok(Woken::Interrupted) => {
                self.run_handlers().await;
                Err(Errno::EINTR)
            }
            Err(errno) => Err(errno),
        };
        let args = |_: &_| {
            let millis = timeout.map_or("-1".to_owned(), |span| span.as_millis().to_string());
            format!("{}, {}, {millis}", strace::poll_fds(fds), fds.len())
        };
        self.leave(&call, result, args).await
    }

    fn getpid(&self) -> Pid {
        self.process.pid.get()
    }

    fn getppid(&self) -> Pid {
        pid(nix::unistd::getppid())
    }

    fn fork<F, Fut>(&self, child: F) -> Result<Pid, Errno>
    where
        F: FnOnce(UnixOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        let call = self.enter("fork");
        let os = self.without_label();
        let parent = self.getpid();
        let result = raw::fork(move || {
            let process = os.process.clone();
            process.forked();
            process.record_change(process.pid.get(), ProcessChange::Fork { parent: parent.as_raw() });
            super::block_on(async move {
                // A signal may have come before its first step.
                os.run_handlers().await;
                let status = child(os).await;
                process.ended(status);
                status
            })
        });
        self.record(&call, result.map_err(errno), |_| String::new())
    }

    async fn exit(&self, status: i32) -> ! {
        self.process.ended(status);
        raw::exit(status)
    }

    async fn wait(&self) -> Result<(Pid, WaitStatus), Errno> {
        let call = self.enter_slow("wait");
        let result = self.block_for_child(|nohang| self.wait_once(Child::Any, nohang)).await;
        let args = |result: &Result<(Pid, WaitStatus), _>| match result {
            Ok((_, status)) => strace::wait_status(*status),
            Err(_) => "...".to_owned(),
        };
        _ = result.map(|ended| self.record_reaped(ended));
        self.leave(&call, result, args).await
    }

    async fn waitpid(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let call = self.enter_slow("waitpid");
        let result = if nohang {
            self.wait_once(child, true)
        } else {
            self.block_for_child(|nohang| self.wait_once(child, nohang)).await.map(Some)
        };
        let args = |result: &Result<Option<(Pid, WaitStatus)>, _>| {
            let child = match child {
                Child::Any => "-1".to_owned(),
                Child::Pid(pid) => pid.to_string(),
            };
            let status = match result {
                Ok(Some((_, status))) => strace::wait_status(*status),
                _ => "...".to_owned(),
            };
            format!("{child}, {status}, {}", if nohang { "WNOHANG" } else { "0" })
        };
        if let Ok(Some(ended)) = result {
            self.record_reaped(ended);
        }
        self.leave(&call, result, args).await
    }

    async fn sleep(&self, span: Duration) -> Result<(), Errno> {
        let call = self.enter_slow("sleep");
        let result = match self.pause(&mut [], Some(span)) {
            Ok(Woken::Ready(_)) => Ok(()),
            Ok(Woken::Interrupted) => {
                self.run_handlers().await;
                Err(Errno::EINTR)
            }
            Err(errno) => Err(errno),
        };
        self.leave(&call, result, |_| format!("{}", span.as_secs_f64())).await
    }

    fn sigaction(&self, signal: Signal, action: Action<UnixOs>) -> Result<Action<UnixOs>, Errno> {
        let call = self.enter("sigaction");
        let args = format!("{signal}, {}", strace::action(&action));
        let result = self.process.signals.borrow_mut().act(signal, action);
        let shown = self.record(&call, result.as_ref().map(|_| ()).map_err(|errno| *errno), |_| args);
        shown.and(result)
    }

    async fn sigprocmask(&self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let call = self.enter("sigprocmask");
        let result = self.process.signals.borrow_mut().change_mask(how, set);
        self.leave(&call, result, |_| format!("{}, {}", how.name(), strace::signal_set(set))).await
    }

    async fn kill(&self, to: Pid, signal: Signal) -> Result<(), Errno> {
        let call = self.enter("kill");
        let result = nix::sys::signal::kill(native_pid(to), native(signal)).map_err(errno);
        self.leave(&call, result, |_| format!("{to}, {signal}")).await
    }
}

impl UnixOs {
    fn poll_once(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<Woken, Errno> {
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
