//! Faults as they strike, and whether they met anything.

use std::io;

use nix::sys::signal::Signal as Native;

use super::agenda::Item;
use super::cast;
use super::performance::Performance;
use super::struck::Struck;
use crate::os::Signal;
use crate::os::sim::HALT;
use crate::router::Met;
use crate::timeline::{Event, FaultKind, Kind, Victim};

impl Performance<'_> {
    /// The faults that met no packet and no process.
    pub(super) fn missed(&self) -> Vec<usize> {
        let missed = |(n, struck): (usize, &Option<Struck>)| {
            let fault = &self.play.faults[n];
            let met = match struck {
                None => false,
                Some(Struck::Met) => true,
                Some(Struck::Lasting(host, before)) => met(fault.kind, &self.ground.met(*host)) > *before,
            };
            (!met).then_some(n)
        };
        self.struck.iter().enumerate().filter_map(missed).collect()
    }

    /// Strikes what waits for an event that has come.
    pub(super) fn watch(&mut self) -> io::Result<()> {
        if self.watches.is_empty() {
            return Ok(());
        }
        let mut news = self.events[self.watched.0..].to_vec();
        self.watched.0 = self.events.len();
        let wire = self.ground.events_from(self.watched.1);
        self.watched.1 += wire.len();
        news.extend(wire);
        news.sort_by_key(|event| event.t);
        let now = self.pipe.now();
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

    pub(super) fn strike(&mut self, nth: usize) -> io::Result<()> {
        let fault = &self.play.faults[nth];
        let now = self.pipe.now();
        let kind = Kind::Fault { fault: fault.kind, target: fault.host.clone() };
        self.events.push(Event { t: now, host: "world".into(), kind, packet: None });
        let Some(host) = self.play.hosts.iter().position(|host| host.name == fault.host) else {
            return Err(io::Error::other(format!("no host {}", fault.host)));
        };
        let before = met(fault.kind, &self.ground.met(host));
        let lives = self.cast.iter().any(|actor| actor.host == host && !actor.has_ended);
        let mut struck = Struck::Met;
        match fault.kind {
            FaultKind::Kill { process, signal } => {
                let signal = Signal::from_name(signal).expect("signals are checked");
                if !self.kill(host, process, signal)? {
                    return Ok(());
                }
            }
            FaultKind::Shutdown => {
                let grace = self.play.hosts[host].grace;
                self.signal_all(host, Native::SIGTERM);
                self.agenda.add(now + grace, Item::KillAll { host });
                self.ending.insert(host);
            }
            FaultKind::Crash => {
                self.switch_off(host)?;
                if !lives {
                    struck = Struck::Lasting(host, before);
                }
            }
            FaultKind::Boot => {
                self.ground.strike(now, host, FaultKind::Boot)?;
                if let Some((_, until @ None)) = self.off[host].last_mut() {
                    *until = Some(now);
                }
                self.clear_terminals(host);
                for (run, it) in self.play.hosts[host].runs.iter().enumerate() {
                    self.agenda.add(now + it.start, Item::Start { host, run });
                }
            }
            kind => {
                self.ground.strike(now, host, kind)?;
                if lasts(kind) {
                    struck = Struck::Lasting(host, before);
                }
            }
        }
        self.struck[nth] = Some(struck);
        Ok(())
    }

    /// Not a packet leaves it, and nothing its processes do any more is heard of.
    pub(super) fn switch_off(&mut self, host: usize) -> io::Result<()> {
        let now = self.pipe.now();
        self.ground.strike(now, host, FaultKind::Crash)?;
        self.off[host].push((now, None));
        self.cast.retain(|actor| actor.host != host);
        self.children.retain(|_, (on, _)| *on != host);
        Ok(())
    }

    /// A host that is shut down is switched off soon after its last process has ended.
    pub(super) fn power_off(&mut self) {
        let lives = |host: &usize| {
            self.cast.iter().any(|actor| actor.host == *host && !actor.has_ended)
                || self.children.values().any(|(on, _)| on == host)
        };
        let ended: Vec<usize> = self.ending.iter().copied().filter(|host| !lives(host)).collect();
        for host in ended {
            self.ending.remove(&host);
            if self.ground.has_wires() {
                self.agenda.add(self.pipe.now() + HALT, Item::SwitchOff { host });
            }
        }
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

    pub(super) fn signal_all(&mut self, host: usize, signal: Native) {
        self.cast.iter().filter(|actor| actor.host == host).for_each(|actor| actor.kill_group(signal));
        let ours = Signal::from_name(signal.as_str());
        for (pid, (_, name)) in self.children.iter().filter(|(_, (on, _))| *on == host) {
            self.doomed.insert(*pid, (host, name.clone(), ours));
        }
    }
}

/// Of what a link's faults have met, the packets that one of this kind meets.
fn met(fault: FaultKind, met: &Met) -> u64 {
    match fault {
        FaultKind::Crash => met.host_down,
        FaultKind::Partition(_) => met.partitioned,
        FaultKind::Hold(_) => met.held,
        FaultKind::Unreachable(_) => met.unreachable,
        _ => 0,
    }
}

/// Whether a fault only shows by the packets it meets.
const fn lasts(fault: FaultKind) -> bool {
    matches!(fault, FaultKind::Partition(_) | FaultKind::Hold(_) | FaultKind::Unreachable(_))
}

/// Whether a fault takes a laboratory.
pub(super) const fn is_of_the_network(fault: FaultKind) -> bool {
    !matches!(fault, FaultKind::Kill { .. } | FaultKind::Shutdown)
}
