//! Nagle's algorithm (RFC 1122, 4.2.3.4).

/// Whether a segment that is not full may wait (RFC 1122, 4.2.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nagle {
    /// Behind another one that is not full and not acknowledged (Minshall).
    On,
    /// Until it is full, whatever is in flight (TCP_CORK).
    Cork,
    /// TCP_NODELAY, and where the end of what is written is a FIN's.
    Off,
    /// What is written does not fit the buffer, or has been pushed.
    Push,
}
