//! Which run a report is about.

use super::shell;
#[cfg(feature = "cli")]
use crate::scenario::Scenario;

/// Which run a report is about: enough to repeat it to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunInfo {
    /// The scenario's name, or its file.
    pub scenario: String,
    /// What the scenario says of itself, one sentence.
    pub sentence: String,
    /// Which system's TCP: `book`, `linux` …
    pub stack: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What was set with `--set`, in the order given.
    pub set: Vec<(String, String)>,
    /// The command that repeats it, where it was not the command `echosim` that ran it.
    pub replay: Option<String>,
    /// Whether it was on this machine's own TCP: then it can be repeated, but not to the byte.
    pub real: bool,
}

impl RunInfo {
    /// The command that repeats this run, fit for a shell.
    pub fn command(&self) -> String {
        if let Some(replay) = &self.replay {
            return replay.clone();
        }
        let RunInfo { scenario, stack, seed, .. } = self;
        let mut command =
            format!("echosim --scenario {} --stack {} --seed {seed}", shell(scenario), shell(stack));
        if self.real {
            command.push_str(" --real");
        }
        for (key, value) in &self.set {
            command.push_str(&format!(" --set {}", shell(&format!("{key}={value}"))));
        }
        command
    }
}

/// A simulated run of the scenario, by the name the scenario has.
#[cfg(feature = "cli")]
impl From<&Scenario> for RunInfo {
    fn from(scenario: &Scenario) -> RunInfo {
        RunInfo {
            scenario: scenario.name.clone(),
            sentence: scenario.sentence.clone(),
            stack: scenario.stack.name().to_owned(),
            seed: scenario.seed,
            set: scenario.set.clone(),
            ..RunInfo::default()
        }
    }
}
