//! An entry of the open-file table.

use crate::stack::SocketId;
use crate::timeline::Stream;

/// What a descriptor stands for, shared with every process that has inherited one of it.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) object: Object,
    /// Descriptors that stand for it, in all processes.
    pub(super) descriptors: usize,
    /// O_NONBLOCK.
    pub(super) nonblocking: bool,
}

/// What an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Socket(SocketId),
    PipeReader(usize),
    PipeWriter(usize),
    /// A terminal; what is printed to it counts as `stream`.
    Terminal {
        id: u32,
        stream: Stream,
    },
}
