//! Random scenarios, each run in the simulation and on this machine's kernel.
//!
//! What parts is run again with nothing beside it, and what parts every time is made smaller and written to a file. Results are kept as they
//! come, so that a survey can be gone on with.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `plan` | a random scenario as parts |
//! | `trial` | what is known of one: run again, and made smaller |
//! | `results` | what came of all of them, kept in a file |
//! | `page` | the page about them |

mod page;
mod plan;
mod results;
mod trial;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::side_by_side::{bounded, first_over, hold};
use super::{Scope, Tolerance};
use crate::scenario::{Outcome, RunError, Scenario};
use crate::stage::{RealError, RealStage, Supervisor, on_linux};
use plan::Plan;
use results::Results;
use trial::{Next, Trial};

pub use results::Summary;
pub use trial::{Record, Verdict};

/// How many first runs go on at once. What parted is run again alone: runs delay each other.
const AT_ONCE: usize = 2;

/// Which scenarios are run.
#[derive(Clone, Debug)]
pub struct Random {
    /// How many.
    pub scenarios: u32,
    /// What they are drawn by.
    pub seed: u64,
    /// Where results are kept, and the scenarios that part.
    pub folder: PathBuf,
}

/// Why a survey ended early.
#[derive(Debug, Error)]
pub enum RandomError {
    /// This machine cannot run any.
    #[error(transparent)]
    Real(#[from] RealError),
    /// A simulated run could not be finished.
    #[error(transparent)]
    Simulated(#[from] RunError),
    /// Results cannot be read or kept.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A run that goes on.
struct Running {
    trial: Trial,
    plan: Plan,
    scenario: Scenario,
    sim: Outcome,
    real: Supervisor,
}

impl Random {
    /// How many of them have a result.
    ///
    /// # Errors
    ///
    /// Results that cannot be read.
    pub fn known(&self) -> Result<u32, RandomError> {
        let results = Results::open(&self.folder, self.seed)?;
        Ok((0..self.scenarios).filter(|nth| results.has(*nth)).count() as u32)
    }

    /// Runs those that have no result yet, and tells of each as it is done.
    ///
    /// # Errors
    ///
    /// [`RandomError`]; what was found until then is kept.
    pub fn run(&self, tolerance: Tolerance, told: &mut dyn FnMut(&Record)) -> Result<Summary, RandomError> {
        let mut results = Results::open(&self.folder, self.seed)?;
        let missing = (0..self.scenarios).filter(|nth| !results.has(*nth));
        let mut waiting: VecDeque<(Trial, Plan)> = missing
            .map(|nth| {
                let trial = Trial::new(nth, Plan::random(self.seed, nth));
                let plan = trial.first();
                (trial, plan)
            })
            .collect();
        let mut running: Vec<Running> = Vec::new();
        // Those that have parted, and are run again.
        let mut alone: VecDeque<(Trial, Plan)> = VecDeque::new();
        loop {
            if running.is_empty()
                && let Some((trial, plan)) = alone.pop_front()
            {
                running.push(start(trial, plan)?);
            } else if alone.is_empty() {
                while running.len() < AT_ONCE
                    && !running.iter().any(|run| run.trial.has_parted())
                    && let Some((trial, plan)) = waiting.pop_front()
                {
                    running.push(start(trial, plan)?);
                }
            }
            if running.is_empty() {
                break;
            }
            let over = first_over(&running.iter().map(|run| &run.real).collect::<Vec<_>>())?;
            let Running { trial, plan, scenario, sim, real } = running.swap_remove(over);
            let (trial, next) = match real.finish() {
                Ok(real) => {
                    let (_, report) = hold(&scenario, sim, &real, Scope::Everything, tolerance)?;
                    trial.ran(plan, report)
                }
                Err(RealError::Run(why)) => trial.failed(why),
                Err(error) => return Err(error.into()),
            };
            match (trial, next) {
                // What is begun is finished first.
                (Some(trial), Next::Run(plan)) => alone.push_front((trial, plan)),
                (_, Next::Done(record, parting)) => {
                    if let Some(plan) = parting {
                        self.write(&record, &plan)?;
                    }
                    told(&record);
                    results.add(record)?;
                }
                (None, Next::Run(_)) => unreachable!("what is run is under way"),
            }
        }
        Ok(results.summary(self.scenarios))
    }

    /// The file of a scenario that parts.
    pub fn file(&self, nth: u32) -> PathBuf {
        self.folder.join(format!("{}-{nth}.toml", self.seed))
    }

    fn write(&self, record: &Record, plan: &Plan) -> Result<(), RandomError> {
        let path = self.file(record.nth);
        let first = record.first.as_deref().unwrap_or_default();
        fs::write(&path, format!("# {first}\n{}", plan.to_toml()))
            .map_err(|source| RandomError::File { path, source })
    }
}

fn start(trial: Trial, plan: Plan) -> Result<Running, RandomError> {
    let scenario = on_linux(&plan.scenario().expect("a plan is a scenario"));
    let sim = scenario.run()?;
    let real = Supervisor::start(&bounded(&scenario, &sim), RealStage::Laboratory)?;
    Ok(Running { trial, plan, scenario, sim, real })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A slower network stands for a slower machine. Whatever it makes of a scenario, it is held against it.
    #[test]
    fn every_scenario_is_held_against_a_slower_machine() {
        let mut agree = 0;
        for nth in 0..40 {
            let scenario = on_linux(&Plan::random(11, nth).scenario().unwrap());
            let mut slower = scenario.clone();
            slower.hosts.iter_mut().for_each(|host| host.link.latency += Duration::from_micros(150));
            let (sim, real) = (scenario.run().unwrap(), slower.run().unwrap());
            let (_, report) = hold(&scenario, sim, &real, Scope::Everything, Tolerance::MEASURED).unwrap();
            agree += u32::from(report.agrees());
        }
        assert!(agree >= 38, "{agree} of 40 agree");
    }
}
