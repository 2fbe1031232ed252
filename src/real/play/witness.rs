//! What is seen of the processes: what they tell, and what they can tell no more.

use std::io;
use std::sync::Arc;

use nix::sys::wait::WaitStatus;

use super::cast;
use super::performance::Performance;
use crate::os::Signal;
use crate::os::unix::Message;
use crate::time::SimTime;
use crate::timeline::{Event, Kind, Process, ProcessChange, SignalChange};

impl Performance<'_> {
    /// Takes in what the processes have written.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        while let Some(note) = self.reader.read()? {
            let event = match note {
                Message::Event(event) => event,
                Message::Enters(waiting) => {
                    self.calls.entry(waiting.pid).or_default().push(waiting);
                    continue;
                }
                _ => continue,
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
            self.stirred = self.pipe.now();
            if let Kind::Call(call) = &event.kind {
                let calls = self.calls.entry(call.pid).or_default();
                calls.pop_if(|last| last.call == call.call);
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
    pub(super) fn look_after_processes(&mut self) {
        let now = self.pipe.now();
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
        // One that has ended since that look is told of at the next.
        self.doomed.retain(|pid, (host, _, _)| self.children.contains_key(pid) || self.off[*host].is_empty());
    }

    fn record_killed(&mut self, t: SimTime, host: usize, pid: u32, name: &Arc<str>, signal: Option<Signal>) {
        let Some(signal) = signal.map(Signal::name) else { return };
        let what = SignalChange::Killed;
        self.record_at(t, host, Kind::Signal { pid, process: name.clone(), signal, what });
        self.record_change(t, host, pid, name, ProcessChange::Killed { signal });
    }

    pub(super) fn record_change(
        &mut self,
        t: SimTime,
        host: usize,
        pid: u32,
        name: &Arc<str>,
        what: ProcessChange,
    ) {
        self.record_at(t, host, Kind::Process(Process { pid, process: name.clone(), what }));
    }

    pub(super) fn record_at(&mut self, t: SimTime, host: usize, kind: Kind) {
        let host = self.play.hosts[host].name.as_str().into();
        let event = Event { t, host, kind, packet: None };
        if !self.is_told(&event) {
            self.stirred = self.pipe.now();
            self.events.push(event);
        }
    }
}
