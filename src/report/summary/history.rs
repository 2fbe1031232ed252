//! Reads the timeline once, and keeps of it what a sentence may need.

use std::collections::BTreeMap;

use super::connection::{Connection, Ends};
use super::mishap::{Mishap, What};
use super::story::{End, Story};
use crate::packet::Flags;
use crate::story::Hosts;
use crate::time::SimTime;
use crate::timeline::{
    Call, Direction, Event, FaultKind, Icmp, Kind, LostReason, Process, ProcessChange, SegmentEvent,
};

/// A run, sorted by who it happened to.
#[derive(Default)]
pub(super) struct History<'a> {
    /// Every process there ever was, in the order they appeared.
    pub(super) stories: Vec<Story<'a>>,
    /// What went wrong outside the programs, in time order.
    pub(super) mishaps: Vec<Mishap<'a>>,
    /// Segments that left a host.
    pub(super) sent: usize,
    /// How many of them were sent again.
    pub(super) retransmitted: usize,
    /// Packets lost, by reason.
    pub(super) lost: BTreeMap<LostReason, usize>,
    pub(super) hosts: Hosts<'a>,
    connections: BTreeMap<(&'a str, Ends), Connection>,
    /// A pid means another process after its host has booted again.
    current: BTreeMap<(&'a str, u32), usize>,
}

impl<'a> History<'a> {
    pub(super) fn of(events: &'a [Event]) -> History<'a> {
        let mut history = History { hosts: Hosts::of(events), ..History::default() };
        for event in events {
            history.read(event);
        }
        history
    }

    /// Whether a host crashed or was shut down, and has not booted since.
    pub(super) fn is_off(&self, host: &str) -> bool {
        let changes = |mishap: &&Mishap<'_>| mishap.target == host && mishap.what.is_of_host();
        self.mishaps.iter().rev().find(changes).is_some_and(|last| last.what != What::Boot)
    }

    /// `host`'s end of a connection as it is at the end of the run.
    pub(super) fn connection(&self, host: &'a str, ends: Ends) -> Option<&Connection> {
        self.connections.get(&(host, ends))
    }

    /// The story of a process that may have done nothing yet.
    pub(super) fn story(&mut self, host: &'a str, pid: u32, process: &'a str) -> &mut Story<'a> {
        let index = self.index(host, pid, process);
        &mut self.stories[index]
    }

    fn index(&mut self, host: &'a str, pid: u32, process: &'a str) -> usize {
        match self.current.get(&(host, pid)) {
            Some(&index) => index,
            None => self.begin(Story::new(host, pid, process)),
        }
    }

    fn begin(&mut self, story: Story<'a>) -> usize {
        let index = self.stories.len();
        self.current.insert((story.host, story.pid), index);
        self.stories.push(story);
        index
    }

    fn read(&mut self, event: &'a Event) {
        let (t, host): (_, &'a str) = (event.t, &event.host);
        match &event.kind {
            Kind::Segment(segment) => self.segment(t, host, segment),
            Kind::Icmp(icmp) => self.icmp(host, icmp),
            Kind::Lost { reason, .. } => *self.lost.entry(*reason).or_default() += 1,
            Kind::Call(call) => self.call(t, host, call),
            Kind::Process(process) => self.process(t, host, process),
            Kind::Line(line) => self.story(host, line.pid, &line.process).line(line),
            Kind::Fault { fault, target } => self.fault(t, *fault, target),
            Kind::State { .. } | Kind::Signal { .. } => {}
        }
    }

    fn segment(&mut self, t: SimTime, host: &'a str, segment: &SegmentEvent) {
        let (local, remote) = match segment.dir {
            Direction::Out => (segment.src, segment.dst),
            Direction::In => (segment.dst, segment.src),
        };
        let connection = self.connections.entry((host, (local, remote))).or_default();
        let again = segment.retransmission.is_some();
        if segment.flags.has(Flags::SYN) && segment.ack.is_none() && !again {
            // A new connection between the same two ends has nothing to do with the old one.
            *connection = Connection { opened: Some(t), ..Connection::default() };
        }
        match segment.dir {
            Direction::Out => {
                self.sent += 1;
                self.retransmitted += usize::from(again);
                connection.sent(t, segment);
            }
            Direction::In => connection.received(t, segment),
        }
    }

    fn icmp(&mut self, host: &'a str, icmp: &Icmp) {
        match icmp.dir {
            Direction::Out => {}
            Direction::In => self.connections.entry((host, icmp.about)).or_default().told(icmp),
        }
    }

    fn call(&mut self, t: SimTime, host: &'a str, call: &'a Call) {
        let index = self.index(host, call.pid, &call.process);
        let connections = &self.connections;
        self.stories[index].call(t, call, |ends| connections.get(&(host, ends)).cloned());
    }

    fn process(&mut self, t: SimTime, host: &'a str, process: &'a Process) {
        let name: &'a str = &process.process;
        match process.what {
            ProcessChange::Start => drop(self.begin(Story::new(host, process.pid, name))),
            ProcessChange::Fork { parent } => {
                let sockets = self.story(host, parent, name).sockets.clone();
                self.begin(Story { sockets, ..Story::new(host, process.pid, name) });
            }
            ProcessChange::Exit { status } => {
                self.story(host, process.pid, name).end = Some(End::Exit { t, status });
            }
            ProcessChange::Killed { signal } => {
                self.story(host, process.pid, name).end = Some(End::Killed { t, signal });
                let what = What::Killed { process: name, pid: process.pid, signal };
                self.mishaps.push(Mishap { t, target: host, what });
            }
            ProcessChange::Zombie => self.story(host, process.pid, name).zombie = true,
            ProcessChange::Reaped => self.story(host, process.pid, name).zombie = false,
        }
    }

    fn fault(&mut self, t: SimTime, fault: FaultKind, target: &'a str) {
        let Some(what) = What::of(fault) else { return };
        if matches!(what, What::Crash | What::Boot) {
            for story in self.stories.iter_mut().filter(|story| story.host == target) {
                story.zombie = false;
                story.end = story.end.or(Some(End::HostCrashed { t }));
            }
        }
        self.mishaps.push(Mishap { t, target, what });
    }
}
