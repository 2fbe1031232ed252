//! Nothing came back, or nothing but a router's word: what was sent in vain, and where it went.

use super::cause::Reasoning;
use super::{Sentence, packet};
use crate::packet::Flags;
use crate::report::{fault, wording};
use crate::story::Struck;
use crate::timeline::ConnectionId;
use crate::timeline::{Direction, FaultKind, Kind, LostPacket, LostReason, SegmentEvent};

impl Reasoning<'_, '_> {
    /// Nothing came back: what was sent, how often, and where it was lost.
    pub(super) fn silence(&self, id: ConnectionId) -> Vec<Sentence> {
        let (first, tries) = self.unanswered(id);
        let Some(first) = first else { return Vec::new() };
        let segment = self.story.segment(first);
        let probe = segment.and_then(|segment| segment.note).is_some_and(|note| note == "keepalive");
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
                |at: &&usize| self.story.segment(**at).and_then(|it| it.note) == Some("tail loss probe");
            let probes = tries.iter().filter(is_probe).count();
            let again = match wording::attempts(probes, tries.len() - 1 - probes) {
                None => String::new(),
                Some(attempts) => {
                    let any_of = if probes == 0 { "any of " } else { "" };
                    format!(" nor {any_of}its {attempts}, the last at {}", self.at(last))
                }
            };
            format!("nothing answered {} of {}{again}", packet(self.story, first), self.at(first))
        };
        let mut links = vec![self.sentence(what, tries.clone())];
        links.extend(self.why_lost(&tries));
        links
    }

    /// The router said no, and TCP remembered it.
    pub(super) fn told(&self, id: ConnectionId) -> Vec<Sentence> {
        let (first, tries) = self.unanswered(id);
        let Some(first) = first else { return Vec::new() };
        let told = self.story.told(self.trouble.host, id, first, self.trouble.at);
        let Some((last, icmp)) = told.last() else { return self.silence(id) };
        let who = match self.story.name(icmp.src) {
            router if icmp.src != id.remote.ip() => format!("the {router}"),
            peer => peer,
        };
        let times = match told.len() {
            1 => format!("at {}", self.at(*last)),
            n => format!("{} times, the last time at {}", wording::grouped(n), self.at(*last)),
        };
        let (sent, since) = (packet(self.story, first), self.at(first));
        let what = match (tries.len(), self.story.segment(first).and_then(|segment| segment.note)) {
            (1, _) => format!("{sent} of {since}"),
            (_, Some("keepalive")) => format!("the keepalive probes from {since} on"),
            _ => format!("{sent} of {since} and its retransmissions"),
        };
        let text = format!("{who} answered {what} with ICMP {} {times}", icmp.what.name());
        let mut links = vec![self.sentence(text, told.iter().map(|(at, _)| *at).collect())];
        links.extend(self.why_lost(&tries));
        links
    }

    /// The first sending of what was never acknowledged, and all of its sendings.
    fn unanswered(&self, id: ConnectionId) -> (Option<usize>, Vec<usize>) {
        let story = self.story;
        let (host, before) = (self.trouble.host, self.trouble.at);
        let heard = story.segments(host, id, Direction::In, before).next_back().map_or(0, |(at, _)| at);
        let acked = story.segments(host, id, Direction::In, before).filter_map(|(_, it)| it.ack).max();
        // What came since may have acknowledged nothing new, where packets are lost in one direction only.
        let is_unacknowledged =
            |it: &SegmentEvent| it.len > 0 && acked.is_some_and(|acked| it.seq + it.len as u32 > acked);
        let counts = |segment: &SegmentEvent| {
            segment.len > 0
                || segment.note.is_some()
                || segment.flags.has(Flags::SYN)
                || segment.flags.has(Flags::FIN)
        };
        let tries: Vec<usize> = story
            .segments(host, id, Direction::Out, before)
            .filter(|(at, it)| {
                (*at > heard && counts(it) || is_unacknowledged(it)) && !it.flags.has(Flags::RST)
            })
            .map(|(at, _)| at)
            .collect();
        (tries.first().copied(), tries)
    }

    /// Why the packets were lost: the reason of the last one, and the fault behind it.
    fn why_lost(&self, tries: &[usize]) -> Vec<Sentence> {
        let story = self.story;
        let lost = tries.iter().filter_map(|&sent| Some((sent, story.flight(sent)?.lost(story.events)?)));
        let lost: Vec<_> = lost.collect();
        let Some(&(sent, reason)) = lost.last() else { return self.lost_answers(tries) };
        self.fault_behind(reason, sent).into_iter().collect()
    }

    /// Everything arrived, so the answers must have been lost.
    fn lost_answers(&self, tries: &[usize]) -> Vec<Sentence> {
        let Some(&first) = tries.first() else { return Vec::new() };
        let answers = self.story.events[first..self.trouble.at].iter().enumerate().rev();
        let mut lost = answers.filter_map(|(n, event)| match &event.kind {
            Kind::Lost { packet: LostPacket::Segment(it), reason }
                if Some(ConnectionId::new(it.dst, it.src)) == self.trouble.id =>
            {
                Some((first + n, *reason))
            }
            _ => None,
        });
        let Some((at, reason)) = lost.next() else { return self.held().into_iter().collect() };
        let text = format!("the answers were lost ({reason}), the last at {}", self.at(at));
        let mut links = vec![self.sentence(text, vec![at])];
        links.extend(self.fault_behind(reason, at));
        links
    }

    /// Nothing was lost, but a link kept what it was given.
    fn held(&self) -> Option<Sentence> {
        let held = self.fault(self.trouble.at, |kind| matches!(kind, FaultKind::Hold(_)))?;
        let text = fault::lasts(held.kind, held.host, &wording::instant(held.t));
        Some(Sentence { t: held.t, text, events: vec![held.at] })
    }

    /// The last fault of this kind before `before` that lasts until then, on a host of the connection or its link.
    fn fault(&self, before: usize, is: impl Fn(FaultKind) -> bool) -> Option<Struck<'_>> {
        let story = self.story;
        let concern = story.concern(self.trouble.host, self.trouble.id.map(|it| it.remote.ip()));
        story.faults.in_force(before, |it| is(it.kind) && concern.is_on_path(it.host))
    }

    /// What made the network lose a packet that was sent, or lost, at `at`.
    fn fault_behind(&self, reason: LostReason, at: usize) -> Option<Sentence> {
        let fault = match reason {
            LostReason::HostDown => {
                self.fault(at, |kind| matches!(kind, FaultKind::Crash | FaultKind::Shutdown))
            }
            LostReason::Partition => self.fault(at, |kind| matches!(kind, FaultKind::Partition(_))),
            LostReason::Unreachable => self.fault(at, |kind| matches!(kind, FaultKind::Unreachable(_))),
            other => {
                let text = format!("packets were lost on the way ({other}), the last at {}", self.at(at));
                return Some(self.sentence(text, vec![at]));
            }
        }?;
        let text = fault::lasts(fault.kind, fault.host, &wording::instant(fault.t));
        Some(Sentence { t: fault.t, text, events: vec![fault.at] })
    }
}
