//! The play as it runs: one loop that types, strikes, listens to the pipe and looks after the processes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::Signal as Native;

use super::agenda::{Agenda, Item};
use super::cast::{self, Actor};
use super::struck::Struck;
use super::view::Views;
use super::{Ground, Play, Stdin};
use crate::os::Signal;
use crate::os::unix::{EventPipe, EventReader, interrupted};
use crate::scenario::{Fault, Input, Outcome, Trigger, Watch};
use crate::time::SimTime;
use crate::timeline::{Call, Event, Kind, Line, Process, ProcessChange, Stream, Waiting};

/// How long nothing happens before nothing will.
const QUIET: Duration = Duration::from_secs(1);
/// Between looks at processes that may have ended.
const GLANCE: Duration = Duration::from_millis(2);
/// Between looks at kernels' timers, for which a kernel goes through all its sockets.
const LOOK: Duration = Duration::from_millis(500);
/// How long a server may take before it listens.
const STARTUP: Duration = Duration::from_secs(10);

pub(super) struct Performance<'a> {
    pub(super) play: &'a Play,
    pub(super) ground: &'a mut dyn Ground,
    pub(super) pipe: EventPipe,
    pub(super) reader: EventReader,
    pub(super) agenda: Agenda,
    pub(super) cast: Vec<Actor>,
    /// What was forked and has not ended, by pid: its host and name.
    pub(super) children: BTreeMap<u32, (usize, Arc<str>)>,
    /// Pids about to end, and the signal that will have done it.
    pub(super) doomed: BTreeMap<u32, (usize, Arc<str>, Option<Signal>)>,
    /// When each host was off; open at the end while it is.
    pub(super) off: Vec<Vec<(SimTime, Option<SimTime>)>>,
    pub(super) events: Vec<Event>,
    /// The calls each living process was heard to make and not to return from: behind a call those of the handler
    /// that interrupted it.
    pub(super) calls: BTreeMap<u32, Vec<Waiting>>,
    /// What has been typed since the host's last boot: which of the inputs, by host and run.
    typed: BTreeMap<(usize, usize), Range<usize>>,
    /// What was asked to be looked at.
    pub(super) views: Views,
    /// Faults that wait for an event, by number.
    pub(super) watches: Vec<(usize, Watch)>,
    /// How many events the watches have seen: of the processes, of the wire.
    pub(super) watched: (usize, usize),
    /// What each fault's link had met when it struck; `None` while it has not.
    pub(super) struck: Vec<Option<Struck>>,
    /// Hosts that are being shut down.
    pub(super) ending: BTreeSet<usize>,
    /// When anything happened last.
    pub(super) stirred: SimTime,
    /// When to look at the kernels' timers again.
    look_again: SimTime,
}

impl<'a> Performance<'a> {
    pub(super) fn new(
        play: &'a Play,
        ground: &'a mut dyn Ground,
        pipe: EventPipe,
        reader: EventReader,
    ) -> Performance<'a> {
        Performance {
            agenda: Agenda::of(play),
            play,
            ground,
            pipe,
            reader,
            cast: Vec::new(),
            children: BTreeMap::new(),
            doomed: BTreeMap::new(),
            off: vec![Vec::new(); play.hosts.len()],
            events: Vec::new(),
            calls: BTreeMap::new(),
            typed: BTreeMap::new(),
            views: Views::default(),
            watches: play.faults.iter().enumerate().filter_map(watch).collect(),
            watched: (0, 0),
            struck: vec![None; play.faults.len()],
            ending: BTreeSet::new(),
            stirred: SimTime::ZERO,
            look_again: SimTime::ZERO,
        }
    }

    /// Plays to the end.
    pub(super) fn run(mut self) -> io::Result<Outcome> {
        while !self.is_over()? {
            if interrupted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            while let Some(item) = self.agenda.next(self.pipe.now()) {
                self.take_up(item)?;
            }
            self.ground.move_on(self.pipe.now())?;
            self.listen()?;
            self.look_after_processes();
            self.power_off();
            self.watch()?;
            self.wait()?;
        }
        self.listen()?;
        self.look_at_the_end()?;
        let mut outcome = Outcome {
            end: self.pipe.now(),
            cut: self.is_time(),
            waiting: self.asleep().cloned().collect(),
            netstat: self.views.netstat.take(),
            ps: self.views.ps.take(),
            missed: self.missed(),
            ..Outcome::default()
        };
        outcome.events = self.events;
        outcome.events.extend(self.ground.events_from(0));
        outcome.events.sort_by_key(|event| event.t);
        Ok(outcome)
    }

    fn is_time(&self) -> bool {
        self.pipe.now() >= SimTime::ZERO + self.play.until
    }

    fn is_over(&mut self) -> io::Result<bool> {
        if self.is_time() {
            return Ok(true);
        }
        let asleep = self.asleep().any(|call| call.call == "sleep");
        // A process may have woken and ended since the pipe was read: what it left there comes first.
        self.listen()?;
        let now = self.pipe.now();
        let is_quiet = now.since(self.stirred) >= QUIET && self.ground.next_deadline().is_none();
        // Who sleeps wakes up by himself.
        if !is_quiet || self.agenda.next_time().is_some() || asleep || now < self.look_again {
            return Ok(false);
        }
        self.look_again = now + LOOK;
        Ok(!self.ground.awaits_timer()?)
    }

    /// What each living process sleeps in.
    pub(super) fn asleep(&self) -> impl Iterator<Item = &Waiting> {
        self.calls.values().filter_map(|calls| calls.last()).filter(|call| cast::fate(call.pid).is_none())
    }

    fn wait(&mut self) -> io::Result<()> {
        let now = self.pipe.now();
        let has_typing = self.cast.iter_mut().fold(false, |some, actor| actor.keyboard.flush() | some);
        let glance = (has_typing || !self.doomed.is_empty()).then_some(now + GLANCE);
        let times = [self.agenda.next_time(), self.ground.next_deadline(), glance, Some(now + 10 * GLANCE)];
        let until = times.into_iter().flatten().min().unwrap_or(now);
        let mut fds = vec![PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.ground.descriptors().into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match wait_for(&mut fds, until.since(now)) {
            Err(Errno::EINTR) => Ok(()),
            result => Ok(result.map(drop)?),
        }
    }

    pub(super) fn take_up(&mut self, item: Item) -> io::Result<()> {
        self.stirred = self.pipe.now();
        match item {
            Item::Start { host, run } => self.start(host, run),
            Item::Type { host, run, input } => {
                self.typed.entry((host, run)).or_default().end = input + 1;
                self.type_at(host, run, input..input + 1);
                Ok(())
            }
            Item::Look { view } => self.look(view),
            Item::Strike { fault } => self.strike(fault),
            Item::SwitchOff { host } => self.switch_off(host),
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
        let now = self.pipe.now();
        let home = &play.hosts[host];
        let actor = Actor::start((host, index), home, run, &self.pipe.for_host(&home.name))?;
        let (pid, name) = (actor.pid.as_raw(), actor.name.clone());
        self.record_change(now, host, pid, &name, ProcessChange::Start);
        self.cast.push(actor);
        if run.serves {
            self.wait_until_it_listens(pid)?;
        }
        // It finds at its terminal what was typed there before it started.
        let typed = self.typed.get(&(host, index)).cloned().unwrap_or_default();
        self.type_at(host, index, typed);
        Ok(())
    }

    /// In the simulation a server that starts first listens first. Here that has to be seen to.
    fn wait_until_it_listens(&mut self, pid: u32) -> io::Result<()> {
        let end = self.pipe.now() + STARTUP;
        let mut seen = self.events.len();
        loop {
            self.ground.move_on(self.pipe.now())?;
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
            if self.pipe.now() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "a server did not come to listen"));
            }
            _ = wait_for(&mut [PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)], GLANCE);
        }
    }

    /// A terminal that nobody reads any more takes what is typed all the same.
    fn type_at(&mut self, host: usize, run: usize, inputs: Range<usize>) {
        let now = self.pipe.now();
        let Stdin::Terminal(typed) = &self.play.hosts[host].runs[run].stdin else { return };
        let mut lines = Vec::new();
        let Some(actor) = self.cast.iter_mut().find(|actor| actor.host == host && actor.run == run) else {
            return;
        };
        for input in &typed[inputs] {
            match &input.what {
                Input::Line(text) => {
                    let (pid, process) = (actor.pid.as_raw(), actor.name.clone());
                    lines.push(Line { pid, process, stream: Stream::Stdin, text: text.clone() });
                    actor.keyboard.type_line(text);
                }
                Input::Eof => actor.keyboard.type_eof(),
            }
        }
        for line in lines {
            self.record_at(now, host, Kind::Line(line));
        }
    }

    /// After a boot nobody has typed anything yet.
    pub(super) fn clear_terminals(&mut self, host: usize) {
        for (_, typed) in self.typed.iter_mut().filter(|((on, _), _)| *on == host) {
            typed.start = typed.end;
        }
    }
}

/// What a fault waits for, if it is an event.
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
