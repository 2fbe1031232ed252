//! `echosim explain NAME`: the story of a run in sentences, why it ended so, and what would have helped.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `happened`, `lines`, `again`, `flow` | what happened, in time order; what was typed; what was sent again; what id say |
//! | `cause` | from bad news back to what caused it |
//! | `peer_closed`, `silence` | a peer that ended the connection, and one that was never heard again |
//! | `own` | what a host's own kernel refused |
//! | `remedy` | what other runs saw, in which the client was more careful |

mod again;
mod cause;
mod flow;
mod happened;
mod lines;
mod own;
mod peer_closed;
mod remedy;
mod silence;

use std::io::{self, Write};

use super::{RunInfo, Waiting, wording};
use crate::packet::Flags;
use crate::story::Story;
use crate::time::SimTime;
use crate::timeline::{Event, SegmentEvent};

pub use remedy::{Notice, Remedy};

/// Lines are no longer than this.
const WIDTH: usize = 96;

/// A statement, and the events it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// When what it tells began.
    pub t: SimTime,
    /// What happened.
    pub text: String,
    /// Places in the list of events; at least one.
    pub events: Vec<usize>,
}

/// Bad news first, then what caused it, and what caused that.
pub type Chain = Vec<Sentence>;

/// What happened, in time order.
pub fn story(events: &[Event]) -> Vec<Sentence> {
    happened::happened(&Story::of(events))
}

/// Why: a chain for every process that had bad news, and for every client among `waiting` that has not had any.
pub fn causes(events: &[Event], waiting: &[Waiting<'_>], end: SimTime) -> Vec<Chain> {
    cause::chains(&Story::of(events), waiting, end)
}

/// Writes the story, the causes, and what other runs of the same scenario saw.
///
/// `waiting` are the processes alive at `end`. Every sentence is derived from events, and says when they were.
///
/// # Errors
///
/// What `out` says.
pub fn explain(
    out: &mut dyn Write,
    run: &RunInfo,
    events: &[Event],
    (waiting, end): (&[Waiting<'_>], SimTime),
    remedies: &[Remedy<'_>],
) -> io::Result<()> {
    if !run.sentence.is_empty() {
        writeln!(out, "{}.", wording::printable(&run.sentence).trim_end_matches('.'))?;
    }
    writeln!(out, "{}", wording::printable(&run.command()))?;

    let story = Story::of(events);
    let happened = happened::happened(&story);
    if !happened.is_empty() {
        writeln!(out, "\nWhat happened\n")?;
    }
    let clock = |sentence: &Sentence| wording::instant(sentence.t);
    let width = happened.iter().map(|sentence| clock(sentence).len()).max().unwrap_or(0);
    for sentence in &happened {
        let head = format!("{:>width$}  ", clock(sentence));
        paragraph(out, &head, &sentence.text)?;
    }

    let chains = cause::chains(&story, waiting, end);
    if !chains.is_empty() {
        writeln!(out, "\nWhy")?;
    }
    for chain in &chains {
        writeln!(out)?;
        for (n, link) in chain.iter().enumerate() {
            let head = if n == 0 { "" } else { "  because " };
            let stop = if n + 1 == chain.len() { "." } else { "," };
            paragraph(out, head, &format!("{}{stop}", link.text))?;
        }
    }
    remedy::table(out, remedies)
}

/// A packet that was sent, by its kind: `the segment`, `the SYN`, `the keepalive`.
fn packet(story: &Story<'_>, sent: usize) -> String {
    match story.segment(sent) {
        Some(SegmentEvent { probe: Some(probe), .. }) => format!("the {probe}"),
        Some(segment) if segment.flags.has(Flags::SYN) => "the SYN".to_owned(),
        Some(segment) if segment.flags.has(Flags::FIN) && segment.len == 0 => "the FIN".to_owned(),
        _ => "the segment".to_owned(),
    }
}

/// Text behind its head, as far in on every line.
fn paragraph(out: &mut dyn Write, head: &str, text: &str) -> io::Result<()> {
    let indent = head.chars().count();
    for (n, line) in wording::wrapped(&wording::printable(text), WIDTH - indent).iter().enumerate() {
        match n {
            0 => writeln!(out, "{head}{line}")?,
            _ => writeln!(out, "{:indent$}{line}", "")?,
        }
    }
    Ok(())
}
