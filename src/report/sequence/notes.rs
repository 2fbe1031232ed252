//! What stands beside a host: of all it did, what a reader wants to see next to the packets.

use std::collections::BTreeSet;

use super::{Note, NoteKind};
use crate::report::wording;
use crate::time::SimTime;
use crate::timeline::{Call, Event, Kind, Process, ProcessChange, SignalChange, Stream};

/// Calls that are worth a note when they succeed; those that move data show in packets and lines.
const TOLD: [&str; 5] = ["listen", "connect", "accept", "shutdown", "kill"];

/// Knows what has to be said to tell one process from another.
pub(super) struct Notes<'a> {
    /// Hosts on which more than one process was started.
    crowded: BTreeSet<&'a str>,
    /// Processes that have been seen as zombies.
    zombies: BTreeSet<(&'a str, u32)>,
}

impl<'a> Notes<'a> {
    pub(super) fn of(events: &'a [Event]) -> Notes<'a> {
        let mut started = BTreeSet::new();
        let mut crowded = BTreeSet::new();
        for event in events {
            match &event.kind {
                Kind::Process(Process { pid, what: ProcessChange::Start, .. }) => {
                    // A host that boots gives its pids out again.
                    if started.insert((&*event.host, *pid))
                        && started.range((&*event.host, 0)..(&*event.host, *pid)).next().is_some()
                    {
                        crowded.insert(&*event.host);
                    }
                }
                _ => continue,
            }
        }
        Notes { crowded, zombies: BTreeSet::new() }
    }

    /// The note an event is worth, if it is.
    pub(super) fn note(&mut self, event: &'a Event) -> Option<Note> {
        let host: &'a str = &event.host;
        let (kind, text) = match &event.kind {
            Kind::State { to, .. } => (NoteKind::State, to.name().to_owned()),
            Kind::Call(call) => self.call(host, event.t, call)?,
            Kind::Line(line) => {
                let kind = if line.stream == Stream::Stderr { NoteKind::Error } else { NoteKind::Line };
                let who = self.who(host, line.pid, &line.process);
                (kind, format!("{who}{} {:?}", line.stream.name(), line.text))
            }
            Kind::Process(process) => self.process(host, process)?,
            Kind::Signal { pid, process, signal, what } => {
                let what = match what {
                    SignalChange::Delivered => "",
                    SignalChange::Stopped => " stops it",
                    SignalChange::Continued => ": it goes on",
                    SignalChange::Pending => " pending",
                    SignalChange::Merged => " merged",
                    // Nothing happens, or the process's end follows.
                    SignalChange::Ignored | SignalChange::Killed => return None,
                };
                (NoteKind::Process, format!("{} {signal}{what}", wording::process(process, *pid)))
            }
            Kind::Icmp(icmp) if icmp.is_own() => (NoteKind::Error, wording::icmp(icmp)),
            Kind::Segment(_)
            | Kind::Icmp(_)
            | Kind::Neighbour(_)
            | Kind::Lost { .. }
            | Kind::Fault { .. } => return None,
        };
        Some(Note { kind, text })
    }

    fn call(&self, host: &str, t: SimTime, call: &Call) -> Option<(NoteKind, String)> {
        let name = call.known_as();
        let who = self.who(host, call.pid, &call.process);
        match call.result {
            Err(_) if call.failure(t).is_none() => None,
            Err(errno) => Some((NoteKind::Error, format!("{who}{name} = -1 {errno}"))),
            // The end of file on a socket is news; at a terminal it is the user's doing.
            Ok(0) if call.reads_from_peer() => Some((NoteKind::Call, format!("{who}{name} = 0"))),
            Ok(value) if TOLD.contains(&call.name()) => {
                Some((NoteKind::Call, format!("{who}{} = {value}", call.name())))
            }
            Ok(_) => None,
        }
    }

    fn process(&mut self, host: &'a str, process: &'a Process) -> Option<(NoteKind, String)> {
        let who = wording::process(&process.process, process.pid);
        let key = (host, process.pid);
        let (kind, what) = match process.what {
            ProcessChange::Start => {
                self.zombies.remove(&key);
                (NoteKind::Process, "starts".to_owned())
            }
            ProcessChange::Fork { parent } => (NoteKind::Process, format!("forked by {parent}")),
            ProcessChange::Exit { status: 0 } => (NoteKind::Process, "exits 0".to_owned()),
            ProcessChange::Exit { status } => (NoteKind::Error, format!("exits {status}")),
            ProcessChange::Killed { signal } => (NoteKind::Error, format!("killed by {signal}")),
            ProcessChange::Zombie => {
                self.zombies.insert(key);
                (NoteKind::Process, "is a zombie".to_owned())
            }
            ProcessChange::Reaped if self.zombies.remove(&key) => (NoteKind::Process, "reaped".to_owned()),
            ProcessChange::Reaped => return None,
        };
        Some((kind, format!("{who} {what}")))
    }

    /// `echo-client[103] `, where the host alone does not say who.
    fn who(&self, host: &str, pid: u32, process: &str) -> String {
        if self.crowded.contains(host) {
            format!("{} ", wording::process(process, pid))
        } else {
            String::new()
        }
    }
}
