//! Birth, death and burial of processes.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use super::kernel::Kernel;
use super::open_file::Object;
use super::pipe::Pipe;
use super::process::{Process, State};
use super::signal_state::SignalState;
use super::terminal::Terminal;
use super::wait_queue::{Blocked, Channel, Stop};
use super::wchan::Wchan;
use crate::errno::Errno;
use crate::os::line_buffer::LineBuffer;
use crate::os::{Child, Pid, Signal, WaitStatus};
use crate::timeline::{ProcessChange, Stream};

/// Pids go round after Linux's PID_MAX_LIMIT.
const PID_MAX: u32 = 1 << 22;
/// Where they begin again: low ones are the system's own.
const PID_MIN: u32 = 101;

impl Kernel {
    /// A child of init's, with a terminal as its standard input, output and error; or with `input`, all of it,
    /// as its standard input.
    pub(super) fn spawn(&mut self, name: &str, input: Option<&[u8]>) -> Pid {
        let pid = self.free_pid();
        let name: Arc<str> = name.into();
        self.record_process(pid, &name, ProcessChange::Start);
        let terminal = pid.as_raw();
        self.insert(pid, name, Pid::INIT, Vec::new(), SignalState::default(), terminal);
        let stdin = match input {
            Some(content) => Object::PipeReader(self.pipes.insert(Pipe::filled(content))),
            None => {
                self.terminals.insert(terminal, Terminal::default());
                Object::Terminal { id: terminal, stream: Stream::Stdin }
            }
        };
        let printing = |stream| Object::Terminal { id: terminal, stream };
        for object in [stdin, printing(Stream::Stdout), printing(Stream::Stderr)] {
            // Against a limit below three the program starts with descriptors missing, as under a shell's ulimit.
            _ = self.open(pid, object);
        }
        pid
    }

    pub(super) fn fork(&mut self, parent: Pid) -> Result<Pid, Errno> {
        if self.processes.len() >= self.limits.processes {
            return Err(Errno::EAGAIN);
        }
        let process = self.process(parent)?;
        let name = process.name.clone();
        let descriptors = process.descriptors.clone();
        let (signals, terminal) = (process.signals.inherited(), process.terminal);
        for file in descriptors.iter().flatten() {
            self.retain(*file);
        }
        let child = self.free_pid();
        self.record_process(child, &name, ProcessChange::Fork { parent: parent.as_raw() });
        self.insert(child, name, parent, descriptors, signals, terminal);
        self.process_mut(parent)?.children.insert(child);
        Ok(child)
    }

    /// Ends a process: `exit`, or a signal. Its descriptors are closed, its children go to init, its parent is told.
    pub(super) fn terminate(&mut self, pid: Pid, status: WaitStatus) {
        self.leave_queues(pid);
        let Ok(process) = self.process_mut(pid) else { return };
        let unfinished =
            [(Stream::Stdout, process.stdout.finish()), (Stream::Stderr, process.stderr.finish())];
        process.state = State::Zombie(status);
        process.is_stopped = false;
        let descriptors = mem::take(&mut process.descriptors);
        let (children, zombies) = (mem::take(&mut process.children), mem::take(&mut process.zombies));
        let (name, parent) = (process.name.clone(), process.parent);
        self.dead.push(pid);

        for (stream, line) in unfinished {
            if let Some(line) = line {
                self.record_line(pid, stream, line);
            }
        }
        self.record_process(
            pid,
            &name,
            match status {
                WaitStatus::Exited(status) => ProcessChange::Exit { status: i32::from(status) },
                WaitStatus::Signaled(signal) => ProcessChange::Killed { signal: signal.name() },
            },
        );
        for file in descriptors.into_iter().flatten() {
            self.release(file);
        }
        for child in children {
            if let Some(child) = self.processes.get_mut(child) {
                child.parent = Pid::INIT;
            }
        }
        for zombie in zombies {
            self.reap(zombie);
        }
        self.tell_parent(pid, &name, parent);
    }

    /// A process that waits for a child of `parent`'s is woken, and SIGCHLD is sent. init waits for its children at once.
    fn tell_parent(&mut self, pid: Pid, name: &Arc<str>, parent: Pid) {
        let Ok(process) = self.process_mut(parent) else {
            return self.reap(pid);
        };
        let leaves_zombie = !process.signals.refuses_zombies();
        if leaves_zombie {
            process.zombies.insert(pid);
            self.record_process(pid, name, ProcessChange::Zombie);
        } else {
            self.reap(pid);
        }
        self.wake_all(Channel::Child(parent));
        _ = self.post(parent, Signal::SIGCHLD);
    }

    /// Takes a zombie out of the table.
    fn reap(&mut self, pid: Pid) {
        let Some(process) = self.processes.remove(pid) else { return };
        if let Some(parent) = self.processes.get_mut(process.parent) {
            parent.children.remove(&pid);
            parent.zombies.remove(&pid);
        }
        self.record_process(pid, &process.name, ProcessChange::Reaped);
        self.buried.push(process);
    }

    /// The first child by age that has ended, which is then gone for good; `None` only with `nohang`.
    pub(super) fn wait(
        &mut self,
        pid: Pid,
        which: Child,
        nohang: bool,
    ) -> Result<Option<(Pid, WaitStatus)>, Stop> {
        let process = self.process(pid)?;
        let (any, ended) = match which {
            Child::Any => (!process.children.is_empty(), process.zombies.first().copied()),
            Child::Pid(child) => (process.children.contains(&child), process.zombies.get(&child).copied()),
        };
        if !any {
            return Err(Errno::ECHILD.into());
        }
        if let Some(child) = ended
            && let State::Zombie(status) = self.processes[child].state
        {
            self.reap(child);
            return Ok(Some((child, status)));
        }
        if nohang {
            return Ok(None);
        }
        Err(Blocked::on(Channel::Child(pid), Wchan::Wait).into())
    }

    fn insert(
        &mut self,
        pid: Pid,
        name: Arc<str>,
        parent: Pid,
        descriptors: Vec<Option<usize>>,
        signals: SignalState<super::SimOs>,
        terminal: u32,
    ) {
        let process = Process {
            is_stopped: false,
            is_due: false,
            slept_on: None,
            name,
            parent,
            children: BTreeSet::new(),
            zombies: BTreeSet::new(),
            state: State::Ready,
            descriptors,
            signals,
            terminal,
            stdout: LineBuffer::default(),
            stderr: LineBuffer::default(),
        };
        self.processes.insert(pid, process);
        self.ready.push_back(pid);
    }

    fn free_pid(&mut self) -> Pid {
        loop {
            self.last_pid = if self.last_pid < PID_MAX { self.last_pid + 1 } else { PID_MIN };
            let pid = Pid::from_raw(self.last_pid);
            if self.processes.get(pid).is_none() {
                return pid;
            }
        }
    }
}
