//! What a host's own kernel refuses: no peer is to blame.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::Sentence;
use super::cause::Reasoning;
use crate::report::wording;
use crate::timeline::{Call, Event, Kind, Process, ProcessChange, SignalChange, SystemCall, TcpState};

impl Reasoning<'_, '_> {
    /// A signal's handler ran while the call slept (UNP 5.9), and what had sent the signal.
    pub(super) fn interrupted(&self, pid: u32) -> Vec<Sentence> {
        let delivered = |event: &Event| match &event.kind {
            Kind::Signal { pid: to, signal, what: SignalChange::Delivered, .. } if *to == pid => {
                Some(*signal)
            }
            _ => None,
        };
        let Some((at, signal)) = self.last(delivered) else { return Vec::new() };
        let mut links = vec![self.sentence(format!("{signal} came at {}", self.at(at)), vec![at])];
        if signal == "SIGCHLD" {
            let ended = |event: &Event| match &event.kind {
                Kind::Process(Process { pid, process, what: ProcessChange::Zombie }) => {
                    Some(wording::process(process, *pid))
                }
                _ => None,
            };
            links.extend(self.last(ended).map(|(at, who)| {
                self.sentence(format!("the child {who} ended at {}", self.at(at)), vec![at])
            }));
        }
        links
    }

    /// No descriptor is left: what was accepted was not closed (UNP 4.8).
    pub(super) fn out_of_descriptors(&self, pid: u32) -> Vec<Sentence> {
        let of = |name: &'static str| self.calls(pid, name);
        let accepted = of("accept");
        let Some(&first) = accepted.first() else { return Vec::new() };
        let closed = of("close").into_iter().filter(|at| *at > first).count();
        let text = format!(
            "it had accepted {} and closed {} of {}",
            wording::count(accepted.len(), "connection"),
            if closed == 0 { "none".to_owned() } else { closed.to_string() },
            if accepted.len() == 1 { "it" } else { "them" },
        );
        vec![self.sentence(text, accepted)]
    }

    /// No port is left that `connect` may choose for this peer: there is a connection from each.
    pub(super) fn out_of_ports(&self, call: &Call) -> Vec<Sentence> {
        let SystemCall::Connect { peer, .. } = call.what else { return Vec::new() };
        let mut open: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        for (at, event) in self.before() {
            match &event.kind {
                Kind::State { local, remote, to, .. } if *remote == peer => match to {
                    TcpState::Closed => _ = open.remove(local),
                    _ => _ = open.entry(*local).or_insert(at),
                },
                _ => {}
            }
        }
        let text = format!(
            "{} had {} to port {} of {}, and no port that connect may choose was left",
            self.trouble.host,
            wording::count(open.len(), "connection"),
            peer.port(),
            self.story.name(peer.ip()),
        );
        if open.is_empty() { Vec::new() } else { vec![self.sentence(text, open.into_values().collect())] }
    }

    /// A socket option bounds how long the call waits (UNP 14.4).
    pub(super) fn timed_out(&self, call: &Call) -> Vec<Sentence> {
        let (option, what) = match call.what {
            SystemCall::Write { .. } => ("SO_SNDTIMEO", "there was no room to write"),
            _ => ("SO_RCVTIMEO", "nothing came"),
        };
        let waited = wording::span(self.trouble.t - call.since);
        let text = format!("{what} for {waited}, and its socket waits no longer ({option})");
        vec![self.sentence(text, vec![self.trouble.at])]
    }

    /// The port is taken: a child of the one that listened there lives, and has its socket (UNP 4.8).
    pub(super) fn port_taken(&self) -> Vec<Sentence> {
        let listened = |event: &Event| match &event.kind {
            Kind::Call(call) if matches!(call.what, SystemCall::Listen { .. }) && call.result.is_ok() => {
                Some(call.pid)
            }
            _ => None,
        };
        let Some((_, listener)) = self.last(listened) else { return Vec::new() };
        let mut children: Vec<(usize, &Process)> = Vec::new();
        for (at, event) in self.before() {
            let Kind::Process(process) = &event.kind else { continue };
            match process.what {
                ProcessChange::Fork { parent } if parent == listener => children.push((at, process)),
                ProcessChange::Exit { .. } | ProcessChange::Killed { .. } => {
                    children.retain(|(_, child)| child.pid != process.pid);
                }
                _ => {}
            }
        }
        let alive = |(at, child): (usize, &Process)| {
            let who = wording::process(&child.process, child.pid);
            let text = format!("{who}, forked at {}, still had the listening socket open", self.at(at));
            self.sentence(text, vec![at])
        };
        children.into_iter().take(1).map(alive).collect()
    }

    /// What happened on the host before the news.
    fn before(&self) -> impl DoubleEndedIterator<Item = (usize, &Event)> {
        let events = self.story.events[..self.trouble.at].iter().enumerate();
        events.filter(|(_, event)| &*event.host == self.trouble.host)
    }

    fn last<T>(&self, is: impl Fn(&Event) -> Option<T>) -> Option<(usize, T)> {
        self.before().rev().find_map(|(at, event)| Some((at, is(event)?)))
    }

    /// A process's calls of this name that did not fail.
    fn calls(&self, by: u32, name: &str) -> Vec<usize> {
        let same = |event: &Event| matches!(&event.kind, Kind::Call(call) if call.pid == by && call.result.is_ok() && call.name() == name);
        self.before().filter(|(_, event)| same(event)).map(|(at, _)| at).collect()
    }
}
