//! Why a connection died, and the one place where that becomes an errno.

use crate::errno::Errno;
use crate::packet::Unreachable;
use crate::stack::profile::{Profile, errno_of};
use crate::timeline::TcpState;

/// What stands in the way of a connection and may pass: it is reported if the connection is given up (RFC 1122, 4.2.3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SoftError {
    /// An ICMP error that was believed.
    Icmp(Unreachable),
    /// The host's own interface is off.
    LinkDown,
}

impl SoftError {
    /// What the process is told.
    pub(crate) fn errno(self, profile: &Profile, is_v6: bool) -> Errno {
        match self {
            SoftError::Icmp(what) => errno_of(what, is_v6 && profile.icmp.errnos_of_v6),
            SoftError::LinkDown => profile.link_down,
        }
    }
}

/// Why a connection is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The peer reset it, in this state.
    Reset {
        /// The state before.
        state: TcpState,
    },
    /// No answer came for too long.
    TimedOut {
        /// What was last said of the way to the peer, if anything was.
        soft: Option<SoftError>,
    },
    /// An ICMP error that the profile takes for final.
    Unreachable(Unreachable),
    /// Closed by this side, in order or by a reset: the process knows why.
    Closed,
}

impl Death {
    /// What the process is told, once.
    pub(crate) fn errno(self, profile: &Profile, is_v6: bool) -> Option<Errno> {
        match self {
            // RFC 9293, 3.10.7.3: "connection refused" in SYN-SENT.
            Death::Reset { state: TcpState::SynSent } => Some(Errno::ECONNREFUSED),
            // Where end of file hides the reset only a write can see it, and to a write it is a broken pipe.
            Death::Reset { state: TcpState::CloseWait } if profile.eof_hides_reset => Some(Errno::EPIPE),
            Death::Reset { state: TcpState::TimeWait | TcpState::Closing | TcpState::LastAck } => None,
            Death::Reset { .. } => Some(Errno::ECONNRESET),
            // Ch. 5.14: the soft error where there is one.
            Death::TimedOut { soft } => {
                Some(soft.map_or(Errno::ETIMEDOUT, |soft| soft.errno(profile, is_v6)))
            }
            Death::Unreachable(what) => Some(SoftError::Icmp(what).errno(profile, is_v6)),
            Death::Closed => None,
        }
    }
}
