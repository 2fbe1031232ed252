//! Two runs of one scenario side by side: the simulated one and the one on a real kernel.
//!
//! What a host does is split into tracks: what left its link, what came to it, and each of its processes. Within a
//! track events are paired in order by what they are; then their times are held against each other.
//!
//! An event's time is counted from its cause: what came before it at its host, the sending of a packet, what set a timer,
//! or what was done to the hosts from outside (a line typed, a fault, a start), which both runs have in common. So what
//! a kernel is late with once it is not late with again, and how far a time may be off follows from how long a timer ran.
//!
//! Of a timer of the kernel's a single time says little: it is late by up to a granule of the timer wheel. Many of them
//! together say whether they are late as the simulation's are ([`Drift`]).
//!
//! | module | what lives there |
//! | --- | --- |
//! | `side_by_side` | both runs of one scenario |
//! | `track` | the tracks of each host |
//! | `given`, `cause` | what is done to the hosts from outside; what caused each event |
//! | `timing` | how far the times of a pair are apart, and may be |
//! | `aligned` | the simulation, with what is given where the kernel had it |
//! | `window` | the windows that segments offer |
//! | `report` | what came out, and how it is shown |
//! | `scope` | what of a scenario can be compared |
//! | `recording` | a real run, kept in a file |
//! | [`fidelity`] | every scenario, and the page about it |
//! | [`random`] | random scenarios, made smaller where they part |
//! | `machine` | what this machine is called |

mod aligned;
mod cause;
pub mod fidelity;
mod given;
mod machine;
pub mod random;
mod recording;
mod report;
mod scope;
mod side_by_side;
mod timing;
mod track;
mod window;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::scenario::Stall;
use crate::timeline::{Event, Kind};
use timing::Clocks;
use track::{Moment, Track, tracks};
use window::windows;

pub use crate::scenario::Tolerance;
pub use machine::{kernel, machine};
pub use recording::Recording;
pub use report::{Drift, Report, Row, Timing};
pub use scope::Scope;
pub use side_by_side::{CompareError, SideBySide, side_by_side};

/// Holds the simulated run against the real one, in which this machine was late itself at `stalls`.
///
/// Where the real run has no segments its wire was not watched, and those of the simulated one are left out.
pub fn compare(sim: &[Event], real: &[Event], stalls: &[Stall], tolerance: Tolerance) -> Report {
    let wire_watched = real.iter().any(|event| matches!(event.kind, Kind::Segment(_) | Kind::Icmp(_)));
    let (sim_tracks, mut real_tracks) = (tracks(sim, !wire_watched), tracks(real, !wire_watched));
    let mut found = Vec::new();
    for (track, simulated) in sim_tracks {
        if wire_watched || !track.is_of_wire() {
            let on_kernel = real_tracks.remove(&track).unwrap_or_default();
            pair(&track, &simulated, &on_kernel, &mut found);
        }
    }
    for (track, on_kernel) in real_tracks {
        pair(&track, &[], &on_kernel, &mut found);
    }
    let clocks = |found: &[Found]| {
        let pairs = found.iter().filter_map(|found| Some((found.sim?, found.real?)));
        Clocks::new(sim, real, stalls, tolerance, pairs)
    };
    let (windows, real_windows) = (windows(sim), windows(real));
    let found = take_turns(&clocks(&found), found);
    let found = pair_anew(&clocks(&found), found);
    let clocks = clocks(&found);
    let rows = found.into_iter().map(|found| {
        let Found { track: Track { host, .. }, what, sim: simulated, real: on_kernel } = found;
        match (simulated, on_kernel) {
            (Some(at), Some(there)) => Row::Both {
                host,
                what,
                sim: sim[at].t,
                real: real[there].t,
                timing: clocks.timing(at, there),
                windows: windows[at].zip(real_windows[there]).and_then(|(ours, there)| ours.parts(there)),
            },
            (Some(at), None) => Row::OnlySim { host, what, sim: sim[at].t },
            (None, there) => Row::OnlyReal { host, what, real: real[there.expect("it is in one of them")].t },
        }
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by_key(|row| row.sim().or(row.real()));
    let wire_unwatched = !wire_watched && sim.iter().any(|event| matches!(event.kind, Kind::Segment(_)));
    Report { rows, tolerance, drift: clocks.drift(), wire_unwatched }
}

/// Which events of both runs are the same, by place.
fn paired(sim: &[Event], real: &[Event], tolerance: Tolerance) -> Vec<(usize, usize)> {
    let (sim_tracks, mut real_tracks) = (tracks(sim, false), tracks(real, false));
    let mut found = Vec::new();
    for (track, simulated) in sim_tracks {
        pair(&track, &simulated, &real_tracks.remove(&track).unwrap_or_default(), &mut found);
    }
    let pairs = |found: &[Found]| found.iter().filter_map(|it| Some((it.sim?, it.real?))).collect::<Vec<_>>();
    let clocks = Clocks::new(sim, real, &[], tolerance, pairs(&found).into_iter());
    pairs(&take_turns(&clocks, found))
}

/// An event by its places in the timelines that have it.
struct Found {
    track: Track,
    what: String,
    sim: Option<usize>,
    real: Option<usize>,
}

/// Pairs two tracks.
fn pair(track: &Track, sim: &[Moment], real: &[Moment], found: &mut Vec<Found>) {
    let words = |moments: &[Moment]| moments.iter().map(|moment| moment.what.clone()).collect::<Vec<_>>();
    let of = |sim: Option<&Moment>, real: Option<&Moment>| Found {
        track: track.clone(),
        what: sim.or(real).map_or(String::new(), |moment| moment.what.clone()),
        sim: sim.map(|moment| moment.at),
        real: real.map(|moment| moment.at),
    };
    for op in capture_diff_slices(Algorithm::Myers, &words(sim), &words(real)) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            found.extend((0..len).map(|n| of(sim.get(old_index + n), real.get(new_index + n))));
        } else {
            found.extend(op.old_range().map(|at| of(sim.get(at), None)));
            found.extend(op.new_range().map(|at| of(None, real.get(at))));
        }
    }
}

/// Pairs what is only in the one run with the same in the other, if it is there at its time: what two timers send on a
/// connection at nearly one moment they send in either order.
fn take_turns(clocks: &Clocks<'_>, mut found: Vec<Found>) -> Vec<Found> {
    let mut real: BTreeMap<(Track, String), VecDeque<usize>> = BTreeMap::new();
    for it in found.iter().filter(|it| it.sim.is_none() && it.track.is_of_wire()) {
        real.entry((it.track.clone(), it.what.clone())).or_default().extend(it.real);
    }
    let mut paired = BTreeSet::new();
    for it in found.iter_mut().filter(|it| it.real.is_none()) {
        let Some(there) = real.get_mut(&(it.track.clone(), it.what.clone())) else { continue };
        let (Some(at), Some(first)) = (it.sim, there.front().copied()) else { continue };
        if !clocks.timing(at, first).is_off() {
            there.pop_front();
            it.real = Some(first);
            paired.insert(first);
        }
    }
    found.retain(|it| it.sim.is_some() || it.real.is_none_or(|real| !paired.contains(&real)));
    found
}

/// Pairs what is on one wire several times anew, where the times agree better with that: in its order, or each with what the
/// same caused. With two timers at nearly one moment, each of which sends again and again, what the one sent may have been
/// paired with what the other did.
fn pair_anew(clocks: &Clocks<'_>, mut found: Vec<Found>) -> Vec<Found> {
    let mut same: BTreeMap<(Track, String), (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (nth, it) in found.iter().enumerate().filter(|(_, it)| it.track.is_of_wire()) {
        let (places, real) = same.entry((it.track.clone(), it.what.clone())).or_default();
        places.extend(it.sim.map(|_| nth));
        real.extend(it.real);
    }
    let mut paired = BTreeSet::new();
    for (mut places, mut real) in same.into_values().filter(|(places, real)| places.len() == real.len()) {
        places.sort_by_key(|nth| found[*nth].sim);
        real.sort_unstable();
        let sim: Vec<usize> = places.iter().filter_map(|nth| found[*nth].sim).collect();
        let is_off =
            |at: usize, there: Option<usize>| there.is_none_or(|there| clocks.timing(at, there).is_off());
        let off =
            |real: &[Option<usize>]| sim.iter().zip(real).filter(|(at, there)| is_off(**at, **there)).count();
        let now: Vec<Option<usize>> = places.iter().map(|nth| found[*nth].real).collect();
        let in_order: Vec<Option<usize>> = real.iter().copied().map(Some).collect();
        let by_cause = by_cause(clocks, &sim, &real);
        let best = [in_order, by_cause]
            .into_iter()
            .min_by_key(|pairs| off(pairs))
            .filter(|pairs| off(pairs) < off(&now));
        for (nth, there) in places.iter().zip(best.into_iter().flatten()) {
            found[*nth].real = there;
            paired.extend(there);
        }
    }
    found.retain(|it| it.sim.is_some() || it.real.is_none_or(|real| !paired.contains(&real)));
    found
}

/// Each simulated event with the real one that the same caused, and the rest in their order.
fn by_cause(clocks: &Clocks<'_>, sim: &[usize], real: &[usize]) -> Vec<Option<usize>> {
    let mut left = real.to_vec();
    let mut pairs: Vec<Option<usize>> = vec![None; sim.len()];
    for (at, there) in sim.iter().zip(&mut pairs) {
        *there = clocks.caused_alike(*at, &left);
        left.retain(|real| Some(*real) != *there);
    }
    let mut left = left.into_iter();
    pairs.into_iter().map(|there| there.or_else(|| left.next())).collect()
}
