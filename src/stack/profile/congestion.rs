//! How the congestion window grows.

use serde::{Deserialize, Serialize};

/// How the congestion window grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CongestionControl {
    /// RFC 5681.
    Reno,
    /// RFC 9438, with HyStart.
    Cubic,
}

impl CongestionControl {
    /// Both of them.
    pub const ALL: [CongestionControl; 2] = [CongestionControl::Reno, CongestionControl::Cubic];

    /// Linux's name: `reno`, `cubic`.
    pub const fn name(self) -> &'static str {
        match self {
            CongestionControl::Reno => "reno",
            CongestionControl::Cubic => "cubic",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<CongestionControl> {
        CongestionControl::ALL.into_iter().find(|control| control.name() == name)
    }
}
