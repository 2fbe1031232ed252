//! Sorts the timeline by who saw what: host by host, process by process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::errno::Errno;
use crate::scenario::expect::{Failure, Tolerance};
use crate::scenario::{Outcome, Scenario, Waiting};
use crate::time::SimTime;
use crate::timeline::{Call, Direction, Event, FaultKind, Kind, ProcessChange, Stream, TcpState};

/// What a run's timeline testifies to, event by event: the events themselves need not be kept.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// What every host saw, in the scenario's order.
    pub(super) hosts: Vec<HostSeen>,
    /// Where a host is in `hosts`.
    index: BTreeMap<String, usize>,
}

/// What one host did and saw.
#[derive(Debug, Default)]
pub(super) struct HostSeen {
    /// One for each process the scenario starts; what it forks counts as its own.
    pub(super) processes: Vec<Seen>,
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
pub(super) struct Seen {
    pub(super) stdout: Vec<String>,
    pub(super) stderr: Vec<String>,
    pub(super) fails: Vec<SeenFailure>,
    pub(super) exits: Vec<i32>,
    pub(super) killed: Vec<&'static str>,
    pub(super) waits: Vec<Waiting>,
    /// Who has ended and was not waited for.
    pub(super) zombies: BTreeSet<u32>,
}

/// A call that failed.
#[derive(Clone, Debug)]
pub(super) struct SeenFailure {
    pub(super) t: SimTime,
    pub(super) call: Box<Call>,
    pub(super) errno: Errno,
}

impl SeenFailure {
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

impl Observed {
    /// Nothing yet of the hosts of a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Observed {
        let processes = |count| (0..count).map(|_| Seen::default()).collect();
        let host = |count| HostSeen { processes: processes(count), ..HostSeen::default() };
        Observed {
            hosts: scenario.hosts.iter().map(|it| host(it.count)).collect(),
            index: scenario.hosts.iter().map(|host| host.name.clone()).zip(0..).collect(),
        }
    }

    /// The next event of the run.
    pub(crate) fn see(&mut self, event: &Event) {
        match &event.kind {
            Kind::Fault { fault: FaultKind::Boot, target } => {
                if let Some(&at) = self.index.get(target.as_str()) {
                    self.hosts[at].boot();
                }
            }
            _ => {
                if let Some(&at) = self.index.get(&*event.host) {
                    self.hosts[at].event(event);
                }
            }
        }
    }

    /// What was left when the run ended, its events being those that were seen and those in the outcome.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        outcome.events.iter().for_each(|event| self.see(event));
        for waiting in &outcome.waiting {
            if let Some(&at) = self.index.get(&*waiting.host)
                && let Some(seen) = self.hosts[at].of(waiting.pid)
            {
                seen.waits.push(waiting.clone());
            }
        }
    }
}

impl HostSeen {
    /// The programs start again from the first, and with them pids.
    fn boot(&mut self) {
        self.owner.clear();
        self.processes.iter_mut().for_each(|seen| seen.zombies.clear());
        self.started = 0;
    }

    fn event(&mut self, event: &Event) {
        match &event.kind {
            Kind::Process(process) => self.process(process.pid, process.what),
            Kind::Line(line) => {
                if let Some(seen) = self.of(line.pid) {
                    match line.stream {
                        Stream::Stdin => {}
                        Stream::Stdout => seen.stdout.push(line.text.clone()),
                        Stream::Stderr => seen.stderr.push(line.text.clone()),
                    }
                }
            }
            Kind::Call(call) => {
                if let Some(errno) = call.failure(event.t)
                    && let Some(seen) = self.of(call.pid)
                {
                    seen.fails.push(SeenFailure { t: event.t, call: call.clone(), errno });
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
    fn of(&mut self, pid: u32) -> Option<&mut Seen> {
        self.processes.get_mut(*self.owner.get(&pid)?)
    }
}
