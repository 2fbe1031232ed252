//! What was sent again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Sentence;
use super::evidence::{Ends, Evidence};
use crate::report::wording;
use crate::time::SimTime;
use crate::timeline::{Direction, Kind, LostReason};

/// More segments than this that were sent again are told of in one sentence.
const FEW: usize = 4;

/// Sendings again of one segment.
struct Series<'a> {
    host: &'a str,
    what: &'static str,
    /// The first sending, if it is one that was sent again.
    original: Option<usize>,
    sent: Vec<usize>,
    lost: Vec<LostReason>,
}

/// A sentence for each segment that was sent again, and for each series of probes.
pub(super) fn retransmissions(evidence: &Evidence<'_>) -> Vec<Sentence> {
    let mut series: BTreeMap<(&str, Ends, u32, &str), Series<'_>> = BTreeMap::new();
    let mut originals: BTreeMap<(&str, Ends, u32), usize> = BTreeMap::new();
    for (at, event) in evidence.events.iter().enumerate() {
        let Kind::Segment(segment) = &event.kind else { continue };
        if segment.dir == Direction::In {
            continue;
        }
        let (host, ends): (&str, Ends) = (&event.host, (segment.src, segment.dst));
        let what = match segment.note {
            Some("keepalive") => "keepalive probe",
            Some("window probe") => "window probe",
            _ if segment.retransmission.is_some() => "",
            _ => {
                originals.insert((host, ends, segment.seq), at);
                continue;
            }
        };
        let original = originals.get(&(host, ends, segment.seq)).copied().filter(|_| what.is_empty());
        let key = (host, ends, segment.seq, what);
        let of = series.entry(key).or_insert_with(|| Series {
            host,
            what,
            original,
            sent: Vec::new(),
            lost: Vec::new(),
        });
        of.sent.push(at);
        of.lost.extend(evidence.flight(at).and_then(|flight| flight.lost(evidence.events)));
    }
    let times: usize = series.values().map(|series| series.sent.len()).sum();
    if series.len() > FEW {
        return summed(evidence, series.values().collect(), times);
    }
    series.values().filter_map(|series| told(evidence, series)).collect()
}

fn told(evidence: &Evidence<'_>, series: &Series<'_>) -> Option<Sentence> {
    let (&first, &last) = (series.sent.first()?, series.sent.last()?);
    let (from, to) = (evidence.t(first), evidence.t(last));
    let n = series.sent.len();
    let span = match n {
        1 => format!("at {}", wording::instant(from)),
        _ => format!("until {}, {}", wording::instant(to), pace(evidence, series)),
    };
    let what = match (series.what, series.original) {
        ("", Some(original)) => {
            let of = wording::instant(evidence.t(original));
            format!("sends the segment of {of} again, {}", wording::count(n, "time"))
        }
        ("", None) => format!("sends a segment again, {}", wording::count(n, "time")),
        (probe, _) => format!("sends {}", wording::count(n, probe)),
    };
    let fate = fate(series, n);
    let text = format!("{} {what}, {span}{fate}.", series.host);
    Some(Sentence { t: from, text, events: series.sent.clone() })
}

/// How the waits between sendings go.
fn pace(evidence: &Evidence<'_>, series: &Series<'_>) -> String {
    let sendings: Vec<SimTime> =
        series.original.iter().chain(&series.sent).map(|&at| evidence.t(at)).collect();
    let gaps = sendings.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) =
        gaps.fold((Duration::MAX, Duration::ZERO), |(short, long), gap| (short.min(gap), long.max(gap)));
    match longest - shortest < shortest / 10 {
        true => format!("every {}", wording::pause(longest)),
        false => format!("waiting from {} up to {}", wording::pause(shortest), wording::pause(longest)),
    }
}

fn fate(series: &Series<'_>, n: usize) -> String {
    let Some(reason) = series.lost.first() else { return String::new() };
    let same = series.lost.iter().all(|other| other == reason);
    match series.lost.len() {
        lost if lost == n && n > 1 && same => format!("; all are lost: {reason}"),
        1 if n == 1 => format!("; it is lost: {reason}"),
        lost if same => format!("; {lost} of them are lost: {reason}"),
        lost => format!("; {lost} of them are lost"),
    }
}

fn summed(evidence: &Evidence<'_>, series: Vec<&Series<'_>>, times: usize) -> Vec<Sentence> {
    let mut sent: Vec<usize> = series.iter().flat_map(|series| series.sent.iter().copied()).collect();
    sent.sort_unstable();
    let Some((&first, &last)) = sent.first().zip(sent.last()) else { return Vec::new() };
    let text = format!(
        "From now until {}, {} are sent again, {} in all.",
        wording::instant(evidence.t(last)),
        wording::count(series.len(), "segment"),
        wording::count(times, "time")
    );
    vec![Sentence { t: evidence.t(first), text, events: sent }]
}
