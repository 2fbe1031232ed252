//! `--mermaid FILE`: a `sequenceDiagram`, as GitHub draws it in any Markdown.

use std::io::{self, Write};

use super::sequence::{Arrow, ArrowEnd, Row, RowKind, Sequence};
use super::{RunInfo, wording};
use crate::timeline::Event;

/// Mermaid breaks no lines of its own: longer ones are broken, in characters.
const NOTE: usize = 40;

/// Diagrams with more arrows than this are slow to draw and too long to read.
const ARROWS: usize = 150;

/// Writes the run as a Mermaid diagram.
///
/// Where it would have too many arrows, those in the middle are left out, and how many is said.
///
/// # Errors
///
/// What `out` says.
pub fn mermaid(out: &mut dyn Write, run: &RunInfo, events: &[Event]) -> io::Result<()> {
    let sequence = Sequence::of(events).at_most(ARROWS);
    // Not as a title: Mermaid cuts one off that is wider than the diagram.
    if !run.sentence.is_empty() {
        writeln!(out, "%% {}", one_line(&run.sentence))?;
    }
    writeln!(out, "%% {}", one_line(&run.command()))?;
    writeln!(out, "sequenceDiagram")?;
    for (n, column) in sequence.columns.iter().enumerate() {
        writeln!(out, "    participant h{n} as {}", text(&column.name))?;
    }
    let page = Page { last: sequence.columns.len().saturating_sub(1) };
    sequence.rows.iter().try_for_each(|row| page.row(out, row, 1))
}

struct Page {
    /// The rightmost participant.
    last: usize,
}

impl Page {
    fn row(&self, out: &mut dyn Write, row: &Row, depth: usize) -> io::Result<()> {
        let indent = "    ".repeat(depth);
        match &row.what {
            RowKind::Arrow(arrow) => writeln!(out, "{indent}{}", self.arrow(row, arrow)),
            RowKind::Notes { column, notes } => {
                let side = if *column == 0 { "left" } else { "right" };
                let lines = notes.iter().flat_map(|note| wording::wrapped(&note.text, NOTE));
                let notes: Vec<String> = lines.map(|line| text(&line)).collect();
                writeln!(
                    out,
                    "{indent}Note {side} of h{column}: {}<br/>{}",
                    wording::instant(row.t),
                    notes.join("<br/>")
                )
            }
            RowKind::Fault { title, .. } => {
                self.across(out, &indent, &format!("{}: {}", wording::instant(row.t), text(title)))
            }
            RowKind::Silence { lasts } => {
                self.across(out, &indent, &format!("⋮ {} ⋮", wording::pause(*lasts)))
            }
            RowKind::Repeat { rows, times, every, .. } => {
                writeln!(out, "{indent}loop {}", wording::repeated("×", *times, *every))?;
                rows.iter().try_for_each(|row| self.row(out, row, depth + 1))?;
                writeln!(out, "{indent}end")
            }
            RowKind::Omitted { arrows } => {
                self.across(out, &indent, &format!("{} left out", wording::count(*arrows, "packet")))
            }
        }
    }

    fn across(&self, out: &mut dyn Write, indent: &str, what: &str) -> io::Result<()> {
        match self.last {
            0 => writeln!(out, "{indent}Note over h0: {what}"),
            last => writeln!(out, "{indent}Note over h0,h{last}: {what}"),
        }
    }

    fn arrow(&self, row: &Row, arrow: &Arrow) -> String {
        let Arrow { from, to, end, label, data, note, copy, .. } = arrow;
        let (line, stop, lost) = match end {
            ArrowEnd::Arrived(_) => ("->>", *to, None),
            ArrowEnd::Lost { column, reason, .. } => ("-x", *column, Some(format!("lost: {reason}"))),
            ArrowEnd::Underway => ("--)", *to, Some("on its way at the end".to_owned())),
        };
        let copy = copy.then(|| "a copy".to_owned());
        let words = [Some(label.clone()), data.clone(), note.clone(), copy, lost];
        let words: Vec<String> = words.into_iter().flatten().collect();
        format!("h{from}{line}h{stop}: {} {}", wording::instant(row.t), text(&words.join(", ")))
    }
}

/// Text in which nothing means anything to Mermaid, nor to the browser behind it: `#59;` is a semicolon.
fn text(words: &str) -> String {
    let mut safe = String::new();
    for c in one_line(words).chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '%' | '\\' | '{' | '}' => safe.push_str(&format!("#{};", c as u32)),
            _ => safe.push(c),
        }
    }
    safe
}

fn one_line(words: &str) -> String {
    wording::printable(words).into_owned()
}
