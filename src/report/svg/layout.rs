//! Where everything stands.

use std::time::Duration;

use crate::report::sequence::{Arrow, ArrowEnd, Note, NoteKind, PowerChange, Row, RowKind, Sequence};
use crate::report::wording;
use crate::time::SimTime;

/// How far down a packet is drawn to have come after the usual time on its way.
const SLOPE: f64 = 30.0;
/// Time that is not folded is never drawn longer than this.
const LONGEST: f64 = 130.0;
/// Between two moments, at the least.
const STEP: f64 = 8.0;
/// Between two arrows that begin or end at one moment.
const ARROW: f64 = 19.0;
/// A line of a note.
pub(super) const LINE: f64 = 15.0;
/// A silence.
const FOLD: f64 = 46.0;
/// The rule of a fault.
const FAULT: f64 = 30.0;
/// Room for notes to the left and to the right of the outermost hosts.
const MARGIN: f64 = 232.0;
/// The column of the times.
pub(super) const TIMES: f64 = 78.0;
/// From a host to the next; the router is half way.
const BETWEEN: f64 = 460.0;
/// A note has no longer lines than this, in characters.
const NOTE: usize = 32;
/// Above the first moment.
const HEAD: f64 = 116.0;

/// A point of the picture, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Where each lifeline stands.
    pub(super) places: Vec<f64>,
    pub(super) items: Vec<Item<'a>>,
    /// Where lifelines begin.
    pub(super) top: f64,
}

/// Something to draw.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Time { y: f64, t: SimTime },
    Arrow { arrow: &'a Arrow, from: Point, to: Point },
    Note { column: usize, y: f64, lines: Vec<(NoteKind, String)> },
    Fault { y: f64, column: Option<usize>, title: &'a str, power: Option<PowerChange> },
    Fold { y: f64, text: String },
    Frame { top: f64, bottom: f64, text: String },
}

impl<'a> Layout<'a> {
    pub(super) fn of(sequence: &'a Sequence) -> Layout<'a> {
        let places = places(sequence);
        let width = places.last().copied().unwrap_or(TIMES) + MARGIN;
        let mut pen = Pen::new(sequence, &places);
        pen.rows(&sequence.rows);
        pen.land(None);
        let height = pen.bottom + 34.0;
        Layout { width, height, items: pen.items, places, top: HEAD - 26.0 }
    }
}

fn places(sequence: &Sequence) -> Vec<f64> {
    let columns = &sequence.columns;
    let mut x = TIMES + MARGIN - 30.0;
    let mut places = Vec::new();
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            let beside_router = column.router || columns[n - 1].router;
            x += if beside_router { BETWEEN / 2.0 } else { BETWEEN };
        }
        places.push(x);
    }
    places
}

/// What happens at one moment beside one lifeline grows downwards.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// Where the next arrow may touch the lifeline.
    arrow: f64,
    /// Where the next note may stand.
    note: f64,
    /// Where the last arrow or note began: nothing later stands above it.
    last: f64,
}

struct Pen<'a, 'b> {
    places: &'b [f64],
    /// Pixels a second.
    scale: f64,
    now: SimTime,
    /// Where this moment begins.
    base: f64,
    cursors: Vec<Cursor>,
    /// The lowest point so far.
    bottom: f64,
    /// The next moment follows after what is not drawn.
    folded: bool,
    /// The last time that was written, and where.
    told: Option<(SimTime, f64)>,
    /// Arrows on their way, with where they began.
    underway: Vec<(&'a Arrow, Point, SimTime)>,
    items: Vec<Item<'a>>,
}

impl<'a, 'b> Pen<'a, 'b> {
    fn new(sequence: &'a Sequence, places: &'b [f64]) -> Pen<'a, 'b> {
        let start = sequence.rows.first().map_or(SimTime::ZERO, |row| row.t);
        Pen {
            places,
            scale: SLOPE / usual_flight(&sequence.rows).as_secs_f64(),
            now: start,
            base: HEAD,
            cursors: vec![Cursor { arrow: HEAD, note: HEAD, last: HEAD }; places.len()],
            bottom: HEAD,
            folded: false,
            told: None,
            underway: Vec::new(),
            items: Vec::new(),
        }
    }

    fn rows(&mut self, rows: &'a [Row]) {
        for row in rows {
            match &row.what {
                RowKind::Arrow(arrow) => self.arrow(row.t, arrow),
                RowKind::Notes { column, notes } => self.notes(row.t, *column, notes),
                RowKind::Fault { column, title, power } => {
                    self.go_to(row.t);
                    let y = self.bottom.max(self.base) + FAULT * 0.6;
                    self.time(row.t, y);
                    self.items.push(Item::Fault { y, column: *column, title, power: *power });
                    self.start(y + FAULT * 0.8);
                }
                RowKind::Silence { lasts } => self.fold(wording::pause(*lasts)),
                RowKind::Omitted { arrows } => {
                    self.fold(format!("{} more", wording::count(*arrows, "packet")));
                }
                RowKind::Repeat { rows, times, every, until } => {
                    self.land(None);
                    self.go_to(row.t);
                    let top = self.bottom.max(self.base) + 6.0;
                    self.start(top + 20.0);
                    self.rows(rows);
                    self.land(None);
                    let bottom = self.bottom + 30.0;
                    let repeated = wording::repeated("×", *times, *every);
                    let text = match every.is_zero() {
                        true => repeated,
                        false => format!("{repeated}, until {}", wording::instant(*until)),
                    };
                    self.items.push(Item::Frame { top, bottom, text });
                    self.start(bottom + 16.0);
                    self.bottom = bottom;
                    (self.now, self.folded) = (*until, true);
                }
            }
        }
    }

    /// Whatever comes next stands at `y` or below.
    fn start(&mut self, y: f64) {
        self.base = y;
        self.bottom = self.bottom.max(y);
        self.cursors.fill(Cursor { arrow: y, note: y, last: y });
    }

    /// Lets everything land that does so by `t`, and begins the moment `t`.
    fn go_to(&mut self, t: SimTime) {
        self.land(Some(t));
        self.step_to(t);
    }

    fn step_to(&mut self, t: SimTime) {
        if t <= self.now {
            return;
        }
        let span = if self.folded { 0.0 } else { ((t - self.now).as_secs_f64() * self.scale).min(LONGEST) };
        let y = (self.base + span).max(self.bottom + STEP);
        (self.now, self.folded) = (t, false);
        self.start(y);
    }

    fn fold(&mut self, text: String) {
        self.land(None);
        let y = self.bottom + 8.0 + FOLD / 2.0;
        self.items.push(Item::Fold { y, text });
        self.start(y + FOLD / 2.0);
        self.folded = true;
    }

    fn time(&mut self, t: SimTime, y: f64) {
        let seen = self.told.is_some_and(|(told, at)| told == t || y - at < LINE);
        if !seen {
            self.items.push(Item::Time { y, t });
            self.told = Some((t, y));
        }
    }

    /// Where an arrow touches a lifeline.
    fn touch(&mut self, column: usize) -> f64 {
        let cursor = &mut self.cursors[column];
        let y = cursor.arrow.max(cursor.last);
        (cursor.arrow, cursor.last) = (y + ARROW, y);
        self.bottom = self.bottom.max(y + ARROW - STEP);
        y
    }

    fn arrow(&mut self, t: SimTime, arrow: &'a Arrow) {
        self.go_to(t);
        let y = self.touch(arrow.from);
        self.time(t, y);
        let from = Point { x: self.places[arrow.from], y };
        match arrow.end {
            ArrowEnd::Arrived(end) | ArrowEnd::Lost { t: end, .. } => self.underway.push((arrow, from, end)),
            ArrowEnd::Underway => {
                let half = (self.places[arrow.from] + self.places[arrow.to]) / 2.0;
                self.items.push(Item::Arrow { arrow, from, to: Point { x: half, y: y + SLOPE / 2.0 } });
            }
        }
    }

    /// Draws the arrows that end by `t`, or all.
    fn land(&mut self, t: Option<SimTime>) {
        let mut landing: Vec<_> = Vec::new();
        self.underway.retain(|&flight| {
            let ends = t.is_none_or(|t| flight.2 <= t);
            if ends {
                landing.push(flight);
            }
            !ends
        });
        landing.sort_by_key(|(_, _, end)| *end);
        for (arrow, from, end) in landing {
            self.step_to(end);
            let column = match arrow.end {
                ArrowEnd::Lost { column, .. } => column,
                _ => arrow.to,
            };
            let y = self.touch(column).max(from.y);
            let to = Point { x: self.places[column], y };
            self.items.push(Item::Arrow { arrow, from, to });
        }
    }

    fn notes(&mut self, t: SimTime, column: usize, notes: &'a [Note]) {
        self.go_to(t);
        let lines: Vec<(NoteKind, String)> = notes
            .iter()
            .flat_map(|note| wording::wrapped(&note.text, NOTE).into_iter().map(|line| (note.kind, line)))
            .collect();
        let cursor = &mut self.cursors[column];
        let y = cursor.note.max(cursor.last);
        cursor.note = y + LINE * lines.len() as f64;
        cursor.last = y;
        self.bottom = self.bottom.max(cursor.note);
        self.time(t, y);
        self.items.push(Item::Note { column, y, lines });
    }
}

/// The median time that packets travel; what never arrives anywhere says nothing.
fn usual_flight(rows: &[Row]) -> Duration {
    let mut flights: Vec<Duration> = rows
        .iter()
        .filter_map(|row| match &row.what {
            RowKind::Arrow(Arrow { end: ArrowEnd::Arrived(t), .. }) => Some(*t - row.t),
            _ => None,
        })
        .filter(|flight| !flight.is_zero())
        .collect();
    flights.sort_unstable();
    flights.get(flights.len() / 2).copied().unwrap_or(Duration::from_millis(5))
}
