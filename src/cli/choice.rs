//! Which scenario is meant, and what is changed in it.

use std::time::Duration;

use super::parse::{duration, setting, systems};
use super::refusal::Refusal;
use crate::scenario::{self, Scenario};
use crate::stack::System;
use crate::time::SimTime;

/// What every command about a scenario takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Changes {
    /// Whose TCP the hosts have, in place of what the scenario says
    #[arg(long, value_parser = systems())]
    pub(super) stack: Option<System>,

    /// Where everything random comes from, in place of what the scenario says
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// Change a key of the links, of the hosts' TCP, or of the scenario's own table set; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub(super) set: Vec<(String, String)>,

    /// Stop at this time; what is expected after it is not looked at
    #[arg(long, value_name = "T", value_parser = duration)]
    pub(super) until: Option<Duration>,
}

/// A scenario named as an operand.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// The scenario: a name from --list, or a TOML file
    #[arg(value_name = "NAME|FILE")]
    pub(super) scenario: String,

    #[command(flatten)]
    pub(super) changes: Changes,
}

impl Choice {
    pub(super) fn load(self) -> Result<(String, Scenario), Refusal> {
        let scenario = self.changes.load(&self.scenario)?;
        Ok((self.scenario, scenario))
    }
}

impl Changes {
    /// Where a real kernel is asked, no other system's TCP can be asked for.
    pub(super) fn refuse_others_tcp(&self, what: &'static str) -> Result<(), Refusal> {
        match self.stack {
            Some(stack) if stack != System::REAL => Err(Refusal::OthersTcp(what)),
            _ => Ok(()),
        }
    }

    /// The scenario of this name or file, changed.
    pub(super) fn load(&self, name: &str) -> Result<Scenario, Refusal> {
        let mut scenario = scenario::load(name)?;
        // The system first: a key may mean something to one and nothing to another.
        scenario.stack = self.stack.unwrap_or(scenario.stack);
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        scenario.until = self.until.map_or(scenario.until, |until| SimTime::ZERO + until);
        scenario.set_all(&self.set)?;
        Ok(scenario)
    }
}
