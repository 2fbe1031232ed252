//! Says of one process what happened to it, and why.

use std::net::IpAddr;
use std::time::Duration;

use super::Waiting;
use crate::errno::Errno;
use crate::report::{fault, wording};
use crate::story::{
    Cause, Connection, Keepalives, Process, ProcessEnd, Story, Struck, Symptom, Trouble, Why,
};
use crate::time::SimTime;
use crate::timeline::{Call, ConnectionId, FaultKind};

/// Writes sentences about the processes of one run.
pub(super) struct Narrator<'a> {
    pub(super) story: &'a Story<'a>,
    pub(super) waiting: &'a [Waiting<'a>],
    /// When the run ended.
    pub(super) end: SimTime,
}

impl<'a> Narrator<'a> {
    /// What there is to say of a process, without its name; nothing of a server that all went well with.
    pub(super) fn tell(&self, process: &Process<'a>) -> Option<String> {
        let trouble = process.trouble().map(|trouble| self.trouble(process, trouble));
        match process.end {
            Some(ProcessEnd::Exit { t, status }) if status != 0 => {
                Some(trouble.unwrap_or_else(|| exited(process, status, t)))
            }
            Some(ProcessEnd::Exit { .. }) if process.client => {
                Some(sentence(["exited 0".to_owned()].into_iter().chain(lines(process)).chain(trouble)))
            }
            Some(ProcessEnd::Killed { t, signal, .. }) if process.client || signal == "SIGPIPE" => {
                Some(self.killed(process, signal, t))
            }
            Some(ProcessEnd::HostCrashed { t }) if process.client => {
                Some(format!("went down with its host at {}", wording::moment(t)))
            }
            Some(_) => trouble,
            None => self.alive(process, trouble),
        }
    }

    fn alive(&self, process: &Process<'a>, trouble: Option<String>) -> Option<String> {
        let waits =
            self.waiting.iter().find(|waiting| (waiting.host, waiting.pid) == (process.host, process.pid));
        let client = process.client || waits.is_some_and(|waiting| waiting.on == "connect");
        let unaware = if trouble.is_none() { self.unaware(process) } else { None };
        if !client && trouble.is_none() && unaware.is_none() {
            return None;
        }
        let end = wording::moment(self.end);
        let now = match waits {
            Some(waiting) => format!("still waits in {} at {end}", waiting.on),
            None => format!("still runs at {end}"),
        };
        let lines = client.then(|| lines(process)).flatten();
        Some(sentence(trouble.into_iter().chain([now]).chain(lines).chain(unaware)))
    }

    /// `readline failed: ETIMEDOUT after 12 retransmissions, 542.5 s after the write: server crashed at 10 s`.
    fn trouble(&self, process: &Process<'a>, trouble: &Trouble<'_>) -> String {
        let name = trouble.call().map_or("", Call::known_as);
        let what = match (trouble.errno(), process.complaint, process.end) {
            (Some(errno), ..) => format!("{name} failed: {errno}"),
            (None, Some(complaint), Some(ProcessEnd::Exit { status, .. })) => {
                format!("exited {status}: {complaint:?}")
            }
            (None, ..) => format!("{name} returned 0"),
        };
        let tries = tries(trouble).map_or(String::new(), |tries| format!(" after {tries}"));
        let why = self.why(process, trouble).map_or(String::new(), |why| format!(": {why}"));
        format!("{what}{tries}{}{why}", when(trouble))
    }

    fn why(&self, process: &Process<'a>, trouble: &Trouble<'_>) -> Option<String> {
        let connection = trouble.connection.as_ref();
        let remote = trouble.id.map(|id| id.remote);
        if let Some(told) = connection.and_then(|connection| connection.told)
            && !matches!(trouble.errno(), None | Some(Errno::ETIMEDOUT | Errno::ECONNRESET | Errno::EPIPE))
        {
            let times = if told.times == 1 { String::new() } else { format!(" {} times", told.times) };
            if let Some(id) = trouble.id.filter(|id| id.local.ip() == told.by) {
                return Some(self.unresolved(process.host, id, &times, trouble.at));
            }
            return Some(format!("{} answered {:?}{times}", self.name(told.by), told.what.name()));
        }
        let peer = remote.map(|remote| remote.ip());
        match trouble.errno() {
            Some(Errno::ECONNREFUSED) => {
                if let Some(why) = self.turned_away(process.host, trouble.id?, trouble.at) {
                    return Some(why);
                }
                Some(format!("nobody listens on port {} of {}", remote?.port(), self.name(peer?)))
            }
            None | Some(Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNABORTED | Errno::EPROTO) => {
                let (said, peer) = (how_closed(connection?)?, peer?);
                if let Some(why) = self.turned_away(process.host, trouble.id?, trouble.at) {
                    return Some(why);
                }
                let cause =
                    self.cause(process, (Some(peer), connection?.opened), Symptom::PeerClosed, trouble.t);
                Some(cause.unwrap_or_else(|| format!("{} {said}", self.name(peer))))
            }
            Some(Errno::ETIMEDOUT | Errno::ENETUNREACH | Errno::ENETDOWN)
                if let Some(it) = self.story.own_link_down(process.host, trouble.at) =>
            {
                Some(fault::cause(it.kind, it.host, &wording::moment(it.t)))
            }
            Some(Errno::ETIMEDOUT | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EHOSTDOWN) => {
                let (host, id) = (process.host, trouble.id?);
                match self.story.asked_in_vain(host, id.remote.ip(), trouble.at).len() {
                    0 => self.silence(host, id, trouble.at),
                    1 => Some(self.unresolved(host, id, "", trouble.at)),
                    n => Some(self.unresolved(host, id, &format!(" {n} times"), trouble.at)),
                }
            }
            Some(_) => None,
        }
    }

    /// Nobody on the segment said that the peer's address is his.
    fn unresolved(&self, host: &'a str, id: ConnectionId, times: &str, before: usize) -> String {
        let peer = id.remote.ip();
        let concern = self.story.concern(host, Some(peer));
        let fault = self.story.faults.in_force(before, |it| concern.is_on_path(it.host));
        let why = fault.map_or(String::new(), |it| {
            format!(": {}", fault::cause(it.kind, it.host, &wording::moment(it.t)))
        });
        format!("no answer to {} for {}{times}{why}", wording::resolution(peer), self.name(peer))
    }

    /// A middlebox, and not the peer, sent the RST, or dropped what was sent.
    fn turned_away(&self, host: &'a str, id: ConnectionId, before: usize) -> Option<String> {
        let why = self.story.turned_away(host, id, before)?;
        if why == Why::Rejected {
            return Some(fault::REJECTED.to_owned());
        }
        let concern = self.story.concern(host, Some(id.remote.ip()));
        let is_it = |it: &Struck<'_>| {
            let is_kind = match why {
                Why::Injected => matches!(it.kind, FaultKind::Reset { .. }),
                _ => it.kind == FaultKind::Forget,
            };
            is_kind && concern.is_on_path(it.host)
        };
        let forgot = self.story.faults.last(before, is_it);
        Some(forgot.map_or_else(
            || "a middlebox had forgotten the flow".to_owned(),
            |it| fault::cause(it.kind, it.host, &wording::moment(it.t)),
        ))
    }

    /// What the program has not been told, or not asked for, while it waits.
    fn unaware(&self, process: &Process<'a>) -> Option<String> {
        process.connections.keys().find_map(|id| self.unaware_of(process, *id))
    }

    fn unaware_of(&self, process: &Process<'a>, id: ConnectionId) -> Option<String> {
        let connection = self.story.connection(process.host, id)?;
        let peer = id.remote.ip();
        if connection.reset.is_some() {
            return None;
        }
        if let Some(fin) = connection.fin {
            let why = self.cause(process, (Some(peer), connection.opened), Symptom::PeerClosed, self.end);
            let why = why.unwrap_or_else(|| format!("{} closed the connection", self.name(peer)));
            return Some(format!("a FIN lies there unread since {}: {why}", wording::moment(fin)));
        }
        let attempts = attempts(connection);
        let why = match attempts {
            Some(_) => self.silence(process.host, id, self.story.events.len()),
            None => self.cause(process, (Some(peer), connection.opened), Symptom::Unnoticed, self.end),
        };
        match (attempts, why) {
            (Some(attempts), Some(why)) => Some(format!("{attempts} unanswered: {why}")),
            (Some(attempts), None) => Some(format!("{attempts} unanswered")),
            (None, Some(why)) => Some(format!("nothing has told it that {why}")),
            (None, None) => None,
        }
    }

    fn killed(&self, process: &Process<'a>, signal: &str, t: SimTime) -> String {
        let last = process.connections.iter().max_by_key(|(_, written)| **written).map(|(id, _)| *id);
        let connection = last.and_then(|id| self.story.connection(process.host, id));
        let (reset, opened) = connection.map_or((None, None), |it| (it.reset, it.opened));
        let when = wording::moment(t);
        match (signal, reset, last) {
            ("SIGPIPE", Some(reset), Some(ConnectionId { remote, .. })) => {
                let why = self.cause(process, (Some(remote.ip()), opened), Symptom::PeerClosed, t);
                let why = why.map_or(String::new(), |why| format!(": {why}"));
                format!("was killed by SIGPIPE at {when}, {}{why}", after(t - reset, "the RST"))
            }
            ("SIGPIPE", None, Some(id)) => {
                let before = self.story.events.len();
                let gave_up = connection.and_then(|it| Some((it.gave_up_before(t)?.1, attempts(it)?)));
                let gave_up = gave_up.map_or(String::new(), |(then, attempts)| {
                    let why = self.silence(process.host, id, before);
                    let why = why.map_or(String::new(), |why| format!(": {why}"));
                    format!("; TCP gave up at {} after {attempts}{why}", wording::moment(then))
                });
                format!("was killed by SIGPIPE at {when}{gave_up}")
            }
            _ => format!("was killed by {signal} at {when}"),
        }
    }

    /// The fault to which what was sent before an event was lost, or its answers.
    fn silence(&self, host: &'a str, id: ConnectionId, before: usize) -> Option<String> {
        let sendings = self.story.unanswered(host, id, before);
        match self.story.silence(host, id, &sendings, before)?.fault() {
            Some(it) => Some(fault::cause(it.kind, it.host, &wording::moment(it.t))),
            None => self.turned_away(host, id, before),
        }
    }

    /// The cause of a symptom at `t`, for a connection to `peer` that was opened at `since`.
    fn cause(
        &self,
        process: &Process<'a>,
        (peer, since): (Option<IpAddr>, Option<SimTime>),
        symptom: Symptom,
        t: SimTime,
    ) -> Option<String> {
        let concern = self.story.concern(process.host, peer);
        Some(match self.story.faults.cause(concern, symptom, (since, t))? {
            Cause::Fault(it) => fault::cause(it.kind, it.host, &wording::moment(it.t)),
            Cause::Killed(it) => {
                let (who, at) = (wording::process(it.process, it.pid), wording::moment(it.t));
                format!("{who} was killed by {} at {at}", it.signal)
            }
        })
    }

    fn name(&self, addr: IpAddr) -> String {
        self.story.hosts.name(addr)
    }
}

fn exited(process: &Process<'_>, status: i32, t: SimTime) -> String {
    match process.complaint {
        Some(complaint) => format!("exited {status} at {}: {complaint:?}", wording::moment(t)),
        None => format!("exited {status} at {}", wording::moment(t)),
    }
}

/// `2 lines echoed`; `printed`, if it is something else than was typed.
fn lines(process: &Process<'_>) -> Option<String> {
    let (typed, printed) = (process.typed.len(), process.printed.len());
    if typed == 0 && printed == 0 {
        None
    } else if !process.typed.starts_with(&process.printed) {
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

/// What was sent again and again in vain: `1 tail loss probe and 15 retransmissions`.
fn attempts(connection: &Connection) -> Option<String> {
    let keepalives = connection.keepalives.map_or(0, |keepalives| keepalives.probes);
    let again = wording::attempts(connection.tail_loss_probes, connection.retransmissions);
    let probes = [(connection.window_probes, "window probe"), (keepalives, "keepalive probe")];
    let probes = probes.into_iter().filter(|&(n, _)| n > 0).map(|(n, noun)| wording::count(n, noun));
    let attempts: Vec<String> = again.into_iter().chain(probes).collect();
    (!attempts.is_empty()).then(|| attempts.join(" and "))
}

/// How the peer ended it, if it did.
fn how_closed(connection: &Connection) -> Option<&'static str> {
    let reset = connection.reset.map(|_| "sent a RST");
    reset.or(connection.fin.map(|_| "closed the connection"))
}

/// `12 retransmissions`, `2 retransmissions of the SYN`.
fn tries(trouble: &Trouble<'_>) -> Option<String> {
    let attempts = attempts(trouble.connection.as_ref()?)?;
    Some(if trouble.connects() { format!("{attempts} of the SYN") } else { attempts })
}

/// `, 542.5 s after the write`: measured from what the program, or its TCP, did last to be answered. Where TCP gave up while
/// the program did not ask, until then, and both are said.
fn when(trouble: &Trouble<'_>) -> String {
    let connection = trouble.connection.as_ref();
    let keepalives = connection.and_then(|connection| connection.keepalives);
    let reset = connection.is_some_and(|connection| connection.reset.is_some());
    // The end of the file follows from a FIN, though a program may come to read it much later.
    let fin = connection.and_then(|connection| connection.fin).filter(|_| trouble.errno().is_none());
    let (since, what) = match (keepalives, fin.max(trouble.written)) {
        _ if trouble.connects() => (trouble.call().map_or(trouble.t, |call| call.since), "the call"),
        (Some(Keepalives { probes: 1, last, .. }), _) => (last, "it"),
        (Some(Keepalives { last, .. }), _) if reset => (last, "the last"),
        (Some(Keepalives { first, .. }), _) => (first, "the first"),
        (None, Some(written)) if trouble.written == Some(written) => (written, "the write"),
        (None, Some(fin)) => (fin, "the FIN"),
        (None, None) => return format!(" at {}", wording::moment(trouble.t)),
    };
    match connection.and_then(|connection| connection.gave_up_before(trouble.t)) {
        Some((_, then)) if since <= then => {
            let (then, span) = (wording::moment(then), after(then - since, what));
            format!(
                ", {span}; TCP gave up at {then}, and the program asked at {}",
                wording::moment(trouble.t)
            )
        }
        _ => format!(", {}", after(trouble.t - since, what)),
    }
}

fn after(span: Duration, what: &str) -> String {
    if span.is_zero() {
        format!("right after {what}")
    } else {
        format!("{} after {what}", wording::span(span))
    }
}
