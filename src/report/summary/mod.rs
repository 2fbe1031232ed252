//! What happened and why, in the few lines that end a run.

mod connection;
mod history;
mod mishap;
mod sentence;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use self::history::History;
use self::sentence::Narrator;
use super::wording;
use crate::time::SimTime;
use crate::timeline::Event;

/// A process that is alive at the end of the run, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// Its host.
    pub host: &'a str,
    /// Process id.
    pub pid: u32,
    /// Its program's name.
    pub process: &'a str,
    /// The call it sleeps in, as the program knows it: `fgets`, `readline`, `accept`.
    pub on: &'a str,
}

/// Writes a sentence for every client, for every other process that something happened to, for zombies left over, and
/// one about the wire.
///
/// `waiting` are the processes alive at `end`, the time the run ended. All else follows from the events: the call that
/// failed last, the write before it, what was sent again since, what ICMP and RST said, which fault came before.
/// Processes of one name with the same sentence share a line.
///
/// # Errors
///
/// What `out` says.
pub fn summary(
    out: &mut dyn Write,
    events: &[Event],
    waiting: &[Waiting<'_>],
    end: SimTime,
) -> io::Result<()> {
    let mut history = History::of(events);
    for waiting in waiting {
        history.story(waiting.host, waiting.pid, waiting.process);
    }
    for (who, sentence) in fold(&Narrator { history: &history, waiting, end }) {
        writeln!(out, "{}", wording::printable(&format!("{who} {sentence}")))?;
    }
    for (host, zombies) in zombies(&history) {
        writeln!(out, "{host}: {} left", wording::count(zombies, "zombie"))?;
    }
    writeln!(out, "{}", wire(&history, end))
}

/// Sentences with their subjects, in the order the processes appeared.
fn fold(narrator: &Narrator<'_>) -> Vec<(String, String)> {
    let stories = &narrator.history.stories;
    let mut namesakes: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
    for story in stories {
        namesakes.entry((story.process, story.pid)).or_default().insert(story.host);
    }
    let mut said: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut lines: Vec<(String, usize, String)> = Vec::new();
    for story in stories {
        let Some(sentence) = narrator.tell(story) else { continue };
        let index = *said.entry((story.process, sentence.clone())).or_insert(lines.len());
        if let Some((_, twins, _)) = lines.get_mut(index) {
            *twins += 1;
            continue;
        }
        let alone = namesakes[&(story.process, story.pid)].len() == 1;
        let host = if alone { String::new() } else { format!(" on {}", story.host) };
        lines.push((format!("{}{host}", wording::process(story.process, story.pid)), 0, sentence));
    }
    let subject = |who, twins| if twins == 0 { who } else { format!("{who} and {twins} more:") };
    lines.into_iter().map(|(who, twins, sentence)| (subject(who, twins), sentence)).collect()
}

fn zombies<'a>(history: &History<'a>) -> BTreeMap<&'a str, usize> {
    let mut zombies = BTreeMap::new();
    for story in history.stories.iter().filter(|story| story.zombie && !history.is_off(story.host)) {
        *zombies.entry(story.host).or_default() += 1;
    }
    zombies
}

/// `27 segments in 562.5 s, 12 of them sent again; 13 lost: host down`.
fn wire(history: &History<'_>, end: SimTime) -> String {
    let again = match history.retransmitted {
        0 => String::new(),
        again => format!(", {again} of them sent again"),
    };
    let lost = match history.lost.iter().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [(reason, n)] => format!("; {n} lost: {reason}"),
        reasons => {
            let total: usize = history.lost.values().sum();
            let reasons: Vec<_> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            format!("; {total} lost: {}", reasons.join(", "))
        }
    };
    format!("{} in {}{again}{lost}", wording::count(history.sent, "segment"), wording::moment(end))
}
