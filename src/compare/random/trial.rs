//! What is known of one random scenario: run again where it parts, and made smaller.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::compare::{Report, Row};

/// How often a scenario that parts is run again: what a busy machine has done is not done every time.
const REPEATS: u32 = 2;
/// Runs that are spent at the most to make one smaller.
const SHRINKS: u32 = 8;

/// A scenario under way.
pub(super) struct Trial {
    pub(super) nth: u32,
    /// The scenario, as small as it has become.
    plan: Plan,
    repeats: u32,
    /// Where it parts, if it does.
    parting: Option<Report>,
    /// Smaller ones that have not been tried.
    candidates: VecDeque<Plan>,
    shrinks: u32,
}

/// What came of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which one it was.
    pub nth: u32,
    /// Whether they agree.
    pub verdict: Verdict,
    /// Events that are in both runs.
    pub pairs: usize,
    /// How far the worst of their times were apart.
    pub worst: Duration,
    /// The first event that parts them, or why there was no real run.
    pub first: Option<String>,
}

/// Whether the simulation and the kernel agree in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// In every event.
    Agrees,
    /// When it was run again.
    AgreesRepeated,
    /// On the wire alone: no program sees a difference.
    PartsOnWire,
    /// In what a program does or is told, or when.
    Parts,
    /// There was no real run.
    NotRun,
}

/// What is to be done with a scenario.
pub(super) enum Next {
    /// Run this, which is the scenario or a smaller one.
    Run(Plan),
    /// Nothing more; what came of it, and the scenario as small as it parts, if it does.
    Done(Record, Option<Plan>),
}

impl Trial {
    pub(super) fn new(nth: u32, plan: Plan) -> Trial {
        Trial { nth, plan, repeats: 0, parting: None, candidates: VecDeque::new(), shrinks: 0 }
    }

    pub(super) fn first(&self) -> Plan {
        self.plan.clone()
    }

    /// Whether it has been run before, and parted.
    pub(super) fn has_parted(&self) -> bool {
        self.repeats > 0
    }

    /// There was no real run of `plan`.
    pub(super) fn failed(self, why: String) -> (Option<Trial>, Next) {
        match self.parting {
            Some(_) => self.smaller(),
            None => {
                let nothing = Record {
                    nth: self.nth,
                    verdict: Verdict::NotRun,
                    pairs: 0,
                    worst: Duration::ZERO,
                    first: Some(why),
                };
                (None, Next::Done(nothing, None))
            }
        }
    }

    /// `plan` has been run on both sides.
    pub(super) fn ran(mut self, plan: Plan, report: Report) -> (Option<Trial>, Next) {
        let is_first_scenario = self.candidates.is_empty() && self.shrinks == 0;
        if report.agrees() {
            if is_first_scenario {
                let verdict = if self.repeats == 0 { Verdict::Agrees } else { Verdict::AgreesRepeated };
                return (None, Next::Done(record(self.nth, verdict, &report), None));
            }
            return self.smaller();
        }
        if is_first_scenario && self.repeats < REPEATS {
            self.repeats += 1;
            let again = self.plan.clone();
            return (Some(self), Next::Run(again));
        }
        self.candidates = plan.smaller().collect();
        self.plan = plan;
        self.parting = Some(report);
        self.smaller()
    }

    fn smaller(mut self) -> (Option<Trial>, Next) {
        if self.shrinks < SHRINKS
            && let Some(candidate) = self.candidates.pop_front()
        {
            self.shrinks += 1;
            return (Some(self), Next::Run(candidate));
        }
        let report = self.parting.expect("only what parts is made smaller");
        let verdict = if is_seen(&report) { Verdict::Parts } else { Verdict::PartsOnWire };
        (None, Next::Done(record(self.nth, verdict, &report), Some(self.plan)))
    }
}

fn record(nth: u32, verdict: Verdict, report: &Report) -> Record {
    let worst = report.worst().map_or(Duration::ZERO, |(_, timing)| timing.off());
    Record { nth, verdict, pairs: report.pairs(), worst, first: report.first_parting() }
}

/// Whether a program could see that they part.
fn is_seen(report: &Report) -> bool {
    let is_of_wire = |row: &Row| row.host_and_what().1.starts_with(['>', '<']);
    report.partings().any(|row| !is_of_wire(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Drift, Tolerance};
    use crate::time::SimTime;

    fn report(partings: &[&str]) -> Report {
        let row = |what: &&str| Row::OnlyReal {
            host: "client".to_owned(),
            what: (*what).to_owned(),
            real: SimTime::ZERO,
        };
        let rows = partings.iter().map(row).collect();
        let drift = Drift { mean: 0.0, timers: 0 };
        Report { rows, tolerance: Tolerance::MEASURED, drift, wire_unwatched: false }
    }

    /// Runs a scenario until it is done; `parts` says of a plan what parts in it, at its n-th run.
    fn verdict(parts: impl Fn(&Plan, u32) -> Vec<&'static str>) -> (Record, Option<Plan>, u32) {
        let first = Trial::new(0, Plan::random(3, 5));
        let mut plan = first.first();
        let (mut trial, mut runs) = (first, 0);
        loop {
            runs += 1;
            let found = report(&parts(&plan, runs));
            match trial.ran(plan, found) {
                (Some(next), Next::Run(run)) => (trial, plan) = (next, run),
                (_, Next::Done(record, smallest)) => return (record, smallest, runs),
                (None, Next::Run(_)) => unreachable!("what is run is under way"),
            }
        }
    }

    #[test]
    fn what_a_repetition_heals_agrees_and_is_reported() {
        let (record, file, runs) = verdict(|_, _| vec![]);
        assert_eq!((record.verdict, file, runs), (Verdict::Agrees, None, 1));
        let (record, file, runs) = verdict(|_, nth| if nth < 3 { vec!["> S seq 0"] } else { vec![] });
        assert_eq!((record.verdict, file, runs), (Verdict::AgreesRepeated, None, 3));
    }

    #[test]
    fn what_parts_every_time_is_made_smaller_as_long_as_it_parts() {
        let whole = Plan::random(3, 5);
        let (record, file, runs) = verdict(|_, _| vec!["> S seq 0"]);
        assert_eq!(record.verdict, Verdict::PartsOnWire);
        assert!(runs <= 1 + REPEATS + SHRINKS, "{runs}");
        assert!(file.unwrap().to_toml().len() < whole.to_toml().len());
        // Nothing smaller parts.
        let (record, file, _) = verdict(|plan, _| if *plan == whole { vec!["exit(0)"] } else { vec![] });
        assert_eq!((record.verdict, file), (Verdict::Parts, Some(whole.clone())));
        assert_eq!(record.first.as_deref(), Some("client: exit(0) (not in the simulation)"));
    }
}
