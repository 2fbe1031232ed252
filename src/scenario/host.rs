//! A host of a scenario: what runs there, what is typed there.

use std::time::Duration;

use super::expect::Expectations;
use super::link::Link;
use super::program::Program;
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
    /// Its own system's TCP; `None` is the scenario's.
    pub stack: Option<System>,
    /// Keys of its TCP profile, set to a value.
    pub set: Vec<(String, String)>,
    /// What is typed at the terminal of each of the processes, in time order.
    pub typed: Vec<Typed>,
    /// Its link.
    pub link: Link,
    /// What its processes have to see.
    pub expect: Expectations,
}

/// Something typed: the terminal has it at `at`, whether or not anybody reads it then. What is typed before the
/// process starts it finds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// When.
    pub at: SimTime,
    /// What.
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
