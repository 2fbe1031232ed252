//! Why nothing is done.

use thiserror::Error;

use crate::scenario::{LoadError, SetError};

/// Why nothing is done.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("--set: {0}")]
    Set(#[from] SetError),
    #[error("--pcapng-host: no host \"{0}\" in this scenario")]
    NoHost(String),
    #[error("{0} writes text, which is not for whoever reads --trace=json")]
    TextInJson(&'static str),
    #[error("{0}: the hosts' TCP is this machine's, so --stack can be linux only")]
    OthersTcp(&'static str),
    #[error(
        "{0} shows the insides of hosts at every moment, which nobody sees of this machine's kernel (--real)"
    )]
    NoHistory(&'static str),
    #[error(
        "{0} shows packets, and with --real this scenario runs on the loopback, where none are seen; --trace shows the calls"
    )]
    NoWire(&'static str),
    #[cfg(not(unix))]
    #[error("--real: this system has no fork")]
    NoFork,
}
