//! `read`, `write` and `poll`, whatever the descriptor stands for; `accept` and `connect`.
//!
//! None of these waits: each answers, or says what to sleep on before it is asked again.

use std::net::SocketAddr;

use super::kernel::Kernel;
use super::open_file::Object;
use super::wait_queue::{Blocked, Channel, Stop};
use super::wchan::Wchan;
use crate::errno::Errno;
use crate::os::{Fd, Pid, PollEvents, PollFd};
use crate::stack::Stack;
use crate::time::SimTime;
use crate::timeline::{Kind, Line, Stream};

impl Kernel {
    pub(super) fn read(&mut self, pid: Pid, fd: Fd, buf: &mut [u8]) -> Result<usize, Stop> {
        let object = self.object(pid, fd)?;
        if buf.is_empty() {
            return Ok(0);
        }
        match object {
            Object::Socket(id) => {
                let result = self.on_socket(|stack, now| stack.read(now, id, buf));
                or_sleep(result, Channel::Socket(id), Wchan::Socket)
            }
            Object::PipeReader(key) => {
                let result = self.pipes[key].read(buf);
                self.wake_all(Channel::Pipe(key));
                or_sleep(result, Channel::Pipe(key), Wchan::PipeRead)
            }
            Object::PipeWriter(_) => Err(Errno::EBADF.into()),
            Object::Terminal { id, .. } => {
                // Its input is gone with the last descriptor for it: the terminal has hung up.
                let terminal = self.terminals.get_mut(&id).ok_or(Errno::EIO)?;
                let result = terminal.read(buf).ok_or(Errno::EAGAIN);
                or_sleep(result, Channel::Terminal(id), Wchan::Terminal)
            }
        }
    }

    /// Writes what there is room for.
    pub(super) fn write(&mut self, pid: Pid, fd: Fd, buf: &[u8]) -> Result<usize, Stop> {
        match self.object(pid, fd)? {
            Object::Socket(id) => {
                let result = self.on_socket(|stack, now| stack.write(now, id, buf));
                or_sleep(result, Channel::Socket(id), Wchan::Socket)
            }
            Object::PipeWriter(key) => {
                let result = self.pipes[key].write(buf);
                if result.is_ok() {
                    self.wake_all(Channel::Pipe(key));
                }
                or_sleep(result, Channel::Pipe(key), Wchan::PipeWrite)
            }
            Object::PipeReader(_) => Err(Errno::EBADF.into()),
            Object::Terminal { stream, .. } => {
                self.print(pid, stream, buf)?;
                Ok(buf.len())
            }
        }
    }

    pub(super) fn accept(&mut self, pid: Pid, fd: Fd) -> Result<(Fd, SocketAddr), Stop> {
        let id = self.socket_id(pid, fd)?;
        // First the descriptor, then the connection: without one the connection stays in the queue.
        self.check_room(pid)?;
        let result = self.on_socket(|stack, now| stack.accept(now, id));
        let (connected, peer) = or_sleep(result, Channel::Socket(id), Wchan::Accept)?;
        Ok((self.open(pid, Object::Socket(connected))?, peer))
    }

    pub(super) fn connect(&mut self, pid: Pid, fd: Fd, peer: SocketAddr) -> Result<(), Stop> {
        let id = self.socket_id(pid, fd)?;
        match self.stack.connect(self.now, id, peer) {
            Err(Errno::EINPROGRESS | Errno::EALREADY) => {
                Err(Blocked::on(Channel::Socket(id), Wchan::Connect).into())
            }
            result => Ok(result?),
        }
    }

    /// Fills in what is ready and counts it; waits until something is, or `deadline`.
    pub(super) fn poll(
        &mut self,
        pid: Pid,
        fds: &mut [PollFd],
        deadline: Option<SimTime>,
    ) -> Result<usize, Stop> {
        for fd in &mut *fds {
            fd.revents = self.readiness(pid, fd.fd).answer(fd.events);
        }
        let ready = fds.iter().filter(|fd| !fd.revents.is_empty()).count();
        if ready > 0 || deadline.is_some_and(|t| t <= self.now) {
            return Ok(ready);
        }
        let on = fds.iter().filter_map(|fd| self.object(pid, fd.fd).ok()).map(Object::channel).collect();
        Err(Blocked { on, until: deadline, wchan: Wchan::Poll }.into())
    }

    pub(super) fn sleep_until(&self, deadline: SimTime) -> Result<(), Stop> {
        if deadline <= self.now {
            return Ok(());
        }
        Err(Blocked { on: Vec::new(), until: Some(deadline), wchan: Wchan::Sleep }.into())
    }

    /// An attempt that comes to nothing is no news for a process that sleeps on the socket: if it were, two sleepers would
    /// wake each other for ever.
    fn on_socket<R>(
        &mut self,
        attempt: impl FnOnce(&mut Stack, SimTime) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.wake_for_sockets();
        let result = attempt(&mut self.stack, self.now);
        if let Err(Errno::EAGAIN) = result {
            while self.stack.poll_event().is_some() {}
        }
        result
    }

    /// Whether `fd` has an error or a hangup to tell.
    pub(super) fn has_failed(&self, pid: Pid, fd: Fd) -> bool {
        self.readiness(pid, fd).any(PollEvents::ERR | PollEvents::HUP)
    }

    fn readiness(&self, pid: Pid, fd: Fd) -> PollEvents {
        if fd.as_raw() < 0 {
            return PollEvents::NONE; // as POSIX has it: this one is not looked at
        }
        match self.object(pid, fd) {
            Err(_) => PollEvents::NVAL,
            Ok(Object::Socket(id)) => {
                let socket = self.stack.readiness(id);
                PollEvents::IN.when(socket.readable)
                    | PollEvents::OUT.when(socket.writable)
                    | PollEvents::ERR.when(socket.error)
                    | PollEvents::HUP.when(socket.hangup)
                    | PollEvents::RDHUP.when(socket.read_hangup)
            }
            Ok(Object::PipeReader(key)) => self.pipes[key].reader_readiness(),
            Ok(Object::PipeWriter(key)) => {
                let pipe = &self.pipes[key];
                PollEvents::OUT.when(pipe.is_writable()) | PollEvents::ERR.when(!pipe.has_reader)
            }
            Ok(Object::Terminal { id, .. }) => match self.terminals.get(&id) {
                Some(terminal) => PollEvents::OUT | PollEvents::IN.when(terminal.is_readable()),
                None => PollEvents::OUT | PollEvents::HUP,
            },
        }
    }

    fn print(&mut self, pid: Pid, stream: Stream, printed: &[u8]) -> Result<(), Errno> {
        let process = self.process_mut(pid)?;
        let buffer = if stream == Stream::Stderr { &mut process.stderr } else { &mut process.stdout };
        for line in buffer.push(printed) {
            self.record_line(pid, stream, line);
        }
        Ok(())
    }

    pub(super) fn record_line(&self, pid: Pid, stream: Stream, text: String) {
        if let Some(process) = self.processes.get(pid) {
            self.recorder.record(self.now, || {
                Kind::Line(Line { pid: pid.as_raw(), process: process.name.clone(), stream, text })
            });
        }
    }
}

impl Object {
    /// Where its news are told.
    fn channel(self) -> Channel {
        match self {
            Object::Socket(id) => Channel::Socket(id),
            Object::PipeReader(key) | Object::PipeWriter(key) => Channel::Pipe(key),
            Object::Terminal { id, .. } => Channel::Terminal(id),
        }
    }
}

/// `EAGAIN` means that the call has to wait.
fn or_sleep<T>(result: Result<T, Errno>, channel: Channel, wchan: Wchan) -> Result<T, Stop> {
    match result {
        Err(Errno::EAGAIN) => Err(Blocked::on(channel, wchan).into()),
        result => Ok(result?),
    }
}
