//! What caused each event of a run, as far as its timeline shows it.
//!
//! An event is caused by what came just before it at its host, by the sending of the packet that came, or by a timer:
//! then its cause is the event that set the timer. What is done to the hosts from outside has no cause.

use std::collections::BTreeMap;

use crate::packet::Flags;
use crate::story::flights;
use crate::time::SimTime;
use crate::timeline::{
    Call, ConnectionId, Direction, Event, FaultKind, Kind, Probe, ProcessChange, SegmentEvent, Stream,
    SystemCall,
};

/// What caused an event: another, by its place in the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) at: usize,
    pub(super) how: How,
}

/// How one event causes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// At once.
    Follows,
    /// The one is the packet's sending, the other its arrival or its loss.
    Travels,
    /// A timer of TCP ran in between.
    Timer,
    /// The program slept in between.
    Sleeps,
}

/// The cause of each event.
pub(super) fn causes(events: &[Event]) -> Vec<Option<Cause>> {
    let mut sent: Vec<Option<usize>> = vec![None; events.len()];
    for flight in flights(events) {
        if let Some(end) = flight.end() {
            sent[end] = Some(flight.sent);
        }
    }
    let mut reader = Reader { events, sent, hosts: BTreeMap::new(), released: BTreeMap::new() };
    (0..events.len()).map(|at| reader.read(at)).collect()
}

/// Whether it is done to the hosts from outside: both kinds of run have it from the scenario.
pub(super) fn is_given(kind: &Kind) -> bool {
    match kind {
        Kind::Line(line) => line.stream == Stream::Stdin,
        Kind::Process(process) => process.what == ProcessChange::Start,
        Kind::Fault { .. } => true,
        _ => false,
    }
}

/// Whether a program that waited for its user was given the end of the file, which no event of its own tells.
fn ends_input(event: &Event) -> bool {
    match &event.kind {
        Kind::Call(call) => {
            let reads = matches!(call.what, SystemCall::Read { fd: 0, .. });
            reads && call.result == Ok(0) && call.since < event.t
        }
        _ => false,
    }
}

struct Reader<'a> {
    events: &'a [Event],
    /// Where each packet that arrived or was lost had been sent.
    sent: Vec<Option<usize>>,
    hosts: BTreeMap<&'a str, Host>,
    /// The last time that a host's link let go of what it held.
    released: BTreeMap<&'a str, usize>,
}

/// What has happened at a host.
#[derive(Default)]
struct Host {
    now: SimTime,
    /// At this moment.
    here: Vec<usize>,
    /// The last event of each process.
    processes: BTreeMap<u32, usize>,
    ends: BTreeMap<ConnectionId, End>,
    last: Option<usize>,
}

/// One end of a connection.
#[derive(Clone, Copy, Default)]
struct End {
    last: Option<usize>,
    /// Its retransmission timer was set here.
    armed: Option<usize>,
    /// The first data that came and that nothing has acknowledged yet.
    unanswered: Option<usize>,
    una: u32,
    nxt: u32,
}

/// Whose event it is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Subject {
    pid: Option<u32>,
    end: Option<ConnectionId>,
}

impl Subject {
    fn of(kind: &Kind) -> Subject {
        let none = Subject { pid: None, end: None };
        let process = |pid| Subject { pid: Some(pid), ..none };
        let connection = |end| Subject { end: Some(end), ..none };
        match kind {
            Kind::Segment(segment) => connection(segment.connection()),
            Kind::State { local, remote, .. } => connection(ConnectionId::new(*local, *remote)),
            Kind::Icmp(icmp) if icmp.dir == Direction::In => {
                connection(ConnectionId::new(icmp.about.0, icmp.about.1))
            }
            Kind::Call(call) => Subject { pid: Some(call.pid), end: call.connection },
            Kind::Line(line) => process(line.pid),
            Kind::Process(it) => process(it.pid),
            Kind::Signal { pid, .. } => process(*pid),
            Kind::Icmp(_) | Kind::Neighbour(_) | Kind::Lost { .. } | Kind::Fault { .. } => none,
        }
    }
}

impl<'a> Reader<'a> {
    fn read(&mut self, at: usize) -> Option<Cause> {
        let event = &self.events[at];
        let name: &str = match &event.kind {
            Kind::Fault { target, .. } => target,
            _ => &event.host,
        };
        let host = self.hosts.entry(name).or_default();
        if host.now != event.t {
            host.now = event.t;
            host.here.clear();
        }
        if let Kind::Fault { fault: FaultKind::Release(_), .. } = event.kind {
            self.released.insert(name, at);
        }
        let cause = match &event.kind {
            kind if is_given(kind) || ends_input(event) => None,
            _ => match self.sent[at] {
                Some(sent) => {
                    // What the link of either host held has come because it let go.
                    let hosts = [name, &*self.events[sent].host];
                    let released = hosts.iter().filter_map(|host| self.released.get(host)).copied().max();
                    Some(Cause {
                        at: released.map_or(sent, |released| sent.max(released)),
                        how: How::Travels,
                    })
                }
                None => self.hosts[name].cause(self.events, at),
            },
        };
        if let Some(host) = self.hosts.get_mut(name) {
            host.note(self.events, at);
        }
        cause
    }
}

impl Host {
    fn cause(&self, events: &[Event], at: usize) -> Option<Cause> {
        let kind = &events[at].kind;
        let subject = Subject::of(kind);
        let end = subject.end.and_then(|end| self.ends.get(&end)).copied().unwrap_or_default();
        let own = subject.pid.and_then(|pid| self.processes.get(&pid)).copied();
        let follows = |at: usize| Cause { at, how: How::Follows };
        let timer = |at: usize| Cause { at, how: How::Timer };
        match kind {
            Kind::Call(call) if sleeps(call) && call.since < events[at].t => {
                own.map(|at| Cause { at, how: How::Sleeps })
            }
            Kind::Call(call) if call.since == events[at].t => {
                own.or(self.here.last().copied()).map(|at| self.link(at))
            }
            Kind::Segment(segment) => {
                let of_end = self.here_of(events, |other| other.end == subject.end);
                let waits = is_sent_by_timer(segment) || is_bare(segment) && end.unanswered.is_some();
                if let Some(trigger) = of_end.or(self.here.last().copied().filter(|_| !waits)) {
                    return Some(follows(trigger));
                }
                let set = match segment.probe {
                    _ if is_bare(segment) => end.unanswered.or(end.last),
                    Some(Probe::Keepalive) => end.last,
                    _ => end.armed.or(end.last),
                };
                set.or(self.last).map(timer)
            }
            Kind::State { .. } => match self.here_of(events, |other| other.end == subject.end) {
                Some(trigger) => Some(follows(trigger)),
                None => end.armed.max(end.last).map(timer).or(self.here.last().copied().map(follows)),
            },
            _ => {
                let of_end = self.here_of(events, |other| other.end.is_some() && other.end == subject.end);
                let of_process = own.filter(|own| self.here.contains(own));
                match of_end.or(of_process).or(self.here.last().copied()) {
                    Some(trigger) => Some(follows(trigger)),
                    None => own.or(self.last).map(|at| self.link(at)),
                }
            }
        }
    }

    /// The last event of this moment whose subject is such.
    fn here_of(&self, events: &[Event], is_such: impl Fn(Subject) -> bool) -> Option<usize> {
        self.here.iter().rev().copied().find(|&at| is_such(Subject::of(&events[at].kind)))
    }

    fn link(&self, at: usize) -> Cause {
        let how = if self.here.contains(&at) { How::Follows } else { How::Timer };
        Cause { at, how }
    }

    fn note(&mut self, events: &[Event], at: usize) {
        let kind = &events[at].kind;
        self.here.push(at);
        self.last = Some(at);
        let subject = Subject::of(kind);
        if let Some(pid) = subject.pid {
            self.processes.insert(pid, at);
        }
        if let (Some(id), Kind::Segment(segment)) = (subject.end, kind) {
            self.ends.entry(id).or_default().note(segment, at);
        }
    }
}

impl End {
    fn note(&mut self, segment: &SegmentEvent, at: usize) {
        self.last = Some(at);
        let takes = segment.len as u32
            + u32::from(segment.flags.has(Flags::SYN))
            + u32::from(segment.flags.has(Flags::FIN));
        match segment.dir {
            Direction::Out => {
                self.unanswered = None;
                let had_none = self.armed.is_none() || self.una == self.nxt;
                if takes > 0 || segment.probe.is_some() {
                    // RFC 6298 (5.1): a timer that runs is not set again by new data, but by what is sent again.
                    let is_again = segment.retransmission.is_some() || segment.probe.is_some();
                    if had_none || is_again {
                        self.armed = Some(at);
                    }
                    let end = segment.seq.wrapping_add(takes);
                    if is_after(end, self.nxt) || had_none {
                        self.nxt = end;
                    }
                }
            }
            Direction::In => {
                if takes > 0 {
                    self.unanswered.get_or_insert(at);
                }
                if let Some(ack) = segment.ack.filter(|ack| is_after(*ack, self.una)) {
                    // (5.3): new data is acknowledged.
                    self.una = ack;
                    self.armed = Some(at);
                }
            }
        }
    }
}

/// Whether one sequence number is after another.
const fn is_after(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).wrapping_sub(1) < u32::MAX / 2
}

/// An acknowledgment and nothing more.
fn is_bare(segment: &SegmentEvent) -> bool {
    segment.len == 0 && segment.flags == Flags::ACK && !is_sent_by_timer(segment)
}

const fn is_sent_by_timer(segment: &SegmentEvent) -> bool {
    segment.retransmission.is_some() || segment.probe.is_some()
}

/// Whether it returned because its time was over.
fn sleeps(call: &Call) -> bool {
    match call.what {
        SystemCall::Sleep { .. } => call.result == Ok(0),
        SystemCall::Poll { .. } => call.result == Ok(0),
        _ => false,
    }
}
