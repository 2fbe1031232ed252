//! Idle time, left out.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use turmoil::Sim;

use super::host::{AttachedHost, State};
use super::late_timer::LateTimer;
use super::network::{HostView, Network};
use crate::time::SimTime;

/// Less is not worth a jump.
const SHORTEST: Duration = Duration::from_millis(10);

/// As [`Sim::run`], but leaves out the time in which nothing happens: a quarter of an hour of retransmissions
/// takes a few milliseconds.
///
/// Every runtime has a clock of its own and does not tell which timers it holds. So time is left out only when
/// it is known that none would fire in it, that is, when all of this is true:
///
/// - Every host that runs was named to [`only_sockets`](super::only_sockets): its programs wait for sockets of
///   this module, and for [`sleep`](super::sleep) and [`timeout`](super::timeout) of this module, but for no
///   timer of tokio's.
/// - No message is in flight or held on any of turmoil's links, be it of ours or not.
/// - No socket was touched for a whole tick.
/// - A next moment is known: a timer of some socket, or one of this module's.
///
/// Then the clocks of all attached hosts go on by so many whole ticks that this moment is in the next one, and
/// everything happens when it would have: the timeline is the same. Otherwise the simulation ticks on as
/// [`Sim::run`] does; so with a host that was not named nothing is gained and nothing is wrong.
///
/// A program that waits for a timer of tokio's all the same hears of it late. When such a program uses or drops a socket of
/// this module's at the moment to which time was left out, before anything else is due, the run ends with a [`LateTimer`].
/// (What only looks at the clock is not seen.)
///
/// Time left out shows on tokio's clock and in the [`timeline`](super::timeline), but not in turmoil's:
/// [`turmoil::elapsed`], [`turmoil::sim_elapsed`], [`Sim::elapsed`] and `simulation_duration` count ticks.
///
/// # Errors
///
/// What [`Sim::run`] fails with: a program's own error, or the end of the `simulation_duration`; and a [`LateTimer`].
/// Then the simulation [leaves its trace](super#a-test-that-fails), whatever becomes of the error.
pub fn run(sim: &mut Sim<'_>) -> turmoil::Result {
    let result = run_on(sim);
    Network::latest().lock().artifacts.failed |= result.is_err();
    result
}

fn run_on(sim: &mut Sim<'_>) -> turmoil::Result {
    let mut touched = None;
    loop {
        let before = sim.elapsed();
        let stepped = sim.step();
        let network = Network::latest();
        // What a program makes of being late is not its own fault.
        if let Some(late) = network.lock().late.take() {
            return Err(late.into());
        }
        if stepped? {
            return Ok(());
        }
        let tick = sim.elapsed() - before;
        let Some(hosts) = known_hosts(sim, &network) else { continue };
        let now_touched = hosts.iter().map(|host| host.touched()).sum::<u64>();
        if touched.replace((hosts.len(), now_touched)) != Some((hosts.len(), now_touched)) {
            continue;
        }
        let Some(next) = hosts.iter().filter_map(|host| host.next_moment()).min() else { continue };
        let mut shared = network.lock();
        let gap = whole_ticks(next - (SimTime::ZERO + sim.elapsed() + shared.skipped), tick);
        if gap >= SHORTEST {
            shared.skipped += gap;
            drop(shared);
            hosts.iter().for_each(|host| host.wake());
            touched = None;
        }
    }
}

/// So many whole ticks that what comes after `wait` is still to come.
fn whole_ticks(wait: Duration, tick: Duration) -> Duration {
    let before = wait.saturating_sub(Duration::from_nanos(1)).as_nanos();
    let ticks = before / tick.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(ticks * tick.as_nanos()).unwrap_or(u64::MAX))
}

/// The hosts that run and have attached, if every host that runs is known to wait for sockets only and nothing
/// is under way between them.
fn known_hosts(sim: &mut Sim<'_>, network: &Network) -> Option<Vec<Arc<dyn HostView>>> {
    let mut addrs = BTreeSet::<IpAddr>::new();
    let mut busy = false;
    sim.links(|links| {
        for mut link in links {
            let (a, b) = link.pair();
            addrs.extend([a, b]);
            busy |= link.next().is_some();
        }
    });
    if busy {
        return None;
    }
    let running: Vec<IpAddr> = addrs.into_iter().filter(|addr| sim.is_host_running(*addr)).collect();
    let shared = network.lock();
    let is_known = |addr: &IpAddr| {
        let name = sim.reverse_lookup(*addr).unwrap_or_default();
        shared.sockets_only.iter().any(|host| *host == name || host.parse() == Ok(*addr))
    };
    if !running.iter().all(is_known) {
        return None;
    }
    Some(running.iter().filter_map(|addr| shared.hosts.get(addr)?.host()).collect())
}

impl AttachedHost {
    /// A program does something. It has not been woken by a socket if that is before anything can have happened.
    pub(super) fn look_for_late_timer(&self, state: &State, now: SimTime) {
        if state.landed == Some(now)
            && let Some(own) = &state.own
        {
            let mut network = self.network.lock();
            network.late.get_or_insert(LateTimer { host: own.name.to_string(), at: now });
        }
    }

    /// Catches up with the time that was left out.
    pub(super) async fn leave_out_idle_time(&self) {
        let gap = {
            let mut state = self.lock();
            let skipped = self.network.lock().skipped;
            let seen = std::mem::replace(&mut state.skipped, skipped);
            skipped - seen
        };
        if gap > Duration::ZERO {
            // Before: it gives way to other tasks.
            self.lock().landed = self.clock.now().map(|now| now + gap);
            tokio::time::advance(gap).await;
        }
    }
}
