//! What happened, in time order: the events that a person would tell of.

use std::collections::BTreeMap;

use super::Sentence;
use super::again::retransmissions;
use super::evidence::Evidence;
use super::flow::flow;
use super::lines::lines;
use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::report::wording;
use crate::time::SimTime;
use crate::timeline::{
    Direction, Event, FaultKind, Icmp, Kind, Line, Process, ProcessChange, SegmentEvent, Stream, Way,
};

/// Errors that are an answer rather than a failure: "not yet", and "nobody left to wait for".
const ANSWERS: [Errno; 4] = [Errno::EAGAIN, Errno::EINPROGRESS, Errno::EALREADY, Errno::ECHILD];

pub(super) fn story(evidence: &Evidence<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (at, event) in evidence.events.iter().enumerate() {
        if let Some(text) = said(evidence, at, event) {
            sentences.push(Sentence { t: event.t, text, events: vec![at] });
        }
    }
    sentences.extend(lines(evidence));
    sentences.extend(retransmissions(evidence));
    sentences.extend(flow(evidence));
    sentences.extend(zombies(evidence));
    sentences.sort_by_key(|sentence| (sentence.t, sentence.events.first().copied()));
    alike(sentences)
}

fn said(evidence: &Evidence<'_>, at: usize, event: &Event) -> Option<String> {
    match &event.kind {
        Kind::Call(call) => match (call.name(), call.result) {
            ("connect", Ok(_)) => {
                let waited = wording::span(event.t - call.since);
                let who = wording::process(&call.process, call.pid);
                Some(format!("{who} on {} is connected, {waited} after it asked.", event.host))
            }
            (_, Err(errno)) if !ANSWERS.contains(&errno) => {
                let (who, name) = (wording::process(&call.process, call.pid), call.known_as());
                Some(format!("{who}: {name} fails with {errno}, {}.", errno.message()))
            }
            _ => None,
        },
        Kind::Process(Process { pid, process, what }) => {
            let who = format!("{} on {}", wording::process(process, *pid), event.host);
            match what {
                ProcessChange::Killed { signal } => {
                    Some(format!("{who} is killed by {signal}; its kernel closes its descriptors."))
                }
                ProcessChange::Exit { status } => Some(format!("{who} exits {status}.")),
                _ => None,
            }
        }
        Kind::Line(Line { stream: Stream::Stderr, text, process, pid }) => {
            Some(format!("{} says: {text}", wording::process(process, *pid)))
        }
        Kind::Fault { fault, target } => fault_said(*fault, target),
        Kind::Segment(segment) if segment.dir == Direction::Out => reset_said(evidence, at, segment),
        Kind::Icmp(Icmp {
            dir: Direction::In, src, what: Unreachable::FragmentationNeeded { mtu }, ..
        }) => {
            let who = evidence.name(*src);
            Some(format!(
                "The {who} tells {}: no packet of more than {mtu} octets goes on from there.",
                event.host
            ))
        }
        _ => None,
    }
}

fn fault_said(fault: FaultKind, target: &str) -> Option<String> {
    let packets = |way| match wording::direction(way) {
        None => format!("Packets at {target}"),
        Some(direction) => format!("Packets {direction} {target}"),
    };
    Some(match fault {
        FaultKind::Crash => {
            format!("The {target} host crashes: it is gone without a word, and all it knew with it.")
        }
        FaultKind::Boot => format!("The {target} host boots, and knows nothing of what was before."),
        FaultKind::Shutdown => {
            format!("The {target} host is shut down: its processes are asked to end, then made to.")
        }
        FaultKind::Partition(Way::Both) => {
            format!("The network is cut at {target}: what is sent across is lost.")
        }
        FaultKind::Partition(way) => {
            format!("The network is cut one way at {target}: {} are lost.", lower(&packets(way)))
        }
        FaultKind::Repair(Way::Both) => format!("The network at {target} is whole again."),
        FaultKind::Repair(way) => format!("{} get through again.", packets(way)),
        FaultKind::Hold(way) => format!("{} are held up.", packets(way)),
        FaultKind::Release(Way::Both) => format!("What was held up at {target} goes on."),
        FaultKind::Release(way) => format!("{} that were held up go on.", packets(way)),
        FaultKind::Unreachable(answer) => {
            format!("From now on a router answers packets for {target}: {}.", answer.name())
        }
        FaultKind::Reachable => format!("{target} can be reached again."),
        // The process's end says more.
        FaultKind::Kill { .. } => return None,
    })
}

/// A phrase that began a sentence, within one.
fn lower(phrase: &str) -> String {
    phrase.replacen('P', "p", 1)
}

fn reset_said(evidence: &Evidence<'_>, at: usize, segment: &SegmentEvent) -> Option<String> {
    let reset = evidence.reset(at)?;
    let peer = evidence.name(segment.dst.ip());
    Some(format!(
        "{} sends {peer} a RST, which {}.",
        evidence.events[at].host,
        match reset.answers {
            Some(_) => format!("answers what came from there: {}", reset.why.words()),
            None => reset.why.words().to_owned(),
        }
    ))
}

/// Children that ended and that nobody ever waited for (UNP 5.8).
fn zombies(evidence: &Evidence<'_>) -> Vec<Sentence> {
    let mut left: BTreeMap<(&str, u32), (usize, &Process)> = BTreeMap::new();
    for (at, event) in evidence.events.iter().enumerate() {
        let Kind::Process(process) = &event.kind else { continue };
        match process.what {
            ProcessChange::Zombie => _ = left.insert((&event.host, process.pid), (at, process)),
            ProcessChange::Reaped => _ = left.remove(&(&*event.host, process.pid)),
            _ => {}
        }
    }
    let sentence = |((host, _), (at, process)): ((&str, u32), (usize, &Process))| {
        let who = wording::process(&process.process, process.pid);
        let text = format!("{who} on {host} stays a zombie: nobody ever waits for it.");
        Sentence { t: evidence.t(at), text, events: vec![at] }
    };
    left.into_iter().map(sentence).collect()
}

/// A hundred processes that do the same are told of once.
fn alike(sentences: Vec<Sentence>) -> Vec<Sentence> {
    let mut kept: Vec<(Sentence, usize)> = Vec::new();
    let mut seen: BTreeMap<(SimTime, String), usize> = BTreeMap::new();
    for sentence in sentences {
        let index = *seen.entry((sentence.t, nameless(&sentence.text))).or_insert(kept.len());
        match kept.get_mut(index) {
            Some((first, more)) => {
                first.events.extend(sentence.events);
                *more += 1;
            }
            None => kept.push((sentence, 0)),
        }
    }
    let folded = |(mut sentence, more): (Sentence, usize)| {
        match more {
            0 => {}
            1 => sentence.text.push_str(" The same once more."),
            more => sentence.text.push_str(&format!(" The same {more} times more.")),
        }
        sentence
    };
    kept.into_iter().map(folded).collect()
}

/// Text without process ids, which stand in brackets.
fn nameless(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for c in text.chars() {
        inside = c == '[' || inside && c.is_ascii_digit();
        if !inside {
            kept.push(c);
        }
    }
    kept
}
