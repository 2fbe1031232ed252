//! The real arm of [`Os`]: the trait's methods, a system call each.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use nix::poll::PollFlags;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::errors::{errno, io_errno};
use super::file::Timeouts;
use super::io::{address, read_some};
use super::names::{native, native_pid, pid};
use super::unix_os::Entered;
use super::wait::Woken;
use super::{UnixOs, options, raw};
use crate::os::returned;
use crate::os::{
    Abi, Action, Child, Errno, Family, Fd, How, MaskHow, Os, Pid, PollFd, Signal, SignalSet, SocketOption,
    WaitStatus,
};
use crate::timeline::{Octets, ProcessChange, SystemCall};

impl Os for UnixOs {
    fn within(&self, function: &'static str) -> UnixOs {
        UnixOs { within: Some(function), ..self.clone() }
    }

    fn abi(&self) -> Abi {
        self.process.persona.abi
    }

    fn socket(&self, family: Family) -> Result<Fd, Errno> {
        let call = self.enter();
        let domain = match family {
            Family::Inet => Domain::IPV4,
            Family::Inet6 => Domain::IPV6,
        };
        let result = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
            .and_then(|socket| self.prepare(socket))
            .map(|socket| self.process.files.borrow_mut().open(socket.into(), true, None))
            .map_err(|error| io_errno(&error));
        self.record(&call, result, |_| SystemCall::Socket { family: family.name() })
    }

    fn bind(&self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.on_socket(fd, |socket| socket.bind(&addr.into()));
        self.record(&call, result, |_| SystemCall::Bind { fd: fd.as_raw(), addr })
    }

    fn listen(&self, fd: Fd, backlog: usize) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.on_socket(fd, |socket| socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)));
        self.record(&call, result, |_| SystemCall::Listen { fd: fd.as_raw(), backlog })
    }

    async fn accept(&self, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let call = self.enter_slow("accept", self.timeout(fd, PollFlags::POLLIN));
        let is_socket = self.process.files.borrow().socket(fd).map(drop);
        // Who catches signals waits in ppoll, and UNP 16.6 holds: a connection may be gone between poll's word that
        // it is there and accept. Who does not sleeps in accept itself.
        let catching = self.waits_in_poll(fd, PollFlags::POLLIN);
        let timeouts = self
            .process
            .files
            .borrow()
            .get(fd)
            .map_or_else(|_| Timeouts::default(), |file| file.timeouts.get());
        let accepted = match is_socket {
            Ok(()) => {
                self.block(fd, PollFlags::POLLIN, |file| {
                    file.set_nonblocking(catching).map_err(|error| io_errno(&error))?;
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
        if let Ok((fd, peer)) = result {
            // Inherited from the listener, O_NONBLOCK apart.
            let timeouts = Timeouts { nonblocking: false, ..timeouts };
            self.process.files.borrow().get(fd).expect("it is open").timeouts.set(timeouts);
            self.note_connection(fd, peer);
        }
        let args = |result: &Result<(Fd, SocketAddr), _>| {
            let peer = result.as_ref().ok().map(|(_, peer)| *peer);
            SystemCall::Accept { fd: fd.as_raw(), peer }
        };
        self.leave(&call, result, args).await
    }

    async fn connect(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        let call = self.enter_slow("connect", self.timeout(fd, PollFlags::POLLOUT));
        let result = self.connect_to(fd, peer).await;
        self.note_connection(fd, peer);
        self.leave(&call, result, |_| SystemCall::Connect { fd: fd.as_raw(), peer }).await
    }

    fn shutdown(&self, fd: Fd, how: How) -> Result<(), Errno> {
        let call = self.enter();
        let (half, name) = match how {
            How::Read => (std::net::Shutdown::Read, "SHUT_RD"),
            How::Write => (std::net::Shutdown::Write, "SHUT_WR"),
            How::Both => (std::net::Shutdown::Both, "SHUT_RDWR"),
        };
        let result = self.on_socket(fd, |socket| socket.shutdown(half));
        self.record(&call, result, |_| SystemCall::Shutdown { fd: fd.as_raw(), how: name })
    }

    fn setsockopt(&self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.process.files.borrow().socket(fd).and_then(|file| {
            options::set(file, option)?;
            file.timeouts.set(file.timeouts.get().with(option));
            Ok(())
        });
        self.record(&call, result, |_| returned::set_option(fd, option))
    }

    fn so_error(&self, fd: Fd) -> Result<Option<Errno>, Errno> {
        let call = self.enter();
        let result =
            self.on_socket(fd, |socket| socket.take_error()).map(|error| error.as_ref().map(io_errno));
        self.record(&call, result, |result| SystemCall::GetSockError {
            fd: fd.as_raw(),
            error: result.ok().flatten(),
        })
    }

    fn getsockname(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter();
        let result = self.on_socket(fd, |socket| socket.local_addr().and_then(address));
        self.record(&call, result, |result| SystemCall::GetSockName { fd: fd.as_raw(), addr: result.ok() })
    }

    fn getpeername(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter();
        let result = self.on_socket(fd, |socket| socket.peer_addr().and_then(address));
        self.record(&call, result, |result| SystemCall::GetPeerName { fd: fd.as_raw(), addr: result.ok() })
    }

    async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
        let call = self.enter_slow("read", self.timeout(fd, PollFlags::POLLIN));
        let catching = self.waits_in_poll(fd, PollFlags::POLLIN);
        let result = self.block(fd, PollFlags::POLLIN, |file| read_some(file, buf, catching)).await;
        let args = |result: &_| SystemCall::Read {
            fd: fd.as_raw(),
            data: returned::data(buf, result),
            size: buf.len(),
        };
        self.leave(&call, result, args).await
    }

    async fn write(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let call = self.enter_slow("write", self.timeout(fd, PollFlags::POLLOUT));
        let result = self.write_all(fd, buf).await;
        let (is_socket, stream) = match self.process.files.borrow().get(fd) {
            Ok(file) => (file.is_socket, file.stream),
            Err(_) => (false, None),
        };
        if let (Some(stream), Ok(len)) = (stream, result) {
            self.process.printed(stream, &buf[..len]);
        }
        let result =
            self.record(&call, result, |_| SystemCall::Write { fd: fd.as_raw(), data: Octets::new(buf) });
        if result == Err(Errno::EPIPE) && is_socket {
            // Sent by us and not by the kernel, so that the call stands in the timeline before the death.
            _ = nix::sys::signal::raise(native(Signal::SIGPIPE));
        }
        self.run_handlers().await;
        result
    }

    fn close(&self, fd: Fd) -> Result<(), Errno> {
        let call = Entered { connection: self.connection(fd), ..self.enter() };
        let result = self.process.files.borrow_mut().close(fd);
        self.record(&call, result, |_| SystemCall::Close { fd: fd.as_raw() })
    }

    fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        let call = self.enter();
        let duplicate = self.process.files.borrow().get(fd).and_then(|file| {
            let duplicate = nix::unistd::dup(file).map_err(errno)?;
            Ok((duplicate, file.is_socket, file.stream, file.timeouts.get(), file.connection.get()))
        });
        let result = duplicate.map(|(fd, is_socket, stream, timeouts, connection)| {
            let mut files = self.process.files.borrow_mut();
            let fd = files.open(fd, is_socket, stream);
            let file = files.get(fd).expect("it is open");
            file.timeouts.set(timeouts);
            file.connection.set(connection);
            fd
        });
        self.record(&call, result, |_| SystemCall::Dup { fd: fd.as_raw() })
    }

    fn set_nonblocking(&self, fd: Fd, on: bool) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.process.files.borrow().get(fd).and_then(|file| {
            file.set_nonblocking(on).map_err(|error| io_errno(&error))?;
            file.timeouts.set(Timeouts { nonblocking: on, ..file.timeouts.get() });
            Ok(())
        });
        self.record(&call, result, |_| SystemCall::SetNonblocking { fd: fd.as_raw(), on })
    }

    fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let call = self.enter();
        let result = nix::unistd::pipe().map_err(errno).map(|(reader, writer)| {
            let mut files = self.process.files.borrow_mut();
            (files.open(reader, false, None), files.open(writer, false, None))
        });
        self.record(&call, result, |result| SystemCall::Pipe {
            fds: result.ok().map(|(reader, writer)| (reader.as_raw(), writer.as_raw())),
        })
    }

    async fn poll(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize, Errno> {
        let call = self.enter_slow("poll", timeout);
        let result = match self.poll_once(fds, timeout) {
            Ok(Woken::Ready(ready)) => Ok(ready),
            Ok(Woken::Interrupted) => {
                self.run_handlers().await;
                Err(Errno::EINTR)
            }
            Err(errno) => Err(errno),
        };
        let args = |_: &_| SystemCall::Poll { fds: returned::polled(fds), timeout };
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
        let call = self.enter();
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
        self.record(&call, result.map_err(errno), |_| SystemCall::Fork)
    }

    async fn exit(&self, status: i32) -> ! {
        self.process.ended(status);
        raw::exit(status)
    }

    async fn wait(&self) -> Result<(Pid, WaitStatus), Errno> {
        let call = self.enter_slow("wait", None);
        let result = self.block_for_child(|nohang| self.wait_once(Child::Any, nohang)).await;
        let args = |result: &Result<(Pid, WaitStatus), _>| SystemCall::Wait {
            status: result.as_ref().ok().map(|(_, status)| returned::child_status(*status)),
        };
        _ = result.map(|ended| self.record_reaped(ended));
        self.leave(&call, result, args).await
    }

    async fn waitpid(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let call = self.enter_slow("waitpid", None);
        let result = if nohang {
            self.wait_once(child, true)
        } else {
            self.block_for_child(|nohang| self.wait_once(child, nohang)).await.map(Some)
        };
        if let Ok(Some(ended)) = result {
            self.record_reaped(ended);
        }
        self.leave(&call, result, |result| returned::wait_pid(child, nohang, result)).await
    }

    async fn sleep(&self, span: Duration) -> Result<(), Errno> {
        let call = self.enter_slow("sleep", Some(span));
        let result = match self.pause(&mut [], Some(span)) {
            Ok(Woken::Ready(_)) => Ok(()),
            Ok(Woken::Interrupted) => {
                self.run_handlers().await;
                Err(Errno::EINTR)
            }
            Err(errno) => Err(errno),
        };
        self.leave(&call, result, |_| SystemCall::Sleep { span }).await
    }

    fn sigaction(&self, signal: Signal, action: Action<UnixOs>) -> Result<Action<UnixOs>, Errno> {
        let call = self.enter();
        let told = action.clone();
        let result = self.process.signals.borrow_mut().act(signal, action);
        let done = result.as_ref().map(drop).map_err(|errno| *errno);
        _ = self.record(&call, done, |_| returned::action(signal, &told));
        result
    }

    async fn sigprocmask(&self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let call = self.enter();
        let result = self.process.signals.borrow_mut().change_mask(how, set);
        self.leave(&call, result, |_| SystemCall::SigProcMask { how: how.name(), set: set.bits() }).await
    }

    async fn kill(&self, to: Pid, signal: Signal) -> Result<(), Errno> {
        let call = self.enter();
        let result = nix::sys::signal::kill(native_pid(to), native(signal)).map_err(errno);
        self.leave(&call, result, |_| SystemCall::Kill { pid: to.as_raw(), signal: signal.name() }).await
    }
}
