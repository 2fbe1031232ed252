//! The stages of this machine's own kernel, and what can be seen there.

use std::time::Duration;

use super::processes::OF_SOCKETS;
use crate::router::LinkConfig;
use crate::scenario::{Expectation, Outcome, Scenario};
use crate::stack::{Profile, System};
use crate::time::SimTime;
use crate::timeline::{FaultKind, Kind};

/// Where a scenario's hosts are processes of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealStage {
    /// All hosts are this one; they talk over its loopback. No fault can strike a link or switch a host off.
    Loopback,
    /// Every host has a network namespace, and our router lies between them (Linux).
    Laboratory,
}

impl RealStage {
    /// The loopback, unless the scenario asks for more: a fault of the network, a link that is not perfect, or a key
    /// of the kernel.
    pub fn of(scenario: &Scenario) -> RealStage {
        let links_are_plain = scenario.hosts.iter().all(|host| host.link == LinkConfig::default());
        let mut keys = scenario.hosts.iter().flat_map(|host| &host.set).chain(&scenario.set);
        let kernel_is_plain = !keys.any(|(key, _)| scenario.is_of_kernel(key));
        // Who is stopped is waited for by kernels' timers, which on the loopback are the whole machine's.
        let nobody_stops = !scenario.faults.iter().any(|fault| fault.kind.stops());
        let is_open = scenario.middleboxes.is_empty() && scenario.rules.is_empty();
        if fault_of_network(scenario).is_none()
            && is_open
            && nobody_stops
            && links_are_plain
            && kernel_is_plain
        {
            RealStage::Loopback
        } else {
            RealStage::Laboratory
        }
    }
}

/// The first fault that cannot strike on a loopback.
pub(super) fn fault_of_network(scenario: &Scenario) -> Option<FaultKind> {
    let mut kinds = scenario.faults.iter().map(|fault| fault.kind);
    kinds.find(|kind| !matches!(kind, FaultKind::Kill { .. } | FaultKind::Shutdown))
}

impl Scenario {
    /// Whether a key is set in a real host's kernel: not one of the links', nor a name of the scenario's own; and a
    /// program can ask for its buffers itself.
    pub(super) fn is_of_kernel(&self, key: &str) -> bool {
        !OF_SOCKETS.contains(&key) && Profile::key(key).is_some()
    }
}

/// The scenario as a real Linux has it: the `linux` profile on every host, for expectations and for the simulated run
/// of a comparison.
pub fn on_linux(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    scenario.stack = System::REAL;
    scenario.hosts.iter_mut().for_each(|host| host.stack = None);
    scenario
}

/// When the last thing of a simulated run was seen from outside: about as long as a real run takes. After it there is
/// only TIME_WAIT, for which no real run waits.
pub fn seen_length(sim: &Outcome) -> Duration {
    let is_inside = |kind: &Kind| matches!(kind, Kind::State { .. });
    let last = sim.events.iter().rev().find(|event| !is_inside(&event.kind));
    last.map_or(Duration::ZERO, |event| event.t - SimTime::ZERO)
}

/// Makes a scenario expect what can be seen on a real stage. What it expects and cannot be seen there is taken out and
/// named.
///
/// Connections' states are a kernel's own business, and segments on a loopback are not watched.
pub fn expect_what_is_seen(scenario: &mut Scenario, on: RealStage) -> Vec<String> {
    scenario.on_loopback = on == RealStage::Loopback;
    let mut unseen = Vec::new();
    let asked = scenario.clone();
    for host in &mut scenario.hosts {
        let expected = host.expect.of(0, &asked);
        let mut take_out = |what: &str, is_expected: bool| {
            unseen.extend(is_expected.then(|| format!("{} {what}", host.name)));
        };
        let sees_segments = on == RealStage::Laboratory;
        take_out("states", expected.states.is_some());
        take_out("segments", expected.segments.is_some() && !sees_segments);
        take_out("retransmissions", expected.retransmissions.is_some() && !sees_segments);
        let tables = host.expect.overrides.iter_mut().map(|it| &mut it.instead);
        for table in tables.chain([&mut host.expect.base]) {
            let blind = Expectation { states: None, ..std::mem::take(table) };
            *table = match sees_segments {
                true => blind,
                false => Expectation { segments: None, retransmissions: None, ..blind },
            };
        }
    }
    unseen
}
