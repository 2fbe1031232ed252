//! The error of a run that left out too much time.

use thiserror::Error;

use crate::time::SimTime;

/// A program on a host that was named to [`only_sockets`](super::only_sockets) waited for a timer of tokio's, for which
/// [`run`](super::run) left out too much time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error(
    "{host} was woken late, at {at} s, by a timer that net::run does not know: there, use sleep and timeout of \
     echosim::net, or do not name it to only_sockets"
)]
pub struct LateTimer {
    /// The host.
    pub host: String,
    /// When its program went on: the time to which it was left out.
    pub at: SimTime,
}
