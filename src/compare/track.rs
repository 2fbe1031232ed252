//! What is compared: the events of a host that both kinds of run have, in words.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::given::Born;
use crate::report::arguments;
use crate::timeline::{Call, Direction, Event, Kind, ProcessChange, SignalChange, Stream, SystemCall};

/// One connection at a host, in one direction; or one of its processes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Track {
    pub(super) host: String,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Of the n-th connection that was seen there: ports differ from run to run.
    Sent(usize),
    /// The same.
    Received(usize),
    /// ICMP errors about one segment of it, and whether they were sent there: two segments that cross are told of in the
    /// order in which they come to the router.
    Told(usize, bool, u32),
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
    /// Its place in the timeline.
    pub(super) at: usize,
    pub(super) what: String,
}

/// Sorts events into tracks.
///
/// On a loopback every host has other addresses and every server another port: these are left out of calls.
pub(super) fn tracks(events: &[Event], on_loopback: bool) -> BTreeMap<Track, Vec<Moment>> {
    let mut tracks: BTreeMap<Track, Vec<Moment>> = BTreeMap::new();
    let born = Born::of(events);
    let mut connections: BTreeMap<&str, Vec<[SocketAddr; 2]>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let host: &str = &event.host;
        let nth_process = |pid: u32| born.nth(host, pid, at);
        let Some((whose, what)) = words(&event.kind, nth_process, on_loopback) else { continue };
        let part = match whose {
            Whose::Wire(dir, mut ends, quoted) => {
                ends.sort();
                let known = connections.entry(host).or_default();
                let nth = known.iter().position(|it| *it == ends).unwrap_or_else(|| {
                    known.push(ends);
                    known.len() - 1
                });
                match (quoted, dir) {
                    (Some(seq), _) => Part::Told(nth, dir == Direction::Out, seq),
                    (None, Direction::Out) => Part::Sent(nth),
                    (None, Direction::In) => Part::Received(nth),
                }
            }
            Whose::Pid(pid) => Part::Process(nth_process(pid).unwrap_or(usize::MAX)),
        };
        let track = Track { host: host.to_owned(), part };
        tracks.entry(track).or_default().push(Moment { at, what });
    }
    tracks
}

enum Whose {
    /// With the number of the segment that an error is about.
    Wire(Direction, [SocketAddr; 2], Option<u32>),
    Pid(u32),
}

/// A sequence number. One that is far from the connection's first is of an older connection between the same two ends, whose
/// numbers are chosen anew in every run.
fn number(relative: u32) -> String {
    const FAR: u32 = 1 << 26;
    if relative.min(relative.wrapping_neg()) < FAR { relative.to_string() } else { "of old".to_owned() }
}

/// The event without what may differ: pids and ports. Windows may differ a little. `None` if it is not compared: the inside
/// of a stack and the fate of zombies are not seen from outside.
fn words(
    kind: &Kind,
    nth_process: impl Fn(u32) -> Option<usize>,
    on_loopback: bool,
) -> Option<(Whose, String)> {
    Some(match kind {
        Kind::Segment(segment) => {
            let mut what = format!("{} {} seq {}", arrow(segment.dir), segment.flags, number(segment.seq));
            if let Some(ack) = segment.ack {
                what += &format!(" ack {}", number(ack));
            }
            if segment.len > 0 {
                what += &format!(" length {}", segment.len);
            }
            (Whose::Wire(segment.dir, [segment.src, segment.dst], None), what)
        }
        // What a host tells itself goes over its loopback, where nobody watches a kernel.
        Kind::Icmp(icmp) if icmp.is_own() => return None,
        Kind::Icmp(icmp) => {
            let whose = Whose::Wire(icmp.dir, icmp.about.into(), Some(icmp.seq));
            (whose, format!("{} ICMP {}", arrow(icmp.dir), icmp.what))
        }
        Kind::Call(call) => {
            let mut what = call.within.map_or(String::new(), |within| format!("{within}: "));
            what += &called(call, nth_process, on_loopback);
            (Whose::Pid(call.pid), what)
        }
        Kind::Line(line) if line.stream != Stream::Stdin => {
            (Whose::Pid(line.pid), format!("{}: {}", line.stream.name(), plain(&line.text, nth_process)))
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

/// A call with its arguments and its result, without pids, ports and the length of a text that has them in it.
fn called(call: &Call, nth_process: impl Fn(u32) -> Option<usize>, on_loopback: bool) -> String {
    let name = call.name();
    let nth = |pid: u32| nth_process(pid).map_or("?".to_owned(), |nth| format!("#{}", nth + 1));
    let arguments = match &call.what {
        // The text is seen in the line itself.
        SystemCall::Write { fd, .. } if call.within == Some("fputs") => return format!("{name}({fd})"),
        SystemCall::Kill { pid, signal } => format!("{}, {signal}", nth(*pid)),
        what if on_loopback => without_addresses(&plain(&arguments(what), &nth_process)),
        what => plain(&arguments(what), &nth_process),
    };
    match call.result {
        Ok(pid) if names_process(name) => {
            let pid = u32::try_from(pid).ok().filter(|pid| *pid > 0);
            format!("{name}({arguments}) = {}", pid.map_or("0".to_owned(), nth))
        }
        Ok(value) => format!("{name}({arguments}) = {value}"),
        Err(errno) => format!("{name}({arguments}) = -1 {errno}"),
    }
}

/// A text without what differs from run to run: the n-th process of its host is `#n`, and a port that the kernel
/// chose is `*`.
fn plain(text: &str, nth_process: impl Fn(u32) -> Option<usize>) -> String {
    let mut before = "";
    let mut words = Vec::new();
    for word in text.split(' ') {
        let nth = word.parse().ok().filter(|_| before == "child").and_then(&nth_process);
        words.push(match (nth, port(word)) {
            (Some(nth), _) => format!("#{}", nth + 1),
            (None, Some((addr, rest))) => format!("{addr}:*{rest}"),
            (None, None) => word.to_owned(),
        });
        before = word;
    }
    words.join(" ")
}

/// A text in which every address and port is `*`.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &str| word.parse::<SocketAddr>().is_ok() || word.ends_with(":*");
    text.split(' ')
        .map(|word| if is_address(word.trim_end_matches(',')) { "*" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// An address with a port that no server has been given: the address, and what follows.
fn port(word: &str) -> Option<(&str, &str)> {
    let end = word.len() - word.ends_with(',') as usize;
    let (word, rest) = word.split_at(end);
    let addr: SocketAddr = word.parse().ok()?;
    // RFC 6335, 6, and below it Linux's own.
    (addr.port() >= 32_768).then(|| word.rsplit_once(':')).flatten().map(|(addr, _)| (addr, rest))
}

const fn arrow(dir: Direction) -> char {
    match dir {
        Direction::Out => '>',
        Direction::In => '<',
    }
}

/// Whether the call's result is a pid, which is a new one every time.
fn names_process(call: &str) -> bool {
    matches!(call, "fork" | "wait" | "waitpid")
}
