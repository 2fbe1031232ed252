//! Simulated hosts: the scenario in a world with a clock of its own.

mod build;

use std::rc::Rc;
use std::time::Duration;

use crate::echo::Command;
use crate::os::sim::{Machine, ProcessInfo, ProcessState};
use crate::os::{Pid, Signal};
use crate::router::{LinkConfig, Met};
use crate::scenario::{Input, Outcome, RunError, Scenario, Waiting};
use crate::sim::{History, HistoryWriter, World, WorldError};
use crate::stack::SocketInfo;
use crate::stage::settled::Settled;
use crate::stage::{Consumer, Stage, script};
use crate::time::SimTime;
use crate::timeline::{FaultKind, Recorder};

impl Scenario {
    /// Runs the scenario on simulated hosts, from start to end: until nothing is left to happen, or until it is to be
    /// stopped.
    ///
    /// # Errors
    ///
    /// A program that never lets go of its processor, or a world that never comes to rest.
    pub fn run(&self) -> Result<Outcome, RunError> {
        self.run_with(Recorder::new("world"))
    }

    /// The same with a recorder of the caller's, which may be off. What the caller drains of it while the run goes on is not
    /// in the outcome.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    #[doc(hidden)]
    pub fn run_with(&self, recorder: Recorder) -> Result<Outcome, RunError> {
        Ok(simulate(self, recorder, None, None, None)?.0)
    }

    /// The same as [`run`](Self::run), its events handed to a consumer while it goes on: they are not in the outcome, and the
    /// run is cut when the consumer has had enough.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), after everything that happened before was handed over.
    pub(crate) fn run_for(&self, consumer: Consumer<'_>) -> Result<Outcome, RunError> {
        let recorder = Recorder::new("world");
        let run = simulate(self, recorder.clone(), None, None, Some(&mut *consumer));
        if run.is_err() {
            recorder.await_from(None);
            // The run has ended, whatever is said.
            let _ = consumer(recorder.drain());
        }
        Ok(run?.0)
    }

    /// The same as [`run`](Self::run), but cut as soon as nothing can change any more.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub(crate) fn run_until_settled(&self) -> Result<Outcome, RunError> {
        Ok(simulate(self, Recorder::new("world"), None, Some(Settled::default()), None)?.0)
    }

    /// The same as [`run`](Self::run), with every host's sockets and processes at every moment.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with_history(&self) -> Result<(Outcome, History), RunError> {
        let recorder = Recorder::new("world");
        let names = self.hosts.iter().map(|host| host.name.as_str());
        let history = HistoryWriter::new(names, recorder.clone());
        simulate(self, recorder, Some(&history), None, None)
    }
}

fn simulate(
    scenario: &Scenario,
    recorder: Recorder,
    history: Option<&Rc<HistoryWriter>>,
    settled: Option<Settled>,
    consumer: Option<Consumer<'_>>,
) -> Result<(Outcome, History), RunError> {
    let run = move || {
        let world = build::world(scenario, recorder, history)?;
        let commands = scenario.commands(&scenario.variables, &scenario.addrs());
        let commands = commands.expect("the file's programs are checked");
        let mut stage = Simulated { scenario, commands, world };
        let outcome = script::run(scenario, &mut stage, settled, consumer)?;
        // Before the world is dropped, and with it the power of its hosts.
        Ok((outcome, history.map(|history| history.take()).unwrap_or_default()))
    };
    run().map_err(|source| RunError { scenario: scenario.name.clone(), source })
}

/// The hosts of a scenario in a world.
struct Simulated<'a> {
    scenario: &'a Scenario,
    /// What each host runs.
    commands: Vec<Option<Command>>,
    world: World,
}

impl Simulated<'_> {
    /// Looks at a host; `None` if it is off.
    fn look_at<R>(&self, host: usize, look: impl FnOnce(&Machine, SimTime) -> R) -> Option<R> {
        self.world.look_at(&self.scenario.hosts[host].name, look)
    }

    /// Works on a host; `None` if it is off.
    fn on_host<R>(&self, host: usize, work: impl FnOnce(&mut Machine, SimTime) -> R) -> Option<R> {
        self.world.on_host(&self.scenario.hosts[host].name, work)
    }

    fn living_processes(&self, host: usize) -> impl Iterator<Item = ProcessInfo> {
        let processes = self.look_at(host, |host, _| host.processes()).unwrap_or_default();
        processes.into_iter().filter(|process| process.state != ProcessState::Zombie)
    }
}

impl Stage for Simulated<'_> {
    type Error = WorldError;

    fn now(&self) -> SimTime {
        self.world.now()
    }

    fn recorder(&self) -> &Recorder {
        self.world.recorder()
    }

    fn next_moment(&mut self, step: Option<SimTime>) -> Result<Option<SimTime>, WorldError> {
        Ok([self.world.next_moment(), step].into_iter().flatten().min())
    }

    fn go_to(&mut self, moment: SimTime) -> Result<(), WorldError> {
        self.world.go_to(moment);
        Ok(())
    }

    fn round(&mut self) -> Result<bool, WorldError> {
        self.world.round()
    }

    fn start(&mut self, host: usize) -> Result<Option<Pid>, WorldError> {
        let of = &self.scenario.hosts[host];
        let Some(command) = self.commands[host].clone() else { return Ok(None) };
        Ok(self.on_host(host, |machine, now| match of.file() {
            None => machine.spawn(now, command.name(), |os| command.run(os)),
            Some(file) => machine.spawn_reading(now, command.name(), &file, |os| command.run(os)),
        }))
    }

    fn type_input(&mut self, host: usize, pid: Pid, input: &Input) {
        self.on_host(host, |machine, now| match input {
            Input::Line(line) => machine.type_line(now, pid, line),
            Input::Eof => machine.type_eof(now, pid),
        });
    }

    fn living(&self, host: usize) -> Vec<Pid> {
        self.living_processes(host).map(|process| process.pid).collect()
    }

    fn kill(&mut self, host: usize, pid: Pid, signal: Signal) -> Result<bool, WorldError> {
        Ok(self.on_host(host, |machine, now| machine.kill(now, pid, signal).is_ok()).unwrap_or(false))
    }

    fn strike(&mut self, host: usize, fault: FaultKind) -> Result<bool, WorldError> {
        let of = &self.scenario.hosts[host];
        Ok(self.world.strike(&of.name, fault, of.grace))
    }

    fn only_asks_within(&self) -> Option<Duration> {
        let by_chance = |link: &LinkConfig| {
            [link.loss, link.duplicate, link.reorder, link.corrupt].iter().any(|rate| *rate > 0.0)
        };
        let hosts = &self.scenario.hosts;
        let chance = hosts.iter().any(|host| by_chance(&host.link)) || !self.scenario.rules.is_empty();
        if chance || self.world.on_router(|router, _| router.next_deadline().is_some()) {
            return None;
        }
        let mut longest = Duration::ZERO;
        for host in 0..hosts.len() {
            if let Some(span) = self.look_at(host, Machine::only_asks_within) {
                longest = longest.max(span?);
            }
        }
        Some(longest)
    }

    fn met(&self, host: usize) -> Met {
        let link = self.world.link(&self.scenario.hosts[host].name).expect("every host has a link");
        self.world.on_router(|router, _| router.met(link))
    }

    fn taken(&self) -> Vec<u64> {
        self.world.on_router(|router, _| router.taken().collect())
    }

    fn sockets(&mut self, host: usize) -> Result<Option<Vec<SocketInfo>>, WorldError> {
        Ok(self.look_at(host, |host, now| host.stack().sockets(now)))
    }

    fn processes(&mut self, host: usize) -> Result<Option<Vec<ProcessInfo>>, WorldError> {
        Ok(self.look_at(host, |host, _| host.processes()))
    }

    fn waiting(&self) -> Vec<Waiting> {
        let hosts = self.scenario.hosts.iter().enumerate();
        let waiting = hosts.flat_map(|(n, host)| {
            self.living_processes(n).map(|process| Waiting {
                host: host.name.as_str().into(),
                pid: process.pid.as_raw(),
                process: process.name,
                call: process.sleeping_on.map_or("running", |wchan| wchan.call()),
                within: process.within,
            })
        });
        waiting.collect()
    }
}
