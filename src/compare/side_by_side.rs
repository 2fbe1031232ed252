//! Both runs of a scenario, and what comparing them shows.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use thiserror::Error;

use super::aligned::aligned;
use super::{Report, Scope, Tolerance};
use crate::scenario::{Outcome, RunError, Scenario, SetError};
use crate::stage::{RealError, RealStage, Supervisor, on_linux, seen_length};
use crate::time::SimTime;

/// Why nothing was compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The simulated run could not be finished.
    #[error(transparent)]
    Simulated(#[from] RunError),
    /// The real run could not be finished.
    #[error(transparent)]
    Real(#[from] RealError),
    /// The scenario could not be made shorter.
    #[error(transparent)]
    Setting(#[from] SetError),
}

/// Both runs of a scenario.
#[derive(Clone, Debug)]
pub struct SideBySide {
    /// The simulated run.
    pub sim: Outcome,
    /// The run on this machine's kernel.
    pub real: Outcome,
    /// Where they agree and where they part.
    pub report: Report,
}

/// `echosim compare NAME`: runs a scenario in the simulation, as Linux, and on a real stage, and compares what `scope`
/// says.
///
/// # Errors
///
/// A run that could not be finished.
pub fn side_by_side(
    scenario: &Scenario,
    scope: Scope,
    on: RealStage,
    tolerance: Tolerance,
) -> Result<SideBySide, CompareError> {
    let scenario = as_real(scenario, on);
    let sim = scenario.run()?;
    let real = bounded(&scenario, &sim).run_real(on)?;
    let (sim, report) = hold(&scenario, sim, &real, scope, tolerance)?;
    Ok(SideBySide { sim, real, report })
}

/// Holds the simulated run against the real one: with what is given at the times that the scenario says, or where the kernel
/// had it, if they agree in more with that.
pub(super) fn hold(
    scenario: &Scenario,
    sim: Outcome,
    real: &Outcome,
    scope: Scope,
    tolerance: Tolerance,
) -> Result<(Outcome, Report), RunError> {
    let compare = |sim: &Outcome| scope.compare(&sim.events, &real.events, &real.stalls, tolerance);
    let report = compare(&sim);
    if report.agrees() {
        return Ok((sim, report));
    }
    let moved = aligned(scenario, &sim, real, tolerance)?;
    let of_moved = compare(&moved);
    let is_better = of_moved.partings().count() < report.partings().count();
    Ok(if is_better { (moved, of_moved) } else { (sim, report) })
}

/// The scenario as it is on a real stage.
pub(super) fn as_real(scenario: &Scenario, on: RealStage) -> Scenario {
    let mut scenario = on_linux(scenario);
    if on == RealStage::Loopback {
        // Its packets take no time.
        scenario.hosts.iter_mut().for_each(|host| host.link.latency = Duration::ZERO);
    }
    scenario
}

/// The scenario with an end for its real run: if the kernel has not done by a good while after it what the simulation
/// did, it never will.
pub(super) fn bounded(scenario: &Scenario, sim: &Outcome) -> Scenario {
    let end = SimTime::ZERO + seen_length(sim).mul_f64(1.1) + Duration::from_secs(20);
    Scenario { until: scenario.until.min(end), ..scenario.clone() }
}

/// Waits until one of them is over; which.
pub(super) fn first_over(running: &[&Supervisor]) -> Result<usize, RealError> {
    loop {
        let mut fds: Vec<PollFd<'_>> =
            running.iter().map(|run| PollFd::new(run.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(RealError::Machine { what: "poll", source: errno.into() }),
        }
        if let Some(over) = fds.iter().position(|fd| fd.any().unwrap_or(false)) {
            return Ok(over);
        }
    }
}
