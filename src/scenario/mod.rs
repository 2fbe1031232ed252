//! A scenario: who runs what, what is typed, what goes wrong and when, and what the programs have to see of it.
//!
//! A scenario is a flat TOML file, read once from top to bottom:
//!
//! ```
//! use echosim::scenario;
//!
//! let scenario = scenario::load("reboot")?;
//! assert_eq!(scenario.sentence, "The server host crashes and reboots; then the client sends a line (UNP 5.15)");
//! let outcome = scenario.run()?;
//! assert_eq!(scenario::check(&scenario, &outcome), [], "it is as the file expects");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The file
//!
//! | table | keys; only `name` has to be there |
//! | --- | --- |
//! | top | `name` (the sentence), `stack`, `seed`, `ip`, `lan`, `until`, `may_miss` |
//! | `[set]` | names and values for `--set`: `$name` in a program's command line stands for the value |
//! | `[host.NAME]` | `run`, `count`, `every`, `start`, `addrs`, `lan`, `stack`, `set`, `mtu`, `byte_order`, `long`, `grace`, `limits`; and `stdin`, a file, or `type`: a list of `{ at, line }`, `{ at, lines }` and `{ at, eof }` |
//! | `[link.HOST]` | `latency`, `jitter`, `bandwidth`, `loss`, `duplicate`, `reorder`, `corrupt`, `mtu`, `too_big`, `queue`, and `drop`: one or more of `{ from, flags, nth, count }` |
//! | `[[middlebox]]` | `link`, the host on whose link it stands; `idle`, `unknown` (`silent`, `rst`, `rst-both` or an ICMP code), `picks_up`, `flows` |
//! | `[[rule]]` | `do` (`drop`, `delay` with `by`, `duplicate`, `corrupt`, `reject` with an `answer`: `rst` or an ICMP code), and which packets: `from`, `to`, `flags`, `port`, `longer`, `shorter`, `connection` (the n-th), `idle` (the first after so much silence), `since`, `until`, `probability`, `nth`, `count` (all; one if there is an `nth`); `may_miss` |
//! | `[[fault]]` | `at`, or `when` or `after` with `delay`; `do` and `host`; with some `way`, `code`, `process`, `signal`, `to`, `aim`; `may_miss` |
//! | `[expect.HOST]` | what its programs have to see: the next table |
//! | `[expect.HOST.linux]` | what is different under one system's TCP |
//! | `[expect.HOST.loopback]` | what is different with `--real` where the hosts share this machine's loopback |
//! | `[expect.HOST.with."KEY=VALUE"]` | what is different with `--set KEY=VALUE` |
//! | `[expect.HOST.process.2]` | what is different for the second of several processes |
//!
//! A key of `[expect.HOST]` that is left out has its default:
//!
//! | key | what has to be | default |
//! | --- | --- | --- |
//! | `prints` | the lines on standard output; `*` stands for anything. Also `{ lines = 200 }`, generated ones, and `{ each = "child *", count = "1..5" }` | none |
//! | `stderr` | the lines on standard error; `*` stands for anything | none; any if `fails` names a failure |
//! | `fails` | the calls that fail, in time order: `{ call, errno, at, after }`; `at` counts from the start, `after` from the call | none |
//! | `exits` | the exit statuses, in any order | any number of 0; any status if a failure or a line on standard error is expected |
//! | `killed` | the signals that killed a process, in any order | none |
//! | `waits` | the calls that the processes still alive at the end sleep in, in any order | not looked at |
//! | `zombies` | how many processes have ended and were not waited for | not looked at |
//! | `states` | the states that the host's connections enter, in time order | not looked at |
//! | `segments`, `retransmissions` | how many the host sends | not looked at |
//! | `anything` | `true`: nothing is looked at | `false` |
//!
//! A number is `12` or `"1000..1100"`. A time is `"10ms"`, exact to the millisecond, or `"946.6s ± 2%"`, or `"100s..200s"`.
//!
//! # The modules
//!
//! | module | what lives there |
//! | --- | --- |
//! | `library` | the scenarios that come with the simulator, and files of one's own |
//! | `file` | TOML → [`Scenario`]; every mistake names file, line, key and what was expected |
//! | `host`, `program`, `link` | a host, what it runs, how it is connected |
//! | `fault`, `trigger` | what goes wrong, and when |
//! | `set`, `variables` | `--set`: a key of the stack's profile or of the links, or a name of the scenario's own `[set]` |
//! | `outcome` | what a run leaves; how it is run is `stage`'s |
//! | `remedy` | the same with more careful clients |
//! | `expect` | what was expected, held against what happened |

mod expect;
mod fault;
mod file;
mod host;
mod library;
mod limits;
mod link;
mod near;
mod outcome;
mod program;
mod remedy;
mod set;
mod trigger;
mod units;
mod variables;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::echo::Command;
pub use crate::sim::IpVersion;
use crate::sim::host_addrs;
use crate::stack::System;
use crate::time::SimTime;
use crate::timeline::FaultKind;

pub use expect::{Difference, check};
pub(crate) use expect::{Observed, judge};
pub use file::Mistake;
pub use library::{BUILT_IN, BuiltIn, LoadError, load};
pub use outcome::{Netstat, Outcome, Ps, RunError, Stall, Waiting};
pub use remedy::remedies;
pub use set::{SetError, keys};

// What a file says, for the command and the tests. A scenario is made by `load` or `Scenario::parse`, so that a key more
// breaks no program.
#[doc(hidden)]
pub use {
    expect::{
        Count, Expectation, Expectations, Failure, Override, Prints, TimeBound, Tolerance, check_within,
    },
    fault::{Fault, SIGNALS},
    host::{Host, Input, Typed, generated_line},
    link::{Middlebox, Rule},
    program::Program,
    trigger::{Happening, Trigger, Watch},
    variables::Variables,
};

/// Everything that a run needs to know, checked: plain data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// Its short name: `reboot`.
    pub name: String,
    /// The file it stands in, as errors name it.
    pub file: String,
    /// What it shows, in a sentence that names the book's section or the RFC.
    pub sentence: String,
    /// The system whose TCP every host has that has none of its own.
    pub stack: System,
    /// Where everything random comes from.
    pub seed: u64,
    /// The Internet Protocol's version.
    pub ip: IpVersion,
    /// When the run is stopped, if it has not ended by itself.
    pub until: SimTime,
    /// What may be changed about the programs.
    #[doc(hidden)]
    pub variables: Variables,
    /// The hosts, in the file's order.
    #[doc(hidden)]
    pub hosts: Vec<Host>,
    /// The middleboxes, in the file's order.
    #[doc(hidden)]
    pub middleboxes: Vec<Middlebox>,
    /// The rules for chosen packets: those of links, in the order of their names, then the others in the file's order.
    #[doc(hidden)]
    pub rules: Vec<Rule>,
    /// The faults, in the file's order; those with a time are in time order.
    #[doc(hidden)]
    pub faults: Vec<Fault>,
    /// Whether any fault, and any rule that drops packets, may come to nothing.
    pub may_miss: bool,
    /// What was changed with [`set`](Scenario::set), in the order given.
    pub set: Vec<(String, String)>,
    /// Whether its hosts are processes of one machine that talk over its loopback: for what is expected.
    #[doc(hidden)]
    pub on_loopback: bool,
    /// When to look at every host's sockets.
    pub netstat: Option<Moment>,
    /// When to look at every host's processes.
    pub ps: Option<Moment>,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// This long after the start.
    At(SimTime),
    /// When everything is over.
    End,
}

impl Scenario {
    /// When a run is stopped that does not say: nothing in the book takes longer than two hours and a bit.
    pub const UNTIL: Duration = Duration::from_secs(24 * 3600);

    /// Reads the text of a scenario; `file` is where it stands, as errors name it.
    ///
    /// # Errors
    ///
    /// The first mistake in it, with its line and key.
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Mistake> {
        file::parse(file, text)
    }

    /// The system whose TCP this host has.
    pub(crate) fn system(&self, host: &Host) -> System {
        host.stack.unwrap_or(self.stack)
    }

    /// The value that `key` has been set to, or that the scenario gives it in its `[set]`.
    pub fn setting(&self, key: &str) -> Option<&str> {
        let set = self.set.iter().rev().find(|(set, _)| set == key).map(|(_, value)| value.as_str());
        set.or_else(|| self.variables.get(key))
    }

    /// The hosts into whose flows a fault injects RSTs.
    pub(crate) fn hosts_that_are_reset(&self) -> impl Iterator<Item = &str> {
        let resets = self.faults.iter().filter(|fault| matches!(fault.kind, FaultKind::Reset { .. }));
        resets.map(|fault| fault.host.as_str())
    }

    /// Whether real hosts can play it: a real kernel's clock cannot be stopped.
    pub(crate) fn can_be_real(&self) -> bool {
        !self.faults.iter().any(|fault| fault.kind.stops_clock())
    }

    /// The host of this name, by its place in the file.
    pub(crate) fn host_index(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// What each host runs, where the hosts have these addresses; `None` if it runs nothing. A program names a host, or
    /// by `server.2` its second address.
    ///
    /// # Errors
    ///
    /// What is wrong with a command line.
    pub(crate) fn commands(
        &self,
        variables: &Variables,
        addrs: &[Vec<IpAddr>],
    ) -> Result<Vec<Option<Command>>, String> {
        let names = self.hosts.iter().map(|host| host.name.as_str());
        let by_name: BTreeMap<&str, &Vec<IpAddr>> = names.zip(addrs).collect();
        let resolve = |name: &str| {
            let (name, nth) = match name.split_once('.') {
                Some((name, nth)) => (name, nth.parse::<usize>().ok()?.checked_sub(1)?),
                None => (name, 0),
            };
            by_name.get(name)?.get(nth).copied()
        };
        let command = |program: &Program| program.command(self.ip, variables, resolve);
        self.hosts.iter().map(|host| host.program.as_ref().map(command).transpose()).collect()
    }

    /// Every host's addresses: each link is a network of its own.
    pub(crate) fn addrs(&self) -> Vec<Vec<IpAddr>> {
        let hosts = self.hosts.iter().enumerate();
        hosts.map(|(n, host)| host_addrs(self.ip, n, host.addrs.into())).collect()
    }
}
