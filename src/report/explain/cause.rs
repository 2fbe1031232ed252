//! From bad news back to what caused it: every step is an event that another event brought about.

use super::{Chain, Sentence};
use crate::errno::Errno;
use crate::report::{Waiting, fault, wording};
use crate::story::{News, Process, Story, Struck, Trouble};
use crate::time::SimTime;
use crate::timeline::{Direction, FaultKind, Kind};

pub(super) fn chains(story: &Story<'_>, waiting: &[Waiting<'_>], end: SimTime) -> Vec<Chain> {
    let troubles = story.troubles();
    let mut chains: Vec<Chain> = Vec::new();
    for trouble in &troubles {
        let chain = Reasoning { story, trouble }.chain();
        let told = |known: &Chain| known.iter().map(|it| &it.text).eq(chain.iter().map(|it| &it.text));
        if !chains.iter().any(told) {
            chains.push(chain);
        }
    }
    chains.extend(waiting.iter().filter_map(|waiting| unaware(story, waiting, end)));
    chains
}

/// One process's bad news, and what it can be traced back to.
pub(super) struct Reasoning<'a, 'b> {
    pub(super) story: &'b Story<'a>,
    pub(super) trouble: &'b Trouble<'a>,
}

impl Reasoning<'_, '_> {
    fn chain(&self) -> Chain {
        let mut chain = vec![self.news()];
        if let News::Failed { call, errno } = self.trouble.news {
            chain.extend(match errno {
                Errno::EINTR => self.interrupted(call.pid),
                Errno::EMFILE => self.out_of_descriptors(call.pid),
                Errno::EADDRINUSE => self.port_taken(),
                Errno::EADDRNOTAVAIL => self.out_of_ports(call),
                Errno::EAGAIN => self.timed_out(call),
                _ => Vec::new(),
            });
        }
        let Some(id) = self.trouble.id else {
            chain.extend(self.standstill());
            return chain;
        };
        let connection = self.story.connection(self.trouble.host, id);
        if let Some((at, _)) = connection.and_then(|it| it.gave_up_before(self.trouble.t)) {
            chain.push(self.sentence(format!("TCP had given up at {}", self.at(at)), vec![at]));
        }
        let links = match self.trouble.news {
            News::Failed { errno: Errno::ETIMEDOUT | Errno::EAGAIN, .. } => self.silence(id),
            News::Failed {
                errno:
                    Errno::ECONNRESET | Errno::EPIPE | Errno::ECONNREFUSED | Errno::ECONNABORTED | Errno::EPROTO,
                ..
            }
            | News::Killed { .. } => {
                let reset = self.reset(id);
                if reset.is_empty() { self.told(id) } else { reset }
            }
            News::Failed {
                errno: Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::ENETDOWN | Errno::ENOPROTOOPT,
                ..
            } => self.told(id),
            // Of the host's own making.
            News::Failed { .. } => Vec::new(),
            News::EndOfFile { .. } => self.fin(id),
        };
        if links.is_empty() {
            chain.extend(self.standstill());
        }
        chain.extend(links);
        chain
    }

    fn news(&self) -> Sentence {
        let at = self.trouble.at;
        let when = wording::instant(self.story.t(at));
        let text = match self.trouble.news {
            News::Failed { call, errno } => {
                format!("{} failed with {errno} at {when}", call.known_as())
            }
            News::EndOfFile { call } => {
                format!("{} found the end of file at {when}", call.known_as())
            }
            News::Killed { signal } => format!("{signal} killed the process at {when}"),
        };
        self.sentence(text, vec![at])
    }

    pub(super) fn sentence(&self, text: String, events: Vec<usize>) -> Sentence {
        let t = self.story.t(*events.first().expect("a sentence rests on an event"));
        Sentence { t, text, events }
    }

    pub(super) fn at(&self, event: usize) -> String {
        wording::instant(self.story.t(event))
    }
}

/// A client that waits on, though its peer is gone: nothing has told it.
fn unaware(story: &Story<'_>, waiting: &Waiting<'_>, end: SimTime) -> Option<Chain> {
    let is_it = |process: &&Process<'_>| (process.host, process.pid) == (waiting.host, waiting.pid);
    let (opened, id) = story.processes.iter().rfind(is_it)?.connected?;
    let last = story.events.len();
    let concern = story.concern(waiting.host, Some(id.remote.ip()));
    let lasting = story.faults.in_force(last, |it| match it.kind {
        FaultKind::Kill { .. } => it.at > opened && concern.is_peer(it.host),
        _ => concern.is_on_path(it.host),
    });
    let forgotten = story.faults.end_of_host(opened, last, |it| concern.is_peer(it.host));
    let gone = lasting.into_iter().chain(forgotten).max_by_key(|it| it.at)?;
    let Struck { at: gone, kind, host: peer, .. } = gone;
    let when = wording::instant(story.t(gone));
    let after = story.events[gone..].iter().any(|event| {
        &*event.host == waiting.host && matches!(&event.kind, Kind::Segment(it) if it.dir == Direction::Out)
    });
    let heard = story.events[gone..].iter().any(|event| {
        &*event.host == waiting.host && matches!(&event.kind, Kind::Segment(it) if it.dir == Direction::In)
    });
    // A server of which only another process was killed: this client's child serves it on.
    if matches!(kind, FaultKind::Kill { .. }) && !heard {
        return None;
    }
    let name = kind.name();
    let why = match (heard, after) {
        _ if kind.stops() => {
            format!("{}, whose kernel answers on", fault::cause(kind, peer, &when))
        }
        (true, _) => {
            format!("it has not looked at what came from {peer} after {when}, when there was: {name} {peer}")
        }
        (false, false) => {
            format!("it has sent nothing since {when} ({name} {peer}), and who sends nothing is told nothing")
        }
        (false, true) => format!("TCP is still trying: {name} {peer} was at {when}"),
    };
    let who = wording::process(waiting.process, waiting.pid);
    let text = format!("{who} still waits in {} at {}", waiting.on, wording::instant(end));
    Some(vec![
        Sentence { t: end, text, events: vec![last - 1] },
        Sentence { t: story.t(gone), text: why, events: vec![gone] },
    ])
}
