//! Faults as they strike, and whether they met anything: a packet, a call or a process.

use std::time::Duration;

use crate::os::sim::{Host, ProcessState};
use crate::os::{Pid, Signal};
use crate::router::Met;
use crate::scenario::Fault;
use crate::sim::World;
use crate::timeline::{FaultKind, Victim};

/// What became of each fault.
pub(super) struct Strikes(Vec<Strike>);

#[derive(Clone, Copy, Debug)]
enum Strike {
    /// Its moment has not come.
    Waiting,
    /// It did something.
    Met,
    /// There was nothing there for it to do anything to.
    Missed,
    /// It lasts; whether it meets a packet is seen from the link's counters, which stood like this.
    Lasting(Met),
}

impl Strikes {
    pub(super) fn new(faults: usize) -> Strikes {
        Strikes(vec![Strike::Waiting; faults])
    }

    /// Strikes; `parent` is the first process that the scenario started on the host, `grace` is what the host
    /// gives its processes when it shuts down.
    pub(super) fn strike(
        &mut self,
        world: &mut World,
        nth: usize,
        fault: &Fault,
        parent: Option<Pid>,
        grace: Duration,
    ) {
        let host = fault.host.as_str();
        let before = met(world, host);
        let lasting = |struck: bool| if struck { Strike::Lasting(before) } else { Strike::Missed };
        let at_once = |struck: bool| if struck { Strike::Met } else { Strike::Missed };
        self.0[nth] = match fault.kind {
            FaultKind::Crash => {
                let processes = world.look_at(host, |host, _| host.processes().len()).unwrap_or(0);
                match world.crash(host) {
                    true if processes > 0 => Strike::Met,
                    struck => lasting(struck),
                }
            }
            FaultKind::Boot => at_once(world.boot(host)),
            FaultKind::Shutdown => at_once(world.shutdown(host, grace)),
            FaultKind::Kill { process, signal } => at_once(kill(world, host, process, signal, parent)),
            FaultKind::Partition(way) => lasting(world.partition(host, way)),
            FaultKind::Hold(way) => lasting(world.hold(host, way)),
            FaultKind::Unreachable(what) => lasting(world.unreachable(host, Some(what))),
            FaultKind::Repair(way) => at_once(world.repair(host, way)),
            FaultKind::Release(way) => at_once(world.release(host, way)),
            FaultKind::Reachable => at_once(world.unreachable(host, None)),
        };
    }

    pub(super) fn missed(&self, world: &World, faults: &[Fault]) -> Vec<usize> {
        let missed = self.0.iter().zip(faults).enumerate().filter(|(_, (strike, fault))| match strike {
            Strike::Met => false,
            Strike::Waiting | Strike::Missed => true,
            Strike::Lasting(before) => {
                counter(fault.kind, &met(world, &fault.host)) == counter(fault.kind, before)
            }
        });
        missed.map(|(nth, _)| nth).collect()
    }
}

fn met(world: &World, host: &str) -> Met {
    let link = world.link(host).expect("faults are checked to name hosts");
    world.on_router(|router, _| router.met(link))
}

/// The packets that a fault of this kind meets.
fn counter(fault: FaultKind, met: &Met) -> u64 {
    match fault {
        FaultKind::Crash => met.host_down,
        FaultKind::Partition(_) => met.partitioned,
        FaultKind::Hold(_) => met.held,
        FaultKind::Unreachable(_) => met.unreachable,
        _ => 0,
    }
}

/// Whether there was a process to send the signal to.
fn kill(world: &World, host: &str, victim: Victim, signal: &'static str, parent: Option<Pid>) -> bool {
    let signal = Signal::from_name(signal).expect("signals are checked");
    world.note(FaultKind::Kill { process: victim, signal: signal.name() }, host);
    let killed = world.on_host(host, |machine, now| {
        let pid = match victim {
            Victim::Parent => parent,
            Victim::Child => youngest_child(machine, parent),
        };
        pid.is_some_and(|pid| machine.kill(now, pid, signal).is_ok())
    });
    killed == Some(true)
}

fn youngest_child(machine: &Host, parent: Option<Pid>) -> Option<Pid> {
    let processes = machine.processes();
    let children = processes
        .iter()
        .filter(|process| Some(process.pid) != parent && process.state != ProcessState::Zombie);
    children.map(|process| process.pid).max()
}
