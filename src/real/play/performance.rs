//! The play as it runs: one loop that types, strikes, listens to the tape and looks after the processes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::Signal as Native;
use nix::sys::wait::WaitStatus;

use super::agenda::{Agenda, Item};
use super::cast::{self, Actor};
use super::{Action, Fault, Ground, Input, Play, Victim};
use crate::os::Signal;
use crate::os::unix::{Note, Reel, Tape, interrupted};
use crate::scenario::{Outcome, Trigger, Watch};
use crate::time::SimTime;
use crate::timeline::{Call, Event, Kind, Line, Process, ProcessChange, SignalChange, Stream, Waiting};

/// How long nothing happens before nothing will.
const QUIET: Duration = Duration::from_secs(1);
/// Between looks at processes that may have ended.
const GLANCE: Duration = Duration::from_millis(2);
/// How long a server may take before it listens.
const STARTUP: Duration = Duration::from_secs(10);

pub(super) struct Performance<'a> {
    play: &'a Play,
    ground: &'a mut dyn Ground,
    tape: Tape,
    reel: Reel,
    agenda: Agenda,
    cast: Vec<Actor>,
    /// What was forked and has not ended, by pid: its host and name.
    children: BTreeMap<u32, (usize, Arc<str>)>,
    /// Pids about to end, and the signal that will have done it.
    doomed: BTreeMap<u32, (usize, Arc<str>, Option<Signal>)>,
    /// When each host was off; open at the end while it is.
    off: Vec<Vec<(SimTime, Option<SimTime>)>>,
    events: Vec<Event>,
    /// What each living process was last heard to call.
    calls: BTreeMap<u32, Waiting>,
    /// Faults that wait for an event, by number.
    watches: Vec<(usize, Watch)>,
    /// How many events the watches have seen: of the processes, of the wire.
    watched: (usize, usize),
    /// What each fault's link had met when it struck; `None` while it has not.
    struck: Vec<Option<Struck>>,
    /// Hosts that are being shut down.
    ending: BTreeSet<usize>,
    /// When anything happened last.
    stirred: SimTime,
}

impl<'a> Performance<'a> {
    pub(super) fn new(play: &'a Play, ground: &'a mut dyn Ground, tape: Tape, reel: Reel) -> Performance<'a> {
        Performance {
            agenda: Agenda::of(play),
            play,
            ground,
            tape,
            reel,
            cast: Vec::new(),
            children: BTreeMap::new(),
            doomed: BTreeMap::new(),
            off: vec![Vec::new(); play.hosts.len()],
            events: Vec::new(),
            calls: BTreeMap::new(),
            watches: play.faults.iter().enumerate().filter_map(watch).collect(),
            watched: (0, 0),
            struck: vec![None; play.faults.len()],
            ending: BTreeSet::new(),
            stirred: SimTime::ZERO,
        }
    }

    /// Plays to the end.
    pub(super) fn run(mut self) -> io::Result<Outcome> {
        while !self.is_over() {
            if interrupted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            while let Some(item) = self.agenda.next(self.tape.now()) {
                self.take_up(item)?;
            }
            self.ground.move_on(self.tape.now())?;
            self.listen()?;
            self.look_after_processes();
            self.power_off()?;
            self.watch()?;
            self.wait()?;
        }
        self.listen()?;
        let mut outcome = Outcome {
            end: self.tape.now(),
            cut: self.is_time(),
            waiting: self.calls.values().filter(|call| cast::fate(call.pid).is_none()).cloned().collect(),
            missed: self.missed(),
            ..Outcome::default()
        };
        outcome.events = self.events;
        outcome.events.extend(self.ground.events_from(0));
        outcome.events.sort_by_key(|event| event.t);
        Ok(outcome)
    }

    fn is_time(&self) -> bool {
        self.tape.now() >= SimTime::ZERO + self.play.until
    }

    /// The faults that met no packet and no process.
    fn missed(&self) -> Vec<usize> {
        let missed = |(n, struck): (usize, &Option<Struck>)| {
            let fault = &self.play.faults[n];
            let met = match struck {
                None => false,
                Some(Struck::Met) => true,
                Some(Struck::Lasting(host, before)) => fault.action.met(&self.ground.met(*host)) > *before,
            };
            (!met).then_some(n)
        };
        self.struck.iter().enumerate().filter_map(missed).collect()
    }

    /// Strikes what waits for an event that has come.
    fn watch(&mut self) -> io::Result<()> {
        if self.watches.is_empty() {
            return Ok(());
        }
        let mut news = self.events[self.watched.0..].to_vec();
        self.watched.0 = self.events.len();
        let wire = self.ground.events_from(self.watched.1);
        self.watched.1 += wire.len();
        news.extend(wire);
        news.sort_by_key(|event| event.t);
        let now = self.tape.now();
        for event in &news {
            let (agenda, faults) = (&mut self.agenda, &self.play.faults);
            self.watches.retain_mut(|(fault, watch)| {
                let it_is = watch.matches(event);
                if it_is {
                    agenda.add(now + faults[*fault].delay, Item::Strike { fault: *fault });
                }
                !it_is
            });
        }
        while let Some(item) = self.agenda.next(now) {
            self.take_up(item)?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        if self.is_time() {
            return true;
        }
        let now = self.tape.now();
        let waits_for =
            |actor: &Actor| !actor.has_ended && !self.play.hosts[actor.host].runs[actor.run].serves;
        let all_ended = !self.cast.iter().any(waits_for);
        let is_quiet = now.since(self.stirred) >= QUIET && self.ground.next_deadline().is_none();
        // Who sleeps wakes up by himself.
        let asleep = self.calls.values().any(|call| call.call == "sleep" && cast::fate(call.pid).is_none());
        let is_still = is_quiet && self.agenda.next_time().is_none() && !asleep;
        is_still && (all_ended || !self.ground.has_wires())
    }

    fn wait(&mut self) -> io::Result<()> {
        let now = self.tape.now();
        let has_typing = self.cast.iter_mut().fold(false, |some, actor| actor.flush() | some);
        let glance = (has_typing || !self.doomed.is_empty()).then_some(now + GLANCE);
        let times = [self.agenda.next_time(), self.ground.next_deadline(), glance, Some(now + 10 * GLANCE)];
        let until = times.into_iter().flatten().min().unwrap_or(now);
        let mut fds = vec![PollFd::new(self.reel.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.ground.descriptors().into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match wait_for(&mut fds, until.since(now)) {
            Err(Errno::EINTR) => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    fn take_up(&mut self, item: Item) -> io::Result<()> {
        self.stirred = self.tape.now();
        match item {
            Item::Start { host, run } => self.start(host, run),
            Item::Type { host, run, input } => {
                self.type_at(host, run, input);
                Ok(())
            }
            Item::Strike { fault } => self.strike(fault),
            Item::KillAll { host } => {
                self.signal_all(host, Native::SIGKILL);
                Ok(())
            }
        }
    }

    fn start(&mut self, host: usize, index: usize) -> io::Result<()> {
        let play = self.play;
        let run = &play.hosts[host].runs[index];
        self.ground.enter(host)?;
        let now = self.tape.now();
        let actor = Actor::start(host, index, run, &self.tape.for_host(&play.hosts[host].name))?;
        let (pid, name) = (actor.pid.as_raw(), actor.name.clone());
        self.record_change(now, host, pid, &name, ProcessChange::Start);
        self.cast.push(actor);
        if run.serves {
            self.wait_until_it_listens(pid)?;
        }
        Ok(())
    }

    /// In the simulation a server that starts first listens first. Here that has to be seen to.
    fn wait_until_it_listens(&mut self, pid: u32) -> io::Result<()> {
        let end = self.tape.now() + STARTUP;
        let mut seen = self.events.len();
        loop {
            self.ground.move_on(self.tape.now())?;
            self.listen()?;
            let is_it = |event: &Event| match &event.kind {
                Kind::Call(Call { pid: its, call: "listen", .. }) => *its == pid,
                Kind::Process(Process { pid: its, what: ProcessChange::Exit { .. }, .. }) => *its == pid,
                _ => false,
            };
            if self.events[seen..].iter().any(is_it) {
                return Ok(());
            }
            seen = self.events.len();
            if self.tape.now() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "a server did not come to listen"));
            }
            _ = wait_for(&mut [PollFd::new(self.reel.as_fd(), PollFlags::POLLIN)], GLANCE);
        }
    }

    fn type_at(&mut self, host: usize, run: usize, input: usize) {
        let now = self.tape.now();
        let Some(actor) = self.cast.iter_mut().find(|actor| actor.host == host && actor.run == run) else {
            return;
        };
        match &self.play.hosts[host].runs[run].typed[input].1 {
            Input::Line(text) => {
                let (pid, process) = (actor.pid.as_raw(), actor.name.clone());
                let line = Line { pid, process, stream: Stream::Stdin, text: text.clone() };
                actor.type_line(text);
                self.record_at(now, host, Kind::Line(line));
            }
            Input::Eof => actor.hang_up(),
        }
    }

    fn strike(&mut self, nth: usize) -> io::Result<()> {
        let fault = &self.play.faults[nth];
        let now = self.tape.now();
        let (name, target) = (fault.action.name(), fault.host.clone());
        let kind = Kind::Fault { fault: name, target, detail: fault.action.detail() };
        self.events.push(Event { t: now, host: "world".into(), kind, packet: None });
        let Some(host) = self.play.hosts.iter().position(|host| host.name == fault.host) else {
            return Err(io::Error::other(format!("no host {}", fault.host)));
        };
        let before = fault.action.met(&self.ground.met(host));
        let lives = self.cast.iter().any(|actor| actor.host == host && !actor.has_ended);
        let mut struck = Struck::Met;
        match fault.action {
            Action::Kill { process, signal } => {
                if !self.kill(host, process, signal)? {
                    return Ok(());
                }
            }
            Action::Shutdown { grace } => {
                self.signal_all(host, Native::SIGTERM);
                self.agenda.add(now + grace, Item::KillAll { host });
                self.ending.insert(host);
            }
            Action::Crash => {
                self.switch_off(host)?;
                if !lives {
                    struck = Struck::Lasting(host, before);
                }
            }
            Action::Boot => {
                self.ground.strike(now, host, Action::Boot)?;
                if let Some((_, until @ None)) = self.off[host].last_mut() {
                    *until = Some(now);
                }
                for (run, it) in self.play.hosts[host].runs.iter().enumerate() {
                    self.agenda.add(now + it.start, Item::Start { host, run });
                }
            }
            action => {
                self.ground.strike(now, host, action)?;
                if action.lasts() {
                    struck = Struck::Lasting(host, before);
                }
            }
        }
        self.struck[nth] = Some(struck);
        Ok(())
    }

    /// Not a packet leaves it, and nothing its processes do any more is heard of.
    fn switch_off(&mut self, host: usize) -> io::Result<()> {
        let now = self.tape.now();
        self.ground.strike(now, host, Action::Crash)?;
        self.off[host].push((now, None));
        self.cast.retain(|actor| actor.host != host);
        self.children.retain(|_, (on, _)| *on != host);
        Ok(())
    }

    /// A host that is shut down is off when its last process has ended.
    fn power_off(&mut self) -> io::Result<()> {
        let lives = |host: &usize| {
            self.cast.iter().any(|actor| actor.host == *host && !actor.has_ended)
                || self.children.values().any(|(on, _)| on == host)
        };
        let ended: Vec<usize> = self.ending.iter().copied().filter(|host| !lives(host)).collect();
        for host in ended {
            self.ending.remove(&host);
            if self.ground.has_wires() {
                self.switch_off(host)?;
            }
        }
        Ok(())
    }

    /// Whether there was anybody to be killed.
    fn kill(&mut self, host: usize, victim: Victim, signal: Signal) -> io::Result<bool> {
        let found = match victim {
            Victim::Parent => {
                let actor = self.cast.iter().find(|actor| actor.host == host && !actor.has_ended);
                actor.map(|actor| (actor.pid.as_raw(), actor.name.clone()))
            }
            Victim::Child => {
                let youngest = self.children.iter().rev().find(|(_, (on, _))| *on == host);
                youngest.map(|(pid, (_, name))| (*pid, name.clone()))
            }
        };
        let Some((pid, name)) = found else { return Ok(false) };
        cast::signal(pid, signal)?;
        if victim == Victim::Child {
            self.doomed.insert(pid, (host, name, Some(signal)));
        }
        Ok(true)
    }

    fn signal_all(&mut self, host: usize, signal: Native) {
        self.cast.iter().filter(|actor| actor.host == host).for_each(|actor| actor.kill_group(signal));
        let ours = Signal::from_name(signal.as_str());
        for (pid, (_, name)) in self.children.iter().filter(|(_, (on, _))| *on == host) {
            self.doomed.insert(*pid, (host, name.clone(), ours));
        }
    }

    /// Takes in what the processes have written.
    fn listen(&mut self) -> io::Result<()> {
        while let Some(note) = self.reel.next()? {
            let event = match note {
                Note::Event(event) => event,
                Note::Enters(waiting) => {
                    self.calls.insert(waiting.pid, waiting);
                    continue;
                }
                Note::End(..) | Note::Missed(_) => continue,
            };
            let Some(host) = self.play.hosts.iter().position(|host| *host.name == *event.host) else {
                continue;
            };
            let is_off = |(from, until): &(SimTime, Option<SimTime>)| {
                *from <= event.t && until.is_none_or(|until| event.t < until)
            };
            if self.off[host].iter().any(is_off) || self.is_told(&event) {
                continue;
            }
            self.stirred = self.tape.now();
            if let Kind::Call(call) = &event.kind {
                self.calls.remove(&call.pid);
            }
            if let Kind::Process(Process { pid, process, what }) = &event.kind {
                match what {
                    ProcessChange::Fork { .. } => _ = self.children.insert(*pid, (host, process.clone())),
                    ProcessChange::Exit { .. } => {
                        if self.children.remove(pid).is_some() {
                            self.doomed.insert(*pid, (host, process.clone(), None));
                        }
                    }
                    ProcessChange::Killed { .. } | ProcessChange::Reaped => _ = self.children.remove(pid),
                    ProcessChange::Start | ProcessChange::Zombie => {}
                }
            }
            self.events.push(event);
        }
        Ok(())
    }

    /// A parent tells what killed its child when it waits for it; we may have seen it before.
    fn is_told(&self, event: &Event) -> bool {
        let about = |kind: &Kind| match kind {
            Kind::Process(Process { pid, what: ProcessChange::Killed { .. }, .. }) => Some((0, *pid)),
            Kind::Signal { pid, what: SignalChange::Killed, .. } => Some((1, *pid)),
            _ => None,
        };
        let this = about(&event.kind);
        this.is_some() && self.events.iter().any(|earlier| about(&earlier.kind) == this)
    }

    /// Tells of those who could not tell it themselves.
    fn look_after_processes(&mut self) {
        let now = self.tape.now();
        for at in 0..self.cast.len() {
            let actor = &mut self.cast[at];
            let Some(status) = actor.reap() else { continue };
            let (host, pid, name) = (actor.host, actor.pid.as_raw(), actor.name.clone());
            if let WaitStatus::Signaled(_, signal, _) = status {
                self.record_killed(now, host, pid, &name, Signal::from_name(signal.as_str()));
            }
            self.record_change(now, host, pid, &name, ProcessChange::Reaped);
        }
        let ended: Vec<u32> = self.doomed.keys().copied().filter(|pid| cast::fate(*pid).is_some()).collect();
        for pid in ended {
            let Some((host, name, signal)) = self.doomed.remove(&pid) else { continue };
            self.children.remove(&pid);
            if signal.is_some() {
                self.record_killed(now, host, pid, &name, signal);
            }
            if cast::fate(pid) == Some(ProcessChange::Zombie) {
                self.record_change(now, host, pid, &name, ProcessChange::Zombie);
            }
        }
        self.doomed.retain(|pid, (host, _, _)| {
            self.children.contains_key(pid) || (cast::fate(*pid).is_none() && self.off[*host].is_empty())
        });
    }

    fn record_killed(&mut self, t: SimTime, host: usize, pid: u32, name: &Arc<str>, signal: Option<Signal>) {
        let Some(signal) = signal.map(Signal::name) else { return };
        let what = SignalChange::Killed;
        self.record_at(t, host, Kind::Signal { pid, process: name.clone(), signal, what });
        self.record_change(t, host, pid, name, ProcessChange::Killed { signal });
    }

    fn record_change(&mut self, t: SimTime, host: usize, pid: u32, name: &Arc<str>, what: ProcessChange) {
        self.record_at(t, host, Kind::Process(Process { pid, process: name.clone(), what }));
    }

    fn record_at(&mut self, t: SimTime, host: usize, kind: Kind) {
        let host = self.play.hosts[host].name.as_str().into();
        let event = Event { t, host, kind, packet: None };
        if !self.is_told(&event) {
            self.stirred = self.tape.now();
            self.events.push(event);
        }
    }
}

/// What a fault did when it struck.
#[derive(Clone, Copy, Debug)]
enum Struck {
    /// It did something there and then.
    Met,
    /// It lasts; so many packets had its host's link met before.
    Lasting(usize, u64),
}

fn watch((n, fault): (usize, &Fault)) -> Option<(usize, Watch)> {
    match &fault.trigger {
        Trigger::At(_) => None,
        Trigger::On(watch) => Some((n, watch.clone())),
    }
}

/// `poll`, as finely as the system can.
fn wait_for(fds: &mut [PollFd<'_>], span: Duration) -> nix::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let ready = nix::poll::ppoll(fds, Some(span.into()), None);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let ready = nix::poll::poll(fds, span.try_into().unwrap_or(nix::poll::PollTimeout::MAX));
    ready.map(|ready| ready as usize)
}
