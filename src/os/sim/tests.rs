//! Small programs on one host: what POSIX says of processes, descriptors and signals.

mod descriptors;
mod limits;
mod pipes;
mod power;
mod processes;
mod properties;
mod signals;
mod terminals;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use super::{Limits, Machine, MachineConfig, ProcessInfo, ProcessState, SimOs};
use crate::os::{Errno, Fd, Os, Pid};
use crate::stack::{self, Profile, System};
use crate::time::SimTime;
use crate::timeline::{Call, Event, Kind, ProcessChange, Recorder, SignalChange, Stream};

/// A host on no network, its clock, and what it wrote down.
struct Rig {
    now: SimTime,
    host: Machine,
    recorder: Recorder,
}

impl Rig {
    fn new() -> Rig {
        Rig::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Rig {
        let addrs: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap()];
        let stack = stack::Config {
            addrs,
            profile: Profile::of(System::Book),
            mtu: 1_500,
            seed: 1,
            shares_segment: false,
        };
        let recorder = Recorder::new("world");
        let config = MachineConfig { limits, ..MachineConfig::new("host", stack) };
        Rig { now: SimTime::ZERO, host: Machine::new(config, recorder.clone()), recorder }
    }

    /// Starts `program` and lets it run until all sleep.
    fn start<F, Fut>(&mut self, program: F) -> Pid
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        let pid = self.host.spawn(self.now, "program", program);
        self.host.run(self.now);
        pid
    }

    /// A rig on which `program` has run as far as it gets by itself, without time passing.
    fn after<F, Fut>(program: F) -> Rig
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        let mut rig = Rig::new();
        rig.start(program);
        rig
    }

    /// Lets time pass, stopping at every deadline on the way.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        self.host.run(self.now);
        while let Some(t) = self.host.next_deadline().filter(|t| *t <= until) {
            self.now = t;
            self.host.handle_timeout(t);
            self.host.run(t);
        }
        self.now = until;
    }

    fn type_line(&mut self, pid: Pid, line: &str) {
        assert!(self.host.type_line(self.now, pid, line));
        self.host.run(self.now);
    }

    fn events(&self) -> Vec<Event> {
        self.recorder.events_from(0)
    }

    /// Every line printed to a stream.
    fn printed(&self, stream: Stream) -> Vec<String> {
        let lines = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Line(line) if line.stream == stream => Some(line.text),
            _ => None,
        });
        lines.collect()
    }

    fn said(&self) -> Vec<String> {
        self.printed(Stream::Stdout)
    }

    fn calls(&self, name: &str) -> Vec<Call> {
        let calls = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Call(call) if call.name() == name => Some(*call),
            _ => None,
        });
        calls.collect()
    }

    /// What became of `signal`, each time.
    fn signal(&self, signal: &str) -> Vec<SignalChange> {
        let changes = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Signal { signal: name, what, .. } if name == signal => Some(what),
            _ => None,
        });
        changes.collect()
    }

    /// What happened to `pid`.
    fn life(&self, pid: Pid) -> Vec<ProcessChange> {
        let changes = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Process(process) if process.pid == pid.as_raw() => Some(process.what),
            _ => None,
        });
        changes.collect()
    }

    fn zombies(&self) -> usize {
        self.host.processes().iter().filter(|process| process.state == ProcessState::Zombie).count()
    }
}

async fn say(os: &SimOs, line: impl AsRef<str>) {
    os.write(Fd::STDOUT, format!("{}\n", line.as_ref()).as_bytes()).await.unwrap();
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
