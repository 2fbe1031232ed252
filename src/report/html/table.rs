//! The run as rows of numbers and a list of words: short to write, quick to read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::{RunInfo, wording};
use super::flight::{self, Flight};
use super::fold::{self, Fold};
use super::reel::Reel;
use crate::packet::Flags;
use crate::sim::Film;
use crate::time::SimTime;
use crate::timeline::{
    Call, Direction, Event, Icmp, Kind, Line, LostPacket, Process, ProcessChange, SegmentEvent, SignalChange,
    Stream,
};

/// What `script/run.js` reads. Times are whole microseconds, texts are places in `words`, and −1 is nothing.
#[derive(Serialize)]
pub(super) struct Table {
    scenario: String,
    sentence: String,
    command: String,
    stack: String,
    /// Names of the ladder's columns, left to right.
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Departure and end of each flight, one behind the other.
    flights: Vec<usize>,
    /// First event, events of the phrase and times of each fold, one behind the other.
    folds: Vec<usize>,
    reels: Vec<Reel>,
    words: Vec<String>,
}

/// An event: time, column, kind, and what the kind says; nothings at the end are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Row(Vec<i64>);

/// Nothing.
pub(super) const NONE: i64 = -1;

/// What an event is about, as the third number of its row; the order is that of `script/run.js`.
#[derive(Clone, Copy)]
enum What {
    Segment,
    Icmp,
    Lost,
    Call,
    State,
    Process,
    Signal,
    Line,
    Fault,
}

impl Row {
    fn new(mut numbers: Vec<i64>) -> Row {
        let end = numbers.iter().rposition(|number| *number != NONE).map_or(0, |last| last + 1);
        numbers.truncate(end);
        Row(numbers)
    }

    pub(super) fn time(&self) -> i64 {
        self.0[0]
    }

    /// Whether a segment leaves with it.
    pub(super) fn departs(&self) -> bool {
        self.0[2] == What::Segment as i64 && self.0[3] == 1
    }

    /// Whether it says the same but for its time and the count of a retransmission.
    pub(super) fn is_like(&self, other: &Row) -> bool {
        let same = |range: std::ops::Range<usize>| {
            let part = |row: &Row| row.0[range.start.min(row.0.len())..range.end.min(row.0.len())].to_vec();
            part(self) == part(other)
        };
        match self.0[2] == What::Segment as i64 {
            // The numbers that all segments have; behind them is what the sender knows of this sending.
            true => same(1..SEGMENT_NUMBERS),
            false => same(1..usize::MAX),
        }
    }
}

const SEGMENT_NUMBERS: usize = 11;

/// Microseconds.
pub(super) fn micros(t: SimTime) -> i64 {
    t.as_micros() as i64
}

/// Every text once.
#[derive(Default)]
pub(super) struct Words {
    places: BTreeMap<String, i64>,
    list: Vec<String>,
}

impl Words {
    pub(super) fn put(&mut self, word: impl ToString) -> i64 {
        let word = word.to_string();
        *self.places.entry(word).or_insert_with_key(|word| {
            self.list.push(word.clone());
            self.list.len() as i64 - 1
        })
    }

    pub(super) fn put_some(&mut self, word: Option<impl ToString>) -> i64 {
        word.map_or(NONE, |word| self.put(word))
    }
}

impl Table {
    pub(super) fn new(run: &RunInfo, events: &[Event], film: &Film) -> Table {
        let columns = columns(events, film);
        let mut words = Words::default();
        let rows: Vec<Row> = events.iter().map(|event| row(event, &columns, &mut words)).collect();
        let flights = flight::flights(events).into_iter().flat_map(|(out, end): Flight| [out, end]);
        let folds = fold::folds(&rows);
        let folds = folds.into_iter().flat_map(|Fold { first, events, times }| [first, events, times]);
        let reels = Reel::all(film, &columns, &mut words);
        Table {
            scenario: run.scenario.clone(),
            sentence: run.sentence.clone(),
            command: run.command(),
            stack: run.stack.clone(),
            flights: flights.collect(),
            folds: folds.collect(),
            columns,
            rows,
            reels,
            words: words.list,
        }
    }
}

/// Who calls stands on the left, who is called on the right, and what lies between them in the middle.
fn columns(events: &[Event], film: &Film) -> Vec<String> {
    let mut hosts: Vec<&str> = film.hosts().iter().map(|host| &*host.name).collect();
    let named = events.iter().filter(|event| !matches!(event.kind, Kind::Fault { .. }));
    for event in named {
        if !hosts.contains(&&*event.host) {
            hosts.push(&event.host);
        }
    }
    let calls = |host: &str| {
        events.iter().any(|event| match &event.kind {
            Kind::Segment(segment) => {
                &*event.host == host
                    && segment.dir == Direction::Out
                    && segment.flags.has(Flags::SYN)
                    && segment.ack.is_none()
            }
            _ => false,
        })
    };
    let ends = |host: &str| film.hosts().iter().any(|film| &*film.name == host) || host != "router";
    let place = |host: &&str| match (calls(host), ends(host)) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    };
    hosts.sort_by_key(place);
    hosts.into_iter().map(str::to_owned).collect()
}

fn row(event: &Event, columns: &[String], words: &mut Words) -> Row {
    let column = columns.iter().position(|column| **column == *event.host);
    let mut row = vec![micros(event.t), column.map_or(NONE, |column| column as i64)];
    let what = match &event.kind {
        Kind::Segment(_) => What::Segment,
        Kind::Icmp(_) => What::Icmp,
        Kind::Lost { .. } => What::Lost,
        Kind::Call(_) => What::Call,
        Kind::State { .. } => What::State,
        Kind::Process(_) => What::Process,
        Kind::Signal { .. } => What::Signal,
        Kind::Line(_) => What::Line,
        Kind::Fault { .. } => What::Fault,
    };
    row.push(what as i64);
    row.extend(says(&event.kind, words));
    Row::new(row)
}

fn says(kind: &Kind, words: &mut Words) -> Vec<i64> {
    match kind {
        Kind::Segment(segment) => segment_says(segment, words),
        Kind::Icmp(icmp) => icmp_says(icmp, words),
        Kind::Lost { packet, reason } => {
            let what = match packet {
                LostPacket::Segment(segment) => {
                    format!("{} {}", wording::flags(segment.flags), wording::identity(segment))
                }
                LostPacket::Icmp(icmp) => wording::icmp(icmp),
                LostPacket::Malformed(octets) => wording::count(*octets, "octet"),
            };
            vec![words.put(reason), words.put(what)]
        }
        Kind::Call(Call { pid, process, call, within, args, result, since }) => vec![
            i64::from(*pid),
            words.put(process),
            words.put(call),
            words.put_some(*within),
            words.put(args),
            words.put(wording::outcome(*result)),
            words.put_some(result.err()),
            micros(*since),
        ],
        Kind::State { local, remote, from, to } => {
            let remote = (remote.port() != 0).then_some(remote);
            vec![words.put(local), words.put_some(remote), words.put(from), words.put(to)]
        }
        Kind::Process(Process { pid, process, what }) => {
            let died = matches!(what, ProcessChange::Killed { .. });
            vec![i64::from(*pid), words.put(process), words.put(change(*what)), i64::from(died)]
        }
        Kind::Signal { pid, process, signal, what } => {
            let became = match what {
                SignalChange::Delivered => "delivered",
                SignalChange::Ignored => "ignored",
                SignalChange::Pending => "pending",
                SignalChange::Merged => "merged",
                SignalChange::Killed => "kills",
            };
            vec![i64::from(*pid), words.put(process), words.put(signal), words.put(became)]
        }
        Kind::Line(Line { pid, process, stream, text }) => {
            let stream = match stream {
                Stream::Stdin => 0,
                Stream::Stdout => 1,
                Stream::Stderr => 2,
            };
            vec![i64::from(*pid), words.put(process), stream, words.put(text)]
        }
        Kind::Fault { fault, target, detail } => {
            vec![words.put(fault), words.put(target), words.put_some(detail.as_ref())]
        }
    }
}

fn segment_says(segment: &SegmentEvent, words: &mut Words) -> Vec<i64> {
    let SegmentEvent { dir, src, dst, flags, seq, ack, win, len, retransmission, note } = *segment;
    let (nth, limit, next) = match retransmission {
        Some(again) => (
            i64::from(again.nth),
            again.limit.map_or(NONE, i64::from),
            again.next.map_or(NONE, |next| micros(SimTime::ZERO + next)),
        ),
        None => (NONE, NONE, NONE),
    };
    vec![
        i64::from(dir == Direction::Out),
        words.put(src),
        words.put(dst),
        words.put(flags),
        i64::from(seq),
        ack.map_or(NONE, i64::from),
        i64::from(win),
        len as i64,
        nth,
        limit,
        next,
        words.put_some(note),
    ]
}

fn icmp_says(icmp: &Icmp, words: &mut Words) -> Vec<i64> {
    vec![
        i64::from(icmp.dir == Direction::Out),
        words.put(icmp.src),
        words.put(icmp.dst),
        words.put(wording::icmp(icmp)),
        i64::from(icmp.type_code.0),
        i64::from(icmp.type_code.1),
        words.put(wording::ends(icmp.about.0, icmp.about.1)),
    ]
}

fn change(what: ProcessChange) -> String {
    match what {
        ProcessChange::Start => "started".to_owned(),
        ProcessChange::Fork { parent } => format!("forked by {parent}"),
        ProcessChange::Exit { status } => format!("exited with {status}"),
        ProcessChange::Killed { signal } => format!("killed by {signal}"),
        ProcessChange::Zombie => "is a zombie".to_owned(),
        ProcessChange::Reaped => "reaped".to_owned(),
    }
}
