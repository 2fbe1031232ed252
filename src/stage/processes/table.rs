//! The processes of every host: those that the scenario has started, and what these have forked.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::{Signal as Native, kill};
use nix::sys::wait::WaitStatus;

use super::proc;
use super::process::{Process, native};
use crate::os::sim::{ProcessInfo, ProcessState};
use crate::os::unix::Message;
use crate::os::{Pid, Signal};
use crate::scenario::{Input, Scenario};
use crate::time::SimTime;
use crate::timeline::{Event, Kind, Line, ProcessChange, Recorder, SignalChange, Stream, Waiting};

/// What is known of the processes. A program tells what it does; what ends one without a word is found out here.
pub(super) struct Table {
    /// One for each host.
    recorders: Vec<Recorder>,
    started: Vec<Process>,
    children: BTreeMap<Pid, Child>,
    /// The calls that each process was heard to make and not to return from: after a call those of the handler that
    /// interrupted it.
    calls: BTreeMap<u32, Vec<(Waiting, bool)>>,
    /// When each host was off; open at the end while it is.
    off: Vec<Vec<(SimTime, Option<SimTime>)>>,
    /// The deaths by a signal that are in the timeline: a parent tells of its child's, too.
    told: BTreeSet<(u32, Death)>,
}

/// A process that was forked.
struct Child {
    host: usize,
    name: Arc<str>,
    state: ChildState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChildState {
    Running,
    /// Running, or ended by this signal.
    Signalled(Signal),
    /// It has said so, and may be a zombie.
    Exited,
}

/// The two events of a death by a signal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Death {
    Signal,
    Process,
}

impl Table {
    pub(super) fn new(scenario: &Scenario, recorder: &Recorder) -> Table {
        Table {
            recorders: scenario.hosts.iter().map(|host| recorder.for_host(&host.name)).collect(),
            started: Vec::new(),
            children: BTreeMap::new(),
            calls: BTreeMap::new(),
            off: vec![Vec::new(); scenario.hosts.len()],
            told: BTreeSet::new(),
        }
    }

    // -- what is done to them ---------------------------------------------------------------------

    pub(super) fn add(&mut self, now: SimTime, process: Process) {
        let (host, pid, name) = (process.host, process.pid, process.name.clone());
        self.record_change(now, host, pid, &name, ProcessChange::Start);
        self.started.push(process);
    }

    pub(super) fn type_input(&mut self, now: SimTime, pid: Pid, input: &Input) {
        let Some(process) = self.started.iter_mut().find(|process| process.pid == pid) else { return };
        match input {
            Input::Line(text) => {
                process.terminal.type_line(text);
                let (host, pid, process) = (process.host, pid.as_raw(), process.name.clone());
                let line = Line { pid, process, stream: Stream::Stdin, text: text.clone() };
                self.record(now, host, Kind::Line(line));
            }
            Input::Eof => process.terminal.type_eof(),
        }
    }

    /// Gives the processes what their terminals take; true if something is left.
    pub(super) fn flush_terminals(&mut self) -> bool {
        self.started.iter_mut().fold(false, |left, process| process.terminal.flush() | left)
    }

    /// Sends a signal to one process; false if there is none any more.
    pub(super) fn signal(&mut self, pid: Pid, signal: Signal) -> io::Result<bool> {
        let sent: Native = signal.name().parse().expect("our names are the system's");
        match kill(native(pid), sent) {
            Err(Errno::ESRCH) => return Ok(false),
            sent => sent?,
        }
        let may_end = !matches!(signal, Signal::SIGSTOP | Signal::SIGCONT);
        if let Some(child) = self.children.get_mut(&pid).filter(|_| may_end) {
            child.state = ChildState::Signalled(signal);
        }
        Ok(true)
    }

    /// Sends a signal to all processes of a host.
    pub(super) fn signal_all(&mut self, host: usize, signal: Signal) {
        let sent: Native = signal.name().parse().expect("our names are the system's");
        self.started.iter().filter(|process| process.host == host).for_each(|it| it.signal_group(sent));
        let alive = |child: &&mut Child| child.host == host && child.state != ChildState::Exited;
        self.children.values_mut().filter(alive).for_each(|it| it.state = ChildState::Signalled(signal));
    }

    /// The host is off: its processes end, and nothing is heard of them any more.
    pub(super) fn switch_off(&mut self, now: SimTime, host: usize) {
        self.off[host].push((now, None));
        self.started.retain(|process| process.host != host);
        self.children.retain(|_, child| child.host != host);
    }

    pub(super) fn switch_on(&mut self, now: SimTime, host: usize) {
        if let Some((_, until @ None)) = self.off[host].last_mut() {
            *until = Some(now);
        }
    }

    // -- what they tell ---------------------------------------------------------------------------

    /// Takes in what a process has told.
    pub(super) fn hear(&mut self, message: Message) {
        let event = match message {
            Message::Event(event) => event,
            Message::Enters { call, timed } => {
                return self.calls.entry(call.pid).or_default().push((call, timed));
            }
        };
        let Some(host) = self.recorders.iter().position(|it| *it.host() == event.host) else { return };
        let was_off = |(from, until): &(SimTime, Option<SimTime>)| {
            *from <= event.t && until.is_none_or(|until| event.t < until)
        };
        if self.off[host].iter().any(was_off) {
            return;
        }
        match &event.kind {
            Kind::Call(call) => {
                let calls = self.calls.entry(call.pid).or_default();
                calls.pop_if(|(last, _)| last.call == call.name());
            }
            Kind::Process(process) => {
                let pid = Pid::from_raw(process.pid);
                match process.what {
                    ProcessChange::Fork { .. } => {
                        let (name, state) = (process.process.clone(), ChildState::Running);
                        self.children.insert(pid, Child { host, name, state });
                    }
                    ProcessChange::Exit { .. } => {
                        if let Some(child) = self.children.get_mut(&pid) {
                            child.state = ChildState::Exited;
                        }
                    }
                    ProcessChange::Killed { .. } | ProcessChange::Reaped => _ = self.children.remove(&pid),
                    ProcessChange::Start | ProcessChange::Zombie => {}
                }
            }
            _ => {}
        }
        let Event { t, kind, .. } = event;
        self.record(t, host, kind);
    }

    /// Records the ends of those that could not tell of them.
    pub(super) fn reap(&mut self, now: SimTime) {
        let mut ended = Vec::new();
        for process in &mut self.started {
            if let Some(status) = process.reap() {
                ended.push((process.host, process.pid, process.name.clone(), status));
            }
        }
        for (host, pid, name, status) in ended {
            if let WaitStatus::Signaled(_, signal, _) = status
                && let Some(signal) = Signal::from_name(signal.as_str())
            {
                self.record_killed(now, host, pid, &name, signal);
            }
            self.record_change(now, host, pid, &name, ProcessChange::Reaped);
        }
        let may_have_ended = self.children.iter().filter(|(_, child)| child.state != ChildState::Running);
        let ends: Vec<(Pid, ProcessChange)> =
            may_have_ended.filter_map(|(pid, _)| Some((*pid, proc::end_of(pid.as_raw())?))).collect();
        for (pid, end) in ends {
            let Some(Child { host, name, state }) = self.children.remove(&pid) else { continue };
            if let ChildState::Signalled(signal) = state {
                self.record_killed(now, host, pid, &name, signal);
            }
            if end == ProcessChange::Zombie {
                self.record_change(now, host, pid, &name, end);
            }
        }
    }

    fn record_killed(&mut self, now: SimTime, host: usize, pid: Pid, name: &Arc<str>, signal: Signal) {
        let (signal, what) = (signal.name(), SignalChange::Killed);
        self.record(now, host, Kind::Signal { pid: pid.as_raw(), process: name.clone(), signal, what });
        self.record_change(now, host, pid, name, ProcessChange::Killed { signal });
    }

    fn record_change(&mut self, t: SimTime, host: usize, pid: Pid, name: &Arc<str>, what: ProcessChange) {
        let process = crate::timeline::Process { pid: pid.as_raw(), process: name.clone(), what };
        self.record(t, host, Kind::Process(process));
    }

    fn record(&mut self, t: SimTime, host: usize, kind: Kind) {
        let death = match &kind {
            Kind::Signal { pid, what: SignalChange::Killed, .. } => Some((*pid, Death::Signal)),
            Kind::Process(process) if matches!(process.what, ProcessChange::Killed { .. }) => {
                Some((process.pid, Death::Process))
            }
            _ => None,
        };
        if death.is_none_or(|death| self.told.insert(death)) {
            self.recorders[host].record(t, || kind);
        }
    }

    // -- what they are ----------------------------------------------------------------------------

    /// Whether a process may be about to end that cannot tell of it.
    pub(super) fn may_end(&self) -> bool {
        self.children.values().any(|child| child.state != ChildState::Running)
    }

    /// The processes of a host that have not ended.
    pub(super) fn living(&self, host: usize) -> Vec<Pid> {
        let started = self.started.iter().filter(|process| process.host == host && !process.has_ended);
        let children = self.children.iter();
        let children = children.filter(|(_, it)| it.host == host && it.state != ChildState::Exited);
        started.map(|process| process.pid).chain(children.map(|(pid, _)| *pid)).collect()
    }

    /// The calls that those sleep in that have not ended, by host and then by pid.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<_> = self.sleeping().map(|(call, _)| call.clone()).collect();
        waiting.sort_by_key(|call| self.recorders.iter().position(|recorder| *recorder.host() == call.host));
        waiting
    }

    /// Whether one of them ends by itself, after a time.
    pub(super) fn waits_for_a_time(&self) -> bool {
        self.sleeping().any(|(_, timed)| *timed)
    }

    /// The last call of every process that has not ended.
    fn sleeping(&self) -> impl Iterator<Item = &(Waiting, bool)> {
        let calls = self.calls.values().filter_map(|calls| calls.last());
        calls.filter(|(call, _)| proc::end_of(call.pid).is_none())
    }

    /// The processes of a host, as `ps` shows them: the process groups of those it has started.
    pub(super) fn infos(&self, host: usize) -> io::Result<Vec<ProcessInfo>> {
        let started = self.started.iter().filter(|process| process.host == host);
        let groups: BTreeMap<u32, _> = started.map(|it| (it.pid.as_raw(), &it.name)).collect();
        let waiting = self.waiting();
        let mut infos = Vec::new();
        for pid in proc::pids()? {
            // It may have ended since the list was read.
            let Some(stat) = proc::Stat::of(pid) else { continue };
            let Some(name) = groups.get(&stat.group) else { continue };
            let state = match stat.state {
                'Z' => ProcessState::Zombie,
                'R' => ProcessState::Running,
                'T' => ProcessState::Stopped,
                _ => ProcessState::Sleeping,
            };
            let call = waiting.iter().find(|call| call.pid == pid && state == ProcessState::Sleeping);
            infos.push(ProcessInfo {
                pid: Pid::from_raw(pid),
                ppid: Pid::from_raw(stat.ppid),
                name: (*name).clone(),
                state,
                sleeping_on: call.and_then(|call| proc::sleeps_on(pid, call)),
                kernel: Some(proc::kernel_function(pid).unwrap_or_else(|| "-".to_owned())),
                within: call.and_then(|call| call.within),
            });
        }
        Ok(infos)
    }
}
