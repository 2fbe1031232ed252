//! What `ss -tino` shows of a socket.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::timeline::TcpState;

/// A socket as netstat shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SocketInfo {
    /// Local address and port; the address is unspecified on a wildcard listener.
    pub local: SocketAddr,
    /// The other end; `None` on a listener.
    pub remote: Option<SocketAddr>,
    /// RFC 9293's state.
    pub state: TcpState,
    /// Octets received and not yet read; on a listener, connections waiting for `accept`.
    pub recv_q: usize,
    /// Octets written and not yet acknowledged; on a listener, the backlog.
    pub send_q: usize,
    /// The timer that fires next, if one runs.
    pub timer: Option<TimerInfo>,
    /// The retransmission timeout now in force, back-off included.
    pub rto: Duration,
    /// Smoothed round trip and its variation (RFC 6298), once measured.
    pub rtt: Option<(Duration, Duration)>,
    /// How often the timer has doubled: `backoff` of `ss -i`.
    pub backoff: u32,
    /// Retransmissions of what is in flight.
    pub retransmits: u32,
}

/// A running timer, `timer:(on,12sec,3)` of `ss -o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimerInfo {
    /// What it is for.
    pub kind: TimerKind,
    /// How long until it fires.
    pub left: Duration,
    /// How often it has fired without an answer.
    pub fired: u32,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TimerKind {
    /// Retransmission of data, SYN or FIN.
    Retransmit,
    /// Window probe.
    Persist,
    /// Keepalive.
    Keepalive,
    /// 2MSL in TIME_WAIT.
    TimeWait,
    /// A closed socket's wait for the peer's FIN.
    FinWait2,
    /// An acknowledgment held back.
    DelayedAck,
}

impl TimerKind {
    /// The word `ss -o` uses, where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            TimerKind::Retransmit => "on",
            TimerKind::Persist => "persist",
            TimerKind::Keepalive => "keepalive",
            TimerKind::TimeWait => "timewait",
            TimerKind::FinWait2 => "finwait2",
            TimerKind::DelayedAck => "delack",
        }
    }
}
