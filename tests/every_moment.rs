//! Faults at every moment: each packet of `normal` in turn is the one upon whose departure something happens to the
//! server. However it comes, the client either has its echo or is told a named error, and within the time after
//! which its system gives up.
#![cfg(feature = "cli")]

mod common;

use std::fmt::Write;
use std::time::Duration;

use common::{load, snapshot};
use echosim::packet::Unreachable;
use echosim::scenario::{Fault, Happening, Outcome, Scenario, Trigger, Watch};
use echosim::stack::System;
use echosim::timeline::{
    Direction, Event, FaultKind, Kind, ProcessChange, SegmentEvent, Stream, Victim, Way,
};

/// What happens to the server, and how long after the packet.
const FAULTS: [(&str, &[(FaultKind, Duration)]); 6] = [
    ("crash", &[(FaultKind::Crash, Duration::ZERO)]),
    ("reboot", &[(FaultKind::Crash, Duration::ZERO), (FaultKind::Boot, Duration::from_secs(5))]),
    ("kill child", &[(kill(Victim::Child), Duration::ZERO)]),
    ("kill parent", &[(kill(Victim::Parent), Duration::ZERO)]),
    ("partition", &[(FaultKind::Partition(Way::Both), Duration::ZERO)]),
    ("unreachable", &[(FaultKind::Unreachable(Unreachable::Host), Duration::ZERO)]),
];

const fn kill(process: Victim) -> FaultKind {
    FaultKind::Kill { process, signal: "SIGKILL" }
}

/// The longest that a call of the client may take under this system's TCP: its slower timer, of SYN or of data.
fn give_up(system: System) -> Duration {
    match system {
        System::Book | System::Bsd => Duration::from_millis(542_500),
        // 946.6 s are measured; a back-off may begin a granule of the timer wheel later.
        System::Linux => Duration::from_secs(970),
        // R2 of a SYN is three minutes at the least (RFC 1122, 4.2.3.5), and its last timer may be on its way.
        System::Rfc => Duration::from_secs(300),
        _ => panic!("how long may a call take under {}?", system.name()),
    }
}

/// The packets that leave the hosts of `normal`, in order.
fn departures(scenario: &Scenario) -> Vec<String> {
    let outcome = scenario.run().expect("it runs to its end");
    let packets = outcome.events.iter().filter_map(|event| match &event.kind {
        Kind::Segment(segment) if segment.dir == Direction::Out => Some(name(event, segment)),
        _ => None,
    });
    packets.collect()
}

fn name(event: &Event, segment: &SegmentEvent) -> String {
    let what = match segment.len {
        0 => segment.flags.to_string(),
        len => format!("{} {len}", segment.flags),
    };
    format!("{} {what}", event.host)
}

/// `normal` with a fault that strikes when the `nth` packet, from 1, has left.
fn struck(scenario: &Scenario, nth: u64, actions: &[(FaultKind, Duration)]) -> Scenario {
    let watch = Watch { host: None, what: Happening::Sends(None), left: nth };
    let faults = actions.iter().map(|(kind, delay)| Fault {
        line: 0,
        trigger: Trigger::On(watch.clone()),
        delay: *delay,
        host: "server".to_owned(),
        kind: *kind,
        may_miss: true,
    });
    let mut scenario = scenario.clone();
    scenario.faults = faults.collect();
    scenario
}

/// What the client's user sees: whether the line came back, and what was said. Fails if it is left in the dark, or
/// for too long.
fn fate(outcome: &Outcome, system: System) -> Result<String, String> {
    let client = |event: &&Event| &*event.host == "client";
    let mut echoed = false;
    let mut said = None;
    let mut exit = None;
    for event in outcome.events.iter().filter(client) {
        match &event.kind {
            Kind::Line(line) if line.stream == Stream::Stdout => echoed = line.text == "hello",
            Kind::Line(line) if line.stream == Stream::Stderr => said = said.or(Some(line.text.as_str())),
            Kind::Call(call) => {
                let took = event.t - call.since;
                if took > give_up(system) {
                    return Err(format!("{} took {} s", call.name(), took.as_secs_f64()));
                }
                if let Err(errno) = call.result {
                    exit = exit.or(Some(format!("{errno} after {:.1} s", took.as_secs_f64())));
                }
            }
            Kind::Process(process) => match process.what {
                ProcessChange::Exit { .. } => exit = exit.or(Some(String::new())),
                ProcessChange::Killed { signal } => return Err(format!("killed by {signal}")),
                _ => {}
            },
            _ => {}
        }
    }
    let Some(error) = exit else { return Err("waits for ever".to_owned()) };
    match (echoed, said) {
        (true, None) if error.is_empty() => Ok("echoed".to_owned()),
        (false, Some(_)) if !error.is_empty() => Ok(error),
        what => Err(format!("{what:?} {error}")),
    }
}

#[test]
fn whenever_it_happens_the_client_has_its_echo_or_a_named_error_in_time() {
    for system in System::ALL {
        let normal = load("normal", system);
        let mut table = String::new();
        let mut in_the_dark = Vec::new();
        for (fault, actions) in FAULTS {
            writeln!(table, "{fault} of the server, right after").expect("memory takes it");
            for (nth, packet) in (1..).zip(departures(&normal)) {
                let outcome = struck(&normal, nth, actions).run().expect("it runs to its end");
                assert!(!outcome.cut, "{fault} at {nth} does not end");
                let fate = fate(&outcome, system).unwrap_or_else(|what| {
                    in_the_dark.push(format!("{fault} after {packet}: {what}"));
                    what
                });
                writeln!(table, "  {nth:>2} {packet:<12} {fate}").expect("memory takes it");
            }
        }
        assert!(in_the_dark.is_empty(), "{}: {in_the_dark:#?}\n{table}", system.name());
        snapshot(&format!("every-moment-{}", system.name()), &table);
    }
}
