//! A run of a scenario: its world built, its script played, its outcome collected.

mod build;
mod script;
mod strike;
mod views;

use std::sync::Arc;

use thiserror::Error;

use super::Scenario;
use super::outcome::{Outcome, Waiting};
use crate::os::sim::{Host, ProcessState};
use crate::sim::{Film, World, WorldError};
use crate::time::SimTime;
use crate::timeline::Recorder;
use script::Script;
use views::Views;

/// Why a run could not be finished.
#[derive(Debug, Error)]
#[error("{scenario}: {source}")]
pub struct RunError {
    scenario: String,
    source: WorldError,
}

/// Runs the scenario from start to end: until nothing is left to happen, or until it is to be stopped.
///
/// # Errors
///
/// A program that never lets go of its processor, or a world that never comes to rest.
pub fn run(scenario: &Scenario) -> Result<Outcome, RunError> {
    run_with(scenario, Recorder::new("world"))
}

/// The same with a recorder of the caller's, which may be off.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(scenario: &Scenario, recorder: Recorder) -> Result<Outcome, RunError> {
    watch(scenario, recorder, &mut |_| ())
}

/// The same as [`run`], with every host's sockets and processes at every moment.
///
/// # Errors
///
/// As [`run`].
pub fn run_filmed(scenario: &Scenario) -> Result<(Outcome, Film), RunError> {
    let mut film = Film::new();
    let outcome = watch(scenario, Recorder::new("world"), &mut |world| film.take(world))?;
    Ok((outcome, film))
}

/// `look` is shown the world after every round.
fn watch(scenario: &Scenario, recorder: Recorder, look: &mut dyn FnMut(&World)) -> Result<Outcome, RunError> {
    play(scenario, recorder, look).map_err(|source| RunError { scenario: scenario.name.clone(), source })
}

fn play(
    scenario: &Scenario,
    recorder: Recorder,
    look: &mut dyn FnMut(&World),
) -> Result<Outcome, WorldError> {
    let mut world = build::world(scenario, recorder)?;
    let mut script = Script::new(scenario, look);
    let mut views = Views::new(scenario);
    script.settle(&mut world)?;
    let mut cut = false;
    while let Some(next) = earliest(world.next_moment(), script.next_moment()) {
        if next > scenario.until {
            cut = true;
            break;
        }
        views.before(&mut world, next);
        world.go_to(next);
        script.settle(&mut world)?;
        script.play(&mut world)?;
    }
    if cut {
        views.before(&mut world, scenario.until);
        world.go_to(scenario.until);
    }
    let end = world.now();
    if !cut {
        views.behind(&mut world);
    }
    let (netstat, ps) = views.at_the_end(&world);
    Ok(Outcome {
        end,
        cut,
        waiting: waiting(&world),
        missed: script.missed(&world),
        netstat,
        ps,
        events: world.recorder().events_from(0),
    })
}

fn earliest(one: Option<SimTime>, other: Option<SimTime>) -> Option<SimTime> {
    [one, other].into_iter().flatten().min()
}

fn waiting(world: &World) -> Vec<Waiting> {
    let names: Vec<Arc<str>> = world.host_names().map(Arc::from).collect();
    let mut waiting = Vec::new();
    for name in names {
        let processes = world.look_at(&name, |host: &Host, _| host.processes()).unwrap_or_default();
        let alive = processes.into_iter().filter(|process| process.state != ProcessState::Zombie);
        waiting.extend(alive.map(|process| Waiting {
            host: name.clone(),
            pid: process.pid.as_raw(),
            process: process.name,
            call: process.sleeping_on.map_or("running", |wchan| wchan.call()),
            within: process.within,
        }));
    }
    waiting
}
