//! A host's kernel: every table there is, and who runs next.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use slab::Slab;

use super::config::{Limits, MachineConfig};
use super::observer::{Change, Observer};
use super::open_file::OpenFile;
use super::pipe::Pipe;
use super::process::{Process, ProcessInfo, State};
use super::process_table::ProcessTable;
use super::terminal::Terminal;
use super::wait_queue::{Blocked, Channel, WaitQueues};
use crate::errno::Errno;
use crate::os::{Abi, Fd, Pid, Signal, WaitStatus};
use crate::stack::Stack;
use crate::time::SimTime;
use crate::timeline::{Call, ConnectionId, Kind, ProcessChange, Recorder, SystemCall};

/// A process's program, on its way.
pub(super) type Task = Pin<Box<dyn Future<Output = i32>>>;

/// Everything that processes share. It is never borrowed while one of them runs or is dropped.
pub(super) struct Kernel {
    pub(super) now: SimTime,
    pub(super) stack: Stack,
    pub(super) recorder: Recorder,
    pub(super) observer: Option<Observer>,
    pub(super) limits: Limits,
    pub(super) connect_restarts: bool,
    /// Whether SO_SNDTIMEO bounds `connect`.
    pub(super) connect_times_out: bool,
    pub(super) abi: Abi,
    pub(super) processes: ProcessTable,
    pub(super) files: Slab<OpenFile>,
    pub(super) pipes: Slab<Pipe>,
    pub(super) terminals: BTreeMap<u32, Terminal>,
    pub(super) queues: WaitQueues,
    /// Who runs next, in the order of becoming able to.
    pub(super) ready: VecDeque<Pid>,
    /// Forked, and not yet in the executor's hands.
    pub(super) newborn: Vec<(Pid, Task)>,
    /// Dead, and its task not yet dropped.
    pub(super) dead: Vec<Pid>,
    /// Waited for, and not yet dropped: what a handler has captured may have a destructor that makes calls.
    pub(super) buried: Vec<Process>,
    pub(super) last_pid: u32,
    /// Calls made and turns taken at this instant.
    steps: (SimTime, u32),
    pub(super) stuck: Option<String>,
}

/// A call that was made and has not returned.
pub(super) struct Entered {
    pub(super) within: Option<&'static str>,
    pub(super) since: SimTime,
    /// The connection it is about, where its descriptor will no longer tell.
    pub(super) connection: Option<ConnectionId>,
}

impl Kernel {
    pub(super) fn new(config: MachineConfig, recorder: Recorder) -> Kernel {
        Kernel {
            now: SimTime::ZERO,
            stack: Stack::new(config.stack, recorder.clone()),
            recorder,
            observer: None,
            limits: config.limits,
            connect_restarts: config.connect_restarts,
            connect_times_out: config.connect_times_out,
            abi: config.abi,
            processes: ProcessTable::default(),
            files: Slab::new(),
            pipes: Slab::new(),
            terminals: BTreeMap::new(),
            queues: WaitQueues::default(),
            ready: VecDeque::new(),
            newborn: Vec::new(),
            dead: Vec::new(),
            buried: Vec::new(),
            last_pid: 100,
            steps: (SimTime::ZERO, 0),
            stuck: None,
        }
    }

    /// The process `pid`, which lives. A dead one's destructors may still make calls: `ESRCH`.
    pub(super) fn process(&self, pid: Pid) -> Result<&Process, Errno> {
        self.processes.get(pid).filter(|process| process.is_alive()).ok_or(Errno::ESRCH)
    }

    pub(super) fn process_mut(&mut self, pid: Pid) -> Result<&mut Process, Errno> {
        self.processes.get_mut(pid).filter(|process| process.is_alive()).ok_or(Errno::ESRCH)
    }

    /// Puts the running process to sleep.
    pub(super) fn sleep(&mut self, pid: Pid, blocked: Blocked, within: Option<&'static str>) {
        self.leave_queues(pid);
        if let Some(process) = self.processes.get_mut(pid) {
            let ticket = self.queues.insert(pid, &blocked);
            process.state = State::Sleeping { ticket, blocked, within };
        }
    }

    /// Wakes `pid` if it sleeps; it finds out for itself whether there is something to wake for.
    pub(super) fn wake(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(pid) else { return };
        if process.is_stopped
            && let State::Sleeping { blocked, within, .. } = &process.state
        {
            process.slept_on = Some((blocked.wchan, *within));
        }
        if self.leave_queues(pid) {
            self.ready.push_back(pid);
        }
    }

    pub(super) fn wake_all(&mut self, channel: Channel) {
        for pid in self.queues.sleepers(channel) {
            self.wake(pid);
        }
    }

    /// Wakes those whose sockets have news.
    pub(super) fn wake_for_sockets(&mut self) {
        while let Some(id) = self.stack.poll_event() {
            self.wake_all(Channel::Socket(id));
        }
    }

    /// Wakes those whose time is up.
    pub(super) fn wake_for_time(&mut self) {
        while let Some(pid) = self.queues.due(self.now) {
            self.wake(pid);
        }
    }

    /// Takes a sleeper out of every queue: it is ready, though not yet in line. Whether it slept.
    pub(super) fn leave_queues(&mut self, pid: Pid) -> bool {
        let Some(process) = self.processes.get_mut(pid) else { return false };
        let State::Sleeping { ticket, blocked, .. } = &process.state else { return false };
        self.queues.remove(pid, *ticket, blocked);
        process.state = State::Ready;
        true
    }

    /// Counts a call, or a turn. False if there are so many at one instant that a program must be caught in a loop;
    /// the process that makes the one too many is killed.
    pub(super) fn count_step(&mut self, pid: Pid) -> bool {
        let steps = if self.steps.0 == self.now { self.steps.1 + 1 } else { 1 };
        self.steps = (self.now, steps);
        if steps <= self.limits.steps_per_instant {
            return true;
        }
        let Ok(process) = self.process(pid) else { return true };
        let message = format!(
            "{} (pid {pid}) was killed at {} s: its host's processes made more than {} system calls without \
             letting time pass",
            process.name, self.now, self.limits.steps_per_instant
        );
        self.stop(pid, message);
        false
    }

    /// Kills a process that hinders the simulation itself.
    pub(super) fn stop(&mut self, pid: Pid, message: String) {
        self.stuck.get_or_insert(message);
        self.terminate(pid, WaitStatus::Signaled(Signal::SIGKILL));
    }

    pub(super) fn record_call(
        &self,
        pid: Pid,
        call: &Entered,
        result: Result<i64, Errno>,
        what: impl FnOnce() -> SystemCall,
    ) {
        if let Ok(process) = self.process(pid) {
            self.recorder.record(self.now, || {
                let what = what();
                let fd = match (&what, result) {
                    (SystemCall::Accept { .. }, Ok(accepted)) => Some(accepted as i32),
                    _ => what.fd(),
                };
                let connection = fd.and_then(|fd| self.connection(pid, Fd::from_raw(fd)));
                Kind::Call(Box::new(Call {
                    pid: pid.as_raw(),
                    process: process.name.clone(),
                    within: call.within,
                    what,
                    connection: call.connection.or(connection),
                    result,
                    since: call.since,
                }))
            });
        }
    }

    /// The connection that a descriptor stands for.
    pub(super) fn connection(&self, pid: Pid, fd: Fd) -> Option<ConnectionId> {
        self.socket_id(pid, fd).ok().and_then(|id| self.stack.connection(id))
    }

    pub(super) fn record_process(&self, pid: Pid, process: &Arc<str>, what: ProcessChange) {
        self.recorder.record(self.now, || {
            Kind::Process(crate::timeline::Process { pid: pid.as_raw(), process: process.clone(), what })
        });
    }
}

impl Kernel {
    /// From now on `observer` is told of every step.
    pub(super) fn observe(&mut self, observer: Observer) {
        self.stack.log_changes();
        self.processes.log_changes();
        self.observer = Some(observer);
        self.tell_changes();
    }

    /// A step has ended.
    pub(super) fn tell_changes(&mut self) {
        let Some(observer) = &self.observer else { return };
        let (now, stack, processes) = (self.now, &mut self.stack, &mut self.processes);
        let sockets = stack.take_changes().into_iter().map(|id| (id, stack.socket_info(now, id))).collect();
        let pids = processes.take_changes().into_iter();
        let info = |pid| processes.get(pid).map(|process| ProcessInfo::of(pid, process));
        let processes = pids.map(|pid| (pid, info(pid))).collect();
        observer(now, Some(Change { sockets, processes }));
    }
}
