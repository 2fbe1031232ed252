//! The calls of [`Os`], answered by the simulated kernel.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use super::SimOs;
use super::kernel::{Entered, Kernel};
use super::open_file::Object;
use super::sim_os::Timed;
use crate::errno::Errno;
use crate::os::returned;
use crate::os::{
    Abi, Action, Child, Family, Fd, How, MaskHow, Os, Pid, PollFd, Signal, SignalSet, SocketOption,
    WaitStatus,
};
use crate::timeline::{Octets, SystemCall};

impl Os for SimOs {
    fn within(&self, function: &'static str) -> SimOs {
        SimOs { within: Some(function), ..self.clone() }
    }

    fn abi(&self) -> Abi {
        self.kernel.borrow().abi
    }

    fn socket(&self, family: Family) -> Result<Fd, Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.check_room(self.pid).and_then(|()| {
            let id = kernel.stack.socket();
            kernel.open(self.pid, Object::Socket(id))
        });
        drop(kernel);
        self.record(&call, result, |_| SystemCall::Socket { family: family.name() })
    }

    fn bind(&self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.bind(id, addr));
        drop(kernel);
        self.record(&call, result, |_| SystemCall::Bind { fd: fd.as_raw(), addr })
    }

    fn listen(&self, fd: Fd, backlog: usize) -> Result<(), Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.listen(id, backlog));
        drop(kernel);
        self.record(&call, result, |_| SystemCall::Listen { fd: fd.as_raw(), backlog })
    }

    async fn accept(&self, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let call = self.enter();
        let timeout = self.timeout(fd, Timed::Receive);
        let result = self.block_for(&call, timeout, true, |kernel| kernel.accept(self.pid, fd)).await;
        let args = |result: &Result<(Fd, SocketAddr), _>| {
            let peer = result.as_ref().ok().map(|(_, peer)| *peer);
            SystemCall::Accept { fd: fd.as_raw(), peer }
        };
        self.leave(&call, result, args).await
    }

    async fn connect(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        let call = self.enter();
        let restarts = self.kernel.borrow().connect_restarts;
        let timeout = self.timeout(fd, Timed::Connect);
        let connect = |kernel: &mut Kernel| kernel.connect(self.pid, fd, peer);
        let result = self.block_for(&call, timeout, restarts, connect).await;
        // The handshake goes on.
        let result = result.map_err(|errno| if errno == Errno::EAGAIN { Errno::EINPROGRESS } else { errno });
        self.leave(&call, result, |_| SystemCall::Connect { fd: fd.as_raw(), peer }).await
    }

    fn shutdown(&self, fd: Fd, how: How) -> Result<(), Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let now = kernel.now;
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.shutdown(now, id, how));
        drop(kernel);
        let how = match how {
            How::Read => "SHUT_RD",
            How::Write => "SHUT_WR",
            How::Both => "SHUT_RDWR",
        };
        self.record(&call, result, |_| SystemCall::Shutdown { fd: fd.as_raw(), how })
    }

    fn setsockopt(&self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let now = kernel.now;
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.set_option(now, id, option));
        drop(kernel);
        self.record(&call, result, |_| returned::set_option(fd, option))
    }

    fn so_error(&self, fd: Fd) -> Result<Option<Errno>, Errno> {
        let call = self.enter();
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).map(|id| kernel.stack.take_error(id));
        drop(kernel);
        self.record(&call, result, |result| SystemCall::GetSockError {
            fd: fd.as_raw(),
            error: result.ok().flatten(),
        })
    }

    fn getsockname(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter();
        let kernel = self.kernel.borrow();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.local_addr(id));
        drop(kernel);
        self.record(&call, result, |result| SystemCall::GetSockName { fd: fd.as_raw(), addr: result.ok() })
    }

    fn getpeername(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter();
        let kernel = self.kernel.borrow();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.peer_addr(id));
        drop(kernel);
        self.record(&call, result, |result| SystemCall::GetPeerName { fd: fd.as_raw(), addr: result.ok() })
    }

    async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
        let call = self.enter();
        let timeout = self.timeout(fd, Timed::Receive);
        let result = self.block_for(&call, timeout, true, |kernel| kernel.read(self.pid, fd, buf)).await;
        let args = |result: &_| SystemCall::Read {
            fd: fd.as_raw(),
            data: returned::data(buf, result),
            size: buf.len(),
        };
        self.leave(&call, result, args).await
    }

    async fn write(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let call = self.enter();
        let mut done = 0;
        let timeout = self.timeout(fd, Timed::Send);
        let result = self.block_for(&call, timeout, true, |kernel| {
            loop {
                // What is wrong now is for the next call to tell, and not to be forgotten before.
                if done > 0 && kernel.has_failed(self.pid, fd) {
                    return Ok(done);
                }
                done += kernel.write(self.pid, fd, &buf[done..])?;
                if done == buf.len() {
                    return Ok(done);
                }
            }
        });
        let result = match result.await {
            Err(_) if done > 0 => Ok(done),
            result => result,
        };
        let result =
            self.record(&call, result, |_| SystemCall::Write { fd: fd.as_raw(), data: Octets::new(buf) });
        if result == Err(Errno::EPIPE) {
            _ = self.kernel.borrow_mut().post(self.pid, Signal::SIGPIPE);
        }
        self.run_handlers().await;
        result
    }

    fn close(&self, fd: Fd) -> Result<(), Errno> {
        let connection = self.kernel.borrow().connection(self.pid, fd);
        let call = Entered { connection, ..self.enter() };
        let result = self.kernel.borrow_mut().close(self.pid, fd);
        self.record(&call, result, |_| SystemCall::Close { fd: fd.as_raw() })
    }

    fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        let call = self.enter();
        let result = self.kernel.borrow_mut().dup(self.pid, fd);
        self.record(&call, result, |_| SystemCall::Dup { fd: fd.as_raw() })
    }

    fn set_nonblocking(&self, fd: Fd, on: bool) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.kernel.borrow_mut().set_nonblocking(self.pid, fd, on);
        self.record(&call, result, |_| SystemCall::SetNonblocking { fd: fd.as_raw(), on })
    }

    fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let call = self.enter();
        let result = self.kernel.borrow_mut().pipe(self.pid);
        self.record(&call, result, |result| SystemCall::Pipe {
            fds: result.ok().map(|(reader, writer)| (reader.as_raw(), writer.as_raw())),
        })
    }

    async fn poll(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize, Errno> {
        let call = self.enter();
        let deadline = timeout.map(|span| call.since + span);
        let result = self.block(false, |kernel| kernel.poll(self.pid, fds, deadline)).await;
        let args = |_: &_| SystemCall::Poll { fds: returned::polled(fds), timeout };
        self.leave(&call, result, args).await
    }

    fn getpid(&self) -> Pid {
        self.pid
    }

    fn getppid(&self) -> Pid {
        self.kernel.borrow().process(self.pid).map_or(Pid::INIT, |process| process.parent)
    }

    fn fork<F, Fut>(&self, child: F) -> Result<Pid, Errno>
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        let call = self.enter();
        let result = self.kernel.borrow_mut().fork(self.pid);
        if let Ok(pid) = result {
            let os = SimOs { kernel: self.kernel.clone(), pid, within: None };
            let task = Box::pin(async move {
                // A signal may have come before its first step.
                os.run_handlers().await;
                child(os).await
            });
            self.kernel.borrow_mut().newborn.push((pid, task));
        }
        self.record(&call, result, |_| SystemCall::Fork)
    }

    async fn exit(&self, status: i32) -> ! {
        self.enter();
        self.kernel.borrow_mut().terminate(self.pid, WaitStatus::Exited(status as u8));
        match pending::<Infallible>().await {}
    }

    async fn wait(&self) -> Result<(Pid, WaitStatus), Errno> {
        let call = self.enter();
        let result = self.block(true, |kernel| kernel.wait(self.pid, Child::Any, false)).await;
        let result = result.map(|ended| ended.expect("only WNOHANG comes back without a child"));
        let args = |result: &Result<(Pid, WaitStatus), _>| SystemCall::Wait {
            status: result.as_ref().ok().map(|(_, status)| returned::child_status(*status)),
        };
        self.leave(&call, result, args).await
    }

    async fn waitpid(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let call = self.enter();
        let result = self.block(true, |kernel| kernel.wait(self.pid, child, nohang)).await;
        self.leave(&call, result, |result| returned::wait_pid(child, nohang, result)).await
    }

    async fn sleep(&self, span: Duration) -> Result<(), Errno> {
        let call = self.enter();
        let deadline = call.since + span;
        let result = self.block(false, |kernel| kernel.sleep_until(deadline)).await;
        self.leave(&call, result, |_| SystemCall::Sleep { span }).await
    }

    fn sigaction(&self, signal: Signal, action: Action<SimOs>) -> Result<Action<SimOs>, Errno> {
        let call = self.enter();
        let args = returned::action(signal, &action);
        let result = self.kernel.borrow_mut().sigaction(self.pid, signal, action);
        let shown = self.record(&call, result.as_ref().map(|_| ()).map_err(|errno| *errno), |_| args);
        shown.and(result)
    }

    async fn sigprocmask(&self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let call = self.enter();
        let result = self.kernel.borrow_mut().sigprocmask(self.pid, how, set);
        self.leave(&call, result, |_| SystemCall::SigProcMask { how: how.name(), set: set.bits() }).await
    }

    async fn kill(&self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        let call = self.enter();
        let result = self.kernel.borrow_mut().post(pid, signal);
        self.leave(&call, result, |_| SystemCall::Kill { pid: pid.as_raw(), signal: signal.name() }).await
    }
}
