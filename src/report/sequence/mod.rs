//! The sequence diagram of a run before anything is drawn: columns, and rows of arrows and notes between them.
//!
//! A [`Sequence`] is plain data; the ladder of a terminal, Mermaid's text and the picture are ways to draw it.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `columns` | which host stands where |
//! | `arrows` | a packet's way as an arrow |
//! | `notes` | calls, states, lines, processes and signals beside their host |
//! | `fold` | what repeats itself, and silences |

mod arrows;
mod columns;
mod fold;
mod notes;

use std::time::Duration;

use crate::story::flights;
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind, LostReason};

pub use columns::Column;

/// A run as columns and rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// From left to right: who opens connections, the router if it had anything to do, all others.
    pub columns: Vec<Column>,
    /// From top to bottom, in time order.
    pub rows: Vec<Row>,
}

/// What stands at one height.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When: an arrow's is the time it was sent.
    pub t: SimTime,
    /// What the row shows.
    pub what: RowKind,
}

/// What a [`Row`] is. Columns are numbers of [`Sequence::columns`].
#[derive(Clone, Debug, PartialEq)]
pub enum RowKind {
    /// A packet between two columns.
    Arrow(Arrow),
    /// What one host did at one moment.
    Notes {
        /// Whose.
        column: usize,
        /// In the order it was done.
        notes: Vec<Note>,
    },
    /// A fault of the scenario.
    Fault {
        /// Where it struck; `None` if the target has no column.
        column: Option<usize>,
        /// `crash server`, `unreachable server (host unreachable)`.
        title: String,
        /// Whether its host is off from now on, or on again.
        power: Option<PowerChange>,
    },
    /// Nothing happens, and nothing is on its way.
    Silence {
        /// Until the next row.
        lasts: Duration,
    },
    /// Rows that came again and again.
    Repeat {
        /// The first time.
        rows: Vec<Row>,
        /// How often in all.
        times: usize,
        /// From one time to the next, in the mean.
        every: Duration,
        /// When it came the last time.
        until: SimTime,
    },
    /// Rows left out for want of room.
    Omitted {
        /// How many arrows they had.
        arrows: usize,
    },
}

/// A host that goes off or on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerChange {
    /// It crashed.
    Off,
    /// It booted.
    On,
}

/// A packet's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// Who sent it.
    pub from: usize,
    /// Who it was for; where that is not known, the column beyond the router.
    pub to: usize,
    /// What became of it.
    pub end: ArrowEnd,
    /// What it is.
    pub manner: Manner,
    /// `[P.] 7:13, ack 7`, `ICMP host unreachable`.
    pub label: String,
    /// What it carries, as a quoted string, if it is text and short.
    pub data: Option<String>,
    /// `retransmission 3/12`, `keepalive`.
    pub note: Option<String>,
    /// The network made a copy of it.
    pub copy: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowEnd {
    /// It arrived.
    Arrived(SimTime),
    /// It was lost.
    Lost {
        /// When it was lost.
        t: SimTime,
        /// The column where it was lost.
        column: usize,
        /// Why it was lost.
        reason: LostReason,
    },
    /// It was still on its way at the end.
    Underway,
}

/// What a packet is, as far as it is drawn in a manner of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A segment like any other.
    Plain,
    /// A bare acknowledgment.
    Ack,
    /// A segment sent again, or a probe.
    Again,
    /// A reset.
    Reset,
    /// An ICMP error.
    Icmp,
}

/// Something a host did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What the note is about.
    pub kind: NoteKind,
    /// In words.
    pub text: String,
}

/// What a [`Note`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A state entered.
    State,
    /// A call that returned.
    Call,
    /// A call that failed, or a process that came to a bad end.
    Error,
    /// A line typed or printed.
    Line,
    /// A process that came or went, a signal.
    Process,
}

impl Sequence {
    /// The diagram of a whole run, folded.
    pub fn of(events: &[Event]) -> Sequence {
        let flights = flights(events);
        let (columns, positions) = columns::columns(events);
        let mut arrows = arrows::by_sending(events, &flights, &positions);
        let mut notes = notes::Notes::of(events);
        let mut rows: Vec<Row> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            for arrow in arrows.remove(&at).unwrap_or_default() {
                rows.push(Row { t: event.t, what: RowKind::Arrow(arrow) });
            }
            if let Kind::Fault { fault, target } = &event.kind {
                rows.push(Row { t: event.t, what: fault_row(*fault, target, &positions) });
            } else if let Some(note) = notes.note(event)
                && let Some(column) = positions.host(&event.host)
            {
                push_note(&mut rows, event.t, column, note);
            }
        }
        Sequence { columns, rows: fold::fold(rows) }
    }

    /// The same with at most `most` arrows: where there are more, those in the middle are left out.
    pub fn at_most(self, most: usize) -> Sequence {
        Sequence { rows: fold::at_most(self.rows, most), ..self }
    }
}

/// Notes of one host at one moment that follow each other share a row.
fn push_note(rows: &mut Vec<Row>, t: SimTime, column: usize, note: Note) {
    match rows.last_mut() {
        Some(Row { t: last, what: RowKind::Notes { column: same, notes } })
            if (*last, *same) == (t, column) =>
        {
            notes.push(note);
        }
        _ => rows.push(Row { t, what: RowKind::Notes { column, notes: vec![note] } }),
    }
}

fn fault_row(fault: FaultKind, target: &str, positions: &columns::Positions<'_>) -> RowKind {
    let title = super::wording::printable(&super::fault::headline(fault, target)).into_owned();
    let power = match fault {
        FaultKind::Crash => Some(PowerChange::Off),
        FaultKind::Boot => Some(PowerChange::On),
        _ => None,
    };
    RowKind::Fault { column: positions.host(target), title, power }
}
