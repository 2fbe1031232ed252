//! What was sent again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Sentence, packet};
use crate::packet::Flags;
use crate::report::wording;
use crate::story::Story;
use crate::time::SimTime;
use crate::timeline::ConnectionId;
use crate::timeline::{Direction, Kind, LostReason, Probe, SegmentEvent};

/// More segments than this that were sent again are told of in one sentence.
const FEW: usize = 4;

/// Sendings again of one segment, or probes.
struct Series<'a> {
    host: &'a str,
    what: Resent,
    sent: Vec<usize>,
    lost: Vec<LostReason>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Resent {
    Probe(&'static str),
    /// What was sent first at this event; a piece of it is it.
    Again(usize),
    /// Something that was never seen to be sent first.
    Something(u32),
}

/// First sendings: a connection's end, and the sequence numbers that each took.
type Originals<'a> = BTreeMap<(&'a str, ConnectionId), Vec<(u32, u32, usize)>>;

/// A sentence for each segment that was sent again, and for each series of probes.
pub(super) fn retransmissions(story: &Story<'_>) -> Vec<Sentence> {
    let mut series: BTreeMap<(&str, ConnectionId, Resent), Series<'_>> = BTreeMap::new();
    let mut originals = Originals::new();
    for (at, event) in story.events.iter().enumerate() {
        let Kind::Segment(segment) = &event.kind else { continue };
        if segment.dir == Direction::In {
            continue;
        }
        let (host, id): (&str, ConnectionId) = (&event.host, ConnectionId::new(segment.src, segment.dst));
        let what = match segment.probe {
            Some(Probe::Keepalive) => Resent::Probe("keepalive probe"),
            Some(Probe::Window) => Resent::Probe("window probe"),
            _ if segment.retransmission.is_some() => {
                let first = originals.get(&(host, id)).and_then(|all| covering(all, segment.seq));
                first.map_or(Resent::Something(segment.seq), Resent::Again)
            }
            _ => {
                let taken = (segment.seq, segment.seq.wrapping_add(octets(segment)), at);
                originals.entry((host, id)).or_default().push(taken);
                continue;
            }
        };
        let new = || Series { host, what, sent: Vec::new(), lost: Vec::new() };
        let of = series.entry((host, id, what)).or_insert_with(new);
        of.sent.push(at);
        of.lost.extend(story.flight(at).and_then(|flight| flight.lost(story.events)));
    }
    let times: usize = series.values().map(|series| series.sent.len()).sum();
    if series.len() > FEW {
        return summed(story, series.values().collect(), times);
    }
    series.values().filter_map(|series| told(story, series)).collect()
}

/// The last first sending that took this sequence number.
fn covering(originals: &[(u32, u32, usize)], seq: u32) -> Option<usize> {
    originals.iter().rev().find(|(from, to, _)| (*from..*to).contains(&seq)).map(|(.., at)| *at)
}

/// Sequence numbers that a segment takes: SYN and FIN have one each (RFC 9293, 3.4).
fn octets(segment: &SegmentEvent) -> u32 {
    let bits = [Flags::SYN, Flags::FIN].iter().filter(|&&bit| segment.flags.has(bit)).count();
    (segment.len + bits) as u32
}

fn told(story: &Story<'_>, series: &Series<'_>) -> Option<Sentence> {
    let &first = series.sent.first()?;
    let what = match series.what {
        Resent::Again(original) => {
            let (name, of) = (packet(story, original), wording::instant(story.t(original)));
            format!("sends {name} of {of} again{}", course(story, series))
        }
        Resent::Something(_) => format!("sends a segment again{}", course(story, series)),
        Resent::Probe(probe) if series.sent.len() == 1 => format!("sends a {probe}"),
        Resent::Probe(probe) => {
            let probes = wording::count(series.sent.len(), probe);
            format!("sends {probes}{}", until(story, series))
        }
    };
    let text = format!("{} {what}{}.", series.host, fate(series));
    Some(Sentence { t: story.t(first), text, events: series.sent.clone() })
}

/// How often, until when and how fast.
fn course(story: &Story<'_>, series: &Series<'_>) -> String {
    let (n, at_once) = (series.sent.len(), story.t(series.sent[0]));
    match n {
        1 => String::new(),
        _ if series.sent.iter().all(|&at| story.t(at) == at_once) => format!(", in {n} pieces"),
        2 => format!(", twice{}", until(story, series)),
        _ => format!(", {n} times{}", until(story, series)),
    }
}

fn until(story: &Story<'_>, series: &Series<'_>) -> String {
    let last = series.sent.last().map_or(SimTime::ZERO, |&last| story.t(last));
    format!(", until {}, {}", wording::instant(last), pace(story, series))
}

/// How the waits between sendings go.
fn pace(story: &Story<'_>, series: &Series<'_>) -> String {
    let original = match series.what {
        Resent::Again(at) => Some(at),
        _ => None,
    };
    let sendings: Vec<SimTime> = original.iter().chain(&series.sent).map(|&at| story.t(at)).collect();
    let gaps = sendings.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) =
        gaps.fold((Duration::MAX, Duration::ZERO), |(short, long), gap| (short.min(gap), long.max(gap)));
    match longest - shortest < shortest / 10 {
        true => format!("every {}", wording::pause(longest)),
        false => format!("waiting from {} up to {}", wording::pause(shortest), wording::pause(longest)),
    }
}

fn fate(series: &Series<'_>) -> String {
    let n = series.sent.len();
    let Some(reason) = series.lost.first() else { return String::new() };
    let same = series.lost.iter().all(|other| other == reason);
    match series.lost.len() {
        lost if lost == n && n > 1 && same => format!("; all are lost: {reason}"),
        1 if n == 1 => format!("; it is lost: {reason}"),
        1 => format!("; one of them is lost: {reason}"),
        lost if same => format!("; {lost} of them are lost: {reason}"),
        lost => format!("; {lost} of them are lost"),
    }
}

fn summed(story: &Story<'_>, series: Vec<&Series<'_>>, times: usize) -> Vec<Sentence> {
    let mut sent: Vec<usize> = series.iter().flat_map(|series| series.sent.iter().copied()).collect();
    sent.sort_unstable();
    let Some((&first, &last)) = sent.first().zip(sent.last()) else { return Vec::new() };
    let text = format!(
        "From now until {}, {} are sent again, {} in all.",
        wording::instant(story.t(last)),
        wording::count(series.len(), "segment"),
        wording::count(times, "time")
    );
    vec![Sentence { t: story.t(first), text, events: sent }]
}
