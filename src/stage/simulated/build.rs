//! The world of a scenario: its hosts, links and rules.

use std::rc::Rc;

use crate::os::sim::{Machine, MachineConfig};
use crate::scenario::{Host, Scenario};
use crate::sim::{HistoryWriter, HostSetup, World, WorldError, host_addrs};
use crate::stack;
use crate::timeline::Recorder;

/// The world at its first moment.
pub(super) fn world(
    scenario: &Scenario,
    recorder: Recorder,
    history: Option<&Rc<HistoryWriter>>,
) -> Result<World, WorldError> {
    let hosts = scenario.hosts.iter().enumerate();
    let setups =
        hosts.map(|(n, host)| setup(scenario, n, host, &recorder, history)).collect::<Result<_, _>>()?;
    let world = World::new(scenario.ip, scenario.seed, setups, recorder)?;
    for rule in &scenario.rules {
        let link = |host: &String| world.link(host).expect("rules are checked to name hosts");
        let config = rule.config.with_hosts(link);
        world.on_router(|router, _| router.add_rule(config));
    }
    for host in scenario.hosts_that_are_reset() {
        let link = world.link(host).expect("faults are checked to name hosts");
        world.on_router(|router, _| router.watch(link));
    }
    for middlebox in &scenario.middleboxes {
        let link = world.link(&middlebox.link).expect("middleboxes are checked to name hosts");
        world.on_router(|router, _| router.add_middlebox(link, middlebox.config));
    }
    Ok(world)
}

fn setup(
    scenario: &Scenario,
    n: usize,
    host: &Host,
    recorder: &Recorder,
    history: Option<&Rc<HistoryWriter>>,
) -> Result<HostSetup, WorldError> {
    let addrs = host_addrs(scenario.ip, n, host.addrs.into());
    let (name, recorder) = (host.name.clone(), recorder.clone());
    let profile = scenario.profile(host).map_err(|error| WorldError::Settings(error.to_string()))?;
    let seed = scenario.seed;
    let mtu = host.mtu.unwrap_or(host.link.mtu);
    let shares_segment = host.lan;
    let (abi, limits) = (host.abi, host.limits);
    let machine = move |boot: u32, _| {
        let seed = boot_seed(seed, n, boot);
        let stack =
            stack::Config { addrs: addrs.clone(), profile: profile.clone(), mtu, seed, shares_segment };
        Machine::new(MachineConfig { abi, limits, ..MachineConfig::new(&name, stack) }, recorder.clone())
    };
    Ok(HostSetup {
        name: host.name.clone(),
        addrs: host.addrs.into(),
        link: host.link.clone(),
        shares_segment,
        machine: Box::new(machine),
        observer: history.map(|history| history.observer(n)),
    })
}

/// A seed of its own for each boot of each host: a host that boots again must not take up its old sequence
/// numbers (RFC 9293, 3.4.1).
fn boot_seed(seed: u64, host: usize, boot: u32) -> u64 {
    let place = (host as u64) << 32 | u64::from(boot);
    // Fibonacci hashing spreads neighbours; the generator that is seeded with it does the rest.
    seed.wrapping_add((place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
