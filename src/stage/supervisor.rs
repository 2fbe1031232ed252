//! The process that supervises a real run: it forks the hosts' processes, and when it ends, for whatever reason, they
//! end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use thiserror::Error;

use super::real_stage::{RealStage, fault_of_network};
use crate::os::unix::{Parent, Threads, fork, note_interrupts, single_threaded};
use crate::scenario::{Outcome, Scenario};

/// Why there was no real run, or not to its end.
#[derive(Debug, Error)]
pub enum RealError {
    /// A supervisor cannot be forked.
    #[error(transparent)]
    Threads(#[from] Threads),
    /// There is no such fault on a machine's loopback.
    #[error("{0} takes a laboratory: network namespaces with our router between them")]
    TakesLaboratory(&'static str),
    /// A real kernel cannot be struck so.
    #[error(
        "{0} stops a host's clock, and a real kernel's cannot be stopped: it strikes simulated hosts alone"
    )]
    Simulated(&'static str),
    /// The run could not go on.
    #[error("{0}")]
    Run(String),
    /// The machine would not give what is needed.
    #[error("{what}: {source}")]
    Machine {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Scenario {
    /// Runs the scenario on this machine's kernel, in as long as it says. The times of the outcome are from the run's
    /// start.
    ///
    /// # Errors
    ///
    /// [`RealError`]: this process has threads, the stage cannot be had or cannot do what the scenario asks for, or a
    /// signal came.
    #[doc(hidden)]
    pub fn run_real(&self, on: RealStage) -> Result<Outcome, RealError> {
        Supervisor::start(self, on)?.finish()
    }
}

/// A real run that goes on in a process of its own. Dropped, it ends.
pub(crate) struct Supervisor {
    /// What the run leaves, or why it could not go on, as JSON.
    outcome: File,
    pid: Option<Pid>,
}

impl Supervisor {
    pub(crate) fn start(scenario: &Scenario, on: RealStage) -> Result<Supervisor, RealError> {
        single_threaded()?;
        if let Some(fault) = fault_of_network(scenario).filter(|_| on == RealStage::Loopback) {
            return Err(RealError::TakesLaboratory(fault.name()));
        }
        if let Some(fault) = scenario.faults.iter().map(|fault| fault.kind).find(|kind| kind.stops_clock()) {
            return Err(RealError::Simulated(fault.name()));
        }
        let machine = |what| move |errno: nix::Error| RealError::Machine { what, source: errno.into() };
        let (reader, writer) = nix::unistd::pipe().map_err(machine("a pipe"))?;
        let parent = Parent::this();
        let end_of_parent = reader.as_raw_fd();
        let child = move || {
            // Or it would wait for ever to be read by itself, should its parent have ended.
            _ = nix::unistd::close(end_of_parent);
            let outcome = run(scenario, on, parent).map_err(|error| error.to_string());
            // If this fails the parent has ended, and nothing reads the outcome.
            i32::from(serde_json::to_writer(io::BufWriter::new(File::from(writer)), &outcome).is_err())
        };
        let pid =
            fork(child).map_err(|errno| RealError::Machine { what: "a process", source: errno.into() })?;
        Ok(Supervisor { outcome: reader.into(), pid: Some(Pid::from_raw(pid.as_raw() as i32)) })
    }

    /// Waits for the end of the run.
    pub(crate) fn finish(mut self) -> Result<Outcome, RealError> {
        let mut octets = Vec::new();
        self.outcome
            .read_to_end(&mut octets)
            .map_err(|source| RealError::Machine { what: "the outcome of the run", source })?;
        if let Some(pid) = self.pid.take() {
            _ = waitpid(pid, None);
        }
        match serde_json::from_slice::<Result<Outcome, String>>(&octets) {
            Ok(outcome) => outcome.map_err(RealError::Run),
            Err(_) => Err(RealError::Run("the process that supervised the run was killed".to_owned())),
        }
    }
}

impl AsFd for Supervisor {
    /// Can be read when the run is over.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.outcome.as_fd()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            _ = kill(pid, Signal::SIGTERM);
            _ = waitpid(pid, None);
        }
    }
}

/// In the supervisor.
fn run(scenario: &Scenario, on: RealStage, parent: Parent) -> io::Result<Outcome> {
    note_interrupts()?;
    // Ends with its parent, and takes the hosts' processes along.
    parent.takes_along(Signal::SIGTERM)?;
    match on {
        RealStage::Loopback => super::loopback::run(scenario),
        #[cfg(target_os = "linux")]
        RealStage::Laboratory => super::laboratory::run(scenario, parent),
        #[cfg(not(target_os = "linux"))]
        RealStage::Laboratory => {
            Err(io::Error::other("the laboratory needs Linux: network namespaces and TUN"))
        }
    }
}
