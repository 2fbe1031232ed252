//! What is to be done when: programs started, input typed, faults struck.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::ops::Range;
use std::time::Duration;

use super::Stage;
use super::effects::Effects;
use super::looks::Looks;
use super::settled::Settled;
use crate::os::{Pid, Signal};
use crate::scenario::{Moment, Outcome, Scenario, Trigger, Watch};
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind, Victim};

/// Takes the events of a run while it goes on, some thousands at a time, and says whether to go on.
pub(crate) type Consumer<'a> = &'a mut dyn FnMut(Vec<Event>) -> ControlFlow<()>;

/// Events that are kept before a consumer gets them.
const BATCH: usize = 10_000;

/// Carries out a scenario's script on a stage, until nothing is left to happen or the scenario's time is up.
///
/// With `settled` the run is cut as well once nothing can change any more: a keepalive that is answered goes on for ever.
/// What a consumer took is not in the outcome.
pub(super) fn run<S: Stage>(
    scenario: &Scenario,
    stage: &mut S,
    mut settled: Option<Settled>,
    mut consumer: Option<Consumer<'_>>,
) -> Result<Outcome, S::Error> {
    let mut script = Script::new(scenario);
    let mut looks = Looks::new(scenario);
    script.await_events(stage);
    script.settle(stage)?;
    let (mut cut, mut gone) = (false, false);
    while let Some(next) = stage.next_moment(script.next_moment())? {
        if next > scenario.until {
            cut = true;
            break;
        }
        script.look(&mut looks, Some(next), stage)?;
        stage.go_to(next)?;
        script.settle(stage)?;
        script.do_what_is_due(stage)?;
        if let Some(settled) = &mut settled
            && script.is_done()
            && settled.look(stage)
        {
            cut = true;
            break;
        }
        if let Some(consumer) = &mut consumer
            && stage.recorder().kept().0 >= BATCH
            && consumer(stage.recorder().drain()).is_break()
        {
            cut = true;
            gone = true;
            break;
        }
    }
    if cut && settled.is_none() && !gone {
        script.look(&mut looks, Some(scenario.until), stage)?;
        script.wait_until(scenario.until, stage)?;
    }
    stage.recorder().await_from(None);
    let end = stage.now();
    if !cut {
        // Nothing changes any more.
        script.look(&mut looks, None, stage)?;
    }
    let (netstat, ps) = looks.take(stage)?;
    let mut events = stage.recorder().drain();
    // What a real process has done is heard of a little later.
    events.sort_by_key(|event| event.t);
    if let Some(consumer) = consumer.filter(|_| !gone) {
        // The run has ended, whatever is said.
        let _ = consumer(std::mem::take(&mut events));
    }
    Ok(Outcome {
        end,
        cut,
        waiting: stage.waiting(),
        missed: script.effects.missed(scenario, stage),
        taken: stage.taken(),
        netstat,
        ps,
        events,
        stalls: Vec::new(),
    })
}

/// One thing to be done.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Start one more process of a host's program.
    Start { host: usize },
    /// Type the n-th input of a host at each of its terminals.
    Type { host: usize, nth: usize },
    /// Strike a fault.
    Strike(usize),
}

impl Step {
    fn starts_on(self, host: usize) -> bool {
        matches!(self, Step::Start { host: on } if on == host)
    }
}

/// The steps still to come, and the faults that wait for an event.
struct Script<'a> {
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
    effects: Effects,
}

impl<'a> Script<'a> {
    fn new(scenario: &'a Scenario) -> Script<'a> {
        let mut script = Script {
            scenario,
            steps: BTreeMap::new(),
            written: 0,
            watches: Vec::new(),
            seen: 0,
            started: vec![Vec::new(); scenario.hosts.len()],
            typed: vec![0..0; scenario.hosts.len()],
            effects: Effects::new(scenario.faults.len()),
        };
        for host in 0..scenario.hosts.len() {
            script.write_starts(SimTime::ZERO, host);
        }
        for (host, of) in scenario.hosts.iter().enumerate() {
            for (nth, typed) in of.typed.iter().enumerate() {
                script.write(typed.at, Step::Type { host, nth });
            }
        }
        for (nth, fault) in scenario.faults.iter().enumerate() {
            match &fault.trigger {
                Trigger::At(at) => script.write(*at + fault.delay, Step::Strike(nth)),
                Trigger::On(watch) => script.watches.push((nth, watch.clone())),
            }
        }
        script
    }

    fn write(&mut self, at: SimTime, step: Step) {
        self.steps.insert((at, self.written), step);
        self.written += 1;
    }

    /// Init starts the host's programs after every boot, also those that the boot before did not come to. Nothing is
    /// typed at their terminals yet.
    fn start_programs(&mut self, boot: SimTime, host: usize) {
        self.steps.retain(|_, step| !step.starts_on(host));
        self.started[host].clear();
        self.typed[host].start = self.typed[host].end;
        self.write_starts(boot, host);
    }

    fn write_starts(&mut self, boot: SimTime, host: usize) {
        let of = &self.scenario.hosts[host];
        if of.program.is_some() {
            let first = boot + of.start;
            (0..of.count).for_each(|nth| self.write(first + of.every * nth, Step::Start { host }));
        }
    }

    fn next_moment(&self) -> Option<SimTime> {
        self.steps.first_key_value().map(|((at, _), _)| *at)
    }

    fn is_done(&self) -> bool {
        self.steps.is_empty() && self.watches.is_empty()
    }

    /// Looks at what has to be looked at before the run goes on to `next`, if it does.
    fn look<S: Stage>(
        &mut self,
        looks: &mut Looks<'_>,
        next: Option<SimTime>,
        stage: &mut S,
    ) -> Result<(), S::Error> {
        while let Some(at) = looks.first().filter(|at| next.is_none_or(|next| *at < next)) {
            self.wait_until(at, stage)?;
            looks.look(Moment::At(at), stage)?;
        }
        Ok(())
    }

    /// Waits for a moment at which the script has nothing to do.
    fn wait_until<S: Stage>(&mut self, moment: SimTime, stage: &mut S) -> Result<(), S::Error> {
        while stage.now() < moment {
            stage.go_to(moment)?;
            self.settle(stage)?;
        }
        Ok(())
    }

    /// Lets the hosts come to rest at this moment; a fault that waits for an event strikes after the event's round.
    fn settle<S: Stage>(&mut self, stage: &mut S) -> Result<(), S::Error> {
        loop {
            let moved = stage.round()?;
            let struck = self.watch(stage)?;
            if !moved && !struck {
                return Ok(());
            }
        }
    }

    /// Keeps the events that a watch has not seen from a consumer that drains the timeline.
    fn await_events<S: Stage>(&self, stage: &S) {
        stage.recorder().await_from((!self.watches.is_empty()).then_some(self.seen));
    }

    /// Looks at the new events; true if a fault struck that waited for one of them.
    fn watch<S: Stage>(&mut self, stage: &mut S) -> Result<bool, S::Error> {
        if self.watches.is_empty() {
            return Ok(false);
        }
        let events = stage.recorder().events_from(self.seen);
        self.seen = stage.recorder().len();
        let mut struck = false;
        for event in &events {
            let mut due = Vec::new();
            self.watches.retain_mut(|(fault, watch)| {
                let now = watch.matches(event);
                due.extend(now.then_some(*fault));
                !now
            });
            for fault in due {
                match self.scenario.faults[fault].delay {
                    Duration::ZERO => {
                        self.strike(fault, stage)?;
                        struck = true;
                    }
                    delay => self.write(stage.now() + delay, Step::Strike(fault)),
                }
            }
        }
        self.await_events(stage);
        Ok(struck)
    }

    /// Does what is due, one thing after the other.
    fn do_what_is_due<S: Stage>(&mut self, stage: &mut S) -> Result<(), S::Error> {
        while let Some(first) = self.steps.first_entry().filter(|first| first.key().0 <= stage.now()) {
            match first.remove() {
                Step::Start { host } => self.start(host, stage)?,
                Step::Type { host, nth } => {
                    self.typed[host].end = nth + 1;
                    self.type_inputs(host, nth..nth + 1, &self.started[host], stage);
                }
                Step::Strike(fault) => self.strike(fault, stage)?,
            }
            self.settle(stage)?;
        }
        Ok(())
    }

    fn start<S: Stage>(&mut self, host: usize, stage: &mut S) -> Result<(), S::Error> {
        if let Some(pid) = stage.start(host)? {
            self.started[host].push(pid);
            // It finds at its terminal what was typed there before it started.
            self.type_inputs(host, self.typed[host].clone(), &[pid], stage);
        }
        Ok(())
    }

    /// Types some of a host's inputs at the terminal of each of these processes.
    fn type_inputs<S: Stage>(&self, host: usize, inputs: Range<usize>, pids: &[Pid], stage: &mut S) {
        for typed in &self.scenario.hosts[host].typed[inputs] {
            for pid in pids {
                stage.type_input(host, *pid, &typed.what);
            }
        }
    }

    fn strike<S: Stage>(&mut self, nth: usize, stage: &mut S) -> Result<(), S::Error> {
        let fault = &self.scenario.faults[nth];
        let host = self.scenario.host_index(&fault.host).expect("faults are checked to name hosts");
        let kind = || Kind::Fault { fault: fault.kind, target: fault.host.clone() };
        stage.recorder().for_host("world").record(stage.now(), kind);
        let (living, met) = (stage.living(host), stage.met(host));
        let struck = match fault.kind {
            FaultKind::Kill { process, signal } => {
                let signal = Signal::from_name(signal).expect("signals are checked");
                match self.victim(process, host, &living) {
                    Some(pid) => stage.kill(host, pid, signal)?,
                    None => false,
                }
            }
            kind => stage.strike(host, kind)?,
        };
        self.effects.note(nth, fault.kind, struck, !living.is_empty(), met);
        if fault.kind == FaultKind::Boot && struck {
            self.start_programs(stage.now(), host);
        }
        Ok(())
    }

    /// The process that a `kill` means, among those that have not ended.
    fn victim(&self, victim: Victim, host: usize, living: &[Pid]) -> Option<Pid> {
        let started = &self.started[host];
        match victim {
            Victim::Parent => started.first().copied().filter(|pid| living.contains(pid)),
            Victim::Child => living.iter().filter(|pid| !started.contains(pid)).max().copied(),
        }
    }
}
