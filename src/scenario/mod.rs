//! A scenario: who runs what, what is typed, what goes wrong and when, and what the programs have to see of it.
//!
//! A scenario is a flat TOML file, read once from top to bottom:
//!
//! ```
//! let scenario = echosim::scenario::load("reboot")?;
//! assert_eq!(scenario.sentence, "The server host crashes and reboots; then the client sends a line (UNP 5.15)");
//! assert_eq!(scenario.faults.len(), 2);
//! # Ok::<(), echosim::scenario::LoadError>(())
//! ```
//!
//! | module | what lives there |
//! | --- | --- |
//! | `library` | the scenarios that come with the simulator, and files of one's own |
//! | `file` | TOML → [`Scenario`]; every mistake names file, line, key and what was expected |
//! | `host`, `program`, `link` | a host, what it runs, how it is connected |
//! | `fault`, `trigger` | what goes wrong, and when |
//! | `set` | `--set`: a key of the stack's profile or of the links |
//! | `run`, `outcome` | the run, and what it leaves |
//! | `expect` | what was expected, held against what happened |

mod expect;
mod fault;
mod file;
mod host;
mod library;
pub mod limits;
mod link;
mod near;
mod outcome;
mod program;
mod run;
mod set;
mod trigger;
pub mod units;

use std::time::Duration;

pub use crate::sim::IpVersion;
use crate::stack::{Profile, System};
use crate::time::SimTime;

pub use expect::{Count, Difference, Expectation, Expectations, Failure, Override, TimeBound, check};
pub use fault::{Action, Fault, SIGNALS, Victim, Way};
pub use file::Mistake;
pub use host::{Host, Input, Typed, generated_line};
pub use library::{BUILT_IN, BuiltIn, LoadError, load};
pub use link::{DropRule, Link};
pub use outcome::{Netstat, Outcome, Waiting};
pub use program::Program;
pub use run::{RunError, run, run_filmed, run_with};
pub use set::{SetError, WORLD_KEYS, keys};
pub use trigger::{Happening, Trigger, Watch};

/// Everything that a run needs to know, checked: plain data.
#[derive(Clone, Debug, PartialEq)]
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
    /// The hosts, in the file's order.
    pub hosts: Vec<Host>,
    /// The faults, in the file's order; those with a time are in time order.
    pub faults: Vec<Fault>,
    /// Whether any fault, and any rule that drops packets, may come to nothing.
    pub may_miss: bool,
    /// What was changed with [`set`](Scenario::set), in the order given.
    pub set: Vec<(String, String)>,
    /// When to look at every host's sockets.
    pub netstat: Option<Moment>,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub fn system(&self, host: &Host) -> System {
        host.stack.unwrap_or(self.stack)
    }

    /// The profile of this host's TCP: its system's, changed by the host's own `set`, then by the scenario's.
    pub fn profile(&self, host: &Host) -> Profile {
        let mut profile = Profile::of(self.system(host));
        for (key, value) in host.set.iter().chain(&self.set) {
            if set::is_profile_key(key) {
                profile.set(key, value).expect("values are tried when they are set");
            }
        }
        profile
    }
}
