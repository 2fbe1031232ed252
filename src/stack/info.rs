//! What `ss -tino` shows of a socket.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::profile::CongestionControl;
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
    /// What more there is to know of a connection of Linux's (TCP_INFO, `tcp(7)`).
    pub tcp: Option<Box<TcpInfo>>,
}

/// What TCP_INFO says of a connection beside what every system knows; the names are those of `ss -i`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TcpInfo {
    /// How the congestion window grows; `None` is a way that is not known here.
    pub congestion: Option<CongestionControl>,
    /// What is suspected of the segments in flight.
    pub ca_state: CaState,
    /// Whether segments carry timestamps (RFC 7323).
    pub timestamps: bool,
    /// Whether what arrives beyond a gap is told (RFC 2018).
    pub sack: bool,
    /// By how many bits the peer's windows are shifted, and this end's.
    pub wscale: Option<(u8, u8)>,
    /// Octets of data of the largest segment that is sent.
    pub snd_mss: u32,
    /// Octets of data of the largest segment that this end takes.
    pub advmss: u32,
    /// Octets of the largest packet that the path is thought to carry.
    pub pmtu: u32,
    /// The congestion window, in segments.
    pub snd_cwnd: u32,
    /// Where slow start ends, in segments, once that is known.
    pub snd_ssthresh: Option<u32>,
    /// Segments that are sent and not acknowledged …
    pub unacked: u32,
    /// … of which these have arrived beyond a gap, …
    pub sacked: u32,
    /// … these are thought to be lost, …
    pub lost: u32,
    /// … and these have been sent again.
    pub retrans: u32,
    /// By how many segments a path is thought to reorder.
    pub reordering: u32,
    /// Octets that are written and not sent.
    pub notsent: u32,
    /// The least round trip of the last minutes.
    pub min_rtt: Option<Duration>,
    /// The peer's window, in octets.
    pub snd_wnd: u32,
    /// The window that was offered last, in octets.
    pub rcv_wnd: u32,
}

/// What is suspected of the segments in flight: Linux's `tcpi_ca_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaState {
    /// Nothing.
    Open,
    /// Some may be lost, or late.
    Disorder,
    /// Less is sent, for the path is full (RFC 3168).
    Cwr,
    /// Some are lost, and are sent again (RFC 6675).
    Recovery,
    /// The timer has fired (RFC 5681).
    Loss,
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
