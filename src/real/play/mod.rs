//! A scenario's hosts as processes of this machine: who runs what, what is typed when, what strikes.
//!
//! [`play`] does it on a [`Place`] and answers what a simulated run leaves. It forks one director,
//! which forks the programs, each in a process group of its own; when it ends, for whatever reason, they end.

mod agenda;
mod cast;
mod director;
mod ground;
mod loopback;
mod performance;
mod scenario;
mod strike;
mod witness;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::os::Signal;
use crate::os::unix::UnixOs;
use crate::packet::Unreachable;
use crate::router::{DropRule, LinkConfig, Met, Way};
use crate::scenario::{Scenario, Trigger};

pub(crate) use director::Running;
pub use director::play;
pub(crate) use ground::Ground;
pub use loopback::{fresh_port, loopback_addr};

/// Where a play is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// All hosts are this one; they talk over its loopback. No network fault can strike.
    Loopback,
    /// Every host has a network namespace, and our router lies between them (Linux).
    Laboratory,
}

impl Place {
    /// The nearest place that can do what the scenario asks for: the loopback unless a network fault strikes, a
    /// link has a will of its own, or a key of the kernel is set.
    pub fn of(scenario: &Scenario) -> Place {
        use crate::scenario::{Action as Told, Link};
        let faults = scenario.faults.iter();
        let only_processes = faults
            .map(|fault| fault.action)
            .all(|action| matches!(action, Told::Kill { .. } | Told::Shutdown));
        let links_are_plain = scenario.hosts.iter().all(|host| host.link == Link::default());
        let nothing_is_set = scenario.set.is_empty() && scenario.hosts.iter().all(|host| host.set.is_empty());
        let everybody_exists = scenario.hosts.iter().all(|host| host.program.is_some());
        if only_processes && links_are_plain && nothing_is_set && everybody_exists {
            Place::Loopback
        } else {
            Place::Laboratory
        }
    }
}

/// A scenario, as far as the real arm needs it. Times are from the start.
#[derive(Clone, Default)]
pub struct Play {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// What strikes, and when; `delay` comes on top.
    pub faults: Vec<Fault>,
    /// When the curtain falls, if nothing has ended before.
    pub until: Duration,
    /// The router's own addresses, in a laboratory.
    pub router: Vec<IpAddr>,
    /// Where the links' chance comes from, in a laboratory.
    pub seed: u64,
    /// Packets singled out to be lost, in a laboratory. Links are numbered as the hosts are.
    pub drops: Vec<DropRule>,
}

/// A host.
#[derive(Clone)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its addresses, in a laboratory.
    pub addrs: Vec<IpAddr>,
    /// Its link, in a laboratory.
    pub link: LinkConfig,
    /// Keys of `--set` for its kernel, in a laboratory.
    pub set: Vec<(String, String)>,
    /// What it runs.
    pub runs: Vec<Run>,
}

/// A program: given the process it runs in, its exit status. Made anew for every process.
pub type Program = Rc<dyn Fn(UnixOs) -> Pin<Box<dyn Future<Output = i32>>>>;

/// Wraps a program.
pub fn program<F, Fut>(function: F) -> Program
where
    F: Fn(UnixOs) -> Fut + 'static,
    Fut: Future<Output = i32> + 'static,
{
    Rc::new(move |os| Box::pin(function(os)))
}

/// One process that a host starts.
#[derive(Clone)]
pub struct Run {
    /// The program's name.
    pub name: String,
    /// The program.
    pub program: Program,
    /// When it starts, and how long after a boot again.
    pub start: Duration,
    /// What is typed at its terminal, in time order.
    pub typed: Vec<(Duration, Input)>,
    /// It serves for ever, so nobody waits for its end; and others may want it to listen before they start.
    pub serves: bool,
}

/// What is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, without its newline.
    Line(String),
    /// Control-D.
    Eof,
}

/// Which process of a host is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The youngest that was forked and still lives.
    Child,
    /// The first that was started.
    Parent,
}

/// What strikes a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When: at a time, or the moment something happens.
    pub trigger: Trigger,
    /// How long after that.
    pub delay: Duration,
    /// The host's name.
    pub host: String,
    /// What happens to it.
    pub action: Action,
}

/// What happens to a host, or to its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the scenario's")]
pub enum Action {
    Kill { process: Victim, signal: Signal },
    Shutdown { grace: Duration },
    Crash,
    Boot,
    Partition(Way),
    Repair(Way),
    Hold(Way),
    Release(Way),
    Unreachable(Unreachable),
    Reachable,
}

impl Action {
    /// The word for it in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Kill { .. } => "kill",
            Action::Shutdown { .. } => "shutdown",
            Action::Crash => "crash",
            Action::Boot => "boot",
            Action::Partition(_) => "partition",
            Action::Repair(_) => "repair",
            Action::Hold(_) => "hold",
            Action::Release(_) => "release",
            Action::Unreachable(_) => "unreachable",
            Action::Reachable => "reachable",
        }
    }

    /// What more there is to say.
    pub(super) fn detail(self) -> Option<String> {
        match self {
            Action::Kill { process: Victim::Child, signal } => Some(format!("{signal} to the child")),
            Action::Kill { process: Victim::Parent, signal } => Some(format!("{signal} to the parent")),
            Action::Unreachable(what) => Some(what.to_string()),
            _ => None,
        }
    }

    /// Of what a link's faults have met, the packets that one of this kind meets.
    fn met(self, met: &Met) -> u64 {
        match self {
            Action::Crash => met.host_down,
            Action::Partition(_) => met.partitioned,
            Action::Hold(_) => met.held,
            Action::Unreachable(_) => met.unreachable,
            _ => 0,
        }
    }

    /// Whether it only shows by the packets it meets.
    const fn lasts(self) -> bool {
        matches!(self, Action::Partition(_) | Action::Hold(_) | Action::Unreachable(_))
    }

    /// Whether it takes a laboratory.
    pub const fn is_of_the_network(self) -> bool {
        !matches!(self, Action::Kill { .. } | Action::Shutdown { .. })
    }
}
