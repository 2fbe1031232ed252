//! Rows that come again and again are drawn once; long waits are said, not drawn.

use std::time::Duration;

use super::{Arrow, ArrowEnd, Note, Row, RowKind};
use crate::report::wording;
use crate::time::SimTime;

/// Fewer repetitions than this are drawn one by one: six waits of 64 s are the end of the book's story.
const WORTH_FOLDING: usize = 8;
/// A repetition has at most this many rows.
const LONGEST: usize = 16;
/// A wait shorter than this is drawn as no wait.
const SILENCE: Duration = Duration::from_millis(50);
/// A silence is this many times longer than packets usually travel.
const TIMES_A_FLIGHT: u32 = 4;

/// Folds repetitions, then marks the silences between what is left.
pub(super) fn fold(rows: Vec<Row>) -> Vec<Row> {
    let least = SILENCE.max(usual_flight(&rows) * TIMES_A_FLIGHT);
    let rows = rows.into_iter().map(|row| match row.what {
        RowKind::Notes { column, notes } => {
            Row { what: RowKind::Notes { column, notes: alike(notes) }, ..row }
        }
        RowKind::Arrow(arrow) => Row { what: RowKind::Arrow(late(row.t, arrow, least)), ..row },
        _ => row,
    });
    silences(repetitions(rows.collect()), least)
}

/// A packet that was held up on its way says how long it took: other rows come before its arrival.
fn late(sent: SimTime, mut arrow: Arrow, least: Duration) -> Arrow {
    if let ArrowEnd::Arrived(t) = arrow.end
        && t - sent >= least
    {
        let late = format!("arrives {} later", wording::pause(t - sent));
        arrow.note = Some(arrow.note.map_or(late.clone(), |note| format!("{note}, {late}")));
    }
    arrow
}

/// Two hundred lines typed at once are one note.
fn alike(notes: Vec<Note>) -> Vec<Note> {
    let mut kept: Vec<(Note, usize)> = Vec::new();
    for note in notes {
        match kept.last_mut() {
            Some((first, times)) if first.kind == note.kind && plain(&first.text) == plain(&note.text) => {
                *times += 1;
            }
            _ => kept.push((note, 1)),
        }
    }
    let text = |text, times| if times == 1 { text } else { format!("{text} and {} more", times - 1) };
    kept.into_iter().map(|(note, times)| Note { text: text(note.text, times), ..note }).collect()
}

/// Text without its numbers.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn repetitions(rows: Vec<Row>) -> Vec<Row> {
    let signs: Vec<String> = rows.iter().map(sign).collect();
    let mut folded = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        match repetition(&rows, &signs, at) {
            Some((length, times)) => {
                let last = at + length * (times - 1);
                let until = rows[last].t;
                let every = (until - rows[at].t) / (times as u32 - 1);
                let what = RowKind::Repeat { rows: rows[at..at + length].to_vec(), times, every, until };
                folded.push(Row { t: rows[at].t, what });
                at += length * times;
            }
            None => {
                folded.push(rows[at].clone());
                at += 1;
            }
        }
    }
    folded
}

/// How many rows from `at` on come again, and how often they stand there in all.
fn repetition(rows: &[Row], signs: &[String], at: usize) -> Option<(usize, usize)> {
    (1..=LONGEST).find_map(|length| {
        let start = |n: usize| rows.get(at + n * length).map(|row| row.t);
        let first = start(1)? - rows[at].t;
        let same = |n: &usize| {
            let (one, next) = (at + (n - 1) * length, at + n * length);
            let Some(again) = signs.get(next..next + length) else { return false };
            let gap = rows[next].t - rows[one].t;
            again == &signs[at..at + length] && gap <= first + first / 4 && gap >= first - first / 4
        };
        let times = 1 + (1..).take_while(same).count();
        let turn = &rows[at..=at + length];
        let outer = turn[length].t - turn[length - 1].t;
        // A turn begins after the longest wait in it.
        let begins_well = turn[..length].windows(2).all(|pair| pair[1].t - pair[0].t <= outer);
        (times >= WORTH_FOLDING && begins_well).then_some((length, times))
    })
}

/// What a row has in common with its repetition: all but its numbers.
fn sign(row: &Row) -> String {
    match &row.what {
        RowKind::Arrow(Arrow { from, to, end, label, note, copy, .. }) => {
            let end = match end {
                ArrowEnd::Arrived(_) => String::new(),
                ArrowEnd::Lost { column, reason, .. } => format!("lost at {column}: {reason}"),
                ArrowEnd::Underway => "underway".to_owned(),
            };
            format!("{from} {to} {} {} {end} {copy}", plain(label), plain(note.as_deref().unwrap_or("")))
        }
        RowKind::Notes { column, notes } => {
            let notes: Vec<_> = notes.iter().map(|note| plain(&note.text)).collect();
            format!("{column} {notes:?}")
        }
        // What is said once is never the same as anything.
        RowKind::Fault { .. }
        | RowKind::Silence { .. }
        | RowKind::Repeat { .. }
        | RowKind::Omitted { .. } => {
            format!("{:?}", row.t)
        }
    }
}

fn silences(rows: Vec<Row>, least: Duration) -> Vec<Row> {
    let mut marked: Vec<Row> = Vec::new();
    let mut quiet_from = SimTime::ZERO;
    let mut last = SimTime::ZERO;
    for row in rows {
        if row.t - quiet_from.max(last) >= least && !marked.is_empty() {
            marked.push(Row { t: last, what: RowKind::Silence { lasts: row.t - last } });
        }
        (last, quiet_from) = match &row.what {
            RowKind::Repeat { until, rows, .. } => {
                let tail = rows.last().map_or(row.t, |tail| tail.t) - row.t;
                (*until, *until + tail)
            }
            _ => (row.t, quiet_from.max(over(&row))),
        };
        marked.push(row);
    }
    marked
}

/// When nothing of the row is on its way any more.
fn over(row: &Row) -> SimTime {
    match row.what {
        RowKind::Arrow(Arrow { end: ArrowEnd::Arrived(t) | ArrowEnd::Lost { t, .. }, .. }) => t,
        _ => row.t,
    }
}

/// The median time that packets travel.
fn usual_flight(rows: &[Row]) -> Duration {
    let flight = |row: &Row| match &row.what {
        RowKind::Arrow(Arrow { end: ArrowEnd::Arrived(t), .. }) => Some(*t - row.t),
        _ => None,
    };
    let mut flights: Vec<Duration> = rows.iter().filter_map(flight).collect();
    flights.sort_unstable();
    flights.get(flights.len() / 2).copied().unwrap_or_default()
}

/// Leaves the middle out: a story is understood from its beginning and its end.
pub(super) fn at_most(rows: Vec<Row>, most: usize) -> Vec<Row> {
    let total: usize = rows.iter().map(arrows).sum();
    if total <= most {
        return rows;
    }
    let (head, tail) = (most * 2 / 3, most - most * 2 / 3);
    let mut kept: Vec<Row> = Vec::new();
    let mut seen = 0;
    for row in rows {
        let n = arrows(&row);
        if seen + n <= head || seen >= total - tail || matches!(row.what, RowKind::Fault { .. }) {
            kept.push(row);
        } else if let Some(Row { what: RowKind::Omitted { arrows }, .. }) = kept.last_mut() {
            *arrows += n;
        } else {
            kept.push(Row { t: row.t, what: RowKind::Omitted { arrows: n } });
        }
        seen += n;
    }
    kept.retain(|row| row.what != RowKind::Omitted { arrows: 0 });
    kept
}

fn arrows(row: &Row) -> usize {
    match &row.what {
        RowKind::Arrow(_) => 1,
        RowKind::Repeat { rows, .. } => rows.iter().map(arrows).sum(),
        _ => 0,
    }
}
