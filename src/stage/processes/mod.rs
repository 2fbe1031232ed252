//! Hosts as processes of this machine: what the loopback and the laboratory share.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `meter` | how late this machine is |
//! | `network` | what is asked of the network between the processes |
//! | `hosts` | what each host runs |
//! | `process`, `terminal` | a process that the scenario starts, and its standard input |
//! | `table` | all processes, what they tell, and how they end |
//! | `proc`, `sockets`, `sock_diag` | what the kernel tells of processes and sockets |

mod hosts;
mod meter;
mod network;
mod proc;
mod process;
#[cfg(target_os = "linux")]
mod sock_diag;
mod sockets;
mod table;
mod terminal;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};

use super::{Stage, script};
use crate::echo::Command;
use crate::os::sim::{Power, ProcessInfo};
use crate::os::unix::{EventPipe, EventReader, interrupted};
use crate::os::{Pid, Signal};
use crate::router::Met;
use crate::scenario::{Input, Outcome, Scenario, Waiting};
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::{FaultKind, Kind, ProcessChange, Recorder};
use process::Process;
use table::Table;

pub(in crate::stage) use hosts::{OF_SOCKETS, RealHost};
pub(in crate::stage) use meter::Meter;
pub(crate) use network::FoundSocket;
pub(in crate::stage) use network::Network;
#[cfg(target_os = "linux")]
pub(crate) use sock_diag::sockets;

/// How long nothing happens before nothing will.
const QUIET: Duration = Duration::from_secs(1);
/// Between looks at processes that may be about to end.
const GLANCE: Duration = Duration::from_millis(2);
/// The longest wait: a signal that comes just before one does not end it.
const WAIT: Duration = Duration::from_millis(20);
/// Between looks at kernels' timers, for which a kernel goes through all its sockets.
const TIMERS: Duration = Duration::from_millis(500);
/// Until the second look, where the first saw no timer.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a server may take before it listens.
const STARTUP: Duration = Duration::from_secs(10);

/// Runs a scenario on its hosts' processes with a network between them, which records in `recorder`, too.
pub(super) fn run<N: Network>(
    scenario: &Scenario,
    hosts: Vec<RealHost>,
    network: N,
    recorder: Recorder,
    meter: Meter,
) -> io::Result<Outcome> {
    // The clock starts here: setting up the network has taken its time.
    let (pipe, reader) = EventPipe::new("world")?;
    let mut stage = Processes {
        scenario,
        hosts,
        network,
        table: Table::new(scenario, &recorder),
        recorder,
        pipe,
        reader,
        power: vec![Power::On; scenario.hosts.len()],
        links_down: vec![false; scenario.hosts.len()],
        seen: 0,
        last_change: SimTime::ZERO,
        timers_at: SimTime::ZERO,
        saw_no_timer: false,
    };
    let outcome = script::run(scenario, &mut stage, None, None)?;
    Ok(Outcome { stalls: meter.finish(stage.pipe.start())?, ..outcome })
}

/// The hosts of a scenario as processes.
struct Processes<'a, N> {
    scenario: &'a Scenario,
    hosts: Vec<RealHost>,
    network: N,
    table: Table,
    recorder: Recorder,
    pipe: EventPipe,
    reader: EventReader,
    /// Whether each host is on.
    power: Vec<Power>,
    /// Whose interface is off.
    links_down: Vec<bool>,
    /// How many events there were when that was last looked at.
    seen: usize,
    /// When anything was last seen to happen.
    last_change: SimTime,
    /// When to look at the kernels' timers again.
    timers_at: SimTime,
    /// Whether the last look saw none that may send something.
    saw_no_timer: bool,
}

impl<N: Network> Processes<'_, N> {
    /// Takes in what the processes have told.
    fn listen(&mut self) -> io::Result<()> {
        while let Some(message) = self.reader.read()? {
            self.table.hear(message);
        }
        Ok(())
    }

    /// Whether nothing is left to happen, unless something is done to the hosts.
    fn is_at_rest(&mut self) -> io::Result<bool> {
        let one_sleeps = self.table.waits_for_a_time();
        // It may have woken and ended since: what it told comes first.
        self.listen()?;
        let now = self.now();
        if self.recorder.len() != self.seen {
            self.seen = self.recorder.len();
            self.last_change = now;
        }
        let is_quiet = now.since(self.last_change) >= QUIET && self.next_deadline().is_none();
        if !is_quiet {
            self.saw_no_timer = false;
        }
        if !is_quiet || one_sleeps || now < self.timers_at {
            return Ok(false);
        }
        // A timer that fires as the kernel is asked is not seen: none has to be seen twice.
        let sees_none = !self.network.awaits_timer()?;
        let saw_none = std::mem::replace(&mut self.saw_no_timer, sees_none);
        self.timers_at = now + if sees_none { AGAIN } else { TIMERS };
        Ok(sees_none && saw_none)
    }

    fn next_deadline(&self) -> Option<SimTime> {
        let power = self.power.iter().filter_map(|power| power.deadline());
        power.chain(self.network.next_deadline()).min()
    }

    fn is_off(&self, host: usize) -> bool {
        self.power[host] == Power::Off
    }

    /// Not a packet leaves the host, and nothing that its processes do any more is heard of.
    fn switch_off(&mut self, host: usize) -> io::Result<()> {
        self.listen()?;
        let now = self.now();
        self.network.strike(now, host, FaultKind::Crash)?;
        self.power[host] = Power::Off;
        self.table.switch_off(now, host);
        Ok(())
    }

    /// Takes the hosts that are shut down to the next step of it.
    fn go_down(&mut self) -> io::Result<()> {
        let now = self.now();
        for host in 0..self.power.len() {
            let power = self.power[host];
            if power.is_time_to_kill(now) {
                self.table.signal_all(host, Signal::SIGKILL);
            }
            self.power[host] = power.next(now, self.table.living(host).is_empty());
            if power != Power::Off && self.is_off(host) {
                self.switch_off(host)?;
            }
        }
        Ok(())
    }

    /// In the simulation a server that starts first listens first. Here that has to be waited for.
    fn wait_until_it_listens(&mut self, pid: Pid) -> io::Result<()> {
        let end = self.now() + STARTUP;
        let mut seen = self.recorder.len();
        loop {
            self.network.move_on(self.now())?;
            self.listen()?;
            let events = self.recorder.events_from(seen);
            seen += events.len();
            let is_ready = events.iter().any(|event| match &event.kind {
                Kind::Call(call) => call.pid == pid.as_raw() && call.name() == "listen",
                Kind::Process(process) => {
                    process.pid == pid.as_raw() && matches!(process.what, ProcessChange::Exit { .. })
                }
                _ => false,
            });
            if is_ready {
                return Ok(());
            }
            if self.now() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "a server did not come to listen"));
            }
            _ = wait_for(&mut [PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)], GLANCE);
        }
    }
}

impl<N: Network> Stage for Processes<'_, N> {
    type Error = io::Error;

    fn now(&self) -> SimTime {
        self.pipe.now()
    }

    fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    fn next_moment(&mut self, step: Option<SimTime>) -> io::Result<Option<SimTime>> {
        if step.is_none() && self.is_at_rest()? {
            return Ok(None);
        }
        let next = self.now() + WAIT;
        Ok(Some(step.map_or(next, |step| step.min(next))))
    }

    fn go_to(&mut self, moment: SimTime) -> io::Result<()> {
        if interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let now = self.now();
        let glances = self.table.flush_terminals() || self.table.may_end();
        let wait = if glances { GLANCE } else { WAIT };
        let until = [Some(moment), self.next_deadline(), Some(now + wait)];
        let until = until.into_iter().flatten().min().unwrap_or(now);
        let mut fds = vec![PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.network.descriptors().into_iter().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        match wait_for(&mut fds, until.since(now)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// What comes while this is done is for the next round, so that steps do not wait for it.
    fn round(&mut self) -> io::Result<bool> {
        self.network.move_on(self.now())?;
        self.listen()?;
        self.table.reap(self.now());
        self.go_down()?;
        Ok(false)
    }

    fn start(&mut self, host: usize) -> io::Result<Option<Pid>> {
        let Some(command) = self.hosts[host].command.clone().filter(|_| !self.is_off(host)) else {
            return Ok(None);
        };
        self.network.enter(host)?;
        let (now, of, real) = (self.now(), &self.scenario.hosts[host], &self.hosts[host]);
        let serves = matches!(command, Command::Server(_));
        let process = Process::start(host, (of, real), command, &self.pipe.for_host(&of.name))?;
        let pid = process.pid;
        self.table.add(now, process);
        if serves {
            self.wait_until_it_listens(pid)?;
        }
        Ok(Some(pid))
    }

    fn type_input(&mut self, _: usize, pid: Pid, input: &Input) {
        self.last_change = self.now();
        self.table.type_input(self.last_change, pid, input);
    }

    fn living(&self, host: usize) -> Vec<Pid> {
        self.table.living(host)
    }

    fn kill(&mut self, _: usize, pid: Pid, signal: Signal) -> io::Result<bool> {
        self.last_change = self.now();
        self.table.signal(pid, signal)
    }

    fn strike(&mut self, host: usize, fault: FaultKind) -> io::Result<bool> {
        let now = self.now();
        self.last_change = now;
        match fault {
            FaultKind::Crash | FaultKind::Shutdown if self.is_off(host) => return Ok(false),
            FaultKind::Boot if !self.is_off(host) => return Ok(false),
            FaultKind::LinkDown | FaultKind::LinkUp => {
                let is_down = fault == FaultKind::LinkDown;
                if self.is_off(host) || self.links_down[host] == is_down {
                    return Ok(false);
                }
                self.network.strike(now, host, fault)?;
                self.links_down[host] = is_down;
            }
            FaultKind::Crash => self.switch_off(host)?,
            FaultKind::Shutdown => {
                if self.power[host] == Power::On {
                    self.power[host] = Power::Ending { kill_at: now + self.scenario.hosts[host].grace };
                    self.table.signal_all(host, Signal::SIGTERM);
                }
            }
            FaultKind::Boot => {
                self.network.strike(now, host, fault)?;
                self.power[host] = Power::On;
                self.links_down[host] = false;
                self.table.switch_on(now, host);
            }
            _ => self.network.strike(now, host, fault)?,
        }
        Ok(true)
    }

    fn met(&self, host: usize) -> Met {
        self.network.met(host)
    }

    fn taken(&self) -> Vec<u64> {
        self.network.taken()
    }

    fn sockets(&mut self, host: usize) -> io::Result<Option<Vec<SocketInfo>>> {
        if self.is_off(host) {
            return Ok(None);
        }
        self.network.enter(host)?;
        self.listen()?;
        let infos = self.table.infos(host)?;
        let held = infos.iter().flat_map(|process| proc::sockets_of(process.pid.as_raw())).collect();
        let found = sockets::every_socket()?.into_iter();
        let mut sockets: Vec<SocketInfo> =
            found.filter(|found| self.network.owns(host, found, &held)).map(|found| found.info).collect();
        // Listeners first, as netstat -a has them.
        sockets.sort_by_key(|socket| (socket.remote.is_some(), socket.local, socket.remote));
        Ok(Some(sockets))
    }

    fn processes(&mut self, host: usize) -> io::Result<Option<Vec<ProcessInfo>>> {
        if self.is_off(host) {
            return Ok(None);
        }
        self.listen()?;
        self.table.infos(host).map(Some)
    }

    fn waiting(&self) -> Vec<Waiting> {
        self.table.waiting()
    }
}

/// `poll`, as finely as the system can.
fn wait_for(fds: &mut [PollFd<'_>], span: Duration) -> nix::Result<usize> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let ready = nix::poll::ppoll(fds, Some(span.into()), None);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let ready = nix::poll::poll(fds, span.try_into().unwrap_or(nix::poll::PollTimeout::MAX));
    ready.map(|ready| ready as usize)
}
