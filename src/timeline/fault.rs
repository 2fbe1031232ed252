//! What goes wrong in the world outside a host's programs.

use serde::{Deserialize, Serialize};

use super::interned::{Name, interned};
use crate::packet::Unreachable;

/// What a fault does to its host or its host's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FaultKind {
    /// The host stops at once, saying nothing (UNP 5.14).
    Crash,
    /// The host starts anew, remembering nothing (UNP 5.15).
    Boot,
    /// The host ends its processes, closes what they had open, and stops (UNP 5.16).
    Shutdown,
    /// A process is sent a signal (UNP 5.12).
    Kill {
        /// Which process.
        process: Victim,
        /// `SIGKILL`, `SIGTERM` …
        #[serde(deserialize_with = "interned")]
        signal: Name,
    },
    /// The link loses every packet.
    Partition(Way),
    /// The link is whole again.
    Repair(Way),
    /// The link keeps every packet.
    Hold(Way),
    /// The link delivers what it kept, and the rest as usual.
    Release(Way),
    /// The router answers packets to the host with an ICMP error.
    Unreachable(Unreachable),
    /// The router forwards packets to the host again.
    Reachable,
    /// The host's interface is turned off: `ip link set down`.
    LinkDown,
    /// The host's interface is turned on again.
    LinkUp,
    /// The host does nothing, and its clock stands still: a virtual machine is suspended, a laptop sleeps.
    Pause,
    /// The host goes on where it was.
    Resume,
    /// A RST that neither end has sent goes into every flow of the host's (RFC 5961).
    Reset {
        /// Who is sent it.
        ends: ResetEnds,
        /// How well its sequence number is aimed.
        aim: ResetAim,
    },
    /// The middleboxes on the host's link forget all flows: one takes over for another.
    Forget,
}

/// The direction of a link that a fault strikes; a scenario writes `both`, `to` and `from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Packets of both directions.
    #[default]
    Both,
    /// Packets from the router to the host.
    #[serde(rename = "to")]
    ToHost,
    /// Packets from the host to the router.
    #[serde(rename = "from")]
    FromHost,
}

impl Way {
    /// Whether a fault of `self` strikes any direction that one of `other` strikes.
    pub const fn overlaps(self, other: Way) -> bool {
        !matches!((self, other), (Way::ToHost, Way::FromHost) | (Way::FromHost, Way::ToHost))
    }
}

/// The process of a host that a signal is sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Victim {
    /// The youngest that was forked and still lives.
    Child,
    /// The one the scenario started.
    #[default]
    Parent,
}

/// Who is sent a RST that is injected; a scenario writes `host`, `peer` and `both`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetEnds {
    /// The host whose flows they are.
    Host,
    /// The other end of each.
    Peer,
    /// Both ends.
    #[default]
    Both,
}

/// How a RST that is injected is aimed; a scenario writes `exact`, `in-window` and `out-of-window`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResetAim {
    /// At the very next number: as one who watches the flow.
    #[default]
    Exact,
    /// Into the window: as one who guesses.
    InWindow,
    /// Elsewhere.
    OutOfWindow,
}

impl FaultKind {
    /// The word for it in a scenario: `crash`, `partition` …
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Boot => "boot",
            FaultKind::Shutdown => "shutdown",
            FaultKind::Kill { .. } => "kill",
            FaultKind::Partition(_) => "partition",
            FaultKind::Repair(_) => "repair",
            FaultKind::Hold(_) => "hold",
            FaultKind::Release(_) => "release",
            FaultKind::Unreachable(_) => "unreachable",
            FaultKind::Reachable => "reachable",
            FaultKind::LinkDown => "link-down",
            FaultKind::LinkUp => "link-up",
            FaultKind::Pause => "pause",
            FaultKind::Resume => "resume",
            FaultKind::Forget => "forget",
            FaultKind::Reset { .. } => "reset",
        }
    }

    /// Whether it takes something away; the others give it back.
    pub fn harms(self) -> bool {
        !self.continues()
            && !matches!(
                self,
                FaultKind::Boot
                    | FaultKind::Repair(_)
                    | FaultKind::Release(_)
                    | FaultKind::Reachable
                    | FaultKind::LinkUp
                    | FaultKind::Resume
            )
    }

    /// Whether it stops a process, which then lives on and does nothing.
    pub fn stops(self) -> bool {
        matches!(self, FaultKind::Kill { signal: "SIGSTOP", .. })
    }

    /// Whether a host's clock stands still for it.
    #[cfg(feature = "cli")]
    pub(crate) const fn stops_clock(self) -> bool {
        matches!(self, FaultKind::Pause | FaultKind::Resume)
    }

    /// Whether it lets a process go on that was stopped.
    fn continues(self) -> bool {
        matches!(self, FaultKind::Kill { signal: "SIGCONT", .. })
    }

    /// Whether it ends what `fault`, which struck the same host before, began.
    pub fn mends(self, fault: FaultKind) -> bool {
        match (self, fault) {
            (FaultKind::Kill { process: continued, .. }, FaultKind::Kill { process, .. }) => {
                self.continues() && fault.stops() && continued == process
            }
            (FaultKind::Boot, FaultKind::Kill { .. }) => fault.stops(),
            (FaultKind::Boot, FaultKind::Crash | FaultKind::Shutdown)
            | (FaultKind::Reachable, FaultKind::Unreachable(_))
            // A host that boots turns its interface on.
            | (FaultKind::LinkUp | FaultKind::Boot, FaultKind::LinkDown)
            | (FaultKind::Resume | FaultKind::Boot, FaultKind::Pause) => true,
            (FaultKind::Repair(mended), FaultKind::Partition(cut)) => mended.overlaps(cut),
            (FaultKind::Release(let_go), FaultKind::Hold(held)) => let_go.overlaps(held),
            _ => false,
        }
    }
}
