//! Who is told what changes on a host, as it changes.

use std::rc::Rc;

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
