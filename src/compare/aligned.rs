//! What is given to the hosts, at the same place of what happens there.
//!
//! A kernel takes a little longer over every round trip than a simulation, which takes no time to work. So what is typed
//! at a time, a fault, and the end of the run find a conversation that is under way further on in the simulation. None of them is
//! TCP's doing: here the simulation runs again with each of them where the kernel had it, as long after the event
//! before it.

use std::time::Duration;

use super::{given, paired};
use crate::scenario::{Outcome, RunError, Scenario, Tolerance, Trigger};
use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind, Stream};

/// Something that a scenario gives at a time.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// What is typed at a host, by both places.
    Typed(usize, usize),
    Fault(usize),
}

/// The simulation of `scenario` with what is given where `real` had it; `sim` is the one that it has.
///
/// # Errors
///
/// A run that could not be finished.
pub(super) fn aligned(
    scenario: &Scenario,
    sim: &Outcome,
    real: &Outcome,
    tolerance: Tolerance,
) -> Result<Outcome, RunError> {
    let (mut scenario, mut sim) = (scenario.clone(), sim.clone());
    if give_times(&mut scenario, &sim) {
        sim = scenario.run()?;
    }
    let mut earliest = SimTime::ZERO;
    for place in places(&scenario) {
        let (at, host) = given_at(&scenario, place);
        let mut given = given::pairs(&sim.events, &real.events).into_iter();
        let is_it = |ours: usize| sim.events[ours].t == at && is_of(place, host, &sim.events[ours]);
        let Some((ours, there)) = given.find(|(ours, _)| is_it(*ours)) else { continue };
        let both = Both::new(&sim.events, &real.events, tolerance);
        let Some(moved) = both.moment(Some(host), ours, there, real.events[there].t) else { continue };
        let moved = moved.max(earliest);
        earliest = moved;
        if moved != at {
            set(&mut scenario, place, moved);
            sim = scenario.run()?;
        }
    }
    if real.cut {
        let both = Both::new(&sim.events, &real.events, tolerance);
        let end = both.moment(None, sim.events.len(), real.events.len(), real.end);
        if let Some(end) = end.filter(|end| *end != scenario.until) {
            scenario.until = end;
            sim = scenario.run()?;
        }
    }
    Ok(sim)
}

/// The smallest time there is.
const INSTANT: Duration = Duration::from_nanos(1);

/// Gives faults that follow an event the time at which they struck, just after it. Whether there are any.
fn give_times(scenario: &mut Scenario, sim: &Outcome) -> bool {
    let mut struck: Vec<(&FaultKind, &str, SimTime)> = Vec::new();
    for event in &sim.events {
        if let Kind::Fault { fault, target } = &event.kind {
            struck.push((fault, target, event.t));
        }
    }
    // Those that have a time of their own are not the ones that are looked for.
    for fault in &scenario.faults {
        if let Trigger::At(at) = fault.trigger {
            let is_it =
                |it: &(&FaultKind, &str, SimTime)| *it == (&fault.kind, &fault.host, at + fault.delay);
            struck.iter().position(is_it).map(|nth| struck.remove(nth));
        }
    }
    let mut has_any = false;
    for fault in &mut scenario.faults {
        if let Trigger::On(_) = fault.trigger
            && let Some(nth) =
                struck.iter().position(|(kind, host, _)| **kind == fault.kind && *host == fault.host)
        {
            let (_, _, at) = struck.remove(nth);
            (fault.trigger, fault.delay) = (Trigger::At(at + INSTANT), Duration::ZERO);
            has_any = true;
        }
    }
    has_any
}

/// Everything that has a time, in its order.
fn places(scenario: &Scenario) -> Vec<Place> {
    let hosts = scenario.hosts.iter().enumerate();
    let typed = hosts.flat_map(|(host, it)| (0..it.typed.len()).map(move |nth| Place::Typed(host, nth)));
    let timed = |nth: &usize| matches!(scenario.faults[*nth].trigger, Trigger::At(_));
    let faults = (0..scenario.faults.len()).filter(timed).map(Place::Fault);
    let mut places: Vec<Place> = typed.chain(faults).collect();
    places.sort_by_key(|place| given_at(scenario, *place).0);
    places
}

/// When it is given, and to which host.
fn given_at(scenario: &Scenario, place: Place) -> (SimTime, &str) {
    match place {
        Place::Typed(host, nth) => (scenario.hosts[host].typed[nth].at, &scenario.hosts[host].name),
        Place::Fault(nth) => {
            let fault = &scenario.faults[nth];
            let Trigger::At(at) = fault.trigger else { unreachable!("only what has a time is a place") };
            (at + fault.delay, &fault.host)
        }
    }
}

fn set(scenario: &mut Scenario, place: Place, at: SimTime) {
    match place {
        Place::Typed(host, nth) => scenario.hosts[host].typed[nth].at = at,
        Place::Fault(nth) => {
            let fault = &mut scenario.faults[nth];
            fault.trigger = Trigger::At(at);
            fault.delay = Duration::ZERO;
        }
    }
}

/// Whether the event is the giving of that.
fn is_of(place: Place, host: &str, event: &Event) -> bool {
    match (place, &event.kind) {
        (Place::Typed(..), Kind::Line(line)) => line.stream == Stream::Stdin && *event.host == *host,
        (Place::Fault(_), Kind::Fault { target, .. }) => target == host,
        _ => false,
    }
}

/// Two runs, and which events of them are the same.
struct Both<'a> {
    sim: &'a [Event],
    real: &'a [Event],
    /// The partner in the real run of each simulated event that has one.
    of_sim: Vec<Option<usize>>,
    /// The reverse.
    of_real: Vec<Option<usize>>,
}

impl<'a> Both<'a> {
    fn new(sim: &'a [Event], real: &'a [Event], tolerance: Tolerance) -> Both<'a> {
        let (mut of_sim, mut of_real) = (vec![None; sim.len()], vec![None; real.len()]);
        for (ours, there) in paired(sim, real, tolerance) {
            (of_sim[ours], of_real[there]) = (Some(there), Some(ours));
        }
        Both { sim, real, of_sim, of_real }
    }

    /// The simulation's moment for what the kernel had at `t`, before its event `there`, and the simulation before its event
    /// `ours`: as long after the last event of the host that both have by then, but before anything that the kernel did
    /// only later, or not at all.
    fn moment(&self, host: Option<&str>, ours: usize, there: usize, t: SimTime) -> Option<SimTime> {
        let is_there = |event: &Event| host.is_none_or(|host| *event.host == *host);
        let before = (0..there).rev().filter(|at| is_there(&self.real[*at]));
        let (last, partner) = before.filter_map(|at| Some((at, self.of_real[at]?))).next()?;
        let since = self.sim[partner].t;
        let moved = since + (t - self.real[last].t).max(INSTANT);
        let is_later = |at: &usize| self.of_sim[*at].is_none_or(|real| real > there);
        let is_of_track = |at: &usize| is_compared(&self.sim[*at]) && is_there(&self.sim[*at]);
        let later = (partner + 1..ours).filter(is_of_track).find(is_later).map(|at| self.sim[at].t);
        Some(match later {
            Some(later) if moved >= later => {
                since.max(SimTime::ZERO + later.since(SimTime::ZERO).saturating_sub(INSTANT))
            }
            _ => moved,
        })
    }
}

/// Whether an event would have a partner if the kernel had done the same.
fn is_compared(event: &Event) -> bool {
    matches!(event.kind, Kind::Segment(_) | Kind::Icmp(_) | Kind::Call(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Scope;
    use crate::compare::side_by_side::hold;

    /// Sixty lines one after the other, in the midst of which the link breaks; and a slow line.
    fn scenario(latency: &str, until: &str) -> Scenario {
        let text = format!(
            "name = 'x'
             stack = 'linux'
             until = '{until}'
             [host.server]
             run = 'echo-server'
             [link.server]
             latency = '{latency}'
             [host.client]
             run = 'echo-client server'
             type = [{{ at = '100ms', lines = 60 }}, {{ at = '450ms', line = 'slow' }}]
             [[fault]]
             at = '700ms'
             do = 'partition'
             host = 'server'
             [expect.server]
             anything = true
             [expect.client]
             anything = true"
        );
        Scenario::parse("x.toml", &text).unwrap()
    }

    fn agree(sim: &Scenario, real: &Outcome) -> bool {
        let (_, report) =
            hold(sim, sim.run().unwrap(), real, Scope::Everything, Tolerance::MEASURED).unwrap();
        report.agrees()
    }

    /// A slower link stands for a slower machine.
    #[test]
    fn what_is_given_in_the_midst_of_a_conversation_is_where_the_kernel_had_it() {
        let sim = scenario("2.5ms", "3s");
        let real = scenario("2.7ms", "3s").run().unwrap();
        let report =
            Scope::Everything.compare(&sim.run().unwrap().events, &real.events, &[], Tolerance::MEASURED);
        assert!(!report.agrees(), "at the times that the scenario says they part");
        assert!(agree(&sim, &real));
    }

    /// What happens is heard of a moment later on a machine, and the fault that follows it strikes later.
    #[test]
    fn a_fault_that_follows_an_event_strikes_where_it_did() {
        let with = |when: &str| {
            let text = format!(
                "name = 'x'
                 stack = 'linux'
                 until = '5s'
                 [host.server]
                 run = 'echo-server'
                 [host.client]
                 run = 'echo-client server'
                 type = [{{ at = '100ms', line = 'one' }}, {{ at = '1s', line = 'two' }}]
                 [[fault]]
                 {when}
                 do = 'crash'
                 host = 'server'
                 [expect.client]
                 anything = true"
            );
            Scenario::parse("x.toml", &text).unwrap()
        };
        let real = with("at = '107ms'").run().unwrap();
        let sim = with("when = 'client writes'");
        let report =
            Scope::Everything.compare(&sim.run().unwrap().events, &real.events, &[], Tolerance::MEASURED);
        assert!(!report.agrees(), "the answer is on its way when the server crashes, or not");
        assert!(agree(&sim, &real));
    }

    #[test]
    fn a_kernel_that_does_something_else_parts_all_the_same() {
        let mut wrong = scenario("2.7ms", "3s");
        wrong.set("rto_min", "230ms").unwrap();
        assert!(!agree(&scenario("2.5ms", "3s"), &wrong.run().unwrap()));
    }

    #[test]
    fn what_the_kernel_never_did_may_have_been_at_the_very_start() {
        let events = scenario("2.5ms", "3s").run().unwrap().events;
        let is_call = |event: &&Event, name| matches!(&event.kind, Kind::Call(call) if call.name() == name);
        let call = |name| events.iter().find(|event| is_call(event, name)).cloned().unwrap();
        let fault = events.iter().find(|event| matches!(event.kind, Kind::Fault { .. })).cloned().unwrap();
        let sim = [call("bind"), call("listen"), fault.clone()];
        let real = [call("bind"), fault.clone()];
        let both = Both::new(&sim, &real, Tolerance::MEASURED);
        assert_eq!(both.moment(Some("server"), 2, 1, fault.t), Some(SimTime::ZERO));
    }

    #[test]
    fn the_end_may_come_in_the_midst_of_a_conversation() {
        let real = scenario("2.7ms", "500ms").run().unwrap();
        assert!(real.cut);
        assert!(agree(&scenario("2.5ms", "500ms"), &real));
    }
}
