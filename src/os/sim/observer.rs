//! Who is told what changes on a host, as it changes.

use std::rc::Rc;

use super::kernel::Kernel;
use super::process::ProcessInfo;
use crate::os::Pid;
use crate::stack::{SocketId, SocketInfo};
use crate::time::SimTime;

/// What became of sockets and processes in one step: a call, a packet, a timer. `None` stands where one is gone.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// By id, which another socket may have when this one is gone.
    pub sockets: Vec<(SocketId, Option<SocketInfo>)>,
    /// By pid.
    pub processes: Vec<(Pid, Option<ProcessInfo>)>,
}

/// Is told of every step; of a loss of power by `None`.
pub type Observer = Rc<dyn Fn(SimTime, Option<Change>)>;

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
