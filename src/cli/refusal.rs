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
}
