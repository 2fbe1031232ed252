//! The words of each fault.

use crate::timeline::{FaultKind, ResetAim, ResetEnds, Victim, Way};

/// What a rule that rejects does.
pub(super) const REJECTED: &str = "a firewall on the way lets no such packet pass";

/// In a headline: `crash server`, `kill server (SIGTERM to the child)`.
pub(super) fn headline(fault: FaultKind, target: &str) -> String {
    let detail = detail(fault).map_or(String::new(), |detail| format!(" ({detail})"));
    format!("{} {target}{detail}", fault.name())
}

/// What a fault's name leaves open: the signal, the ICMP error, the direction.
pub(super) fn detail(fault: FaultKind) -> Option<String> {
    match fault {
        FaultKind::Kill { process: Victim::Child, signal } => Some(format!("{signal} to the child")),
        FaultKind::Kill { process: Victim::Parent, signal } => Some(format!("{signal} to the parent")),
        FaultKind::Unreachable(answer) => Some(answer.name().to_owned()),
        FaultKind::Reset { ends, aim } => Some(format!("{}{}", whom(ends), aimed(aim))),
        FaultKind::Partition(way)
        | FaultKind::Repair(way)
        | FaultKind::Hold(way)
        | FaultKind::Release(way) => direction(way).map(|words| format!("packets {words} it")),
        FaultKind::Crash
        | FaultKind::Boot
        | FaultKind::Shutdown
        | FaultKind::Reachable
        | FaultKind::LinkDown
        | FaultKind::LinkUp
        | FaultKind::Pause
        | FaultKind::Resume
        | FaultKind::Forget => None,
    }
}

/// In a sentence of its own; nothing of a signal, as the end of the process says more.
pub(super) fn told(fault: FaultKind, target: &str) -> Option<String> {
    let packets = |way| packets(way, "at", target);
    let begin = |phrase: String| phrase.replacen('p', "P", 1);
    Some(match fault {
        FaultKind::Crash => {
            format!("The {target} host crashes: it is gone without a word, and all it knew with it.")
        }
        FaultKind::Boot => format!("The {target} host boots, and knows nothing of what was before."),
        FaultKind::Shutdown => {
            format!("The {target} host is shut down: its processes are asked to end, then made to.")
        }
        FaultKind::Partition(Way::Both) => {
            format!("The network is cut at {target}: what is sent across is lost.")
        }
        FaultKind::Partition(way) => {
            format!("The network is cut one way at {target}: {} are lost.", packets(way))
        }
        FaultKind::Repair(Way::Both) => format!("The network at {target} is whole again."),
        FaultKind::Repair(way) => format!("{} get through again.", begin(packets(way))),
        FaultKind::Hold(way) => format!("{} are held up.", begin(packets(way))),
        FaultKind::Release(Way::Both) => format!("What was held up at {target} goes on."),
        FaultKind::Release(way) => format!("{} that were held up go on.", begin(packets(way))),
        FaultKind::Unreachable(answer) => {
            format!("From now on a router answers packets for {target}: {}.", answer.name())
        }
        FaultKind::Reachable => format!("{target} can be reached again."),
        FaultKind::LinkDown => {
            format!(
                "The interface of {target} is turned off: it has no route to anywhere, and hears nothing."
            )
        }
        FaultKind::LinkUp => format!("The interface of {target} is turned on again."),
        FaultKind::Pause => {
            format!(
                "The {target} host is paused: it does nothing, its clock stands still, and what comes is lost."
            )
        }
        FaultKind::Resume => format!("The {target} host goes on, as if no time had passed."),
        FaultKind::Forget => format!("The middlebox before {target} forgets every flow."),
        FaultKind::Reset { ends, aim } => format!(
            "A RST that nobody sent is injected into every flow of {target}, {}{}.",
            whom(ends),
            aimed(aim)
        ),
        FaultKind::Kill { signal: "SIGSTOP", .. } => {
            format!(
                "A process of {target} is stopped: it reads and writes nothing more, and its kernel answers on."
            )
        }
        FaultKind::Kill { signal: "SIGCONT", .. } => format!("The process of {target} goes on."),
        FaultKind::Kill { .. } => return None,
    })
}

/// As the cause of what a program saw: `server crashed at 10 s`.
pub(super) fn cause(fault: FaultKind, target: &str, at: &str) -> String {
    match fault {
        FaultKind::Crash => format!("{target} crashed at {at}"),
        FaultKind::Boot => format!("{target} rebooted at {at} and forgot the connection"),
        FaultKind::Shutdown => format!("{target} was shut down at {at}"),
        FaultKind::Partition(Way::Both) => format!("{target} was cut off at {at}"),
        FaultKind::Partition(way) => format!("{} were cut off at {at}", packets(way, "of", target)),
        FaultKind::Hold(way) => format!("{} were held from {at} on", packets(way, "of", target)),
        FaultKind::Unreachable(_) => format!("{target} was made unreachable at {at}"),
        FaultKind::Kill { signal: "SIGSTOP", .. } => format!("a process of {target} was stopped at {at}"),
        FaultKind::LinkDown => format!("the interface of {target} was turned off at {at}"),
        FaultKind::Pause => format!("{target} was paused at {at}"),
        FaultKind::Forget => format!("the middlebox before {target} forgot every flow at {at}"),
        FaultKind::Reset { .. } => format!("a RST that nobody sent was injected at {at}"),
        FaultKind::Kill { .. }
        | FaultKind::Repair(_)
        | FaultKind::Release(_)
        | FaultKind::Reachable
        | FaultKind::LinkUp
        | FaultKind::Resume => {
            format!("{} struck {target} at {at}", fault.name())
        }
    }
}

/// As what lasts since `at`, and loses or keeps packets: `the server host was down since 10 s`.
pub(super) fn lasts(fault: FaultKind, target: &str, at: &str) -> String {
    match fault {
        FaultKind::Crash | FaultKind::Shutdown => format!("the {target} host was down since {at}"),
        FaultKind::Partition(_) => format!("the network was cut at {target} since {at}"),
        FaultKind::Hold(way) => format!("{} were held since {at}", packets(way, "of", target)),
        FaultKind::Unreachable(_) => format!("the router had no way to {target} since {at}"),
        FaultKind::LinkDown => format!("the interface of {target} was off since {at}"),
        FaultKind::Pause => format!("the {target} host was paused since {at}"),
        FaultKind::Kill { signal: "SIGSTOP", .. } => format!("a process of {target} was stopped since {at}"),
        FaultKind::Kill { .. }
        | FaultKind::Boot
        | FaultKind::Repair(_)
        | FaultKind::Release(_)
        | FaultKind::Reachable
        | FaultKind::LinkUp
        | FaultKind::Resume
        | FaultKind::Forget
        | FaultKind::Reset { .. } => cause(fault, target, at),
    }
}

fn whom(ends: ResetEnds) -> &'static str {
    match ends {
        ResetEnds::Host => "to the host",
        ResetEnds::Peer => "to the peer",
        ResetEnds::Both => "to both ends",
    }
}

fn aimed(aim: ResetAim) -> &'static str {
    match aim {
        ResetAim::Exact => "",
        ResetAim::InWindow => ", somewhere in the window",
        ResetAim::OutOfWindow => ", out of the window",
    }
}

/// The packets that a fault of a link strikes: `packets to server`; those of both ways with `both` before the host.
fn packets(way: Way, both: &str, target: &str) -> String {
    format!("packets {} {target}", direction(way).unwrap_or(both))
}

/// `to` or `from` the host, for a fault of one direction.
fn direction(way: Way) -> Option<&'static str> {
    match way {
        Way::Both => None,
        Way::ToHost => Some("to"),
        Way::FromHost => Some("from"),
    }
}
