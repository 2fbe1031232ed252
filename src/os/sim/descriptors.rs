//! Calls on the open-file table and the descriptors that point into it.
//!
//! A descriptor is one process's; what it stands for, the open file, is shared with every process that has
//! inherited a descriptor of it. The last `close` closes it: so a parent that forgets to close the connected
//! socket keeps the connection open (UNP 4.8).

use super::kernel::Kernel;
use super::open_file::{Object, OpenFile};
use super::pipe::Pipe;
use super::wait_queue::Channel;
use crate::errno::Errno;
use crate::os::{Fd, Pid};
use crate::stack::SocketId;
use crate::timeline::Stream;

impl Kernel {
    /// What `fd` stands for.
    pub(super) fn object(&self, pid: Pid, fd: Fd) -> Result<Object, Errno> {
        self.file(pid, fd).map(|file| self.files[file].object)
    }

    /// `fcntl(F_SETFL)`: sets O_NONBLOCK of the open file, or takes it away.
    pub(super) fn set_nonblocking(&mut self, pid: Pid, fd: Fd, on: bool) -> Result<(), Errno> {
        let file = self.file(pid, fd)?;
        self.files[file].nonblocking = on;
        Ok(())
    }

    /// Whether the open file has O_NONBLOCK.
    pub(super) fn is_nonblocking(&self, pid: Pid, fd: Fd) -> bool {
        self.file(pid, fd).is_ok_and(|file| self.files[file].nonblocking)
    }

    /// The socket `fd` stands for.
    pub(super) fn socket_id(&self, pid: Pid, fd: Fd) -> Result<SocketId, Errno> {
        match self.object(pid, fd)? {
            Object::Socket(id) => Ok(id),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Fails as the next [`open`](Self::open) would.
    pub(super) fn check_room(&self, pid: Pid) -> Result<(), Errno> {
        if self.lowest_free(pid)? >= self.limits.descriptors {
            return Err(Errno::EMFILE);
        }
        if self.files.len() >= self.limits.files {
            return Err(Errno::ENFILE);
        }
        Ok(())
    }

    /// Opens a file and gives it the process's lowest free descriptor.
    pub(super) fn open(&mut self, pid: Pid, object: Object) -> Result<Fd, Errno> {
        self.check_room(pid)?;
        let file = self.files.insert(OpenFile { object, descriptors: 0, nonblocking: false });
        self.install(pid, file)
    }

    pub(super) fn close(&mut self, pid: Pid, fd: Fd) -> Result<(), Errno> {
        let file = self.file(pid, fd)?;
        self.process_mut(pid)?.descriptors[fd.as_raw() as usize] = None;
        self.release(file);
        Ok(())
    }

    pub(super) fn dup(&mut self, pid: Pid, fd: Fd) -> Result<Fd, Errno> {
        let file = self.file(pid, fd)?;
        if self.lowest_free(pid)? >= self.limits.descriptors {
            return Err(Errno::EMFILE);
        }
        self.install(pid, file)
    }

    pub(super) fn pipe(&mut self, pid: Pid) -> Result<(Fd, Fd), Errno> {
        self.check_room(pid)?;
        let key = self.pipes.insert(Pipe::new());
        let reader = self.open(pid, Object::PipeReader(key))?;
        match self.open(pid, Object::PipeWriter(key)) {
            Ok(writer) => Ok((reader, writer)),
            Err(errno) => {
                self.pipes[key].has_writer = false;
                self.close(pid, reader)?;
                Err(errno)
            }
        }
    }

    /// A forked child has a descriptor of the same file.
    pub(super) fn retain(&mut self, file: usize) {
        self.files[file].descriptors += 1;
    }

    /// One descriptor of `file` is gone; with the last one the file is closed.
    pub(super) fn release(&mut self, file: usize) {
        self.files[file].descriptors -= 1;
        if self.files[file].descriptors > 0 {
            return;
        }
        match self.files.remove(file).object {
            Object::Socket(id) => self.stack.close(self.now, id),
            Object::PipeReader(key) => {
                self.pipes[key].has_reader = false;
                self.close_pipe_end(key);
            }
            Object::PipeWriter(key) => {
                self.pipes[key].has_writer = false;
                self.close_pipe_end(key);
            }
            Object::Terminal { id, stream } => {
                if stream == Stream::Stdin {
                    self.terminals.remove(&id);
                }
            }
        }
    }

    fn close_pipe_end(&mut self, key: usize) {
        self.wake_all(Channel::Pipe(key));
        if !self.pipes[key].has_reader && !self.pipes[key].has_writer {
            self.pipes.remove(key);
        }
    }

    fn file(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        let slot = usize::try_from(fd.as_raw()).map_err(|_| Errno::EBADF)?;
        self.process(pid)?.descriptors.get(slot).copied().flatten().ok_or(Errno::EBADF)
    }

    fn lowest_free(&self, pid: Pid) -> Result<usize, Errno> {
        let descriptors = &self.process(pid)?.descriptors;
        Ok(descriptors.iter().position(Option::is_none).unwrap_or(descriptors.len()))
    }

    fn install(&mut self, pid: Pid, file: usize) -> Result<Fd, Errno> {
        let slot = self.lowest_free(pid)?;
        let descriptors = &mut self.process_mut(pid)?.descriptors;
        if slot == descriptors.len() {
            descriptors.push(None);
        }
        descriptors[slot] = Some(file);
        self.retain(file);
        Ok(Fd::from_raw(slot as i32))
    }
}
