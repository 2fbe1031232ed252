//! What can be seen of the hosts at a moment, and what has been.

use crate::scenario::{Netstat, Ps};
use crate::stack::SocketInfo;

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Netstat,
    Ps,
}

/// What has been seen.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) netstat: Option<Netstat>,
    pub(super) ps: Option<Ps>,
}

/// A socket, and the inode by which a process has it open; 0 if none has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) info: SocketInfo,
    pub(super) inode: u32,
}
