//! What a socket is called, and what may be asked of it.

/// A socket of a [`Stack`](super::Stack).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(super) usize);

/// Which half `shutdown` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// SHUT_RD.
    Read,
    /// SHUT_WR: a FIN after what was written.
    Write,
    /// SHUT_RDWR.
    Both,
}

/// What `poll` would say of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// POLLIN: `read` or `accept` would not block.
    pub readable: bool,
    /// POLLOUT: `write` would not block.
    pub writable: bool,
    /// POLLERR: there is an error to be reported.
    pub error: bool,
    /// POLLHUP: both halves are gone.
    pub hangup: bool,
    /// POLLRDHUP: the peer sends no more.
    pub read_hangup: bool,
}
