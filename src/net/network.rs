//! What the hosts of one simulation share: the timeline, the faults, who has which address.
//!
//! turmoil offers nothing to hang a simulation's own data on, but a simulation stays on its thread. So each
//! thread knows one network, the one of the simulation that runs there; it is over when a host's runtime is
//! dropped outside any simulation, which happens exactly when turmoil's `Sim` is dropped. The next host to
//! attach, or the next setting, then begins a new one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::artifacts::{Artifacts, LEFT};
use super::config::OverridesByHost;
use super::faults::{Faults, HostName, Verdict};
use super::in_flight::InFlight;
use super::late_timer::LateTimer;
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::{LostReason, Recorder};

thread_local! {
    static CURRENT: RefCell<Arc<Network>> = RefCell::new(Arc::new(Network::new()));
}

/// Events that a timeline keeps unless a test says otherwise.
const RECORDED: usize = 1_000_000;

/// Hosts take turns of one tick; this much their clocks may be apart within one simulation.
const LONGEST_TICK: Duration = Duration::from_secs(1);

pub(super) struct Network(Mutex<Shared>);

pub(super) struct Shared {
    /// Its simulation is no more.
    over: bool,
    /// When the simulation says it began: two simulations seldom say the same.
    epoch: Option<Duration>,
    /// The latest moment any host has seen.
    pub(super) latest: SimTime,
    /// Idle time left out so far: what turmoil's clock lacks.
    pub(super) skipped: Duration,
    pub(super) recorder: Recorder,
    /// How many events it keeps.
    pub(super) recording_limit: usize,
    pub(super) faults: Faults,
    pub(super) in_flight: InFlight,
    pub(super) hosts: BTreeMap<IpAddr, HostEntry>,
    pub(super) overrides: OverridesByHost,
    /// Hosts of which it is known that their programs wait for nothing but sockets.
    pub(super) sockets_only: Vec<String>,
    pub(super) artifacts: Artifacts,
    /// A program that was woken too late.
    pub(super) late: Option<LateTimer>,
}

/// A host's stack, as those see it who are not on the host.
pub(super) trait HostView: Send + Sync {
    /// Whether it has crashed.
    fn is_down(&self) -> bool;

    /// The sockets, as they were when the host last did anything.
    fn sockets(&self) -> Vec<SocketInfo>;

    /// How often anything was done there.
    fn touched(&self) -> u64;

    /// The next moment at which anything is due there.
    fn next_moment(&self) -> Option<SimTime>;

    /// Has it look at its clock again.
    fn wake(&self);
}

/// A timeline of so many events, with the data of the packets of those that a failed test leaves.
pub(super) fn recorder(limit: usize) -> Recorder {
    let recorder = Recorder::new("network");
    recorder.limit(limit);
    recorder.keep_data(Some(LEFT));
    recorder
}

/// A host that has attached at least once.
pub(super) struct HostEntry {
    pub(super) name: Arc<str>,
    /// How often it has attached: each boot is another seed.
    boots: u64,
    /// The stack of its present boot; gone after a crash.
    host: Weak<dyn HostView>,
}

impl HostEntry {
    /// The host, unless it is down.
    pub(super) fn host(&self) -> Option<Arc<dyn HostView>> {
        self.host.upgrade().filter(|host| !host.is_down())
    }
}

impl Network {
    fn new() -> Network {
        Network(Mutex::new(Shared {
            over: false,
            epoch: None,
            latest: SimTime::ZERO,
            skipped: Duration::ZERO,
            recorder: recorder(RECORDED),
            recording_limit: RECORDED,
            faults: Faults::default(),
            in_flight: InFlight::default(),
            hosts: BTreeMap::new(),
            overrides: OverridesByHost::default(),
            sockets_only: Vec::new(),
            artifacts: Artifacts::new(),
            late: None,
        }))
    }

    /// The thread's network, over or not: to look at.
    pub(super) fn latest() -> Arc<Network> {
        CURRENT.with_borrow(Arc::clone)
    }

    /// The network of the simulation that runs on this thread, or is about to: to change.
    pub(super) fn current() -> Arc<Network> {
        CURRENT.with_borrow_mut(|current| {
            if current.lock().over {
                *current = Arc::new(Network::new());
            }
            current.clone()
        })
    }

    /// The network of the simulation whose host is running now.
    pub(super) fn of_running_host() -> Arc<Network> {
        let network = Network::current();
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        let epoch = turmoil::since_epoch().map(|since| since.saturating_sub(elapsed));
        let is_other = {
            let mut shared = network.lock();
            // A simulation that was never attached to, or lost every attached host to a crash, ends unseen.
            let other_epoch = shared.epoch.is_some() && shared.epoch != epoch;
            let ran_back = SimTime::ZERO + elapsed + shared.skipped + LONGEST_TICK < shared.latest;
            shared.epoch = epoch;
            other_epoch || ran_back
        };
        if !is_other {
            return network;
        }
        network.end();
        let network = Network::current();
        network.lock().epoch = epoch;
        network
    }

    /// The simulation is gone.
    pub(super) fn end(&self) {
        let (artifacts, recorder) = {
            let mut shared = self.lock();
            if std::mem::replace(&mut shared.over, true) {
                return;
            }
            (std::mem::take(&mut shared.artifacts), shared.recorder.clone())
        };
        artifacts.write(&recorder);
        // What it takes is not for the next simulation to carry along.
        self.lock().recorder = Recorder::off("network");
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        // What is shared stays whole at every step: a panic elsewhere breaks nothing in it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread ends, or the end of the simulation was not seen.
impl Drop for Network {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// A host has attached, or attached again after a crash. Returns which boot it is.
    pub(super) fn register(&mut self, addr: IpAddr, name: &Arc<str>, host: Weak<dyn HostView>) -> u64 {
        let entry = self.hosts.entry(addr).or_insert_with(|| HostEntry {
            name: name.clone(),
            boots: 0,
            host: host.clone(),
        });
        entry.boots += 1;
        entry.host = host;
        entry.boots
    }

    /// The host of this name or address that has attached.
    pub(super) fn entry(&self, host: &str) -> Option<&HostEntry> {
        let by_name = self.hosts.values().find(|entry| &*entry.name == host);
        by_name.or_else(|| self.hosts.get(&host.parse().ok()?))
    }

    /// What becomes of a packet that leaves for `to`, as far as it is decided here and not on turmoil's links.
    pub(super) fn verdict(&mut self, from: &HostName, to: IpAddr, bytes: &[u8]) -> Verdict {
        if self.hosts.get(&to).is_some_and(|entry| entry.host().is_none()) {
            return Verdict::Lost(LostReason::HostDown);
        }
        if !self.faults.any() {
            return Verdict::Passes;
        }
        let name = turmoil::reverse_lookup(to).unwrap_or_default().into();
        self.faults.verdict(from, &HostName { addr: to, name }, bytes)
    }
}
