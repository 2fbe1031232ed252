//! A host's processes by pid. Whoever changes one takes it from here, so that no change goes unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use super::process::Process;
use crate::os::Pid;
use crate::stack::ChangeLog;

#[derive(Default)]
pub(super) struct ProcessTable {
    processes: BTreeMap<Pid, Process>,
    changes: ChangeLog<Pid>,
}

impl ProcessTable {
    pub(super) fn get(&self, pid: Pid) -> Option<&Process> {
        self.processes.get(&pid)
    }

    pub(super) fn get_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        self.changes.note(pid);
        self.processes.get_mut(&pid)
    }

    pub(super) fn insert(&mut self, pid: Pid, process: Process) {
        self.changes.note(pid);
        self.processes.insert(pid, process);
    }

    pub(super) fn remove(&mut self, pid: Pid) -> Option<Process> {
        self.changes.note(pid);
        self.processes.remove(&pid)
    }

    /// By pid.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Pid, &Process)> {
        self.processes.iter().map(|(pid, process)| (*pid, process))
    }

    pub(super) fn len(&self) -> usize {
        self.processes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// From now on [`take_changes`](Self::take_changes) knows what changed.
    pub(super) fn log_changes(&mut self) {
        self.changes.start();
    }

    /// The processes that may have changed since the last time.
    pub(super) fn take_changes(&mut self) -> BTreeSet<Pid> {
        self.changes.take()
    }
}

impl Index<Pid> for ProcessTable {
    type Output = Process;

    fn index(&self, pid: Pid) -> &Process {
        &self.processes[&pid]
    }
}
