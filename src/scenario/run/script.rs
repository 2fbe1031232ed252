//! What is to be done when: programs started, lines typed, faults struck.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::strike::Strikes;
use crate::os::Pid;
use crate::scenario::{Host, Input, Scenario, Trigger, Watch};
use crate::sim::{World, WorldError};
use crate::time::SimTime;
use crate::timeline::FaultKind;

/// One thing to be done.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Start the n-th process of a host.
    Start { host: usize, nth: usize },
    /// Type the n-th input of a host at each of its terminals.
    Type { host: usize, nth: usize },
    /// Strike a fault.
    Fault(usize),
}

/// The steps still to come, and the faults that wait for an event.
pub(super) struct Script<'a> {
    scenario: &'a Scenario,
    /// By time, then in the order they were written down.
    steps: BTreeMap<(SimTime, usize), Step>,
    written: usize,
    watches: Vec<(usize, Watch)>,
    /// How many events the watches have seen.
    seen: usize,
    /// The pids of each host's processes, as they were started since its last boot.
    started: Vec<Vec<Pid>>,
    /// What has been typed on each host since its last boot: which of its inputs.
    typed: Vec<Range<usize>>,
    strikes: Strikes,
    /// Is shown the world after every round.
    look: &'a mut dyn FnMut(&World),
}

impl<'a> Script<'a> {
    pub(super) fn new(scenario: &'a Scenario, look: &'a mut dyn FnMut(&World)) -> Script<'a> {
        let mut script = Script {
            scenario,
            steps: BTreeMap::new(),
            written: 0,
            watches: Vec::new(),
            seen: 0,
            started: vec![Vec::new(); scenario.hosts.len()],
            typed: vec![0..0; scenario.hosts.len()],
            strikes: Strikes::new(scenario.faults.len()),
            look,
        };
        for host in 0..scenario.hosts.len() {
            script.start_programs(SimTime::ZERO, host);
        }
        for (host, of) in scenario.hosts.iter().enumerate() {
            for (nth, typed) in of.typed.iter().enumerate() {
                script.write(typed.at, Step::Type { host, nth });
            }
        }
        for (n, fault) in scenario.faults.iter().enumerate() {
            match &fault.trigger {
                Trigger::At(at) => script.write(*at + fault.delay, Step::Fault(n)),
                Trigger::On(watch) => script.watches.push((n, watch.clone())),
            }
        }
        script
    }

    fn write(&mut self, at: SimTime, step: Step) {
        self.steps.insert((at, self.written), step);
        self.written += 1;
    }

    /// Init starts the host's programs after every boot.
    fn start_programs(&mut self, boot: SimTime, host: usize) {
        self.started[host].clear();
        self.typed[host].start = self.typed[host].end;
        let of = &self.scenario.hosts[host];
        if of.program.is_some() {
            let first = boot + of.start;
            (0..of.count).for_each(|nth| {
                self.write(first + of.every * nth, Step::Start { host, nth: nth as usize });
            });
        }
    }

    pub(super) fn next_moment(&self) -> Option<SimTime> {
        self.steps.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets the world come to rest at its moment; faults that wait for an event strike in the round after it.
    pub(super) fn settle(&mut self, world: &mut World) -> Result<(), WorldError> {
        world.settle_watched(|world| {
            self.watch(world);
            (self.look)(world);
        })
    }

    fn watch(&mut self, world: &mut World) {
        if self.watches.is_empty() {
            return;
        }
        let events = world.recorder().events_from(self.seen);
        self.seen += events.len();
        for event in &events {
            let mut struck = Vec::new();
            self.watches.retain_mut(|(fault, watch)| {
                let now = watch.matches(event);
                struck.extend(now.then_some(*fault));
                !now
            });
            for fault in struck {
                match self.scenario.faults[fault].delay {
                    Duration::ZERO => self.strike(world, fault),
                    delay => self.write(world.now() + delay, Step::Fault(fault)),
                }
            }
        }
    }

    /// Does what is due at the world's moment, one thing after the other.
    pub(super) fn play(&mut self, world: &mut World) -> Result<(), WorldError> {
        while let Some(entry) = self.steps.first_entry().filter(|entry| entry.key().0 <= world.now()) {
            match entry.remove() {
                Step::Start { host, nth } => self.start(world, host, nth),
                Step::Type { host, nth } => self.type_next(world, host, nth),
                Step::Fault(fault) => self.strike(world, fault),
            }
            self.settle(world)?;
        }
        Ok(())
    }

    fn start(&mut self, world: &World, host: usize, nth: usize) {
        let of = &self.scenario.hosts[host];
        let Some(program) = &of.program else { return };
        let command =
            program.command(self.scenario.ip, &self.scenario.variables, |name| self.scenario.resolve(name));
        let command = command.expect("the file's programs are checked");
        let pid = world.on_host(&of.name, |machine, now| match of.file() {
            None => machine.spawn(now, command.name(), |os| command.run(os)),
            Some(file) => machine.spawn_reading(now, command.name(), &file, |os| command.run(os)),
        });
        if let Some(pid) = pid {
            debug_assert_eq!(self.started[host].len(), nth);
            self.started[host].push(pid);
            // It finds at its terminal what was typed there before it started.
            type_at(world, of, self.typed[host].clone(), &[pid]);
        }
    }

    /// A terminal that nobody reads any more takes what is typed all the same.
    fn type_next(&mut self, world: &World, host: usize, nth: usize) {
        self.typed[host].end = nth + 1;
        type_at(world, &self.scenario.hosts[host], nth..nth + 1, &self.started[host]);
    }

    fn strike(&mut self, world: &mut World, fault: usize) {
        let of = &self.scenario.faults[fault];
        let host = self.scenario.hosts.iter().position(|host| host.name == of.host);
        let host = host.expect("faults are checked to name hosts");
        let parent = self.started[host].first().copied();
        self.strikes.strike(world, fault, of, parent, self.scenario.hosts[host].grace);
        if of.kind == FaultKind::Boot {
            self.start_programs(world.now(), host);
        }
    }

    /// The faults that met nothing.
    pub(super) fn missed(&self, world: &World) -> Vec<usize> {
        self.strikes.missed(world, &self.scenario.faults)
    }
}

/// Types some of a host's inputs at the terminal of each of these processes.
fn type_at(world: &World, host: &Host, inputs: Range<usize>, pids: &[Pid]) {
    world.on_host(&host.name, |machine, now| {
        for input in &host.typed[inputs] {
            for pid in pids {
                match &input.what {
                    Input::Line(line) => machine.type_line(now, *pid, line),
                    Input::Eof => machine.type_eof(now, *pid),
                };
            }
        }
    });
}
