//! Where everything stands on the page.

use anstyle::Style;

use super::Terminal;
use super::glyphs::Glyphs;
use super::line::Line;
use crate::report::sequence::{Column, Note, NoteKind, PowerChange, Row, RowKind, Sequence};
use crate::report::wording;
use crate::time::SimTime;

/// Two lifelines are never nearer than this: four of them fit on eighty columns.
pub(super) const NEAREST: usize = 23;
/// And never further: the eye must follow an arrow.
const FURTHEST: usize = 60;

pub(super) struct Page<'a> {
    pub(super) columns: &'a [Column],
    /// Where each lifeline stands.
    pub(super) places: Vec<usize>,
    /// Which hosts are down.
    pub(super) down: Vec<bool>,
    /// Width of the time, and how many decimals of it are shown.
    time: (usize, usize),
    /// The time that was written last.
    told: Option<SimTime>,
    pub(super) width: usize,
    pub(super) glyphs: Glyphs,
    pub(super) terminal: &'a Terminal,
}

impl<'a> Page<'a> {
    pub(super) fn new(sequence: &'a Sequence, terminal: &'a Terminal) -> Page<'a> {
        let decimals = decimals(&sequence.rows);
        let last = sequence.rows.last().map_or(SimTime::ZERO, end);
        let time = (clock(last, decimals).len().max(4), decimals);
        let first = time.0 + 2;
        let gaps = sequence.columns.len().saturating_sub(1);
        let room = terminal.width.saturating_sub(first + 1).clamp(NEAREST * gaps, FURTHEST * gaps);
        let place = |n: usize| first + (room * n).checked_div(gaps).unwrap_or(0);
        let places: Vec<usize> = (0..sequence.columns.len()).map(place).collect();
        // A host all alone has the page to itself.
        let width =
            places.last().map_or(0, |last| last + 1).max(if gaps == 0 { terminal.width.max(80) } else { 0 });
        let glyphs = if terminal.ascii { Glyphs::ASCII } else { Glyphs::UNICODE };
        let down = vec![false; sequence.columns.len()];
        Page { columns: &sequence.columns, places, down, time, told: None, width, glyphs, terminal }
    }

    /// The names of the hosts.
    pub(super) fn head(&self) -> Line {
        let mut line = Line::blank(self.width);
        line.write(self.time.0 - 4, "time", Style::new());
        for (n, column) in self.columns.iter().enumerate() {
            let name = self.plain(&column.name);
            let length = name.chars().count();
            let at = if n == 0 {
                self.places[n]
            } else if n + 1 == self.columns.len() {
                (self.places[n] + 1).saturating_sub(length)
            } else {
                self.places[n].saturating_sub(length / 2)
            };
            line.write(at, &name, Style::new().bold().when(self.terminal));
        }
        line
    }

    /// Text as this terminal can show it.
    pub(super) fn plain(&self, text: &str) -> String {
        if self.terminal.ascii {
            text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
        } else {
            text.to_owned()
        }
    }

    pub(super) fn row(&mut self, row: &Row) -> Vec<Line> {
        match &row.what {
            RowKind::Arrow(arrow) => vec![self.arrow(row.t, arrow)],
            RowKind::Notes { column, notes } => self.notes(row.t, *column, notes),
            RowKind::Fault { column, title, power } => vec![self.fault(row.t, *column, title, *power)],
            RowKind::Silence { lasts } => vec![self.fold(&wording::pause(*lasts))],
            RowKind::Repeat { rows, times, every, until } => {
                let mut lines: Vec<Line> = rows.iter().flat_map(|row| self.row(row)).collect();
                let text = wording::repeated(self.glyphs.times, *times, *every);
                let mut line = self.fold(&text);
                self.clock(&mut line, *until);
                lines.push(line);
                lines
            }
            RowKind::Omitted { arrows } => {
                vec![self.fold(&format!("{} more", wording::count(*arrows, "packet")))]
            }
        }
    }

    pub(super) fn blank(&mut self, t: SimTime) -> Line {
        let mut line = Line::blank(self.width);
        self.clock(&mut line, t);
        for (&place, down) in self.places.iter().zip(&self.down) {
            if !down {
                line.put(place, self.glyphs.lifeline, Style::new());
            }
        }
        line
    }

    /// Writes the time, unless it is the one of the line above.
    fn clock(&mut self, line: &mut Line, t: SimTime) {
        if self.told.replace(t) != Some(t) {
            let text = clock(t, self.time.1);
            line.write(self.time.0.saturating_sub(text.len()), &text, Style::new());
        }
    }

    /// Notes that fit share a line; one that does not has several.
    fn notes(&mut self, t: SimTime, column: usize, notes: &[Note]) -> Vec<Line> {
        let mut lines = Vec::new();
        let room = self.room(column, |_| true);
        let mut rest = notes;
        while !rest.is_empty() {
            let length = |notes: &[Note]| {
                notes.iter().map(|note| note.text.chars().count() + 2).sum::<usize>().saturating_sub(2)
            };
            let fit = (1..=rest.len()).rev().find(|&n| length(&rest[..n]) <= room).unwrap_or(1);
            let (now, later) = rest.split_at(fit);
            match now {
                [long] if length(now) > room => {
                    for text in wording::wrapped(&long.text, self.room(column, |other| !other.router)) {
                        lines.push(self.note_line(t, column, &[Note { kind: long.kind, text }]));
                    }
                }
                _ => lines.push(self.note_line(t, column, now)),
            }
            rest = later;
        }
        lines
    }

    /// How much room there is beside a lifeline, up to the next one that stops the eye.
    fn room(&self, column: usize, stops: impl Fn(&Column) -> bool) -> usize {
        let place = self.places[column];
        let stop = |&n: &usize| stops(&self.columns[n]);
        let far = if self.leftwards(column) {
            place - (0..column).rev().find(stop).map_or(self.time.0, |n| self.places[n])
        } else {
            (column + 1..self.columns.len()).find(stop).map_or(self.width, |n| self.places[n]) - place
        };
        far.saturating_sub(3)
    }

    /// The notes of the last column stand to its left: there is no page to its right.
    fn leftwards(&self, column: usize) -> bool {
        column > 0 && column + 1 == self.columns.len()
    }

    fn note_line(&mut self, t: SimTime, column: usize, notes: &[Note]) -> Line {
        let mut line = self.blank(t);
        let place = self.places[column];
        // A long note may run across the router, who has nothing to say at that moment.
        let room = self.room(column, |other| !other.router);
        let mut words: Vec<(String, Style)> =
            notes.iter().map(|note| (self.plain(&note.text), self.note_style(note.kind))).collect();
        if let [(word, _)] = words.as_mut_slice()
            && word.chars().count() > room
        {
            let kept = room.saturating_sub(self.glyphs.ellipsis.chars().count());
            *word = word.chars().take(kept).chain(self.glyphs.ellipsis.chars()).collect();
        }
        let length = words.iter().map(|(word, _)| word.chars().count() + 2).sum::<usize>().saturating_sub(2);
        let mut at = if self.leftwards(column) { place.saturating_sub(1 + length) } else { place + 2 };
        for (n, (word, style)) in words.iter().enumerate() {
            if n > 0 {
                line.write(at, ", ", Style::new());
                at += 2;
            }
            line.write(at, word, *style);
            at += word.chars().count();
        }
        line
    }

    fn note_style(&self, kind: NoteKind) -> Style {
        match kind {
            NoteKind::Error => self.terminal.palette.errno,
            _ => Style::new(),
        }
    }

    /// A rule across the page, its title as near to its host as there is room.
    fn fault(&mut self, t: SimTime, column: Option<usize>, title: &str, power: Option<PowerChange>) -> Line {
        let mut line = self.blank(t);
        let style = self.terminal.palette.fault;
        let (first, last) = (self.time.0 + 2, self.width);
        line.fill(first, last, self.glyphs.fault, style);
        for (&place, down) in self.places.iter().zip(&self.down) {
            line.put(place, if *down { self.glyphs.fault } else { self.glyphs.lifeline }, Style::new());
        }
        let title = format!(" {} ", self.plain(title));
        let length = title.chars().count();
        let place = column.map_or(first, |column| self.places[column]);
        let at = place.saturating_sub(length / 2).min((last - 1).saturating_sub(length + 1)).max(first + 2);
        line.write(at, &title, style);
        if let (Some(column), Some(power)) = (column, power) {
            let (mark, style) = match power {
                PowerChange::Off => (self.glyphs.lost, style),
                PowerChange::On => (self.glyphs.lifeline, Style::new()),
            };
            line.put(self.places[column], mark, style);
            self.down[column] = power == PowerChange::Off;
        }
        line
    }

    /// Time that is not drawn.
    fn fold(&mut self, text: &str) -> Line {
        let mut line = Line::blank(self.width);
        for (&place, down) in self.places.iter().zip(&self.down) {
            if !down {
                line.put(place, self.glyphs.silence, Style::new());
            }
        }
        let length = text.chars().count();
        let first = self.places.first().copied().unwrap_or(0);
        let gap = self.places.get(1).map_or(self.width, |next| *next) - first;
        line.write(first + 1 + gap.saturating_sub(length) / 2, text, Style::new());
        line
    }
}

/// Bold where there are colours at all.
trait When {
    fn when(self, terminal: &Terminal) -> Style;
}

impl When for Style {
    fn when(self, terminal: &Terminal) -> Style {
        if terminal.palette == crate::report::Palette::PLAIN { Style::new() } else { self }
    }
}

/// Seconds with this many decimals.
fn clock(t: SimTime, decimals: usize) -> String {
    let text = t.to_string();
    text[..text.len() - (6 - decimals)].to_owned()
}

/// As many as the times of the rows need, three at the least.
fn decimals(rows: &[Row]) -> usize {
    let need = |t: SimTime| match t.as_micros() {
        micros if micros % 1_000 == 0 => 3,
        micros if micros % 100 == 0 => 4,
        micros if micros % 10 == 0 => 5,
        _ => 6,
    };
    let of_row = |row: &Row| match &row.what {
        RowKind::Repeat { rows, until, .. } => decimals(rows).max(need(*until)),
        _ => need(row.t),
    };
    rows.iter().map(of_row).max().unwrap_or(3)
}

fn end(row: &Row) -> SimTime {
    match row.what {
        RowKind::Repeat { until, .. } => until,
        _ => row.t,
    }
}
