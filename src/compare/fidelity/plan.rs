//! How a scenario is run for a comparison.

use std::time::Duration;

use crate::compare::{CompareError, Scope};
use crate::scenario::{Outcome, Scenario, SetError};
use crate::stage::{on_linux, seen_length};

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

/// What is known of scenarios that part: why they do.
const KNOWN: &[(&str, &str)] = &[
    (
        "batch",
        "The client closes with echoes on their way. How many lines have come back by then is a matter of pace, and so \
         is whether its RST finds the server in `read` or in `write`.",
    ),
    (
        "close-trap",
        "The child's echo and the FIN behind it leave at one moment in the simulation, where a program's work takes no time. \
         On a kernel the client may look between the two, and poll finds no hangup yet.",
    ),
    (
        "crowd",
        "A process that waits long for a processor answers late, and its kernel acknowledges by itself meanwhile.",
    ),
    (
        "net-unreachable",
        "The kernel gives up at the first timer past a time, not after a number of retransmissions: of hundreds there \
         may be one more or less.",
    ),
    (
        "one-way",
        "The tail loss probes of both ends are due within a jiffy. Whichever is first decides whether the server \
         acknowledges on its own.",
    ),
    (
        "unreachable",
        "The kernel gives up at the first timer past a time, not after a number of retransmissions: of hundreds there \
         may be one more or less.",
    ),
    (
        "zombies",
        "Five children end within a millisecond. In the simulation their SIGCHLDs are one; on a kernel it is a race how \
         many of them are (UNP 5.10), and for whose FIN the kernel has acknowledged before the child has run.",
    ),
];

/// Why a scenario parts, where that is known.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, why)| *why)
}

/// A scenario as it is run on both stages.
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
    /// Runs it in the simulation, and makes the scenario shorter if it takes long.
    ///
    /// # Errors
    ///
    /// The simulation could not be finished.
    pub fn new(name: &str, scenario: &Scenario) -> Result<Plan, CompareError> {
        let mut scenario = on_linux(scenario);
        let mut sim = scenario.run()?;
        if seen_length(&sim) > LONG {
            for (key, value) in SHORTER {
                if scenario.setting(key).is_none() || scenario.variables.get(key).is_some() {
                    match scenario.set(key, value) {
                        Ok(()) | Err(SetError::UnknownKey { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            sim = scenario.run()?;
        }
        Ok(Plan { name: name.to_owned(), scenario, scope: Scope::of(name), sim })
    }
}
