//! What times are counted from.

use std::time::Duration;

use crate::time::SimTime;
use crate::timeline::{Event, FaultKind, Kind, ProcessChange, Stream};

/// What was done to the programs, which both runs have in common, in order.
pub(super) struct Anchors(Vec<Anchor>);

struct Anchor {
    t: SimTime,
    /// The host it was done to, if no other can know of it.
    felt_by: Option<String>,
}

impl Anchors {
    pub(super) fn of(events: &[Event]) -> Anchors {
        let mut booted = Vec::new();
        let mut anchors = Vec::new();
        for event in events {
            let felt_by = match &event.kind {
                Kind::Line(line) if line.stream == Stream::Stdin => None,
                Kind::Process(process) if process.what == ProcessChange::Start => {
                    booted.contains(&&*event.host).then(|| event.host.to_string())
                }
                Kind::Fault { fault, target } => {
                    if *fault == FaultKind::Boot {
                        booted.push(target);
                    }
                    is_silent(*fault).then(|| target.clone())
                }
                _ => continue,
            };
            anchors.push(Anchor { t: event.t, felt_by });
        }
        Anchors(anchors)
    }

    /// The last anchor not after `t`, by number, and how long ago it was.
    pub(super) fn since(&self, t: SimTime) -> (Option<usize>, Duration) {
        let last = self.0.partition_point(|anchor| anchor.t <= t).checked_sub(1);
        (last, self.span(last, t))
    }

    /// How long after the anchor of that number `t` is.
    pub(super) fn span(&self, anchor: Option<usize>, t: SimTime) -> Duration {
        t.since(anchor.and_then(|anchor| self.0.get(anchor)).map_or(SimTime::ZERO, |anchor| anchor.t))
    }

    /// How long before `t` the last thing was done that `host` can know of: its timers run since then at the least.
    /// What comes over a wire may be due to any host's timers, and so only what all of them know of counts (`None`).
    pub(super) fn since_felt(&self, host: Option<&str>, t: SimTime) -> Duration {
        let felt =
            |anchor: &&Anchor| anchor.t <= t && anchor.felt_by.as_deref().is_none_or(|it| Some(it) == host);
        t.since(self.0.iter().rev().find(felt).map_or(SimTime::ZERO, |anchor| anchor.t))
    }
}

/// Whether a fault says nothing: who waits for the host it strikes goes on waiting.
fn is_silent(fault: FaultKind) -> bool {
    !matches!(fault, FaultKind::Kill { .. } | FaultKind::Shutdown | FaultKind::Release(_))
}
