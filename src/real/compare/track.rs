//! What is compared: the events of a host that both kinds of run have, in words.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::SimTime;
use crate::timeline::{Direction, Event, Kind, ProcessChange, SignalChange, Stream};

/// A host's wire in one direction, or one of its processes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Track {
    pub(super) host: String,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Sent,
    Received,
    /// The n-th that came to life there: pids differ from run to run.
    Process(usize),
}

impl Track {
    pub(super) fn is_of_wire(&self) -> bool {
        !matches!(self.part, Part::Process(_))
    }
}

/// One event of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) t: SimTime,
    pub(super) what: String,
}

/// Sorts events into tracks.
pub(super) fn tracks(events: &[Event]) -> BTreeMap<Track, Vec<Moment>> {
    let mut tracks: BTreeMap<Track, Vec<Moment>> = BTreeMap::new();
    let mut processes: BTreeMap<(&str, u32), usize> = BTreeMap::new();
    let mut born: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        let host: &str = &event.host;
        if let Kind::Process(process) = &event.kind
            && matches!(process.what, ProcessChange::Start | ProcessChange::Fork { .. })
        {
            let count = born.entry(host).or_insert(0);
            processes.insert((host, process.pid), *count);
            *count += 1;
        }
        let Some((whose, what)) = words(&event.kind) else { continue };
        let part = match whose {
            Whose::Wire(Direction::Out) => Part::Sent,
            Whose::Wire(Direction::In) => Part::Received,
            Whose::Pid(pid) => Part::Process(processes.get(&(host, pid)).copied().unwrap_or(usize::MAX)),
        };
        let track = Track { host: host.to_owned(), part };
        tracks.entry(track).or_default().push(Moment { t: event.t, what });
    }
    tracks
}

enum Whose {
    Wire(Direction),
    Pid(u32),
}

/// The event without what may differ: pids, ports, windows, arguments. `None` if it is not compared: the inside
/// of a stack and the fate of zombies are not seen from outside.
fn words(kind: &Kind) -> Option<(Whose, String)> {
    Some(match kind {
        Kind::Segment(segment) => {
            let way = arrow(segment.dir);
            let what = match segment.len {
                0 => format!("{way} {} seq {}", segment.flags, segment.seq),
                len => format!("{way} {} seq {} length {len}", segment.flags, segment.seq),
            };
            (Whose::Wire(segment.dir), what)
        }
        Kind::Icmp(icmp) => (Whose::Wire(icmp.dir), format!("{} ICMP {}", arrow(icmp.dir), icmp.what)),
        Kind::Call(call) => {
            let name = call.within.map_or(call.call.to_owned(), |within| format!("{within}: {}", call.call));
            let what = match call.result {
                Ok(_) if names_something(call.call) => name,
                Ok(value) => format!("{name} = {value}"),
                Err(errno) => format!("{name} = -1 {errno}"),
            };
            (Whose::Pid(call.pid), what)
        }
        Kind::Line(line) if line.stream != Stream::Stdin => {
            (Whose::Pid(line.pid), format!("{}: {}", line.stream.name(), line.text))
        }
        Kind::Process(process) => {
            let what = match process.what {
                ProcessChange::Exit { status } => format!("exit({status})"),
                ProcessChange::Killed { signal } => format!("killed by {signal}"),
                ProcessChange::Start | ProcessChange::Fork { .. } => format!("{} starts", process.process),
                ProcessChange::Zombie | ProcessChange::Reaped => return None,
            };
            (Whose::Pid(process.pid), what)
        }
        Kind::Signal { pid, signal, what: SignalChange::Delivered, .. } => {
            (Whose::Pid(*pid), format!("{signal} delivered"))
        }
        _ => return None,
    })
}

const fn arrow(dir: Direction) -> char {
    match dir {
        Direction::Out => '>',
        Direction::In => '<',
    }
}

/// Whether the call's result is a pid, which is a new one every time.
fn names_something(call: &str) -> bool {
    matches!(call, "fork" | "wait" | "waitpid")
}

/// What was done to the programs, which both runs have in common, in order.
pub(super) struct Anchors(Vec<SimTime>);

impl Anchors {
    pub(super) fn of(events: &[Event]) -> Anchors {
        let done_to_them = |event: &&Event| match &event.kind {
            Kind::Line(line) => line.stream == Stream::Stdin,
            Kind::Process(process) => process.what == ProcessChange::Start,
            Kind::Fault { .. } => true,
            _ => false,
        };
        Anchors(events.iter().filter(done_to_them).map(|event| event.t).collect())
    }

    /// The last anchor not after `t`, by number, and how long ago it was.
    pub(super) fn since(&self, t: SimTime) -> (Option<usize>, Duration) {
        let after = self.0.partition_point(|anchor| *anchor <= t);
        let last = after.checked_sub(1);
        (last, t - last.map_or(SimTime::ZERO, |last| self.0[last]))
    }

    /// How long after the anchor of that number `t` is.
    pub(super) fn span(&self, anchor: Option<usize>, t: SimTime) -> Duration {
        t - anchor.and_then(|anchor| self.0.get(anchor).copied()).unwrap_or(SimTime::ZERO)
    }
}
