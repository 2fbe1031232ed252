//! Says of one process what happened to it, and why.

use std::net::IpAddr;
use std::time::Duration;

use super::Waiting;
use super::connection::Ends;
use super::connection::Keepalives;
use super::history::History;
use super::mishap::{Symptom, cause};
use super::story::{End, Story, Trouble};
use crate::errno::Errno;
use crate::report::wording;
use crate::story::Concern;
use crate::time::SimTime;

/// Writes sentences about the processes of one run.
pub(super) struct Narrator<'a> {
    pub(super) history: &'a History<'a>,
    pub(super) waiting: &'a [Waiting<'a>],
    /// When the run ended.
    pub(super) end: SimTime,
}

impl<'a> Narrator<'a> {
    /// What there is to say of a process, without its name; nothing of a server that all went well with.
    pub(super) fn tell(&self, story: &Story<'a>) -> Option<String> {
        let trouble = story.trouble().map(|trouble| self.trouble(story, trouble));
        match story.end {
            Some(End::Exit { t, status }) if status != 0 => {
                Some(trouble.unwrap_or_else(|| exited(story, status, t)))
            }
            Some(End::Exit { .. }) if story.client => {
                Some(sentence(["exited 0".to_owned()].into_iter().chain(lines(story)).chain(trouble)))
            }
            Some(End::Killed { t, signal }) if story.client || signal == "SIGPIPE" => {
                Some(self.killed(story, signal, t))
            }
            Some(End::HostCrashed { t }) if story.client => {
                Some(format!("went down with its host at {}", wording::moment(t)))
            }
            Some(_) => trouble,
            None => self.alive(story, trouble),
        }
    }

    fn alive(&self, story: &Story<'a>, trouble: Option<String>) -> Option<String> {
        let waits =
            self.waiting.iter().find(|waiting| (waiting.host, waiting.pid) == (story.host, story.pid));
        let client = story.client || waits.is_some_and(|waiting| waiting.on == "connect");
        let unaware = if trouble.is_none() { self.unaware(story) } else { None };
        if !client && trouble.is_none() && unaware.is_none() {
            return None;
        }
        let end = wording::moment(self.end);
        let now = match waits {
            Some(waiting) => format!("still waits in {} at {end}", waiting.on),
            None => format!("still runs at {end}"),
        };
        let lines = client.then(|| lines(story)).flatten();
        Some(sentence(trouble.into_iter().chain([now]).chain(lines).chain(unaware)))
    }

    /// `readline failed: ETIMEDOUT after 12 retransmissions, 542.5 s after the write: server crashed at 10 s`.
    fn trouble(&self, story: &Story<'a>, trouble: &Trouble) -> String {
        let what = match (trouble.errno, story.complaint, story.end) {
            (Some(errno), ..) => format!("{} failed: {errno}", trouble.name),
            (None, Some(complaint), Some(End::Exit { status, .. })) => {
                format!("exited {status}: {complaint:?}")
            }
            (None, ..) => format!("{} returned 0", trouble.name),
        };
        let tries = tries(trouble).map_or(String::new(), |tries| format!(" after {tries}"));
        let why = self.why(story, trouble).map_or(String::new(), |why| format!(": {why}"));
        format!("{what}{tries}{}{why}", when(trouble))
    }

    fn why(&self, story: &Story<'a>, trouble: &Trouble) -> Option<String> {
        let connection = trouble.connection.as_ref();
        let remote = trouble.ends.map(|(_, remote)| remote);
        if let Some(told) = connection.and_then(|connection| connection.told)
            && !matches!(trouble.errno, None | Some(Errno::ETIMEDOUT | Errno::ECONNRESET | Errno::EPIPE))
        {
            let times = if told.times == 1 { String::new() } else { format!(" {} times", told.times) };
            return Some(format!("{} answered {:?}{times}", self.name(told.by), told.what.name()));
        }
        let peer = remote.map(|remote| remote.ip());
        match trouble.errno {
            Some(Errno::ECONNREFUSED) => {
                Some(format!("nobody listens on port {} of {}", remote?.port(), self.name(peer?)))
            }
            None | Some(Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED | Errno::EPROTO) => {
                let (said, peer) = (connection?.goodbye()?, peer?);
                let cause = self.cause(story, (Some(peer), connection?.opened), Symptom::Goodbye, trouble.t);
                Some(cause.unwrap_or_else(|| format!("{} {said}", self.name(peer))))
            }
            Some(Errno::ETIMEDOUT | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN) => {
                let opened = connection.and_then(|connection| connection.opened);
                self.cause(story, (peer, opened), Symptom::Silence, trouble.t)
            }
            Some(_) => None,
        }
    }

    /// What the program has not been told, or not asked for, while it waits.
    fn unaware(&self, story: &Story<'a>) -> Option<String> {
        story.sockets.keys().find_map(|ends| self.unaware_of(story, *ends))
    }

    fn unaware_of(&self, story: &Story<'a>, ends: Ends) -> Option<String> {
        let connection = self.history.connection(story.host, ends)?;
        let peer = ends.1.ip();
        if connection.reset.is_some() {
            return None;
        }
        if let Some(fin) = connection.fin {
            let why = self.cause(story, (Some(peer), connection.opened), Symptom::Goodbye, self.end);
            let why = why.unwrap_or_else(|| format!("{} closed the connection", self.name(peer)));
            return Some(format!("a FIN lies there unread since {}: {why}", wording::moment(fin)));
        }
        let why = self.cause(story, (Some(peer), connection.opened), Symptom::Silence, self.end);
        match (connection.attempts(), why) {
            (Some(attempts), Some(why)) => Some(format!("{attempts} unanswered: {why}")),
            (Some(attempts), None) => Some(format!("{attempts} unanswered")),
            (None, Some(why)) => Some(format!("nothing has told it that {why}")),
            (None, None) => None,
        }
    }

    fn killed(&self, story: &Story<'a>, signal: &str, t: SimTime) -> String {
        let last = story.sockets.iter().max_by_key(|(_, socket)| socket.written).map(|(ends, _)| *ends);
        let connection = last.and_then(|ends| self.history.connection(story.host, ends));
        let (reset, opened) = connection.map_or((None, None), |it| (it.reset, it.opened));
        let when = wording::moment(t);
        match (signal, reset, last) {
            ("SIGPIPE", Some(reset), Some((_, remote))) => {
                let why = self.cause(story, (Some(remote.ip()), opened), Symptom::Goodbye, t);
                let why = why.map_or(String::new(), |why| format!(": {why}"));
                format!("was killed by SIGPIPE at {when}, {}{why}", after(t - reset, "the RST"))
            }
            _ => format!("was killed by {signal} at {when}"),
        }
    }

    /// The cause of a symptom at `t`, for a connection to `peer` that was opened at `since`.
    fn cause(
        &self,
        story: &Story<'a>,
        (peer, since): (Option<IpAddr>, Option<SimTime>),
        symptom: Symptom,
        t: SimTime,
    ) -> Option<String> {
        let hosts = &self.history.hosts;
        let concern = Concern::of(hosts, story.host, peer);
        let is_peer = |target: &str| concern.is_peer(hosts, target);
        let on_path = |target: &str| concern.is_on_path(hosts, target);
        cause(&self.history.mishaps, symptom, (since, t), is_peer, on_path)
    }

    fn name(&self, addr: IpAddr) -> String {
        self.history.hosts.name(addr)
    }
}

fn exited(story: &Story<'_>, status: i32, t: SimTime) -> String {
    match story.complaint {
        Some(complaint) => format!("exited {status} at {}: {complaint:?}", wording::moment(t)),
        None => format!("exited {status} at {}", wording::moment(t)),
    }
}

/// `2 lines echoed`; `printed`, if it is something else than was typed.
fn lines(story: &Story<'_>) -> Option<String> {
    let (typed, printed) = (story.typed.len(), story.printed.len());
    if typed == 0 && printed == 0 {
        None
    } else if !story.typed.starts_with(&story.printed) {
        Some(format!("{} printed", wording::count(printed, "line")))
    } else if printed < typed {
        Some(format!("{printed} of {} echoed", wording::count(typed, "line")))
    } else {
        Some(format!("{} echoed", wording::count(printed, "line")))
    }
}

fn sentence(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

/// `12 retransmissions`, `2 retransmissions of the SYN`.
fn tries(trouble: &Trouble) -> Option<String> {
    let attempts = trouble.connection.as_ref()?.attempts()?;
    Some(if trouble.connects { format!("{attempts} of the SYN") } else { attempts })
}

/// `, 542.5 s after the write`: measured from what the program, or its TCP, did last to be answered.
fn when(trouble: &Trouble) -> String {
    let connection = trouble.connection.as_ref();
    let keepalives = connection.and_then(|connection| connection.keepalives);
    let reset = connection.is_some_and(|connection| connection.reset.is_some());
    // The end of the file follows from a FIN, though a program may come to read it much later.
    let fin = connection.and_then(|connection| connection.fin).filter(|_| trouble.errno.is_none());
    let (since, what) = match (keepalives, fin.max(trouble.written)) {
        _ if trouble.connects => (trouble.since, "the call"),
        (Some(Keepalives { probes: 1, last, .. }), _) => (last, "it"),
        (Some(Keepalives { last, .. }), _) if reset => (last, "the last"),
        (Some(Keepalives { first, .. }), _) => (first, "the first"),
        (None, Some(written)) if trouble.written == Some(written) => (written, "the write"),
        (None, Some(fin)) => (fin, "the FIN"),
        (None, None) => return format!(" at {}", wording::moment(trouble.t)),
    };
    format!(", {}", after(trouble.t - since, what))
}

fn after(span: Duration, what: &str) -> String {
    if span.is_zero() {
        format!("right after {what}")
    } else {
        format!("{} after {what}", wording::span(span))
    }
}
