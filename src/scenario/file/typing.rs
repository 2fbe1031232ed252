//! `type = [{ at = "0s", line = "hello" }, { lines = 200 }, { eof = true }]`: what is typed at a terminal.

use std::time::Duration;

use serde::Deserialize;

use super::backwards;
use super::value::Value;
use crate::scenario::{Input, Typed, generated_line, limits};
use crate::time::SimTime;

/// One entry of the list.
#[derive(Deserialize)]
#[serde(try_from = "EntryTable")]
pub(super) struct Entry {
    /// When; `None` is when the entry before it is.
    at: Option<Duration>,
    what: Action,
}

enum Action {
    Line(String),
    Lines(u64),
    Eof,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTable {
    at: Option<Value<Duration>>,
    line: Option<String>,
    lines: Option<u64>,
    eof: Option<bool>,
}

impl TryFrom<EntryTable> for Entry {
    type Error = &'static str;

    fn try_from(table: EntryTable) -> Result<Entry, &'static str> {
        let what = match (table.line, table.lines, table.eof) {
            (Some(line), None, None) if line.contains('\n') => {
                return Err("line is one line, without its newline");
            }
            (Some(line), None, None) => Action::Line(line),
            (None, Some(lines), None) => Action::Lines(lines),
            (None, None, Some(true)) => Action::Eof,
            _ => return Err("expected one of line = \"TEXT\", lines = NUMBER and eof = true"),
        };
        Ok(Entry { at: table.at.map(|Value(at)| at), what })
    }
}

/// Adds what an entry says to what is typed before it; no more than `limit` lines in all.
pub(super) fn add(typed: &mut Vec<Typed>, entry: &Entry, limit: u64) -> Result<(), String> {
    let before = typed.last().map_or(Duration::ZERO, |typed| typed.at - SimTime::ZERO);
    let time = entry.at.unwrap_or(before);
    if time < before {
        return Err(backwards(time, before));
    }
    if typed.last().is_some_and(|typed| typed.what == Input::Eof) {
        return Err("nothing can be typed after the end of file".to_owned());
    }
    let lines = if let Action::Lines(lines) = entry.what { lines } else { 1 };
    // Refused before they are made, not after.
    if lines > limit.saturating_sub(typed.len() as u64) {
        return Err(format!("more typed lines than the limit of {}", limits::TYPED_LINES));
    }
    let at = SimTime::ZERO + time;
    match &entry.what {
        Action::Line(line) => typed.push(Typed { at, what: Input::Line(line.clone()) }),
        Action::Lines(lines) => {
            typed.extend((1..=*lines).map(|n| Typed { at, what: Input::Line(generated_line(n)) }));
        }
        Action::Eof => typed.push(Typed { at, what: Input::Eof }),
    }
    Ok(())
}
