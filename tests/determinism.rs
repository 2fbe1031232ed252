//! Every run of a seed is the same to the byte.
#![cfg(feature = "cli")]

use echosim::report::{self, RunInfo};
use echosim::scenario;
use echosim::stack::System;
use echosim::timeline::Recorder;

/// The whole run as JSON, made in a thread of its own: nothing that a thread keeps may matter.
fn trace(name: &'static str, system: System, seed: u64) -> String {
    let run = move || {
        let mut scenario = scenario::load(name).expect("a scenario of the library");
        scenario.stack = system;
        scenario.seed = seed;
        let outcome = scenario.run().expect("it runs to its end");
        let mut json = Vec::new();
        report::json(&mut json, &RunInfo::default(), &outcome.events).expect("memory takes it");
        String::from_utf8(json).expect("JSON is UTF-8")
    };
    std::thread::spawn(run).join().expect("the run does not panic")
}

#[test]
fn two_runs_of_a_seed_are_the_same_to_the_byte() {
    for built_in in scenario::BUILT_IN {
        for system in System::ALL {
            let (one, other) = (trace(built_in.name, system, 7), trace(built_in.name, system, 7));
            let same = one == other;
            assert!(
                same,
                "two runs differ; to see one: echosim --scenario {} --stack {} --seed 7 --trace=json",
                built_in.name,
                system.name()
            );
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(trace("lossy", System::Book, 1), trace("lossy", System::Book, 2));
}

/// Some have faults by event, for which the run itself reads the timeline.
#[test]
fn a_timeline_that_is_drained_while_the_run_goes_on_has_the_same_events() {
    for built_in in scenario::BUILT_IN {
        let scenario = scenario::load(built_in.name).expect("a scenario of the library");
        let whole = scenario.run().expect("it runs to its end").events;
        let recorder = Recorder::new("world");
        let run = {
            let (scenario, recorder) = (scenario.clone(), recorder.clone());
            std::thread::spawn(move || scenario.run_with(recorder).expect("it runs to its end"))
        };
        let mut drained = Vec::new();
        while !run.is_finished() {
            drained.extend(recorder.drain());
        }
        drained.extend(run.join().expect("the run does not panic").events);
        assert!(recorder.drain().is_empty(), "the rest is the outcome's");

        assert!(drained == whole, "{}: {} events, {}", built_in.name, drained.len(), whole.len());
    }
}
