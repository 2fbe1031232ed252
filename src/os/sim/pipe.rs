//! Pipes.

use std::collections::VecDeque;
use std::io::Read;

use crate::errno::Errno;
use crate::os::PollEvents;

/// A pipe. Its ends are open files of their own; it is gone with the last of both.
#[derive(Debug)]
pub(super) struct Pipe {
    buffer: VecDeque<u8>,
    pub(super) has_reader: bool,
    pub(super) has_writer: bool,
    is_file: bool,
}

impl Pipe {
    /// Octets that fit, Linux's 64 KiB.
    const CAPACITY: usize = 1 << 16;
    /// PIPE_BUF: a write of so many octets goes in whole or not at all.
    const ATOMIC: usize = 4096;

    pub(super) fn new() -> Pipe {
        Pipe { buffer: VecDeque::new(), has_reader: true, has_writer: true, is_file: false }
    }

    /// A redirected file: as a pipe into which all of `content` was written, and closed.
    pub(super) fn filled(content: &[u8]) -> Pipe {
        Pipe { buffer: content.iter().copied().collect(), has_reader: true, has_writer: false, is_file: true }
    }

    /// `EAGAIN` if it is empty and it has a writer yet.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Errno> {
        if self.buffer.is_empty() && self.has_writer {
            return Err(Errno::EAGAIN);
        }
        Ok(self.buffer.read(buf).expect("a VecDeque gives what it has"))
    }

    /// `EPIPE` if it has no reader, `EAGAIN` if there is no room.
    pub(super) fn write(&mut self, buf: &[u8]) -> Result<usize, Errno> {
        if !self.has_reader {
            return Err(Errno::EPIPE);
        }
        let room = self.room();
        let whole = buf.len() <= Self::ATOMIC;
        if !buf.is_empty() && (room == 0 || (whole && room < buf.len())) {
            return Err(Errno::EAGAIN);
        }
        let len = room.min(buf.len());
        self.buffer.extend(&buf[..len]);
        Ok(len)
    }

    /// What `poll` finds at its reading end. A regular file is always ready, and never hangs up (POSIX, poll).
    pub(super) fn reader_readiness(&self) -> PollEvents {
        if self.is_file {
            return PollEvents::IN | PollEvents::OUT;
        }
        PollEvents::IN.when(!self.buffer.is_empty()) | PollEvents::HUP.when(!self.has_writer)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.room() >= Self::ATOMIC
    }

    fn room(&self) -> usize {
        Self::CAPACITY.saturating_sub(self.buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_writes_go_in_whole_or_not_at_all() {
        let mut pipe = Pipe::new();
        assert_eq!(pipe.write(&vec![0; Pipe::CAPACITY - 10]), Ok(Pipe::CAPACITY - 10));
        assert_eq!(pipe.write(&[0; 11]), Err(Errno::EAGAIN));
        assert_eq!(pipe.write(&[0; Pipe::ATOMIC + 1]), Ok(10));
    }

    #[test]
    fn the_end_of_the_file_comes_after_the_last_octet() {
        let mut pipe = Pipe::filled(b"ab");
        let mut buf = [0; 8];
        assert_eq!(pipe.read(&mut buf), Ok(2));
        assert_eq!(pipe.read(&mut buf), Ok(0));
    }

    /// As of a pipe its other end has been closed, of a file it has not.
    #[test]
    fn a_file_that_is_read_to_its_end_never_hangs_up() {
        let mut file = Pipe::filled(b"ab");
        assert_eq!(file.read(&mut [0; 8]), Ok(2));
        assert_eq!(file.reader_readiness().to_string(), "POLLIN|POLLOUT");
        let closed = Pipe { has_writer: false, ..Pipe::new() };
        assert_eq!(closed.reader_readiness().to_string(), "POLLHUP");
    }
}
