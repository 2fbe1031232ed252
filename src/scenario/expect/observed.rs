//! Sorts the timeline by who saw what: host by host, process by process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::errno::Errno;
use crate::scenario::expect::{Failure, Tolerance};
use crate::scenario::{Outcome, Scenario, Waiting};
use crate::time::SimTime;
use crate::timeline::{Call, Direction, Event, FaultKind, Kind, LostReason, ProcessChange, Stream, TcpState};

/// Errors that are an answer rather than a failure: "not yet" of a call that was asked not to wait, and
/// "no child left" of the last `wait` in a loop. The `EAGAIN` of `fork` is none.
fn is_answer(call: &str, errno: Errno) -> bool {
    match errno {
        Errno::EAGAIN => call != "fork",
        Errno::EINPROGRESS | Errno::EALREADY | Errno::ECHILD => true,
        _ => false,
    }
}

/// What a run's timeline testifies to.
#[derive(Debug, Default)]
pub(super) struct Observed<'a> {
    /// What every host saw, in the scenario's order.
    pub(super) hosts: Vec<HostSeen<'a>>,
    /// Packets lost by drop rules.
    pub(super) dropped: u64,
}

/// What one host did and saw.
#[derive(Debug, Default)]
pub(super) struct HostSeen<'a> {
    /// One for each process the scenario starts; what it forks counts as its own.
    pub(super) processes: Vec<Seen<'a>>,
    pub(super) segments: u64,
    pub(super) retransmissions: u64,
    /// The states its connections went into.
    pub(super) states: Vec<TcpState>,
    /// Which of `processes` a pid belongs to.
    owner: BTreeMap<u32, usize>,
    /// How many of `processes` have started since the host's last boot.
    started: usize,
}

/// What a process and its descendants saw.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) stdout: Vec<&'a str>,
    pub(super) stderr: Vec<&'a str>,
    pub(super) fails: Vec<SeenFailure<'a>>,
    pub(super) exits: Vec<i32>,
    pub(super) killed: Vec<&'static str>,
    pub(super) waits: Vec<&'a Waiting>,
    /// Who has ended and was not waited for.
    pub(super) zombies: BTreeSet<u32>,
}

/// A call that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenFailure<'a> {
    pub(super) t: SimTime,
    pub(super) call: &'a Call,
    pub(super) errno: Errno,
}

impl SeenFailure<'_> {
    /// How long after the call was made.
    pub(super) fn after(&self) -> Duration {
        self.t - self.call.since
    }

    /// Whether this is what was expected.
    pub(super) fn is(&self, expected: &Failure, tolerance: Tolerance) -> bool {
        let name = expected.call.as_str();
        (self.call.name() == name || self.call.within == Some(name))
            && self.errno == expected.errno
            && expected.at.as_ref().is_none_or(|at| at.holds_within(self.t - SimTime::ZERO, tolerance))
            && expected.after.as_ref().is_none_or(|after| after.holds_within(self.after(), tolerance))
    }
}

impl<'a> Observed<'a> {
    pub(super) fn new(scenario: &Scenario, outcome: &'a Outcome) -> Observed<'a> {
        let processes = |count| (0..count).map(|_| Seen::default()).collect();
        let host = |count| HostSeen { processes: processes(count), ..HostSeen::default() };
        let mut observed =
            Observed { hosts: scenario.hosts.iter().map(|it| host(it.count)).collect(), dropped: 0 };

        let index: BTreeMap<&str, usize> =
            scenario.hosts.iter().enumerate().map(|(at, host)| (host.name.as_str(), at)).collect();
        for event in &outcome.events {
            match &event.kind {
                Kind::Lost { reason: LostReason::Dropped, .. } => observed.dropped += 1,
                Kind::Fault { fault: FaultKind::Boot, target } => {
                    if let Some(&at) = index.get(target.as_str()) {
                        observed.hosts[at].boot();
                    }
                }
                _ => {
                    if let Some(&at) = index.get(&*event.host) {
                        observed.hosts[at].event(event);
                    }
                }
            }
        }
        for waiting in &outcome.waiting {
            if let Some(&at) = index.get(&*waiting.host)
                && let Some(seen) = observed.hosts[at].of(waiting.pid)
            {
                seen.waits.push(waiting);
            }
        }
        observed
    }
}

impl<'a> HostSeen<'a> {
    /// The programs start again from the first, and with them pids.
    fn boot(&mut self) {
        self.owner.clear();
        self.processes.iter_mut().for_each(|seen| seen.zombies.clear());
        self.started = 0;
    }

    fn event(&mut self, event: &'a Event) {
        match &event.kind {
            Kind::Process(process) => self.process(process.pid, process.what),
            Kind::Line(line) => {
                if let Some(seen) = self.of(line.pid) {
                    match line.stream {
                        Stream::Stdin => {}
                        Stream::Stdout => seen.stdout.push(&line.text),
                        Stream::Stderr => seen.stderr.push(&line.text),
                    }
                }
            }
            Kind::Call(call) => {
                if let Err(errno) = call.result
                    && !is_answer(call.name(), errno)
                    && let Some(seen) = self.of(call.pid)
                {
                    seen.fails.push(SeenFailure { t: event.t, call, errno });
                }
            }
            Kind::Segment(segment) if segment.dir == Direction::Out => {
                self.segments += 1;
                self.retransmissions += u64::from(segment.retransmission.is_some());
            }
            Kind::State { to, .. } => self.states.push(*to),
            _ => {}
        }
    }

    fn process(&mut self, pid: u32, what: ProcessChange) {
        match what {
            ProcessChange::Start => {
                self.owner.insert(pid, self.started);
                self.started += 1;
            }
            ProcessChange::Fork { parent } => {
                if let Some(&owner) = self.owner.get(&parent) {
                    self.owner.insert(pid, owner);
                }
            }
            ProcessChange::Exit { status } => {
                if let Some(seen) = self.of(pid) {
                    seen.exits.push(status);
                }
            }
            ProcessChange::Killed { signal } => {
                if let Some(seen) = self.of(pid) {
                    seen.killed.push(signal);
                }
            }
            ProcessChange::Zombie => {
                if let Some(seen) = self.of(pid) {
                    seen.zombies.insert(pid);
                }
            }
            ProcessChange::Reaped => {
                if let Some(seen) = self.of(pid) {
                    seen.zombies.remove(&pid);
                }
            }
        }
    }

    /// What is noted of this process; `None` if the scenario did not start it nor an ancestor of it.
    fn of(&mut self, pid: u32) -> Option<&mut Seen<'a>> {
        self.processes.get_mut(*self.owner.get(&pid)?)
    }
}
