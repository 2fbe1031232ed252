//! An event as a row of numbers.

use serde::Serialize;

use super::number::{NONE, Words, micros};
use crate::report::{fault, strace, wording};
use crate::time::SimTime;
use crate::timeline::{
    Direction, Event, Icmp, Kind, Line, LostPacket, Neighbour, Process, ProcessChange, SegmentEvent,
    SignalChange, Stream,
};

/// An event: time, column, kind, and what the kind says; nothings at the end are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Row(Vec<i64>);

/// What an event is about, as the third number of its row; the order is that of `script/run.js`.
#[derive(Clone, Copy)]
enum RowKind {
    Segment,
    Icmp,
    Lost,
    Call,
    State,
    Process,
    Signal,
    Line,
    Fault,
    Neighbour,
}

impl Row {
    pub(super) fn of(event: &Event, columns: &[String], words: &mut Words) -> Row {
        let column = columns.iter().position(|column| **column == *event.host);
        let mut row = vec![micros(event.t), column.map_or(NONE, |column| column as i64)];
        let what = match &event.kind {
            Kind::Segment(_) => RowKind::Segment,
            Kind::Icmp(_) => RowKind::Icmp,
            Kind::Neighbour(_) => RowKind::Neighbour,
            Kind::Lost { .. } => RowKind::Lost,
            Kind::Call(_) => RowKind::Call,
            Kind::State { .. } => RowKind::State,
            Kind::Process(_) => RowKind::Process,
            Kind::Signal { .. } => RowKind::Signal,
            Kind::Line(_) => RowKind::Line,
            Kind::Fault { .. } => RowKind::Fault,
        };
        row.push(what as i64);
        row.extend(says(&event.kind, words));
        Row::new(row)
    }

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
        self.0[2] == RowKind::Segment as i64 && self.0[3] == 1
    }

    /// Whether it says the same but for its time and the count of a retransmission.
    pub(super) fn is_like(&self, other: &Row) -> bool {
        // Behind the numbers that all segments have is what the sender knows of this sending.
        let end = if self.0[2] == RowKind::Segment as i64 { SEGMENT_NUMBERS } else { usize::MAX };
        self.0[1..end.min(self.0.len())] == other.0[1..end.min(other.0.len())]
    }
}

const SEGMENT_NUMBERS: usize = 11;

fn says(kind: &Kind, words: &mut Words) -> Vec<i64> {
    match kind {
        Kind::Segment(segment) => segment_says(segment, words),
        Kind::Icmp(icmp) => icmp_says(icmp, words),
        Kind::Neighbour(message) => neighbour_says(message, words),
        Kind::Lost { packet, reason } => {
            let what = match &**packet {
                LostPacket::Segment(segment) => {
                    format!("{} {}", wording::flags(segment.flags), wording::identity(segment))
                }
                LostPacket::Icmp(icmp) => wording::icmp(icmp),
                LostPacket::Neighbour(message) => wording::neighbour(message),
                LostPacket::Malformed(octets) => wording::count(*octets, "octet"),
            };
            vec![words.put(reason), words.put(what)]
        }
        Kind::Call(call) => vec![
            i64::from(call.pid),
            words.put(&call.process),
            words.put(call.name()),
            words.put_some(call.within),
            words.put(strace::arguments(&call.what)),
            words.put(wording::outcome(call.result)),
            words.put_some(call.result.err()),
            micros(call.since),
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
                SignalChange::Stopped => "stops",
                SignalChange::Continued => "continues",
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
        Kind::Fault { fault, target } => {
            vec![words.put(fault.name()), words.put(target), words.put_some(fault::detail(*fault))]
        }
    }
}

fn segment_says(segment: &SegmentEvent, words: &mut Words) -> Vec<i64> {
    let SegmentEvent { dir, src, dst, flags, seq, ack, win, len, ref retransmission, probe } = *segment;
    let (nth, limit, next) = match retransmission.as_deref() {
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
        words.put_some(probe),
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

fn neighbour_says(message: &Neighbour, words: &mut Words) -> Vec<i64> {
    vec![
        i64::from(message.dir == Direction::Out),
        words.put(message.sender),
        words.put(message.target),
        words.put(wording::neighbour(message)),
        words.put(message.mac),
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
