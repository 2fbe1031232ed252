//! What went wrong outside the programs: faults, and processes that were killed.

use super::super::wording;
use crate::time::SimTime;
use crate::timeline::FaultKind;

/// Something that a program on another host may come to feel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mishap<'a> {
    pub(super) t: SimTime,
    /// A host, or a path between hosts.
    pub(super) target: &'a str,
    pub(super) what: What<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// The host is gone without a word.
    Crash,
    /// The host is back and knows nothing of what was.
    Boot,
    /// The host was shut down: its processes were ended first.
    Shutdown,
    /// A signal ended a process of the host.
    Killed { process: &'a str, pid: u32, signal: &'static str },
    /// A fault of the path is over.
    Repaired(FaultKind),
    /// Any other fault: of the path, or of what routers say.
    Path(FaultKind),
}

impl What<'_> {
    /// What a scenario's fault is; a `kill` says nothing that the process it ends does not.
    pub(super) fn of<'a>(fault: FaultKind) -> Option<What<'a>> {
        match fault {
            FaultKind::Crash => Some(What::Crash),
            FaultKind::Boot => Some(What::Boot),
            FaultKind::Shutdown => Some(What::Shutdown),
            FaultKind::Repair(_) | FaultKind::Release(_) | FaultKind::Reachable => {
                Some(What::Repaired(fault))
            }
            FaultKind::Kill { .. } => None,
            FaultKind::Partition(_) | FaultKind::Hold(_) | FaultKind::Unreachable(_) => {
                Some(What::Path(fault))
            }
        }
    }

    /// Whether it turns a whole host off or on.
    pub(super) fn is_of_host(self) -> bool {
        matches!(self, What::Crash | What::Shutdown | What::Boot)
    }
}

/// How a connection ended, which says what can have caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symptom {
    /// No answer came.
    Silence,
    /// The peer's RST or FIN came.
    Goodbye,
}

/// The sentence that explains `symptom` at `t` of a connection that was opened at `since`: the latest mishap that fits, if
/// there is one. What was over when the connection was opened does not.
///
/// `is_peer` and `on_path` say whether a mishap's target is the peer's host, or lies between it and one's own.
pub(super) fn cause(
    mishaps: &[Mishap<'_>],
    symptom: Symptom,
    (since, t): (Option<SimTime>, SimTime),
    is_peer: impl Fn(&str) -> bool,
    on_path: impl Fn(&str) -> bool,
) -> Option<String> {
    let end = mishaps.partition_point(|mishap| mishap.t <= t);
    let fits = |&index: &usize| {
        let mishap = &mishaps[index];
        let same = |other: &&Mishap<'_>| other.target == mishap.target;
        let past = mishaps[..index].iter().filter(same);
        let mut later = mishaps[index + 1..end].iter().filter(same);
        let at_peer = is_peer(mishap.target);
        let came_before = since.is_some_and(|since| mishap.t < since);
        let booted =
            |later: &Mishap<'_>| later.what == What::Boot && since.is_some_and(|since| later.t <= since);
        match mishap.what {
            What::Crash => symptom == Symptom::Silence && at_peer && !later.any(booted),
            What::Boot => !came_before && at_peer && past.into_iter().any(|past| past.is_end_of_host()),
            What::Shutdown => at_peer && !later.any(booted),
            // A host that is shut down kills its processes itself.
            What::Killed { .. } => {
                let is_own = past.into_iter().all(|past| !past.is_end_of_host());
                symptom == Symptom::Goodbye && at_peer && !came_before && is_own
            }
            What::Path(fault) => {
                let mends = |mended| matches!(mended, What::Repaired(mending) if mending.mends(fault));
                let repaired = later.any(|later| mends(later.what));
                symptom == Symptom::Silence && on_path(mishap.target) && !repaired
            }
            What::Repaired(_) => false,
        }
    };
    (0..end).rev().find(fits).map(|index| mishaps[index].sentence())
}

impl Mishap<'_> {
    fn is_end_of_host(&self) -> bool {
        matches!(self.what, What::Crash | What::Shutdown)
    }

    fn sentence(&self) -> String {
        let (target, at) = (self.target, wording::moment(self.t));
        match self.what {
            What::Crash => format!("{target} crashed at {at}"),
            What::Boot => format!("{target} rebooted at {at} and forgot the connection"),
            What::Shutdown => format!("{target} was shut down at {at}"),
            What::Killed { process, pid, signal } => {
                format!("{process}[{pid}] was killed by {signal} at {at}")
            }
            What::Path(FaultKind::Unreachable(_)) => format!("{target} was made unreachable at {at}"),
            What::Path(FaultKind::Hold(way)) => match wording::direction(way) {
                None => format!("packets of {target} were held from {at} on"),
                Some(direction) => format!("packets {direction} {target} were held from {at} on"),
            },
            What::Path(FaultKind::Partition(way)) => match wording::direction(way) {
                None => format!("{target} was cut off at {at}"),
                Some(direction) => format!("packets {direction} {target} were cut off at {at}"),
            },
            What::Path(fault) => format!("{} struck {target} at {at}", fault.name()),
            What::Repaired(_) => format!("{target} was repaired at {at}"),
        }
    }
}
