//! One process's part in the run.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::connection::Ends;
use crate::errno::Errno;
use crate::time::SimTime;
use crate::timeline::{Call, Line, Stream, SystemCall};

/// What a process did and suffered.
#[derive(Clone, Debug, Default)]
pub(super) struct Story<'a> {
    pub(super) host: &'a str,
    pub(super) pid: u32,
    pub(super) process: &'a str,
    /// It called `connect`, so it is a client.
    pub(super) client: bool,
    /// The connections that it has a descriptor of.
    pub(super) sockets: BTreeMap<Ends, Socket>,
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

/// What a process has done with a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Socket {
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
    /// It was `connect`.
    pub(super) connects: bool,
    /// The call as the program knows it: `readline` rather than `read`.
    pub(super) name: &'static str,
    /// `None` of a read that returned 0.
    pub(super) errno: Option<Errno>,
    /// The connection it was about.
    pub(super) ends: Option<Ends>,
    /// When the last write to it returned.
    pub(super) written: Option<SimTime>,
    /// The connection as it was then.
    pub(super) connection: Option<Connection>,
}

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

    /// A call returned; `connection` is the state of a connection now.
    pub(super) fn call(&mut self, t: SimTime, call: &Call, connection: impl Fn(Ends) -> Option<Connection>) {
        self.client |= matches!(call.what, SystemCall::Connect { .. });
        let ends = call.connection.map(|id| (id.local, id.remote));
        let written = ends.and_then(|ends| self.sockets.entry(ends).or_default().written);
        let trouble = |errno| Trouble {
            t,
            since: call.since,
            connects: matches!(call.what, SystemCall::Connect { .. }),
            name: call.known_as(),
            errno,
            ends,
            written,
            connection: ends.and_then(&connection),
        };
        match (&call.what, call.result) {
            (_, Err(errno)) if is_usual(errno) => self.hiccup = Some(trouble(Some(errno))),
            (_, Err(errno)) => self.failure = Some(trouble(Some(errno))),
            (SystemCall::Close { .. }, Ok(_)) => _ = ends.and_then(|ends| self.sockets.remove(&ends)),
            (SystemCall::Read { .. }, Ok(0)) if call.reads_from_peer() => {
                self.end_of_file = Some(trouble(None));
            }
            (SystemCall::Write { .. }, Ok(octets)) if octets > 0 => {
                if let Some(ends) = ends {
                    self.sockets.entry(ends).or_default().written = Some(t);
                }
            }
            _ => {}
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

fn is_usual(errno: Errno) -> bool {
    use Errno::{EAGAIN, EALREADY, ECHILD, EINPROGRESS, EINTR};
    matches!(errno, EAGAIN | EALREADY | ECHILD | EINPROGRESS | EINTR)
}
