//! The plays of a comparison, a few at once: they sleep most of the time.

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Plan;
use crate::real::compare::{Report, Tolerance};
use crate::real::play::{Place, Play, Running};
use crate::real::{RealError, bounded, seen_length};
use crate::scenario::Outcome;
use crate::timeline::{Direction, Kind};

/// How many plays are given at once. More would wait for each other on a small machine.
const AT_ONCE: usize = 4;

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How it was played.
    pub plan: Plan,
    /// What was found, or why it could not be played.
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
    /// Whether both arms agree.
    pub fn agrees(&self) -> bool {
        self.found.as_ref().is_ok_and(|finding| finding.report.agrees())
    }
}

/// Plays all of it in the laboratory, and tells of each as it is done: the longest first, answered in their order.
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
    let mut running: Vec<(usize, Plan, Running)> = Vec::new();
    let mut done: Vec<(usize, Entry)> = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((nth, plan)) = waiting.pop()
        {
            let scenario = bounded(&plan.scenario, &plan.sim);
            let play = Play::of(&scenario, Place::Laboratory)
                .map_err(|source| RealError::Machine { what: "the play".to_owned(), source })?;
            running.push((nth, plan, Running::start(&play, Place::Laboratory)?));
        }
        if running.is_empty() {
            break;
        }
        let over = first_over(&running)?;
        let (nth, plan, play) = running.swap_remove(over);
        let found = match play.finish() {
            Ok(real) => Ok(Finding::of(&plan, &real, tolerance)),
            Err(RealError::Play(why)) => Err(why),
            Err(error) => return Err(error),
        };
        let entry = Entry { plan, found };
        told(&entry);
        done.push((nth, entry));
    }
    done.sort_by_key(|(nth, _)| *nth);
    Ok(done.into_iter().map(|(_, entry)| entry).collect())
}

/// Waits until one of them is over; which.
fn first_over(running: &[(usize, Plan, Running)]) -> Result<usize, RealError> {
    loop {
        let mut fds: Vec<PollFd<'_>> =
            running.iter().map(|(.., play)| PollFd::new(play.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(RealError::Machine { what: "poll".to_owned(), source: errno.into() }),
        }
        if let Some(over) = fds.iter().position(|fd| fd.any().unwrap_or(false)) {
            return Ok(over);
        }
    }
}

impl Finding {
    fn of(plan: &Plan, real: &Outcome, tolerance: Tolerance) -> Finding {
        let report = plan.scope.compare(&plan.sim.events, &real.events, tolerance);
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
