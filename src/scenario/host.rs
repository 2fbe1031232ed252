//! A host of a scenario: what runs there, what is typed there.

use std::time::Duration;

use super::expect::Expectations;
use super::program::Program;
use crate::os::Abi;
use crate::os::sim::Limits;
use crate::router::LinkConfig;
use crate::stack::System;
use crate::time::SimTime;

/// One host and its link to the router.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its name, under which the others find it.
    pub name: String,
    /// What it runs; `None` leaves it up and idle.
    pub program: Option<Program>,
    /// How many processes run the program.
    pub count: u32,
    /// How long after one process the next is started.
    pub every: Duration,
    /// When the first is started, and how long after a boot again.
    pub start: Duration,
    /// How many addresses the host has.
    pub addrs: u8,
    /// Whether it shares a segment with the others of which this is said: it finds them by ARP or Neighbor Discovery, past
    /// the router.
    pub lan: bool,
    /// Its own system's TCP; `None` is the scenario's.
    pub stack: Option<System>,
    /// Keys of its TCP profile, set to a value.
    pub set: Vec<(String, String)>,
    /// The longest IP packet its interface takes, in octets; `None` is what its link takes.
    pub mtu: Option<usize>,
    /// How its compiler lays out a `long`.
    pub abi: Abi,
    /// How long it waits between SIGTERM and SIGKILL when it is shut down.
    pub grace: Duration,
    /// What it runs out of.
    pub limits: Limits,
    /// The lines of the file that is the standard input of each of the processes; `None` is a terminal.
    pub stdin: Option<Vec<String>>,
    /// What is typed at the terminal of each of the processes, in time order.
    pub typed: Vec<Typed>,
    /// Its link to the router.
    pub link: LinkConfig,
    /// What its processes have to see.
    pub expect: Expectations,
}

impl Host {
    /// How long a host that shuts down waits and does not say: "5 to 20 seconds" (UNP 5.16).
    pub const GRACE: Duration = Duration::from_secs(10);

    /// The octets of the file that is its processes' standard input.
    pub fn file(&self) -> Option<Vec<u8>> {
        let lines = self.stdin.as_ref()?;
        Some(lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect())
    }
}

/// Something typed: the terminal has it at `at`, whether or not a process reads it then. What is typed before the
/// process starts it finds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// When it is typed.
    pub at: SimTime,
    /// A line, or the end of the file.
    pub what: Input,
}

/// What is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line, without its newline.
    Line(String),
    /// The end-of-file character, Control-D.
    Eof,
}

/// The text of the `n`-th generated line, counted from 1, where a scenario says `lines = 200`.
pub fn generated_line(n: u64) -> String {
    format!("line {n}")
}
