//! A scenario's hosts as processes of this machine: who runs what, what is typed when, what strikes.
//!
//! [`play`] does it on a [`Place`] and answers what a simulated run leaves. It forks one director,
//! which forks the programs, each in a process group of its own; when it ends, for whatever reason, they end.

mod agenda;
mod cast;
mod director;
mod ground;
mod look;
mod loopback;
mod performance;
mod place;
mod processes;
mod scenario;
#[cfg(target_os = "linux")]
mod sock_diag;
mod sockets;
mod stat;
mod stdin;
mod strike;
mod struck;
mod view;
mod witness;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::os::sim::Limits;
use crate::os::unix::{Machine, UnixOs};
use crate::router::{DropRule, LinkConfig};
use crate::scenario::{Fault, Moment, Typed};

pub(crate) use director::Running;
pub use director::play;
pub(crate) use ground::Ground;
pub use loopback::{fresh_port, loopback_addr};
pub use place::Place;
pub use scenario::expected_at;

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
    /// The servers' ports, on a loopback: whose sockets have none of them are strangers'.
    pub ports: Vec<u16>,
    /// When to look at the hosts' sockets.
    pub netstat: Option<Moment>,
    /// When to look at the hosts' processes.
    pub ps: Option<Moment>,
}

/// A host.
#[derive(Clone)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addrs: Vec<IpAddr>,
    /// Its link, in a laboratory.
    pub link: LinkConfig,
    /// The longest IP packet its interface takes, in a laboratory.
    pub mtu: usize,
    /// Keys of `--set` for its kernel, in a laboratory.
    pub set: Vec<(String, String)>,
    /// In what else it differs from this machine.
    pub machine: Machine,
    /// What its processes run out of.
    pub limits: Limits,
    /// How long it waits between SIGTERM and SIGKILL when it is shut down.
    pub grace: Duration,
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
    /// What it reads.
    pub stdin: Stdin,
    /// It serves for ever, so nobody waits for its end; and others may want it to listen before they start.
    pub serves: bool,
}

/// A process's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// A terminal, and what is typed at it, in time order; what is typed before the process starts it finds there.
    Terminal(Vec<Typed>),
    /// A file of these octets.
    File(Vec<u8>),
}
