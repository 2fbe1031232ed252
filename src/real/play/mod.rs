//! A scenario's hosts as processes of this machine: who runs what, what is typed when, what strikes.
//!
//! [`play`] does it on a [`Place`] and answers the same events that a simulated run leaves. It forks one director,
//! which forks the programs, each in a process group of its own; when it ends, for whatever reason, they end.

mod agenda;
mod cast;
mod director;
mod ground;
mod loopback;
mod performance;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::os::Signal;
use crate::os::unix::UnixOs;
use crate::packet::Unreachable;
use crate::router::{LinkConfig, Way};

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

/// A scenario, as far as the real arm needs it. Times are from the start.
#[derive(Clone, Default)]
pub struct Play {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// What strikes, and when.
    pub faults: Vec<(Duration, Fault)>,
    /// When the curtain falls, if nothing has ended before.
    pub until: Duration,
    /// The router's own addresses, in a laboratory.
    pub router: Vec<IpAddr>,
    /// Where the links' chance comes from, in a laboratory.
    pub seed: u64,
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

    /// Whether it takes a laboratory.
    pub const fn is_of_the_network(self) -> bool {
        !matches!(self, Action::Kill { .. } | Action::Shutdown { .. })
    }
}
