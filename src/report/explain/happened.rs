//! What happened, in time order: the events that a person would tell of.

use std::collections::BTreeMap;

use super::Sentence;
use super::again::retransmissions;
use super::flow::flow;
use super::lines::lines;
use crate::packet::Unreachable;
use crate::report::{fault, wording};
use crate::story::Story;
use crate::time::SimTime;
use crate::timeline::{Direction, Event, Kind, Line, Process, ProcessChange, SegmentEvent, Stream};

pub(super) fn happened(story: &Story<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (at, event) in story.events.iter().enumerate() {
        if let Some(text) = said(story, at, event) {
            sentences.push(Sentence { t: event.t, text, events: vec![at] });
        }
    }
    sentences.extend(lines(story));
    sentences.extend(retransmissions(story));
    sentences.extend(flow(story));
    sentences.extend(zombies(story));
    sentences.sort_by_key(|sentence| (sentence.t, sentence.events.first().copied()));
    alike(sentences)
}

fn said(story: &Story<'_>, at: usize, event: &Event) -> Option<String> {
    match &event.kind {
        Kind::Call(call) => match (call.name(), call.result) {
            ("connect", Ok(_)) => {
                let waited = wording::span(event.t - call.since);
                let who = wording::process(&call.process, call.pid);
                Some(format!("{who} on {} is connected, {waited} after it asked.", event.host))
            }
            (_, Err(errno)) if call.failure(event.t).is_some() => {
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
        Kind::Fault { fault, target } => fault::told(*fault, target),
        Kind::Segment(segment) if segment.dir == Direction::Out => reset_said(story, at, segment),
        Kind::Icmp(icmp) if icmp.dir == Direction::In => {
            let Unreachable::FragmentationNeeded { mtu } = icmp.what else { return None };
            let who = story.name(icmp.src);
            Some(format!(
                "The {who} tells {}: no packet of more than {mtu} octets goes on from there.",
                event.host
            ))
        }
        _ => None,
    }
}

fn reset_said(story: &Story<'_>, at: usize, segment: &SegmentEvent) -> Option<String> {
    let reset = story.reset(at)?;
    let peer = story.name(segment.dst.ip());
    Some(format!(
        "{} sends {peer} a RST, which {}.",
        story.events[at].host,
        match reset.answers {
            Some(_) => format!("answers what came from there: {}", reset.why.words()),
            None => reset.why.words().to_owned(),
        }
    ))
}

/// Children that ended and that no parent ever waited for (UNP 5.8).
fn zombies(story: &Story<'_>) -> Vec<Sentence> {
    let left = story.processes.iter().filter_map(|process| Some((process, process.zombie?)));
    let sentence = |(process, at): (&crate::story::Process<'_>, usize)| {
        let who = wording::process(process.name, process.pid);
        let text = format!("{who} on {} stays a zombie: nobody ever waits for it.", process.host);
        Sentence { t: story.t(at), text, events: vec![at] }
    };
    left.map(sentence).collect()
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
