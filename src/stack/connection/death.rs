//! Why a connection died, and the one place where that becomes an errno.

use std::time::Duration;

use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::stack::profile::{Profile, errno_of};
use crate::timeline::TcpState;

/// Why a connection is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The peer reset it, in this state.
    Reset {
        /// The state before.
        state: TcpState,
    },
    /// Nobody answered for too long.
    TimedOut {
        /// The last ICMP error that was believed, if one was.
        soft: Option<Unreachable>,
    },
    /// An ICMP error that the profile takes for final.
    Unreachable(Unreachable),
    /// Closed by this side, in order or by a reset: nobody is owed an explanation.
    Closed,
}

impl Death {
    /// What the process is told, once.
    pub(crate) fn errno(self, profile: &Profile) -> Option<Errno> {
        match self {
            // RFC 9293, 3.10.7.3: "connection refused" in SYN-SENT.
            Death::Reset { state: TcpState::SynSent } => Some(Errno::ECONNREFUSED),
            // Where end of file hides the reset only a write can see it, and to a write it is a broken pipe.
            Death::Reset { state: TcpState::CloseWait } if profile.eof_hides_reset => Some(Errno::EPIPE),
            Death::Reset { state: TcpState::TimeWait | TcpState::Closing | TcpState::LastAck } => None,
            Death::Reset { .. } => Some(Errno::ECONNRESET),
            // Ch. 5.14: the soft error where there is one.
            Death::TimedOut { soft } => Some(soft.map_or(Errno::ETIMEDOUT, errno_of)),
            Death::Unreachable(what) => Some(errno_of(what)),
            Death::Closed => None,
        }
    }
}

/// The time that `retransmissions` would take if they doubled from `rto_min` up to `rto_max`:
/// Linux's `tcp_model_timeout`.
pub(super) fn modelled_time(retransmissions: u32, rto_min: Duration, rto_max: Duration) -> Duration {
    (0..=retransmissions).map(|n| rto_min.saturating_mul(1 << n.min(30)).min(rto_max)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Documentation/networking/ip-sysctl.rst`: "the default value of 15 yields a hypothetical timeout of
    /// 924.6 seconds".
    #[test]
    fn fifteen_modelled_retransmissions_take_924_6_s() {
        let timeout = modelled_time(15, Duration::from_millis(200), Duration::from_secs(120));
        assert_eq!(timeout, Duration::from_millis(924_600));
    }
}
