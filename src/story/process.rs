//! One process's part in the run.

use std::collections::BTreeMap;

use super::{Connection, Story};
use crate::errno::Errno;
use crate::time::SimTime;
use crate::timeline::{Call, ConnectionId, Kind, Line, Stream, SystemCall, TcpState};

/// What a process did and suffered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process<'a> {
    pub(crate) host: &'a str,
    pub(crate) pid: u32,
    pub(crate) name: &'a str,
    /// It called `connect`, so it is a client.
    pub(crate) client: bool,
    /// It has accepted a connection, or connected, or was refused: segments went to and fro.
    pub(crate) has_conversed: bool,
    /// The connection that it made last, and the event.
    pub(crate) connected: Option<(usize, ConnectionId)>,
    /// The connections that it has a descriptor of, and when the last write to each returned.
    pub(crate) connections: BTreeMap<ConnectionId, Option<SimTime>>,
    pub(crate) typed: Vec<&'a str>,
    pub(crate) printed: Vec<&'a str>,
    /// What it wrote last to standard error.
    pub(crate) complaint: Option<&'a str>,
    pub(crate) end: Option<ProcessEnd>,
    /// The event at which it ended, if its parent has not waited for it since.
    pub(crate) zombie: Option<usize>,
    /// The call that failed last and was not made again as a matter of course.
    pub(super) failure: Option<Trouble<'a>>,
    /// The last call that a signal interrupted.
    pub(super) interrupted: Option<Trouble<'a>>,
    /// The last read that found the end of file on a socket.
    pub(super) end_of_file: Option<Trouble<'a>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    Exit { t: SimTime, status: i32 },
    Killed { at: usize, t: SimTime, signal: &'static str },
    HostCrashed { t: SimTime },
}

/// Bad news for a process.
#[derive(Clone, Debug)]
pub(crate) struct Trouble<'a> {
    /// The event that brought it.
    pub(crate) at: usize,
    pub(crate) t: SimTime,
    pub(crate) host: &'a str,
    pub(crate) news: News<'a>,
    /// The connection that the call was about, if it was about one.
    pub(crate) id: Option<ConnectionId>,
    /// When the last write to it returned.
    pub(crate) written: Option<SimTime>,
    /// The connection as it was then.
    pub(crate) connection: Option<Connection>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum News<'a> {
    /// A call failed.
    Failed { call: &'a Call, errno: Errno },
    /// A read found the end of file, and the program was not pleased.
    EndOfFile { call: &'a Call },
    /// A signal that the connection's state had raised.
    Killed { signal: &'static str },
}

impl<'a> Trouble<'a> {
    /// The call that brought it; a signal needs none.
    pub(crate) fn call(&self) -> Option<&'a Call> {
        match self.news {
            News::Failed { call, .. } | News::EndOfFile { call } => Some(call),
            News::Killed { .. } => None,
        }
    }

    /// Why the call failed; `None` of a read that returned 0.
    pub(crate) fn errno(&self) -> Option<Errno> {
        self.call()?.result.err()
    }

    /// Whether it is `connect` that failed.
    pub(crate) fn connects(&self) -> bool {
        self.call().is_some_and(|call| matches!(call.what, SystemCall::Connect { .. }))
    }
}

impl<'a> Process<'a> {
    pub(super) fn new(host: &'a str, pid: u32, name: &'a str) -> Process<'a> {
        Process { host, pid, name, ..Process::default() }
    }

    pub(super) fn line(&mut self, line: &'a Line) {
        match line.stream {
            Stream::Stdin => self.typed.push(&line.text),
            Stream::Stdout => self.printed.push(&line.text),
            Stream::Stderr => self.complaint = Some(&line.text),
        }
    }

    /// A call returned; `connection` is the state of a connection now.
    pub(super) fn call(
        &mut self,
        (at, t): (usize, SimTime),
        call: &'a Call,
        connection: impl Fn(ConnectionId) -> Option<Connection>,
    ) {
        let (id, host) = (call.connection, self.host);
        let written = id.and_then(|id| *self.connections.entry(id).or_default());
        let trouble = |news| {
            let connection = id.and_then(&connection);
            Some(Trouble { at, t, host, news, id, written, connection })
        };
        self.client |= matches!(call.what, SystemCall::Connect { .. });
        self.has_conversed |= matches!(
            (&call.what, call.result),
            (SystemCall::Connect { .. }, Ok(_) | Err(Errno::ECONNREFUSED))
                | (SystemCall::Accept { .. }, Ok(_))
        );
        match (&call.what, call.result) {
            // Not yet, or no child left: an answer.
            (_, Err(_)) if call.failure(t).is_none() => {}
            (_, Err(errno @ Errno::EINTR)) => self.interrupted = trouble(News::Failed { call, errno }),
            (_, Err(errno)) => self.failure = trouble(News::Failed { call, errno }),
            (SystemCall::Connect { .. }, Ok(_)) => self.connected = id.map(|id| (at, id)),
            (SystemCall::Close { .. }, Ok(_)) => _ = id.and_then(|id| self.connections.remove(&id)),
            // The end of what a user types is no news.
            (_, Ok(0)) if call.reads_from_peer() => self.end_of_file = trouble(News::EndOfFile { call }),
            (SystemCall::Write { .. }, Ok(octets)) if octets > 0 => {
                if let Some(id) = id {
                    self.connections.insert(id, Some(t));
                }
            }
            _ => {}
        }
    }

    /// The news that a process had last and did not get over.
    pub(crate) fn trouble(&self) -> Option<&Trouble<'a>> {
        match self.end {
            Some(ProcessEnd::Exit { t, status }) if status != 0 => {
                // No program expects EINTR until it dies of it (UNP 5.9): then it dies at once.
                let interrupted = self.interrupted.as_ref().filter(|interrupted| interrupted.t == t);
                self.failure.as_ref().or(interrupted).or(self.end_of_file.as_ref())
            }
            _ => self.failure.as_ref(),
        }
    }

    /// The bad news that a process had last, even if it got over it; a signal that its connection had raised is news.
    pub(crate) fn news(&self) -> Option<Trouble<'a>> {
        if let Some(ProcessEnd::Killed { at, t, signal: signal @ "SIGPIPE" }) = self.end {
            let (host, news) = (self.host, News::Killed { signal });
            return Some(Trouble { at, t, host, news, id: None, written: None, connection: None });
        }
        let failed = self.failure.iter().chain(&self.interrupted).max_by_key(|trouble| trouble.at);
        failed.or(self.trouble()).cloned()
    }
}

impl<'a> Story<'a> {
    /// Every process's bad news, in the order they came.
    pub(crate) fn troubles(&self) -> Vec<Trouble<'a>> {
        let mut troubles: Vec<Trouble<'a>> = self.processes.iter().filter_map(Process::news).collect();
        troubles.sort_by_key(|trouble| trouble.at);
        for trouble in &mut troubles {
            trouble.id = trouble.id.or_else(|| self.last_changed(trouble));
        }
        troubles
    }

    /// Of a signal, and of a call that is about no connection yet: the connection on the host whose state changed last of
    /// those that explain the news.
    fn last_changed(&self, trouble: &Trouble<'_>) -> Option<ConnectionId> {
        let explains = match trouble.news {
            News::Failed { .. } | News::Killed { .. } => TcpState::Closed,
            News::EndOfFile { .. } => TcpState::CloseWait,
        };
        let mut before = self.events[..trouble.at].iter().rev();
        before.find_map(|event| match event.kind {
            Kind::State { local, remote, to, .. } if &*event.host == trouble.host && to == explains => {
                Some(ConnectionId::new(local, remote))
            }
            _ => None,
        })
    }
}
