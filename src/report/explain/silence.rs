//! Nothing came back, or nothing but a router's word: what was sent in vain, and where it went.

use super::cause::Reasoning;
use super::{Sentence, packet};
use crate::errno::Errno;
use crate::report::{fault, wording};
use crate::story::{Loss, News, Silence, Struck};
use crate::timeline::{ConnectionId, Icmp, LostReason, Probe};

impl Reasoning<'_, '_> {
    /// Nothing came back: what was sent, how often, and where it was lost.
    pub(super) fn silence(&self, id: ConnectionId) -> Vec<Sentence> {
        let tries = self.unanswered(id);
        let Some(&first) = tries.first() else { return self.asked_in_vain(id) };
        let segment = self.story.segment(first);
        let probe = segment.and_then(|segment| segment.probe) == Some(Probe::Keepalive);
        let last = *tries.last().unwrap_or(&first);
        let what = if probe {
            format!(
                "none of {} was answered, from {} to {}",
                wording::count(tries.len(), "keepalive probe"),
                self.at(first),
                self.at(last)
            )
        } else {
            let is_probe =
                |at: &&usize| self.story.segment(**at).and_then(|it| it.probe) == Some(Probe::TailLoss);
            let probes = tries.iter().filter(is_probe).count();
            // What was written in pieces was sent for the first time more than once.
            let is_again = |at: &&usize| {
                let segment = self.story.segment(**at);
                segment.is_some_and(|it| it.retransmission.is_some() || it.probe == Some(Probe::Window))
            };
            let again = tries.iter().filter(|at| is_again(at) && !is_probe(at)).count();
            let again = match wording::attempts(probes, again) {
                None => String::new(),
                Some(attempts) => {
                    let any_of = if probes == 0 { "any of " } else { "" };
                    format!(" nor {any_of}its {attempts}, the last at {}", self.at(last))
                }
            };
            format!("nothing answered {} of {}{again}", packet(self.story, first), self.at(first))
        };
        let mut links = vec![self.sentence(what, tries.clone())];
        links.extend(self.why_silent(id, &tries));
        links
    }

    /// The router said no, or no neighbour answered, and TCP remembered it.
    pub(super) fn told(&self, id: ConnectionId) -> Vec<Sentence> {
        let tries = self.unanswered(id);
        let told =
            self.story.told(self.trouble.host, id, tries.first().copied().unwrap_or(0), self.trouble.at);
        let Some((last, icmp)) = told.last() else { return self.silence(id) };
        if icmp.src == id.local.ip() {
            return self.unresolved(id, &told);
        }
        let Some(&first) = tries.first() else { return Vec::new() };
        let who = match self.story.name(icmp.src) {
            router if icmp.src != id.remote.ip() => format!("the {router}"),
            peer => peer,
        };
        let times = match told.len() {
            1 => format!("at {}", self.at(*last)),
            n => format!("{} times, the last time at {}", wording::grouped(n), self.at(*last)),
        };
        let (sent, since) = (packet(self.story, first), self.at(first));
        let what = match (tries.len(), self.story.segment(first).and_then(|segment| segment.probe)) {
            (1, _) => format!("{sent} of {since}"),
            (_, Some(Probe::Keepalive)) => format!("the keepalive probes from {since} on"),
            _ => format!("{sent} of {since} and its retransmissions"),
        };
        let text = format!("{who} answered {what} with ICMP {} {times}", icmp.what.name());
        let mut links = vec![self.sentence(text, told.iter().map(|(at, _)| *at).collect())];
        links.extend(self.why_silent(id, &tries));
        links
    }

    /// What the host told itself, as nobody on the segment said that the peer's address is his.
    fn unresolved(&self, id: ConnectionId, told: &[(usize, &Icmp)]) -> Vec<Sentence> {
        let times = match told {
            [(only, _)] => format!("at {}", self.at(*only)),
            [.., (last, _)] => {
                format!("{} times, the last time at {}", wording::grouped(told.len()), self.at(*last))
            }
            [] => return Vec::new(),
        };
        let text =
            format!("{} told itself that {} is unreachable {times}", self.trouble.host, id.remote.ip());
        let mut links = vec![self.sentence(text, told.iter().map(|(at, _)| *at).collect())];
        links.extend(self.asked_in_vain(id));
        links
    }

    /// Nobody on the segment answered who was asked for the peer's address.
    fn asked_in_vain(&self, id: ConnectionId) -> Vec<Sentence> {
        let (host, peer) = (self.trouble.host, id.remote.ip());
        let asked = self.story.asked_in_vain(host, peer, self.trouble.at);
        let (Some(first), Some(last)) = (asked.first(), asked.last()) else { return Vec::new() };
        let when = match asked.len() {
            1 => format!("at {}", self.at(*first)),
            n => format!("{} times from {} to {}", wording::grouped(n), self.at(*first), self.at(*last)),
        };
        let text = format!(
            "nobody answered when {host} asked by {} who has {peer}, {when}",
            wording::resolution(peer)
        );
        let concern = self.story.concern(host, Some(peer));
        let fault = self.story.faults.in_force(self.trouble.at, |it| concern.is_on_path(it.host));
        let mut links = vec![self.sentence(text, asked)];
        links.extend(fault.map(lasts));
        links
    }

    /// Nothing was sent, for the host's own interface was off; or nobody reads, for the peer's process was stopped.
    pub(super) fn standstill(&self) -> Option<Sentence> {
        let News::Failed { errno: Errno::ETIMEDOUT | Errno::ENETUNREACH | Errno::ENETDOWN, .. } =
            self.trouble.news
        else {
            return None;
        };
        let (host, before) = (self.trouble.host, self.trouble.at);
        let down = || self.story.own_link_down(host, before);
        let concern = self.story.concern(host, self.trouble.id.map(|id| id.remote.ip()));
        let stopped = self.story.faults.in_force(before, |it| it.kind.stops() && concern.is_peer(it.host));
        down().or(stopped).map(lasts)
    }

    fn unanswered(&self, id: ConnectionId) -> Vec<usize> {
        self.story.unanswered(self.trouble.host, id, self.trouble.at)
    }

    /// Why nothing answered: where the last packet was lost, and the fault behind it.
    fn why_silent(&self, id: ConnectionId, tries: &[usize]) -> Vec<Sentence> {
        match self.story.silence(self.trouble.host, id, tries, self.trouble.at) {
            None => Vec::new(),
            Some(Silence::Lost(loss)) => self.loss(loss).into_iter().collect(),
            Some(Silence::AnswersLost(loss)) => {
                let text =
                    format!("the answers were lost ({}), the last at {}", loss.reason, self.at(loss.at));
                let mut links = vec![self.sentence(text, vec![loss.at])];
                links.extend(self.loss(loss));
                links
            }
            Some(Silence::Held(fault) | Silence::Unseen(fault)) => vec![lasts(fault)],
        }
    }

    fn loss(&self, Loss { at, reason, fault }: Loss<'_>) -> Option<Sentence> {
        match reason {
            LostReason::HostDown
            | LostReason::HostPaused
            | LostReason::LinkDown
            | LostReason::Partition
            | LostReason::Unreachable => fault.map(lasts),
            LostReason::UnknownFlow => Some(fault.map_or_else(
                || {
                    let text = "a middlebox on the way had forgotten the flow, on which nothing had passed for too long";
                    self.sentence(text.to_owned(), vec![at])
                },
                lasts,
            )),
            LostReason::Rejected => Some(self.sentence(fault::REJECTED.to_owned(), vec![at])),
            other => {
                let text = format!("packets were lost on the way ({other}), the last at {}", self.at(at));
                Some(self.sentence(text, vec![at]))
            }
        }
    }
}

fn lasts(fault: Struck<'_>) -> Sentence {
    let text = fault::lasts(fault.kind, fault.host, &wording::instant(fault.t));
    Sentence { t: fault.t, text, events: vec![fault.at] }
}
