//! The peer closed the connection, with a RST or a FIN: what that answered, and why it was sent.

use super::cause::Reasoning;
use super::{Sentence, packet};
use crate::packet::Flags;
use crate::report::{fault, wording};
use crate::story::{Struck, Why};
use crate::timeline::ConnectionId;
use crate::timeline::{Direction, Event, FaultKind, Kind, Process, ProcessChange, SystemCall};

impl Reasoning<'_, '_> {
    /// The peer's RST, what it answered, and why.
    pub(super) fn reset(&self, id: ConnectionId) -> Vec<Sentence> {
        let story = self.story;
        let mut arrivals = story.segments(self.trouble.host, id, Direction::In, self.trouble.at);
        let Some((arrival, _)) = arrivals.rfind(|(_, segment)| segment.flags.has(Flags::RST)) else {
            return Vec::new();
        };
        let Some(sent) = story.origin(arrival) else { return Vec::new() };
        let Some(reset) = story.reset(sent) else { return Vec::new() };
        let peer = story.name(id.remote.ip());
        let answered = reset.answers.and_then(|answers| Some((answers, story.origin(answers)?)));
        let rst = match answered {
            Some((answers, segment)) => {
                let what = packet(self.story, segment);
                let text = format!("the RST of {} answered {what} of {}", self.at(sent), self.at(segment));
                self.sentence(text, vec![arrival, sent, answers, segment])
            }
            None => {
                let text = match reset.why {
                    Why::Injected => format!("a RST came in the name of {peer}, of {}", self.at(sent)),
                    _ => format!("{peer} sent a RST at {} of its own accord", self.at(sent)),
                };
                self.sentence(text, vec![arrival, sent])
            }
        };
        let mut links = vec![rst];
        links.extend(self.why_reset(reset.why, &peer, id, sent));
        links
    }

    fn why_reset(&self, why: Why, peer: &str, id: ConnectionId, sent: usize) -> Vec<Sentence> {
        match why {
            Why::Forgotten => {
                let is_boot = |it: &Struck<'_>| it.kind == FaultKind::Boot && it.host == peer;
                let boot = self.story.faults.last(sent, is_boot).map(|it| it.at);
                let text =
                    |at| format!("the {peer} host forgot the connection when it rebooted at {}", self.at(at));
                boot.map(|at| self.sentence(text(at), vec![at])).into_iter().collect()
            }
            Why::Refused => {
                let text = format!("nobody listened on port {} of {peer}", id.remote.port());
                vec![self.sentence(text, vec![sent])]
            }
            Why::UnknownFlow => {
                let concern = self.story.concern(self.trouble.host, Some(id.remote.ip()));
                let is_it = |it: &Struck<'_>| it.kind == FaultKind::Forget && concern.is_on_path(it.host);
                let text = match self.story.faults.last(sent, is_it) {
                    Some(it) => fault::cause(it.kind, it.host, &wording::instant(it.t)),
                    None => "a middlebox on the way had forgotten the flow, on which nothing had passed for too long"
                        .to_owned(),
                };
                vec![self.sentence(text, vec![sent])]
            }
            Why::Rejected => vec![self.sentence(fault::REJECTED.to_owned(), vec![sent])],
            Why::Injected => {
                let is_it = |it: &Struck<'_>| matches!(it.kind, FaultKind::Reset { .. });
                let fault = self.story.faults.last(sent, is_it);
                fault
                    .map(|it| self.sentence(format!("{peer} never sent it: it was injected"), vec![it.at]))
                    .into_iter()
                    .collect()
            }
            Why::Closed => self.who_left(peer, id, sent),
            Why::Abort => self.who_left_data(peer, id, sent),
        }
    }

    /// Why no process was left at the peer: its FIN came before.
    fn who_left(&self, peer: &str, id: ConnectionId, before: usize) -> Vec<Sentence> {
        let peers = ConnectionId::new(id.remote, id.local);
        let mut segments = self.story.segments(peer, peers, Direction::Out, before);
        let Some((fin, _)) = segments.rfind(|(_, segment)| segment.flags.has(Flags::FIN)) else {
            let text = format!("{peer} had no such connection any more");
            return vec![self.sentence(text, vec![before])];
        };
        let text = format!("{peer} had closed its end with the FIN of {}", self.at(fin));
        let mut links = vec![self.sentence(text, vec![fin])];
        links.extend(self.why_fin(peer, fin));
        links
    }

    /// Why the peer sent a FIN: its process had ended, or was shut down.
    fn why_fin(&self, peer: &str, fin: usize) -> Option<Sentence> {
        let story = self.story;
        let same = |event: &Event| &*event.host == peer && event.t == story.t(fin);
        let ended =
            story.events.iter().enumerate().filter(|(_, event)| same(event)).find_map(|(at, event)| {
                let Kind::Process(Process { pid, process, what }) = &event.kind else { return None };
                let who = wording::process(process, *pid);
                match what {
                    ProcessChange::Killed { signal } => Some((at, format!("{who} was killed by {signal}"))),
                    ProcessChange::Exit { status } => Some((at, format!("{who} exited {status}"))),
                    _ => None,
                }
            });
        let shut = || {
            let is_shutdown = |it: &Struck<'_>| it.kind == FaultKind::Shutdown && it.host == peer;
            let it = story.faults.last(fin, is_shutdown)?;
            Some((it.at, format!("{} was shut down", it.host)))
        };
        let (at, what) = ended.or_else(shut)?;
        Some(self.sentence(format!("{what} at {}", self.at(at)), vec![at]))
    }

    /// A RST that answers nothing: a process that left data unread, or did not want to linger.
    fn who_left_data(&self, peer: &str, id: ConnectionId, sent: usize) -> Vec<Sentence> {
        let events = self.story.events;
        let same = |event: &Event| &*event.host == peer && event.t == events[sent].t;
        let left = |(at, event): (usize, &Event)| match &event.kind {
            Kind::Call(call) if matches!(call.what, SystemCall::Close { .. }) && call.result.is_ok() => {
                let who = wording::process(&call.process, call.pid);
                Some((at, call.pid, format!("{who} closed the connection")))
            }
            Kind::Process(Process { pid, process, what: ProcessChange::Exit { status } }) => {
                Some((at, *pid, format!("{} exited {status}", wording::process(process, *pid))))
            }
            _ => None,
        };
        let mut now = events.iter().enumerate().filter(|(_, event)| same(event));
        let Some((at, pid, what)) = now.find_map(left) else { return Vec::new() };
        let unread = match self.unread(peer, pid, ConnectionId::new(id.remote, id.local), sent) {
            0 => String::new(),
            octets => {
                format!(" with {} unread (RFC 1122, 4.2.2.13)", wording::count(octets as usize, "octet"))
            }
        };
        vec![self.sentence(format!("{what} at {}{unread}", self.at(at)), vec![at])]
    }

    /// Octets that came to a process's connection and that it had not read.
    fn unread(&self, host: &str, pid: u32, id: ConnectionId, before: usize) -> u64 {
        let arrived = self.story.segments(host, id, Direction::In, before);
        // SYN is 0, so the first octet is 1.
        let arrived = arrived.map(|(_, it)| (u64::from(it.seq) + it.len as u64).saturating_sub(1)).max();
        let read = |event: &Event| match &event.kind {
            Kind::Call(call) if call.pid == pid && &*event.host == host && call.reads_from_peer() => {
                u64::try_from(call.result.unwrap_or(0)).unwrap_or(0)
            }
            _ => 0,
        };
        arrived.unwrap_or(0).saturating_sub(self.story.events[..before].iter().map(read).sum())
    }

    /// The peer's FIN, and why it was sent.
    pub(super) fn fin(&self, id: ConnectionId) -> Vec<Sentence> {
        let story = self.story;
        let mut arrivals = story.segments(self.trouble.host, id, Direction::In, self.trouble.at);
        let Some((arrival, _)) = arrivals.rfind(|(_, segment)| segment.flags.has(Flags::FIN)) else {
            return Vec::new();
        };
        let Some(sent) = story.origin(arrival) else { return Vec::new() };
        let peer = story.name(id.remote.ip());
        let waited = self.trouble_waited(arrival);
        let text = format!(
            "the FIN that {peer} sent at {} lay there since {}{waited}",
            self.at(sent),
            self.at(arrival)
        );
        let mut links = vec![self.sentence(text, vec![arrival, sent])];
        links.extend(self.why_fin(&peer, sent));
        links
    }

    /// How long it lay unread.
    fn trouble_waited(&self, arrival: usize) -> String {
        let waited = self.story.t(self.trouble.at) - self.story.t(arrival);
        if waited.is_zero() { String::new() } else { format!(", unread for {}", wording::span(waited)) }
    }
}
