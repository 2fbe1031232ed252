//! What of two runs can be compared.

use super::{Report, Tolerance, compare};
use crate::scenario::Stall;
use crate::timeline::{Event, Kind};

/// What of a run is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every segment, ICMP error, call, line, signal and end of a process, with its time.
    Everything,
    /// The same without the times; and why.
    Order(&'static str),
    /// What the programs print, which of their calls fail and how they end, in order; and why not more.
    Ends(&'static str),
}

/// Scenarios of which not everything is compared.
pub(super) const LESS: &[(&str, Scope)] = &[
    ("batch", STREAM),
    ("half-close", STREAM),
    ("mtu", STREAM),
    ("sum-binary", STREAM),
    ("sum-text", STREAM),
    ("zero-window", STREAM),
    (
        "lossy",
        Scope::Ends(
            "chance takes the n-th packet, and after one packet more or less every other is the n-th",
        ),
    ),
    (
        "crowd",
        Scope::Order("a program's work takes no simulated time, and two hundred processes at once have much"),
    ),
];

const STREAM: Scope =
    Scope::Ends("how a stream of octets is cut into segments and reads is left to each TCP");

impl Scope {
    /// What can be compared of the scenario that `--list` calls so.
    pub fn of(name: &str) -> Scope {
        LESS.iter().find(|(less, _)| *less == name).map_or(Scope::Everything, |(_, scope)| *scope)
    }

    /// What is compared, in words, and why not more; `None` if everything is.
    pub const fn less(self) -> Option<(&'static str, &'static str)> {
        match self {
            Scope::Everything => None,
            Scope::Order(why) => Some(("everything but the times", why)),
            Scope::Ends(why) => {
                Some(("what the programs print, which of their calls fail, and how they end", why))
            }
        }
    }

    /// Holds the simulated run against the real one, as far as they can be compared.
    pub fn compare(self, sim: &[Event], real: &[Event], stalls: &[Stall], tolerance: Tolerance) -> Report {
        let mut report = compare(&self.events(sim), &self.events(real), stalls, tolerance);
        if self != Scope::Everything {
            report.forgive_times();
        }
        report
    }

    fn events(self, events: &[Event]) -> Vec<Event> {
        let is_in = |event: &&Event| match (self, &event.kind) {
            (Scope::Everything | Scope::Order(_), _) => true,
            (Scope::Ends(_), Kind::Call(call)) => call.result.is_err(),
            (Scope::Ends(_), Kind::Segment(_) | Kind::Icmp(_)) => false,
            (Scope::Ends(_), _) => true,
        };
        events.iter().filter(is_in).cloned().collect()
    }
}
