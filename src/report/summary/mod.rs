//! What happened and why, in the few lines that end a run.

mod sentence;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use self::sentence::Narrator;
use super::wording;
use crate::story::Story;
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
    let mut story = Story::of(events);
    for waiting in waiting {
        story.process(waiting.host, waiting.pid, waiting.process);
    }
    for (who, sentence) in fold(&Narrator { story: &story, waiting, end }) {
        writeln!(out, "{}", wording::printable(&format!("{who} {sentence}")))?;
    }
    for (host, zombies) in zombies(&story) {
        writeln!(out, "{host}: {} left", wording::count(zombies, "zombie"))?;
    }
    writeln!(out, "{}", wire(&story, end))
}

/// Sentences with their subjects, in the order the processes appeared.
fn fold(narrator: &Narrator<'_>) -> Vec<(String, String)> {
    let processes = &narrator.story.processes;
    let mut namesakes: BTreeMap<(&str, u32), BTreeSet<&str>> = BTreeMap::new();
    for process in processes {
        namesakes.entry((process.name, process.pid)).or_default().insert(process.host);
    }
    let mut said: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut lines: Vec<(String, usize, String)> = Vec::new();
    for process in processes {
        let Some(sentence) = narrator.tell(process) else { continue };
        let index = *said.entry((process.name, sentence.clone())).or_insert(lines.len());
        if let Some((_, twins, _)) = lines.get_mut(index) {
            *twins += 1;
            continue;
        }
        let alone = namesakes[&(process.name, process.pid)].len() == 1;
        let host = if alone { String::new() } else { format!(" on {}", process.host) };
        lines.push((format!("{}{host}", wording::process(process.name, process.pid)), 0, sentence));
    }
    let subject = |who, twins| if twins == 0 { who } else { format!("{who} and {twins} more:") };
    lines.into_iter().map(|(who, twins, sentence)| (subject(who, twins), sentence)).collect()
}

fn zombies<'a>(story: &Story<'a>) -> BTreeMap<&'a str, usize> {
    let mut zombies = BTreeMap::new();
    let left = story.processes.iter().filter(|process| process.zombie.is_some());
    for process in left.filter(|process| !story.faults.is_off(process.host)) {
        *zombies.entry(process.host).or_default() += 1;
    }
    zombies
}

/// `27 segments in 562.5 s, 12 of them sent again; 13 lost: host down`.
fn wire(story: &Story<'_>, end: SimTime) -> String {
    if !story.wire_was_watched() {
        return format!("segments were not watched; the run took {}", wording::moment(end));
    }
    let again = match story.retransmitted {
        0 => String::new(),
        again => format!(", {again} of them sent again"),
    };
    let lost = match story.lost.iter().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [(reason, n)] => format!("; {n} lost: {reason}"),
        reasons => {
            let total: usize = story.lost.values().sum();
            let reasons: Vec<_> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            format!("; {total} lost: {}", reasons.join(", "))
        }
    };
    format!("{} in {}{again}{lost}", wording::count(story.sent, "segment"), wording::moment(end))
}
