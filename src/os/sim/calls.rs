//! The calls of [`Os`], answered by the simulated kernel.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use super::SimOs;
use super::open_file::Object;
use crate::errno::Errno;
use crate::os::strace;
use crate::os::{
    Abi, Action, Child, Family, Fd, How, MaskHow, Os, Pid, PollFd, Signal, SignalSet, SocketOption,
    WaitStatus,
};

impl Os for SimOs {
    fn within(&self, function: &'static str) -> SimOs {
        SimOs { within: Some(function), ..self.clone() }
    }

    fn abi(&self) -> Abi {
        self.kernel.borrow().abi
    }

    fn socket(&self, family: Family) -> Result<Fd, Errno> {
        let call = self.enter("socket");
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.check_room(self.pid).and_then(|()| {
            let id = kernel.stack.socket();
            kernel.open(self.pid, Object::Socket(id))
        });
        drop(kernel);
        self.record(&call, result, |_| format!("{}, SOCK_STREAM, IPPROTO_TCP", family.name()))
    }

    fn bind(&self, fd: Fd, addr: SocketAddr) -> Result<(), Errno> {
        let call = self.enter("bind");
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.bind(id, addr));
        drop(kernel);
        self.record(&call, result, |_| format!("{fd}, {addr}"))
    }

    fn listen(&self, fd: Fd, backlog: usize) -> Result<(), Errno> {
        let call = self.enter("listen");
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.listen(id, backlog));
        drop(kernel);
        self.record(&call, result, |_| format!("{fd}, {backlog}"))
    }

    async fn accept(&self, fd: Fd) -> Result<(Fd, SocketAddr), Errno> {
        let call = self.enter("accept");
        let result = self.block(true, |kernel| kernel.accept(self.pid, fd)).await;
        let args = |result: &Result<(Fd, SocketAddr), _>| match result {
            Ok((_, peer)) => format!("{fd}, {peer}"),
            Err(_) => format!("{fd}"),
        };
        self.leave(&call, result, args).await
    }

    async fn connect(&self, fd: Fd, peer: SocketAddr) -> Result<(), Errno> {
        let call = self.enter("connect");
        let restarts = self.kernel.borrow().connect_restarts;
        let result = self.block(restarts, |kernel| kernel.connect(self.pid, fd, peer)).await;
        self.leave(&call, result, |_| format!("{fd}, {peer}")).await
    }

    fn shutdown(&self, fd: Fd, how: How) -> Result<(), Errno> {
        let call = self.enter("shutdown");
        let mut kernel = self.kernel.borrow_mut();
        let now = kernel.now;
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.shutdown(now, id, how));
        drop(kernel);
        let how = match how {
            How::Read => "SHUT_RD",
            How::Write => "SHUT_WR",
            How::Both => "SHUT_RDWR",
        };
        self.record(&call, result, |_| format!("{fd}, {how}"))
    }

    fn setsockopt(&self, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let call = self.enter("setsockopt");
        let mut kernel = self.kernel.borrow_mut();
        let now = kernel.now;
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.set_option(now, id, option));
        drop(kernel);
        self.record(&call, result, |_| format!("{fd}, {}", strace::socket_option(option)))
    }

    fn so_error(&self, fd: Fd) -> Result<Option<Errno>, Errno> {
        let call = self.enter("getsockopt");
        let mut kernel = self.kernel.borrow_mut();
        let result = kernel.socket_id(self.pid, fd).map(|id| kernel.stack.take_error(id));
        drop(kernel);
        self.record(&call, result, |result| {
            let error = result.ok().flatten().map_or("0", Errno::name);
            format!("{fd}, SOL_SOCKET, SO_ERROR, [{error}]")
        })
    }

    fn getsockname(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter("getsockname");
        let kernel = self.kernel.borrow();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.local_addr(id));
        drop(kernel);
        self.record(&call, result, |result| format!("{fd}, {}", strace::address(result)))
    }

    fn getpeername(&self, fd: Fd) -> Result<SocketAddr, Errno> {
        let call = self.enter("getpeername");
        let kernel = self.kernel.borrow();
        let result = kernel.socket_id(self.pid, fd).and_then(|id| kernel.stack.peer_addr(id));
        drop(kernel);
        self.record(&call, result, |result| format!("{fd}, {}", strace::address(result)))
    }

    async fn read(&self, fd: Fd, buf: &mut [u8]) -> Result<usize, Errno> {
        let call = self.enter("read");
        let result = self.block(true, |kernel| kernel.read(self.pid, fd, buf)).await;
        let args = |result: &_| format!("{fd}, {}, {}", strace::buffer(buf, result), buf.len());
        self.leave(&call, result, args).await
    }

    async fn write(&self, fd: Fd, buf: &[u8]) -> Result<usize, Errno> {
        let call = self.enter("write");
        let mut done = 0;
        let result = self.block(true, |kernel| {
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
        let args = |_: &_| format!("{fd}, {}, {}", strace::string(buf), buf.len());
        let result = self.record(&call, result, args);
        if result == Err(Errno::EPIPE) {
            _ = self.kernel.borrow_mut().post(self.pid, Signal::SIGPIPE);
        }
        self.run_handlers().await;
        result
    }

    fn close(&self, fd: Fd) -> Result<(), Errno> {
        let call = self.enter("close");
        let result = self.kernel.borrow_mut().close(self.pid, fd);
        self.record(&call, result, |_| format!("{fd}"))
    }

    fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        let call = self.enter("dup");
        let result = self.kernel.borrow_mut().dup(self.pid, fd);
        self.record(&call, result, |_| format!("{fd}"))
    }

    fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let call = self.enter("pipe");
        let result = self.kernel.borrow_mut().pipe(self.pid);
        self.record(&call, result, |result| match result {
            Ok((reader, writer)) => format!("[{reader}, {writer}]"),
            Err(_) => "...".to_owned(),
        })
    }

    async fn poll(&self, fds: &mut [PollFd], timeout: Option<Duration>) -> Result<usize, Errno> {
        let call = self.enter("poll");
        let deadline = timeout.map(|span| call.since + span);
        let result = self.block(false, |kernel| kernel.poll(self.pid, fds, deadline)).await;
        let args = |_: &_| {
            let millis = timeout.map_or("-1".to_owned(), |span| span.as_millis().to_string());
            format!("{}, {}, {millis}", strace::poll_fds(fds), fds.len())
        };
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
        let call = self.enter("fork");
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
        self.record(&call, result, |_| String::new())
    }

    async fn exit(&self, status: i32) -> ! {
        self.enter("exit");
        self.kernel.borrow_mut().terminate(self.pid, WaitStatus::Exited(status as u8));
        match pending::<Infallible>().await {}
    }

    async fn wait(&self) -> Result<(Pid, WaitStatus), Errno> {
        let call = self.enter("wait");
        let result = self.block(true, |kernel| kernel.wait(self.pid, Child::Any, false)).await;
        let result = result.map(|ended| ended.expect("only WNOHANG comes back with nobody"));
        let args = |result: &Result<(Pid, WaitStatus), _>| match result {
            Ok((_, status)) => strace::wait_status(*status),
            Err(_) => "...".to_owned(),
        };
        self.leave(&call, result, args).await
    }

    async fn waitpid(&self, child: Child, nohang: bool) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let call = self.enter("waitpid");
        let result = self.block(true, |kernel| kernel.wait(self.pid, child, nohang)).await;
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
        self.leave(&call, result, args).await
    }

    async fn sleep(&self, span: Duration) -> Result<(), Errno> {
        let call = self.enter("sleep");
        let deadline = call.since + span;
        let result = self.block(false, |kernel| kernel.sleep_until(deadline)).await;
        self.leave(&call, result, |_| format!("{}", span.as_secs_f64())).await
    }

    fn sigaction(&self, signal: Signal, action: Action<SimOs>) -> Result<Action<SimOs>, Errno> {
        let call = self.enter("sigaction");
        let args = format!("{signal}, {}", strace::action(&action));
        let result = self.kernel.borrow_mut().sigaction(self.pid, signal, action);
        let shown = self.record(&call, result.as_ref().map(|_| ()).map_err(|errno| *errno), |_| args);
        shown.and(result)
    }

    async fn sigprocmask(&self, how: MaskHow, set: SignalSet) -> Result<SignalSet, Errno> {
        let call = self.enter("sigprocmask");
        let result = self.kernel.borrow_mut().sigprocmask(self.pid, how, set);
        self.leave(&call, result, |_| format!("{}, {}", how.name(), strace::signal_set(set))).await
    }

    async fn kill(&self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        let call = self.enter("kill");
        let result = self.kernel.borrow_mut().post(pid, signal);
        self.leave(&call, result, |_| format!("{pid}, {signal}")).await
    }
}
