//! The real runs of a comparison, a few at once: they sleep most of the time.

use super::Plan;
use crate::compare::side_by_side::{bounded, first_over};
use crate::compare::{Report, Tolerance};
use crate::scenario::Outcome;
use crate::stage::{RealError, RealStage, Supervisor, seen_length};
use crate::timeline::{Direction, Kind};

/// How many runs go on at once. More would wait for each other on a small machine.
const AT_ONCE: usize = 4;

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How it was run.
    pub plan: Plan,
    /// What was found, or why there was no real run.
    pub found: Result<Finding, String>,
}

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Event by event.
    pub report: Report,
    /// Segments on the kernel's wires, as sent.
    pub segments: usize,
    /// The errors that the kernel told the programs, each once, in order.
    pub errors: Vec<&'static str>,
}

impl Entry {
    /// Whether both runs agree.
    pub fn agrees(&self) -> bool {
        self.found.as_ref().is_ok_and(|finding| finding.report.agrees())
    }
}

/// Runs all of it in the laboratory, and tells of each as it is done: the longest first, answered in their order.
///
/// # Errors
///
/// This process has threads, or there can be no laboratory.
pub fn survey(
    plans: Vec<Plan>,
    tolerance: Tolerance,
    told: &mut dyn FnMut(&Entry),
) -> Result<Vec<Entry>, RealError> {
    let mut waiting: Vec<(usize, Plan)> = plans.into_iter().enumerate().collect();
    waiting.sort_by_key(|(_, plan)| seen_length(&plan.sim));
    let mut running: Vec<(usize, Plan, Supervisor)> = Vec::new();
    let mut done: Vec<(usize, Entry)> = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((nth, plan)) = waiting.pop()
        {
            let scenario = bounded(&plan.scenario, &plan.sim);
            let supervisor = Supervisor::start(&scenario, RealStage::Laboratory)?;
            running.push((nth, plan, supervisor));
        }
        if running.is_empty() {
            break;
        }
        let over = first_over(&running.iter().map(|(.., run)| run).collect::<Vec<_>>())?;
        let (nth, plan, run) = running.swap_remove(over);
        let found = match run.finish() {
            Ok(real) => Ok(Finding::of(&plan, &real, tolerance)),
            Err(RealError::Run(why)) => Err(why),
            Err(error) => return Err(error),
        };
        let entry = Entry { plan, found };
        told(&entry);
        done.push((nth, entry));
    }
    done.sort_by_key(|(nth, _)| *nth);
    Ok(done.into_iter().map(|(_, entry)| entry).collect())
}

impl Finding {
    fn of(plan: &Plan, real: &Outcome, tolerance: Tolerance) -> Finding {
        let report = plan.scope.compare(&plan.sim.events, &real.events, &real.stalls, tolerance);
        let mut errors = Vec::new();
        for event in &real.events {
            if let Kind::Call(call) = &event.kind
                && let Err(errno) = call.result
                && !errors.contains(&errno.name())
            {
                errors.push(errno.name());
            }
        }
        let is_sent = |kind: &Kind| matches!(kind, Kind::Segment(segment) if segment.dir == Direction::Out);
        let segments = real.events.iter().filter(|event| is_sent(&event.kind)).count();
        Finding { report, segments, errors }
    }
}
