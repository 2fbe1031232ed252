//! How a scenario is run and held against its `[expect]` and its snapshot.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary has a copy of its own, and uses a part of it"
)]

use echosim::report::{self, Palette, RunInfo, Waiting};
use echosim::scenario::{self, Outcome, Scenario, check};
use echosim::stack::System;

/// A scenario of the library, under a system's TCP.
pub fn load(name: &str, system: System) -> Scenario {
    let mut scenario = scenario::load(name).expect("a scenario of the library");
    scenario.stack = system;
    scenario
}

/// Runs it; everything has to be as it expects.
pub fn as_expected(scenario: &Scenario) -> Outcome {
    let outcome = scenario.run().expect("it runs to its end");
    let differences = check(scenario, &outcome);
    let (name, system) = (&scenario.name, scenario.stack.name());
    assert!(differences.is_empty(), "{name} under {system}, {:?}: {differences:#?}", scenario.set);
    outcome
}

/// Runs the scenario under a system's TCP; everything has to be as it expects.
pub fn holds(name: &str, system: System) -> (Scenario, Outcome) {
    let scenario = load(name, system);
    let outcome = as_expected(&scenario);
    (scenario, outcome)
}

/// The same with one thing set: `"reap=wait"`.
pub fn holds_with(name: &str, system: System, setting: &str) -> (Scenario, Outcome) {
    let mut scenario = load(name, system);
    let (key, value) = setting.split_once('=').expect("KEY=VALUE");
    scenario.set(key, value).expect("it can be set");
    let outcome = as_expected(&scenario);
    (scenario, outcome)
}

pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("reports are UTF-8")
}

pub fn snapshot(name: &str, content: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, content));
}

/// It holds, and its timeline is the one in `snapshots/`.
pub fn timeline(name: &str, system: System) {
    let (scenario, outcome) = holds(name, system);
    snapshot(&format!("{name}-{}", system.name()), &timeline_of(&scenario, &outcome));
}

/// The same with one thing set.
pub fn timeline_with(name: &str, system: System, setting: &str) {
    let (scenario, outcome) = holds_with(name, system, setting);
    let name = format!("{name}-{}-{}", system.name(), setting.replace('=', "-"));
    snapshot(&name, &timeline_of(&scenario, &outcome));
}

fn timeline_of(scenario: &Scenario, outcome: &Outcome) -> String {
    let info = RunInfo::from(scenario);
    let mut trace = Vec::new();
    report::text(&mut trace, &info, &outcome.events, &Palette::PLAIN).expect("memory takes it");
    text(trace)
}

/// It holds, and its summary is the one in `snapshots/`: for runs whose timeline is too long to read.
pub fn summary(name: &str, system: System) {
    let (_, outcome) = holds(name, system);
    let waiting = outcome.waiting.iter();
    let waiting: Vec<Waiting<'_>> = waiting
        .map(|it| Waiting { host: &it.host, pid: it.pid, process: &it.process, on: it.on() })
        .collect();
    let mut sentences = Vec::new();
    report::summary(&mut sentences, &outcome.events, &waiting, outcome.end).expect("memory takes it");
    snapshot(&format!("{name}-{}-summary", system.name()), &text(sentences));
}
