//! Lines from descriptors, and to them (UNP 3.9).

use super::MAXLINE;
use crate::errno::Errno;
use crate::os::{Fd, Os};

/// Reads a descriptor line by line, through a buffer of [`MAXLINE`] octets: `readline` of a socket, `fgets` of a
/// terminal or file.
#[derive(Debug)]
pub struct LineReader {
    fd: Fd,
    function: &'static str,
    buffer: Vec<u8>,
    start: usize,
}

impl LineReader {
    /// `readline` (fig. 3.18).
    pub const fn readline(fd: Fd) -> LineReader {
        LineReader { fd, function: "readline", buffer: Vec::new(), start: 0 }
    }

    /// `fgets`.
    pub const fn fgets(fd: Fd) -> LineReader {
        LineReader { fd, function: "fgets", buffer: Vec::new(), start: 0 }
    }

    /// The next line with its newline, or the next `limit` octets of a longer one; less at the end of the file,
    /// and nothing after it. `limit` is at least 1. Interrupted reads are made again.
    ///
    /// # Errors
    ///
    /// What `read` says.
    pub async fn next<O: Os>(&mut self, os: &O, limit: usize) -> Result<Vec<u8>, Errno> {
        debug_assert!(limit > 0, "an empty line means the end of the file");
        let mut searched = 0;
        loop {
            let buffered = &self.buffer[self.start..];
            let newline = buffered[searched..].iter().position(|&octet| octet == b'\n');
            if let Some(len) = newline.map(|at| searched + at + 1).filter(|len| *len <= limit) {
                return Ok(self.take(len));
            }
            if buffered.len() >= limit {
                return Ok(self.take(limit));
            }
            searched = buffered.len();
            if self.fill(os).await? == 0 {
                return Ok(self.take(searched));
            }
        }
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let line = self.buffer[self.start..self.start + len].to_vec();
        self.start += len;
        line
    }

    /// `my_read`: reads more behind what is there.
    async fn fill<O: Os>(&mut self, os: &O) -> Result<usize, Errno> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + MAXLINE, 0);
        let os = os.within(self.function);
        let result = loop {
            match os.read(self.fd, &mut self.buffer[before..]).await {
                Err(Errno::EINTR) => {}
                result => break result,
            }
        };
        self.buffer.truncate(before + result.unwrap_or(0));
        result
    }
}

/// Reads `len` octets, however often that takes; less at the end of the file (fig. 3.15). Interrupted reads are made
/// again.
///
/// # Errors
///
/// What `read` says.
pub async fn readn<O: Os>(os: &O, fd: Fd, len: usize) -> Result<Vec<u8>, Errno> {
    let mut octets = vec![0; len];
    let mut done = 0;
    while done < len {
        match os.read(fd, &mut octets[done..]).await {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    octets.truncate(done);
    Ok(octets)
}

/// Writes all of `octets`, however often that takes (fig. 3.16). Interrupted writes are made again.
///
/// # Errors
///
/// What `write` says.
pub async fn writen<O: Os>(os: &O, fd: Fd, octets: &[u8]) -> Result<(), Errno> {
    let mut left = octets;
    while !left.is_empty() {
        match os.write(fd, left).await {
            Ok(written) => left = &left[written..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Writes all of `octets`, at most `size` with a call.
///
/// # Errors
///
/// What `write` says.
pub async fn writen_in<O: Os>(os: &O, fd: Fd, octets: &[u8], size: Option<usize>) -> Result<(), Errno> {
    for piece in octets.chunks(size.unwrap_or(octets.len()).max(1)) {
        writen(os, fd, piece).await?;
    }
    Ok(())
}

/// Prints to standard output.
///
/// # Errors
///
/// What `write` says.
pub async fn fputs<O: Os>(os: &O, octets: &[u8]) -> Result<(), Errno> {
    writen(&os.within("fputs"), Fd::STDOUT, octets).await
}
