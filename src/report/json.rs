//! `--trace=json`: one object a line (NDJSON), in time order, the first of them the run itself.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::{RunInfo, fault, strace};
use crate::time::SimTime;
use crate::timeline::{
    Direction, Event, Icmp, Kind, Line, LostPacket, Neighbour, Probe, Process, ProcessChange, Resolution,
    SegmentEvent, SignalChange,
};

/// Counts up when a field changes its name or its meaning.
const SCHEMA: u32 = 1;

/// Writes the run as NDJSON.
///
/// Every object but the first has `t` (seconds since the start, to the microsecond), `host` and `event`; what
/// follows them depends on `event` and always stands in the same order.
///
/// # Errors
///
/// What `out` says.
pub fn json(out: &mut dyn Write, run: &RunInfo, events: &[Event]) -> io::Result<()> {
    head(out, run)?;
    rows(out, events)
}

/// The first object alone.
pub(crate) fn head(out: &mut dyn Write, run: &RunInfo) -> io::Result<()> {
    line(out, &Run::from(run))
}

/// The next objects.
pub(crate) fn rows(out: &mut dyn Write, events: &[Event]) -> io::Result<()> {
    events.iter().try_for_each(|event| line(out, &Row::from(event)))
}

fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Run<'a> {
    event: &'static str,
    schema: u32,
    scenario: &'a str,
    stack: &'a str,
    seed: u64,
    /// What was set twice has the later value, as in the run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<&'a str, &'a str>,
}

impl<'a> From<&'a RunInfo> for Run<'a> {
    fn from(run: &'a RunInfo) -> Run<'a> {
        let set = run.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let RunInfo { scenario, stack, seed, .. } = run;
        Run { event: "run", schema: SCHEMA, scenario, stack, seed: *seed, set }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    t: f64,
    host: &'a str,
    #[serde(flatten)]
    what: Body<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Body<'a> {
    Segment(SegmentRow),
    Icmp(IcmpRow),
    Neighbour(NeighbourRow),
    Lost {
        #[serde(flatten)]
        packet: PacketRow,
        reason: &'static str,
    },
    Call {
        pid: u32,
        process: &'a str,
        call: &'static str,
        result: i64,
        errno: Option<&'static str>,
        args: String,
        within: Option<&'static str>,
    },
    State {
        socket: String,
        from: &'static str,
        to: &'static str,
    },
    Process {
        pid: u32,
        process: &'a str,
        what: &'static str,
        status: Option<i32>,
        signal: Option<&'static str>,
        parent: Option<u32>,
    },
    Signal {
        pid: u32,
        process: &'a str,
        signal: &'static str,
        what: &'static str,
    },
    Line {
        pid: u32,
        process: &'a str,
        stream: &'static str,
        text: &'a str,
    },
    Fault {
        fault: &'a str,
        target: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum PacketRow {
    Segment(SegmentRow),
    Icmp(IcmpRow),
    Neighbour(NeighbourRow),
    Malformed { len: usize },
}

#[derive(Serialize)]
struct SegmentRow {
    dir: &'static str,
    src: SocketAddr,
    dst: SocketAddr,
    flags: String,
    seq: u32,
    ack: Option<u32>,
    win: u16,
    len: usize,
    retransmission: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

#[derive(Serialize)]
struct IcmpRow {
    dir: &'static str,
    src: IpAddr,
    dst: IpAddr,
    #[serde(rename = "type")]
    kind: u8,
    code: u8,
    name: &'static str,
    about: String,
}

#[derive(Serialize)]
struct NeighbourRow {
    dir: &'static str,
    what: &'static str,
    sender: IpAddr,
    mac: String,
    target: IpAddr,
}

impl From<&Neighbour> for NeighbourRow {
    fn from(message: &Neighbour) -> NeighbourRow {
        let Neighbour { dir, what, sender, mac, target } = *message;
        let what = match what {
            Resolution::Request => "request",
            Resolution::Reply => "reply",
        };
        NeighbourRow { dir: direction(dir), what, sender, mac: mac.to_string(), target }
    }
}

impl<'a> From<&'a Event> for Row<'a> {
    fn from(event: &'a Event) -> Row<'a> {
        Row { t: seconds(event.t), host: &event.host, what: Body::from(&event.kind) }
    }
}

impl<'a> From<&'a Kind> for Body<'a> {
    fn from(kind: &'a Kind) -> Body<'a> {
        match kind {
            Kind::Segment(segment) => Body::Segment(segment.into()),
            Kind::Icmp(icmp) => Body::Icmp((&**icmp).into()),
            Kind::Neighbour(message) => Body::Neighbour((&**message).into()),
            Kind::Lost { packet, reason } => Body::Lost { packet: (&**packet).into(), reason: reason.name() },
            Kind::Call(call) => Body::Call {
                pid: call.pid,
                process: &call.process,
                call: call.name(),
                result: call.result.unwrap_or(-1),
                errno: call.result.err().map(|errno| errno.name()),
                args: strace::arguments(&call.what),
                within: call.within,
            },
            Kind::State { local, remote, from, to } => {
                Body::State { socket: ends(*local, *remote), from: from.name(), to: to.name() }
            }
            Kind::Process(process) => process_row(process),
            Kind::Signal { pid, process, signal, what } => {
                Body::Signal { pid: *pid, process, signal, what: signal_change(*what) }
            }
            Kind::Line(Line { pid, process, stream, text }) => {
                Body::Line { pid: *pid, process, stream: stream.name(), text }
            }
            Kind::Fault { fault, target } => {
                Body::Fault { fault: fault.name(), target, detail: fault::detail(*fault) }
            }
        }
    }
}

impl From<&SegmentEvent> for SegmentRow {
    fn from(segment: &SegmentEvent) -> SegmentRow {
        let SegmentEvent { dir, src, dst, flags, seq, ack, win, len, ref retransmission, probe } = *segment;
        let retransmission = retransmission.as_ref().map_or(0, |again| again.nth);
        SegmentRow {
            dir: direction(dir),
            src,
            dst,
            flags: flags.to_string(),
            seq,
            ack,
            win,
            len,
            retransmission,
            note: probe.map(Probe::name),
        }
    }
}

impl From<&Icmp> for IcmpRow {
    fn from(icmp: &Icmp) -> IcmpRow {
        let Icmp { dir, src, dst, what, type_code: (kind, code), about, .. } = *icmp;
        IcmpRow {
            dir: direction(dir),
            src,
            dst,
            kind,
            code,
            name: what.name(),
            about: ends(about.0, about.1),
        }
    }
}

impl From<&LostPacket> for PacketRow {
    fn from(packet: &LostPacket) -> PacketRow {
        match packet {
            LostPacket::Segment(segment) => PacketRow::Segment(segment.into()),
            LostPacket::Icmp(icmp) => PacketRow::Icmp(icmp.into()),
            LostPacket::Neighbour(message) => PacketRow::Neighbour(message.into()),
            LostPacket::Malformed(len) => PacketRow::Malformed { len: *len },
        }
    }
}

fn process_row(process: &Process) -> Body<'_> {
    let (mut status, mut signal, mut parent) = (None, None, None);
    let what = match process.what {
        ProcessChange::Start => "start",
        ProcessChange::Fork { parent: by } => {
            parent = Some(by);
            "fork"
        }
        ProcessChange::Exit { status: given } => {
            status = Some(given);
            "exit"
        }
        ProcessChange::Killed { signal: by } => {
            signal = Some(by);
            "killed"
        }
        ProcessChange::Zombie => "zombie",
        ProcessChange::Reaped => "reaped",
    };
    Body::Process { pid: process.pid, process: &process.process, what, status, signal, parent }
}

fn signal_change(what: SignalChange) -> &'static str {
    match what {
        SignalChange::Delivered => "delivered",
        SignalChange::Ignored => "ignored",
        SignalChange::Pending => "pending",
        SignalChange::Merged => "merged",
        SignalChange::Killed => "killed",
        SignalChange::Stopped => "stopped",
        SignalChange::Continued => "continued",
    }
}

fn direction(dir: Direction) -> &'static str {
    match dir {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

/// `"ip:port > ip:port"`.
fn ends(from: SocketAddr, to: SocketAddr) -> String {
    format!("{from} > {to}")
}

/// The nearest `f64` to a whole number of microseconds prints with no more digits than were put in.
fn seconds(t: SimTime) -> f64 {
    t.as_micros() as f64 / 1e6
}
