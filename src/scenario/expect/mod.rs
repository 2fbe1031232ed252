//! What a scenario's programs have to see, and whether they did.

mod bound;
mod check;
mod observed;
mod pattern;
mod tolerance;

use crate::errno::Errno;
use crate::scenario::Scenario;
use crate::stack::System;
use crate::timeline::TcpState;

pub use bound::{Count, TimeBound};
pub(crate) use check::judge;
pub use check::{Difference, check, check_within};
pub(crate) use observed::Observed;
pub use tolerance::Tolerance;

/// What the processes of one host have to see: in general, and where it differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations {
    /// Of every process, under every system's TCP.
    pub base: Expectation,
    /// Where it differs, the more special behind the more general.
    pub overrides: Vec<Override>,
}

/// A part of an expectation that holds in a special case only.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Of the n-th process of the host, counted from 0; `None` is all of them.
    pub process: Option<u32>,
    /// When the scenario runs under this system's TCP; `None` is under any.
    pub system: Option<System>,
    /// Only where the hosts are processes of one machine, on its loopback.
    pub loopback: bool,
    /// When this key has this value; `None` is whatever is set.
    pub setting: Option<(String, String)>,
    /// What is expected then, in place of what is expected otherwise.
    pub instead: Expectation,
}

/// What a process and its descendants have to see; what is `None` has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Whether anything may happen: then nothing else is looked at. Default: no.
    pub anything: Option<bool>,
    /// Lines on standard output; `*` in them stands for anything. Default: none.
    pub prints: Option<Prints>,
    /// Lines on standard error; `*` in them stands for anything. Default: none, but any if `fails` names a failure.
    pub stderr: Option<Vec<String>>,
    /// Calls that fail, in time order. Default: none.
    pub fails: Option<Vec<Failure>>,
    /// Exit statuses, in any order. Default: any number of 0, but any status if a failure or a complaint on
    /// standard error is expected.
    pub exits: Option<Vec<i32>>,
    /// Signals that killed, in any order. Default: none.
    pub killed: Option<Vec<String>>,
    /// The calls that those still alive at the end sleep in, in any order. Default: not looked at.
    pub waits: Option<Vec<String>>,
    /// Processes that have ended and were not waited for. Default: not looked at.
    pub zombies: Option<Count>,
    /// The states that the host's connections go into, in time order. Default: not looked at.
    pub states: Option<Vec<TcpState>>,
    /// Segments sent by the host. Default: not looked at.
    pub segments: Option<Count>,
    /// Segments sent by the host that had been sent before. Default: not looked at.
    pub retransmissions: Option<Count>,
}

/// What has to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prints {
    /// These lines.
    Exactly(Vec<String>),
    /// So many of the generated lines, from the first; behind them there may be a part of one more.
    First(Count),
    /// So many lines that are all like this one.
    Each(String, Count),
}

/// A call that has to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The call, or the book's function around it: `read`, `readline`, `connect`.
    pub call: String,
    /// The error it fails with.
    pub errno: Errno,
    /// When, counted from the start of the run; `None` is not looked at.
    pub at: Option<TimeBound>,
    /// When, counted from the moment the call was made; `None` is not looked at.
    pub after: Option<TimeBound>,
}

impl Expectations {
    /// What the `process`-th process of a host has to see in this scenario.
    pub fn of(&self, process: u32, scenario: &Scenario) -> Expectation {
        let is_set = |(key, value): &(String, String)| scenario.setting(key) == Some(value);
        let fits = |o: &&Override| {
            o.process.is_none_or(|nth| nth == process)
                && o.system.is_none_or(|system| system == scenario.stack)
                && (!o.loopback || scenario.on_loopback)
                && o.setting.as_ref().is_none_or(is_set)
        };
        self.overrides.iter().filter(fits).fold(self.base.clone(), |general, o| o.instead.clone().or(general))
    }
}

impl Expectation {
    /// This, and where it is silent the other.
    fn or(self, other: Expectation) -> Expectation {
        Expectation {
            anything: self.anything.or(other.anything),
            prints: self.prints.or(other.prints),
            stderr: self.stderr.or(other.stderr),
            fails: self.fails.or(other.fails),
            exits: self.exits.or(other.exits),
            killed: self.killed.or(other.killed),
            waits: self.waits.or(other.waits),
            zombies: self.zombies.or(other.zombies),
            states: self.states.or(other.states),
            segments: self.segments.or(other.segments),
            retransmissions: self.retransmissions.or(other.retransmissions),
        }
    }
}

#[cfg(test)]
mod tests;
