//! One process's part in the run.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::connection::Ends;
use crate::errno::Errno;
use crate::time::SimTime;
use crate::timeline::{Call, Line, Stream};

/// What a process did and suffered.
#[derive(Clone, Debug, Default)]
pub(super) struct Story<'a> {
    pub(super) host: &'a str,
    pub(super) pid: u32,
    pub(super) process: &'a str,
    /// It called `connect`, so it is a client.
    pub(super) client: bool,
    /// Its sockets by descriptor.
    pub(super) sockets: BTreeMap<i64, Socket>,
    /// The call that failed last and was not made again as a matter of course.
    pub(super) failure: Option<Trouble>,
    /// The last such call that a program usually makes again: `EINTR`, `EAGAIN` …
    pub(super) hiccup: Option<Trouble>,
    /// The last read that found the end of file on a socket.
    pub(super) end_of_file: Option<Trouble>,
    pub(super) typed: Vec<&'a str>,
    pub(super) printed: Vec<&'a str>,
    /// What it wrote last to standard error.
    pub(super) complaint: Option<&'a str>,
    pub(super) end: Option<End>,
    /// It ended, and nobody has waited for it.
    pub(super) zombie: bool,
}

/// A descriptor that is, or may be, a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Socket {
    /// Its connection, once it is known.
    pub(super) ends: Option<Ends>,
    /// When the last write to it returned.
    pub(super) written: Option<SimTime>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exit { t: SimTime, status: i32 },
    Killed { t: SimTime, signal: &'static str },
    HostCrashed { t: SimTime },
}

/// A call that brought bad news.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) t: SimTime,
    /// When the call was made.
    pub(super) since: SimTime,
    pub(super) call: &'static str,
    /// The call as the program knows it: `readline` rather than `read`.
    pub(super) name: &'static str,
    /// `None` of a read that returned 0.
    pub(super) errno: Option<Errno>,
    pub(super) socket: Socket,
    /// The connection as it was then.
    pub(super) connection: Option<Connection>,
}

/// Descriptors below are the standard streams.
const FIRST_SOCKET: i64 = 3;

impl<'a> Story<'a> {
    pub(super) fn new(host: &'a str, pid: u32, process: &'a str) -> Story<'a> {
        Story { host, pid, process, ..Story::default() }
    }

    pub(super) fn line(&mut self, line: &'a Line) {
        match line.stream {
            Stream::Stdin => self.typed.push(&line.text),
            Stream::Stdout => self.printed.push(&line.text),
            Stream::Stderr => self.complaint = Some(&line.text),
        }
    }

    /// A call returned, which opened the connection `gained` if it is one that does.
    pub(super) fn call(
        &mut self,
        t: SimTime,
        call: &Call,
        gained: Option<Ends>,
        connection: impl Fn(Ends) -> Option<Connection>,
    ) {
        self.client |= call.call == "connect";
        let fd = match (call.call, call.result) {
            ("accept", Ok(fd)) => Some(fd),
            _ => descriptor(&call.args),
        };
        if let (Some(fd), Some(ends)) = (fd, gained) {
            self.sockets.insert(fd, Socket { ends: Some(ends), written: None });
        }
        let fd = fd.filter(|&fd| fd >= FIRST_SOCKET);
        let socket = fd.and_then(|fd| self.sockets.get(&fd)).copied().unwrap_or_default();
        let trouble = |errno| Trouble {
            t,
            since: call.since,
            call: call.call,
            name: call.within.unwrap_or(call.call),
            errno,
            socket,
            connection: socket.ends.and_then(&connection),
        };
        match call.result {
            Err(errno) if is_usual(errno) => self.hiccup = Some(trouble(Some(errno))),
            Err(errno) => self.failure = Some(trouble(Some(errno))),
            Ok(_) if call.call == "close" => drop(fd.and_then(|fd| self.sockets.remove(&fd))),
            Ok(0) if reads(call.call) && fd.is_some() => self.end_of_file = Some(trouble(None)),
            Ok(octets) if writes(call.call) && octets > 0 => {
                if let Some(fd) = fd {
                    self.sockets.entry(fd).or_default().written = Some(t);
                }
            }
            Ok(_) => {}
        }
    }

    /// What ended the process, if a call did.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        match self.end {
            Some(End::Exit { t, status }) if status != 0 => {
                // Nobody expects EINTR until a program dies of it (UNP 5.9): then it dies at once.
                let hiccup = self.hiccup.as_ref().filter(|hiccup| hiccup.t == t);
                self.failure.as_ref().or(hiccup).or(self.end_of_file.as_ref())
            }
            _ => self.failure.as_ref(),
        }
    }
}

/// The descriptor a call is about is the first of its arguments, if there is one.
fn descriptor(args: &str) -> Option<i64> {
    args.split([',', ' ']).next()?.parse().ok()
}

fn is_usual(errno: Errno) -> bool {
    use Errno::{EAGAIN, EALREADY, ECHILD, EINPROGRESS, EINTR};
    matches!(errno, EAGAIN | EALREADY | ECHILD | EINPROGRESS | EINTR)
}

fn reads(call: &str) -> bool {
    matches!(call, "read" | "recv" | "readv" | "recvfrom" | "recvmsg")
}

fn writes(call: &str) -> bool {
    matches!(call, "write" | "send" | "writev" | "sendto" | "sendmsg")
}
