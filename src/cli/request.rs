//! What it means.

use thiserror::Error;

use super::args::{Args, Trace};
use crate::scenario::{self, LoadError, Scenario, SetError};
use crate::time::SimTime;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Request {
    List,
    Run(Box<Run>),
}

/// A scenario to run, changed as was asked, and how to show it.
#[derive(Debug)]
pub(super) struct Run {
    /// The scenario's name or file, as typed.
    pub(super) name: String,
    pub(super) scenario: Scenario,
    /// `None` shows a summary.
    pub(super) trace: Option<Trace>,
    /// Whether `--until` was given, so that the run may end before what is expected.
    pub(super) shortened: bool,
}

/// Why nothing is done.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("--set: {0}")]
    Set(#[from] SetError),
    #[error("--real: the programs cannot run on this machine's own TCP yet")]
    Real,
    #[error("--netstat writes text, which is not for whoever reads --trace=json")]
    NetstatInJson,
}

impl Request {
    pub(super) fn new(args: Args) -> Result<Request, Refusal> {
        let Some(name) = args.scenario.filter(|_| !args.list) else {
            return Ok(Request::List);
        };
        if args.real {
            return Err(Refusal::Real);
        }
        if args.netstat.is_some() && args.trace == Some(Trace::Json) {
            return Err(Refusal::NetstatInJson);
        }
        let mut scenario = scenario::load(&name)?;
        // The system first: a key may mean something to one and nothing to another.
        scenario.stack = args.stack.unwrap_or(scenario.stack);
        scenario.seed = args.seed.unwrap_or(scenario.seed);
        scenario.until = args.until.map_or(scenario.until, |until| SimTime::ZERO + until);
        scenario.netstat = args.netstat;
        for (key, value) in args.set {
            scenario.set(&key, &value)?;
        }
        Ok(Request::Run(Box::new(Run { name, scenario, trace: args.trace, shortened: args.until.is_some() })))
    }
}
