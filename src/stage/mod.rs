//! Running a scenario: one script, carried out on a `Stage`.
//!
//! A stage is where a scenario's hosts are. There are three: simulated hosts in a [`World`](crate::sim::World), and
//! processes of this machine that talk over its loopback or, in a laboratory, over the router of the simulation. What
//! is due when, which process a fault strikes and whether a fault met anything is decided in the script alone, so it
//! is the same on all of them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `script` | what is due when: programs, input, faults |
//! | `effects` | what became of each fault |
//! | `looks` | every host's sockets and processes at a moment: `--netstat`, `--ps` |
//! | `settled` | whether a run can still bring anything new |
//! | `simulated` | hosts in a world |
//! | `processes` | hosts as processes of this machine: what the other two share |
//! | `loopback` | all hosts on this machine's loopback |
//! | `laboratory` | each host in a network namespace, with the router between them (Linux) |
//! | `real_stage` | which of these two a scenario needs, and what can be seen there |
//! | `supervisor` | the process that a real run goes on in |
//!
//! A run is a method of the scenario: [`Scenario::run`] and [`Scenario::run_real`] are defined here, for `scenario`
//! must not know how it is run.

mod effects;
#[cfg(target_os = "linux")]
pub(crate) mod laboratory;
mod looks;
#[cfg(unix)]
mod loopback;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod real_stage;
mod script;
mod settled;
mod simulated;
#[cfg(unix)]
mod supervisor;

use std::time::Duration;

use crate::os::sim::ProcessInfo;
use crate::os::{Pid, Signal};
use crate::router::Met;
#[cfg(doc)]
use crate::scenario::Scenario;
use crate::scenario::{Input, Waiting};
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::{FaultKind, Recorder};

#[cfg(unix)]
pub use loopback::{fresh_port, loopback_addr};
#[cfg(target_os = "linux")]
pub(crate) use processes::{FoundSocket, sockets};
#[cfg(unix)]
pub use real_stage::{RealStage, expect_what_is_seen, on_linux, seen_length};
pub(crate) use script::Consumer;
#[cfg(unix)]
pub use supervisor::RealError;
#[cfg(unix)]
pub(crate) use supervisor::Supervisor;

/// Where the hosts of a scenario are. Hosts go by their index in the scenario.
///
/// The script calls [`next_moment`](Self::next_moment), then [`go_to`](Self::go_to) that moment, then
/// [`round`](Self::round) until one does nothing; then it does what is due, with a round or more after each step.
trait Stage {
    /// Why a run cannot go on.
    type Error;

    /// The time since the start of the run.
    fn now(&self) -> SimTime;

    /// The timeline: everything that happens is recorded here.
    fn recorder(&self) -> &Recorder;

    /// When to go on: the script has something to do at `step`, or nothing more. `None` if nothing is left to happen.
    fn next_moment(&mut self, step: Option<SimTime>) -> Result<Option<SimTime>, Self::Error>;

    /// Waits for a moment. In real time this may return before it, when something has happened.
    fn go_to(&mut self, moment: SimTime) -> Result<(), Self::Error>;

    /// Lets the hosts do what is due; false if that was all that is to be done at this moment.
    fn round(&mut self) -> Result<bool, Self::Error>;

    /// Starts a host's program in a process; `None` if the host is off.
    fn start(&mut self, host: usize) -> Result<Option<Pid>, Self::Error>;

    /// Types at the terminal of a process. A terminal that nothing reads from any more takes it all the same.
    fn type_input(&mut self, host: usize, pid: Pid, input: &Input);

    /// The processes of a host that have not ended.
    fn living(&self, host: usize) -> Vec<Pid>;

    /// Sends a signal to a process; false if there is no such process.
    fn kill(&mut self, host: usize, pid: Pid, signal: Signal) -> Result<bool, Self::Error>;

    /// Strikes a host or its link with any other fault; false if there is nothing to strike.
    fn strike(&mut self, host: usize, fault: FaultKind) -> Result<bool, Self::Error>;

    /// How long it takes until every keepalive timer has fired, if nothing but these is left to happen and none of them
    /// waits for an answer. `None` if there may be more, as where packets are lost by chance or it cannot be known.
    fn only_asks_within(&self) -> Option<Duration> {
        None
    }

    /// What the faults of a host's link have met.
    fn met(&self, host: usize) -> Met;

    /// How many packets each of the scenario's rules has taken.
    fn taken(&self) -> Vec<u64>;

    /// The sockets of a host; `None` if it is off.
    fn sockets(&mut self, host: usize) -> Result<Option<Vec<SocketInfo>>, Self::Error>;

    /// The processes of a host; `None` if it is off.
    fn processes(&mut self, host: usize) -> Result<Option<Vec<ProcessInfo>>, Self::Error>;

    /// The processes that have not ended, by host and then by pid, and the call each of them sleeps in.
    fn waiting(&self) -> Vec<Waiting>;
}
