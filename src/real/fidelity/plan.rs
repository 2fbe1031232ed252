//! How a scenario is played for a comparison.

use std::time::Duration;

use crate::real::{RealError, seen_length};
use crate::scenario::{self, Outcome, Scenario, SetError};
use crate::timeline::{Event, Kind};

/// What takes longer is made shorter.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// What makes it shorter; a key that a scenario does not know is no use there. Still more than the longest of its
/// silences before a probe is due.
pub(super) const SHORTER: &[(&str, &str)] = &[
    ("retries", "8"),
    ("syn_retries", "3"),
    ("keepalive_time", "75s"),
    ("keepalive_intvl", "5s"),
    ("keepalive_probes", "3"),
    ("pause", "20s"),
];

/// What of a run is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every segment, ICMP error, call, line, signal and end of a process, with its time.
    Everything,
    /// What the programs print, which of their calls fail and how they end, in order; and why not more.
    Ends(&'static str),
}

/// Scenarios of which only the ends are compared.
const COARSE: &[(&str, &str)] = &[
    ("batch", STREAM),
    ("half-close", STREAM),
    ("mtu", STREAM),
    ("sum-binary", STREAM),
    ("sum-text", STREAM),
    ("zero-window", STREAM),
    ("lossy", "one other segment, and chance strikes others from there on"),
];

const STREAM: &str = "TCP does not say how a stream of octets is cut into segments and reads";

/// A scenario as both arms play it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// The scenario, as Linux, with what makes it shorter.
    pub scenario: Scenario,
    /// What is compared.
    pub scope: Scope,
    /// The simulated run.
    pub sim: Outcome,
}

impl Plan {
    /// Runs the simulated arm, and makes the scenario shorter if it takes long.
    ///
    /// # Errors
    ///
    /// The simulation could not be finished.
    pub fn new(name: &str, scenario: &Scenario) -> Result<Plan, RealError> {
        let run =
            |scenario: &Scenario| scenario::run(scenario).map_err(|error| RealError::Play(error.to_string()));
        let mut scenario = super::super::on_linux(scenario);
        let mut sim = run(&scenario)?;
        if seen_length(&sim) > LONG {
            for (key, value) in SHORTER {
                if scenario.setting(key).is_none() || scenario.variables.get(key).is_some() {
                    match scenario.set(key, value) {
                        Ok(()) | Err(SetError::UnknownKey { .. }) => {}
                        Err(error) => return Err(RealError::Play(error.to_string())),
                    }
                }
            }
            sim = run(&scenario)?;
        }
        let scope = COARSE.iter().find(|(coarse, _)| *coarse == name);
        let scope = scope.map_or(Scope::Everything, |(_, why)| Scope::Ends(why));
        Ok(Plan { name: name.to_owned(), scenario, scope, sim })
    }
}

impl Scope {
    /// The events that are compared.
    pub(super) fn of(self, events: &[Event]) -> Vec<Event> {
        let is_in = |event: &&Event| match (self, &event.kind) {
            (Scope::Everything, _) => true,
            (Scope::Ends(_), Kind::Call(call)) => call.result.is_err(),
            (Scope::Ends(_), Kind::Segment(_) | Kind::Icmp(_)) => false,
            (Scope::Ends(_), _) => true,
        };
        events.iter().filter(is_in).cloned().collect()
    }
}
