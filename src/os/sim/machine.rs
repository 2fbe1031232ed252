//! A simulated host, as the world drives it.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::SimOs;
use super::config::MachineConfig;
use super::kernel::{Kernel, Task};
use super::observer::Observer;
use super::power::Power;
use super::process::ProcessInfo;
use super::wait_queue::Channel;
use crate::errno::Errno;
use crate::os::{Pid, Signal};
use crate::stack::Stack;
use crate::time::SimTime;
use crate::timeline::{Recorder, Stream};

/// A host: one [`Stack`] and the processes that use it. Sans-IO: packets and `now` go in, packets and the next
/// deadline come out; time never runs backwards.
///
/// After anything that can wake a process ([`receive`](Self::receive), [`handle_timeout`](Self::handle_timeout),
/// [`spawn`](Self::spawn), [`type_line`](Self::type_line), [`kill`](Self::kill) …) comes [`run`](Self::run), and
/// after that [`transmit`](Self::transmit) until it gives `None`. To drop a host is to pull its plug: nothing more
/// leaves it.
pub struct Machine {
    pub(super) kernel: Rc<RefCell<Kernel>>,
    pub(super) tasks: BTreeMap<Pid, Task>,
    power: Power,
}

impl Machine {
    /// A host that has just booted: no processes, no connections.
    pub fn new(config: MachineConfig, recorder: Recorder) -> Machine {
        let recorder = recorder.for_host(&config.name);
        let kernel = Rc::new(RefCell::new(Kernel::new(config, recorder)));
        Machine { kernel, tasks: BTreeMap::new(), power: Power::On }
    }

    /// From now on `observer` is told of every step, and of what there is by now.
    pub fn observe(&mut self, now: SimTime, observer: Observer) {
        self.at(now).observe(observer);
    }

    // -- programs ---------------------------------------------------------------------------------

    /// Starts a program as a child of init, with a terminal as its standard input, output and error.
    pub fn spawn<F, Fut>(&mut self, now: SimTime, name: &str, program: F) -> Pid
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        self.start(now, name, None, program)
    }

    /// Starts a program with its standard input redirected from a file: `name < file`.
    pub fn spawn_reading<F, Fut>(&mut self, now: SimTime, name: &str, file: &[u8], program: F) -> Pid
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        self.start(now, name, Some(file), program)
    }

    fn start<F, Fut>(&mut self, now: SimTime, name: &str, input: Option<&[u8]>, program: F) -> Pid
    where
        F: FnOnce(SimOs) -> Fut + 'static,
        Fut: Future<Output = i32> + 'static,
    {
        let mut kernel = self.at(now);
        let pid = kernel.spawn(name, input);
        kernel.tell_changes();
        drop(kernel);
        let os = SimOs { kernel: self.kernel.clone(), pid, within: None };
        self.tasks.insert(pid, Box::pin(async move { program(os).await }));
        pid
    }

    /// Types a line, without its newline, at the terminal of `pid`. False if no process has that terminal open.
    pub fn type_line(&mut self, now: SimTime, pid: Pid, line: &str) -> bool {
        self.type_at(now, pid, Some(line))
    }

    /// Types Control-D, the end of the file, at the terminal of `pid`. False if no process has that terminal open.
    pub fn type_eof(&mut self, now: SimTime, pid: Pid) -> bool {
        self.type_at(now, pid, None)
    }

    fn type_at(&mut self, now: SimTime, pid: Pid, line: Option<&str>) -> bool {
        let mut kernel = self.at(now);
        let Ok(id) = kernel.process(pid).map(|process| process.terminal) else { return false };
        let Some(terminal) = kernel.terminals.get_mut(&id) else { return false };
        match line {
            Some(line) => terminal.type_line(line),
            None => terminal.type_eof(),
        }
        if let Some(line) = line {
            kernel.record_line(pid, Stream::Stdin, line.to_owned());
        }
        kernel.wake_all(Channel::Terminal(id));
        kernel.tell_changes();
        true
    }

    /// Sends a signal from outside. `ESRCH` if there is no such process.
    pub fn kill(&mut self, now: SimTime, pid: Pid, signal: Signal) -> Result<(), Errno> {
        let mut kernel = self.at(now);
        let result = kernel.post(pid, signal);
        kernel.tell_changes();
        result
    }

    /// Every process but init, by pid: `ps -o pid,ppid,stat,wchan,comm`.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let kernel = self.kernel.borrow();
        kernel.processes.iter().map(|(pid, process)| ProcessInfo::of(pid, process)).collect()
    }

    /// What went wrong with a program so badly that it had to be stopped for time to go on: an endless loop of
    /// calls, or waiting for something that is no call.
    pub fn stuck(&self) -> Option<String> {
        self.kernel.borrow().stuck.clone()
    }

    // -- packets and time -------------------------------------------------------------------------

    /// The host's TCP/IP, to look at.
    pub fn stack(&self) -> Ref<'_, Stack> {
        Ref::map(self.kernel.borrow(), |kernel| &kernel.stack)
    }

    /// Turns its interface on or off; false if it is so already.
    pub fn set_link(&mut self, up: bool) -> bool {
        self.kernel.borrow_mut().stack.set_link(up)
    }

    /// A packet arrives.
    pub fn receive(&mut self, now: SimTime, packet: Bytes) {
        if !self.is_off() {
            let mut kernel = self.at(now);
            kernel.stack.receive(now, packet);
            kernel.tell_changes();
        }
    }

    /// The next packet that leaves.
    pub fn transmit(&mut self) -> Option<Bytes> {
        if self.is_off() {
            return None;
        }
        self.kernel.borrow_mut().stack.transmit()
    }

    /// Lets the timers fire whose time has come.
    pub fn handle_timeout(&mut self, now: SimTime) {
        let mut kernel = self.at(now);
        while kernel.stack.fire_next(now) {
            kernel.tell_changes();
        }
        kernel.wake_for_time();
        drop(kernel);
        self.go_down(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` if only a packet, a line typed or
    /// a signal can change anything.
    pub fn next_deadline(&self) -> Option<SimTime> {
        if self.is_off() {
            return None;
        }
        let kernel = self.kernel.borrow();
        let at_once = (!kernel.ready.is_empty()).then_some(kernel.now);
        let deadlines =
            [at_once, kernel.stack.next_deadline(), kernel.queues.next_alarm(), self.power.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// When every keepalive timer will have fired, if nothing else is left to happen by itself and none of them waits for
    /// an answer.
    #[cfg(feature = "cli")]
    pub(crate) fn only_asks_within(&self, now: SimTime) -> Option<Duration> {
        let kernel = self.kernel.borrow();
        if !kernel.ready.is_empty() || kernel.queues.next_alarm().is_some() || self.power.deadline().is_some()
        {
            return None;
        }
        let timers = kernel.stack.sockets(now).into_iter().filter_map(|socket| socket.timer);
        timers
            .map(|timer| {
                (timer.kind == crate::stack::TimerKind::Keepalive && timer.fired == 0).then_some(timer.left)
            })
            .try_fold(Duration::ZERO, |longest, left| left.map(|left| longest.max(left)))
    }

    /// Gives every process that can run its turn, until all of them sleep.
    pub fn run(&mut self, now: SimTime) {
        self.at(now);
        while let Some(pid) = self.next_ready() {
            self.resume(pid);
            self.kernel.borrow_mut().tell_changes();
        }
        self.go_down(now);
    }

    // -- power ------------------------------------------------------------------------------------

    /// Shuts the host down as init does (UNP 5.16): SIGTERM to all, `grace` later SIGKILL to the rest, then off.
    pub fn shutdown(&mut self, now: SimTime, grace: Duration) {
        if let Power::On = self.power {
            self.power = Power::Ending { kill_at: now + grace };
            self.kill_all(now, Signal::SIGTERM);
        }
    }

    /// Whether a [`shutdown`](Self::shutdown) has come to its end: the host hears and says nothing any more.
    pub fn is_off(&self) -> bool {
        matches!(self.power, Power::Off)
    }

    fn go_down(&mut self, now: SimTime) {
        if self.power.is_time_to_kill(now) {
            self.kill_all(now, Signal::SIGKILL);
            self.drop_dead();
        }
        let all_ended = self.kernel.borrow().processes.is_empty();
        self.power = self.power.next(now, all_ended);
    }

    fn kill_all(&mut self, now: SimTime, signal: Signal) {
        let mut kernel = self.at(now);
        let pids: Vec<Pid> = kernel.processes.iter().map(|(pid, _)| pid).collect();
        for pid in pids {
            // One that is gone by now was waited for as its parent died.
            _ = kernel.post(pid, signal);
            kernel.tell_changes();
        }
    }

    // -- inside -----------------------------------------------------------------------------------

    fn at(&mut self, now: SimTime) -> RefMut<'_, Kernel> {
        let mut kernel = self.kernel.borrow_mut();
        debug_assert!(now >= kernel.now, "time never runs backwards");
        kernel.now = now;
        kernel
    }
}

impl Drop for Machine {
    /// A crash: programs vanish without a word. Their destructors find that nothing answers any more.
    fn drop(&mut self) {
        let mut kernel = self.kernel.borrow_mut();
        let processes = mem::take(&mut kernel.processes);
        let newborn = mem::take(&mut kernel.newborn);
        drop(kernel);
        drop((processes, newborn, mem::take(&mut self.tasks)));
    }
}
