//! Two runs of one scenario side by side: the simulated one and the one on a real kernel.
//!
//! What a host does is split into tracks: what left its link, what came to it, and each of its processes. Within a
//! track events are paired in order by what they are; then their times are held against each other.
//!
//! Times are counted from the last thing that was done *to* the programs (a line typed, a fault, a start), which
//! both runs have in common: what a kernel is late with once it is not late with again. How far a time may be off
//! follows from how long its host may have been waiting: since the last of these that it can know of. Of a crash at
//! the other end it cannot.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `side_by_side` | both runs of one scenario |
//! | `anchor`, `track` | what times are counted from; the tracks of each host |
//! | `report` | what came out, and how it is shown |
//! | `scope` | what of a scenario can be compared |
//! | [`fidelity`] | every scenario, and the page about it |
//! | `machine` | what this machine is called |

mod anchor;
pub mod fidelity;
mod machine;
mod report;
mod scope;
mod side_by_side;
mod track;

#[cfg(test)]
mod tests;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::time::SimTime;
use crate::timeline::{Event, Kind};
use anchor::Anchors;
use track::{Moment, tracks};

pub use crate::scenario::Tolerance;
pub use machine::{kernel, machine};
pub use report::{Report, Row, Timing};
pub use scope::Scope;
pub use side_by_side::{CompareError, SideBySide, side_by_side};

/// Holds the simulated run against the real one.
///
/// Where the real run has no segments its wire was not watched, and those of the simulated one are left out.
pub fn compare(sim: &[Event], real: &[Event], tolerance: Tolerance) -> Report {
    let (sim_anchors, real_anchors) = (Anchors::of(sim), Anchors::of(real));
    let (sim_tracks, mut real_tracks) = (tracks(sim), tracks(real));
    let wire_watched = real_tracks.keys().any(track::Track::is_of_wire);
    let mut rows = Vec::new();
    for (track, simulated) in sim_tracks {
        if track.is_of_wire() && !wire_watched {
            continue;
        }
        let on_kernel = real_tracks.remove(&track).unwrap_or_default();
        let own = (!track.is_of_wire()).then_some(track.host.as_str());
        pair(&track.host, &simulated, &on_kernel, &mut rows, |sim, real| {
            let (anchor, span) = sim_anchors.since(sim);
            let real_span = real_anchors.span(anchor, real);
            let since = sim_anchors.since_felt(own, sim);
            Timing { sim: span, real: real_span, since, allowed: tolerance.of(since) }
        });
    }
    for (track, on_kernel) in real_tracks {
        pair(&track.host, &[], &on_kernel, &mut rows, |_, _| Timing::default());
    }
    rows.sort_by_key(|row| row.sim().or(row.real()));
    let wire_unwatched = !wire_watched && sim.iter().any(|event| matches!(event.kind, Kind::Segment(_)));
    Report { rows, tolerance, wire_unwatched }
}

/// Pairs two tracks; `timing` holds the times of a pair against each other.
fn pair(
    host: &str,
    sim: &[Moment],
    real: &[Moment],
    rows: &mut Vec<Row>,
    timing: impl Fn(SimTime, SimTime) -> Timing,
) {
    let words = |moments: &[Moment]| moments.iter().map(|moment| moment.what.clone()).collect::<Vec<_>>();
    let only_sim =
        |at: usize| Row::OnlySim { host: host.to_owned(), what: sim[at].what.clone(), sim: sim[at].t };
    let only_real =
        |at: usize| Row::OnlyReal { host: host.to_owned(), what: real[at].what.clone(), real: real[at].t };
    for op in capture_diff_slices(Algorithm::Myers, &words(sim), &words(real)) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            rows.extend((0..len).map(|n| {
                let (sim, real) = (&sim[old_index + n], &real[new_index + n]);
                let (host, what) = (host.to_owned(), sim.what.clone());
                Row::Both { host, what, sim: sim.t, real: real.t, timing: timing(sim.t, real.t) }
            }));
        } else {
            rows.extend(op.old_range().map(only_sim));
            rows.extend(op.new_range().map(only_real));
        }
    }
}
