//! Where a scenario's hosts are to be had.

use super::strike::is_of_the_network;
use crate::router::LinkConfig;
use crate::scenario::Scenario;

/// Where a play is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// All hosts are this one; they talk over its loopback. No network fault can strike.
    Loopback,
    /// Every host has a network namespace, and our router lies between them (Linux).
    Laboratory,
}

impl Place {
    /// The nearest place that can do what the scenario asks for: the loopback unless a network fault strikes, a
    /// link has a will of its own, or a key of the kernel is set.
    pub fn of(scenario: &Scenario) -> Place {
        let faults_are_of_processes = !scenario.faults.iter().any(|fault| is_of_the_network(fault.kind));
        let links_are_plain =
            scenario.hosts.iter().all(|host| host.link == LinkConfig::default() && host.drops.is_empty());
        let mut keys = scenario.hosts.iter().flat_map(|host| &host.set).chain(&scenario.set);
        let no_kernel_is_set = !keys.any(|(key, _)| scenario.is_of_kernel(key));
        if faults_are_of_processes && links_are_plain && no_kernel_is_set {
            Place::Loopback
        } else {
            Place::Laboratory
        }
    }
}

impl Scenario {
    /// Whether a key is set in a real host's kernel: not one of the links', nor a name of the scenario's own; and a
    /// program can ask for its buffers itself.
    pub(super) fn is_of_kernel(&self, key: &str) -> bool {
        let of_world = crate::scenario::WORLD_KEYS.iter().any(|(world, _)| *world == key);
        key != BUFFER && !of_world && self.variables.get(key).is_none()
    }
}

/// The key of the sockets' buffers.
pub(super) const BUFFER: &str = "buffer";
