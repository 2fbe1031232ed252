//! One thing that happened: a segment, a call, a change of state, a fault.
//!
//! Serde is for processes that tell each other what they see; reports have formats of their own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::packet::{Flags, Mac, Resolution, Unreachable};
use crate::time::SimTime;

use super::interned::{Name, interned, interned_option};
use super::{Call, ConnectionId, FaultKind, TcpState};

/// One entry of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When it happened.
    pub t: SimTime,
    /// On which host (or router) it happened.
    pub host: Arc<str>,
    /// What happened.
    pub kind: Kind,
    /// The IP packet as it was on the wire, where the event is about one.
    pub packet: Option<Bytes>,
}

/// What an [`Event`] is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// A TCP segment left a host's stack or arrived at it.
    Segment(SegmentEvent),
    /// An ICMP error left or arrived. In a box, as it is larger than a segment and events are many.
    Icmp(Box<Icmp>),
    /// A message of ARP or of Neighbor Discovery left or arrived. In a box, as events are many.
    Neighbour(Box<Neighbour>),
    /// A packet was lost, and why.
    Lost {
        /// What was lost.
        packet: Box<LostPacket>,
        /// Why it was lost.
        reason: LostReason,
    },
    /// A system call returned. In a box, as it is larger than a segment and events are many.
    Call(Box<Call>),
    /// A connection went from one state to another.
    State {
        /// Local end.
        local: SocketAddr,
        /// Remote end.
        remote: SocketAddr,
        /// State before.
        from: TcpState,
        /// State after.
        to: TcpState,
    },
    /// A process came, went, or was waited for.
    Process(Process),
    /// A signal reached a process, or did not.
    Signal {
        /// Process id.
        pid: u32,
        /// Its program's name.
        process: Arc<str>,
        /// `SIGCHLD` …
        #[serde(deserialize_with = "interned")]
        signal: Name,
        /// What became of it.
        what: SignalChange,
    },
    /// A line was typed, or printed.
    Line(Line),
    /// A fault of the scenario struck.
    Fault {
        /// What it does.
        fault: FaultKind,
        /// The host it struck, or whose link.
        target: String,
    },
}

impl Kind {
    /// The segment that it is about: sent, received or lost.
    pub fn segment(&self) -> Option<&SegmentEvent> {
        match self {
            Kind::Segment(segment) => Some(segment),
            Kind::Lost { packet, .. } => match &**packet {
                LostPacket::Segment(segment) => Some(segment),
                _ => None,
            },
            _ => None,
        }
    }

    /// Which way a packet went that left a host or came to it.
    pub const fn direction(&self) -> Option<Direction> {
        match self {
            Kind::Segment(segment) => Some(segment.dir),
            Kind::Icmp(icmp) => Some(icmp.dir),
            Kind::Neighbour(message) => Some(message.dir),
            _ => None,
        }
    }

    /// Whether it is about a packet: sent, received or lost.
    pub const fn is_packet(&self) -> bool {
        matches!(self, Kind::Segment(_) | Kind::Icmp(_) | Kind::Neighbour(_) | Kind::Lost { .. })
    }

    /// The ICMP error that it is about: sent, received or lost.
    pub fn icmp(&self) -> Option<&Icmp> {
        match self {
            Kind::Icmp(icmp) => Some(icmp),
            Kind::Lost { packet, .. } => match &**packet {
                LostPacket::Icmp(icmp) => Some(icmp),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether a packet left the host or came to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// It arrived.
    In,
    /// It left.
    Out,
}

/// A TCP segment, its numbers relative to the connection's first as tcpdump shows them: SYN is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SegmentEvent {
    /// In or out.
    pub dir: Direction,
    /// Source.
    pub src: SocketAddr,
    /// Destination.
    pub dst: SocketAddr,
    /// Control bits.
    pub flags: Flags,
    /// First sequence number, relative.
    pub seq: u32,
    /// Acknowledgment number, relative.
    pub ack: Option<u32>,
    /// Window field, unscaled.
    pub win: u16,
    /// Octets of data.
    pub len: usize,
    /// Which sending this is; `None` for the first, and for every arrival.
    pub retransmission: Option<Box<Retransmission>>,
    /// What it asks, if it was sent to ask something: a bare sequence number does not show it.
    pub probe: Option<Probe>,
}

impl SegmentEvent {
    /// Its connection, as the host sees it that sent or received it.
    pub(crate) const fn connection(&self) -> ConnectionId {
        match self.dir {
            Direction::Out => ConnectionId::new(self.src, self.dst),
            Direction::In => ConnectionId::new(self.dst, self.src),
        }
    }
}

/// A segment that is sent to get an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Probe {
    /// Is the peer still there? (RFC 9293, 3.8.4)
    Keepalive,
    /// Has the peer's shut window opened? (RFC 9293, 3.8.6.1)
    Window,
    /// Was the last of the data lost? (RFC 8985, 7)
    TailLoss,
}

impl Probe {
    /// `keepalive`, `window probe` …
    pub const fn name(self) -> &'static str {
        match self {
            Probe::Keepalive => "keepalive",
            Probe::Window => "window probe",
            Probe::TailLoss => "tail loss probe",
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The n-th sending again of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retransmission {
    /// 1 for the first sending again.
    pub nth: u32,
    /// How many there will be before the stack gives up, where a count decides it.
    pub limit: Option<u32>,
    /// How long the timer now waits.
    pub next: Option<Duration>,
}

/// An ICMP error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Icmp {
    /// In or out.
    pub dir: Direction,
    /// Who says it.
    pub src: IpAddr,
    /// Who is told.
    pub dst: IpAddr,
    /// What it says.
    pub what: Unreachable,
    /// ICMP type and code.
    pub type_code: (u8, u8),
    /// Source and destination of the quoted segment.
    pub about: (SocketAddr, SocketAddr),
    /// Its sequence number, relative.
    pub seq: u32,
}

impl Icmp {
    /// Whether a host tells itself, which no wire carries: that no neighbour has answered.
    pub(crate) fn is_own(&self) -> bool {
        self.src == self.dst
    }
}

/// A message of ARP (RFC 826) or of Neighbor Discovery (RFC 4861).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Neighbour {
    /// In or out.
    pub dir: Direction,
    /// Whether it asks or answers.
    pub what: Resolution,
    /// Who does.
    pub sender: IpAddr,
    /// The Ethernet address of who does.
    pub mac: Mac,
    /// Who is asked for, or told.
    pub target: IpAddr,
}

/// A packet that never arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LostPacket {
    /// A segment; its direction is the one it was travelling in when lost.
    Segment(SegmentEvent),
    /// An ICMP error.
    Icmp(Icmp),
    /// A message of ARP or of Neighbor Discovery.
    Neighbour(Neighbour),
    /// Bytes that are no packet, this many octets.
    Malformed(usize),
}

/// Why a packet never arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LostReason {
    /// The destination is off.
    HostDown,
    /// The destination's interface is off.
    LinkDown,
    /// The destination is paused.
    HostPaused,
    /// A middlebox did not know the flow.
    UnknownFlow,
    /// The link was cut while the packet was sent or on its way.
    Partition,
    /// The link's loss rate.
    Loss,
    /// A rule of the scenario drops it.
    Dropped,
    /// A rule of the scenario refuses it, and tells its sender.
    Rejected,
    /// No route to the destination.
    NoRoute,
    /// The router answered with an ICMP error instead.
    Unreachable,
    /// A queue was full.
    QueueFull,
    /// The listener's accept queue was full: the SYN is ignored.
    BacklogFull,
    /// Larger than the link's MTU.
    TooBig,
    /// The hop limit ran out.
    HopLimit,
    /// A checksum or a length is wrong: corrupted on the way.
    Corrupt,
    /// The host it reached has no such address.
    NotOurs,
}

impl LostReason {
    /// A word or two for people: `host down`.
    pub const fn name(self) -> &'static str {
        match self {
            LostReason::HostDown => "host down",
            LostReason::LinkDown => "link down",
            LostReason::HostPaused => "host paused",
            LostReason::UnknownFlow => "unknown flow",
            LostReason::Partition => "partition",
            LostReason::Loss => "loss",
            LostReason::Dropped => "dropped",
            LostReason::Rejected => "rejected",
            LostReason::NoRoute => "no route",
            LostReason::Unreachable => "unreachable",
            LostReason::QueueFull => "queue full",
            LostReason::BacklogFull => "backlog full",
            LostReason::TooBig => "too big",
            LostReason::HopLimit => "hop limit",
            LostReason::Corrupt => "corrupt",
            LostReason::NotOurs => "not ours",
        }
    }
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A change in a process's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its program's name.
    pub process: Arc<str>,
    /// What happened to it.
    pub what: ProcessChange,
}

/// What happened to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProcessChange {
    /// The host's first program began.
    Start,
    /// It was forked by `parent`.
    Fork {
        /// The parent's process id.
        parent: u32,
    },
    /// It ended by itself.
    Exit {
        /// What it gave to `exit`.
        status: i32,
    },
    /// A signal ended it.
    Killed {
        /// `SIGKILL` …
        #[serde(deserialize_with = "interned")]
        signal: Name,
    },
    /// It ended and its parent has not waited for it yet.
    Zombie,
    /// Its parent (or init) has waited for it.
    Reaped,
}

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignalChange {
    /// A handler took it.
    Delivered,
    /// Nothing, as the process asked.
    Ignored,
    /// It waits, as it is blocked.
    Pending,
    /// Nothing more: one like it waits already, and signals do not queue (UNP 5.10).
    Merged,
    /// It ended the process.
    Killed,
    /// It stopped the process.
    Stopped,
    /// The process, which was stopped, goes on.
    Continued,
}

/// A line typed at a terminal, or printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Line {
    /// Process id.
    pub pid: u32,
    /// Its program's name.
    pub process: Arc<str>,
    /// Typed or printed where.
    pub stream: Stream,
    /// The text, without its newline.
    pub text: String,
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Typed.
    Stdin,
    /// Printed.
    Stdout,
    /// Complained.
    Stderr,
}

impl Stream {
    /// `stdin`, `stdout`, `stderr`.
    pub const fn name(self) -> &'static str {
        match self {
            Stream::Stdin => "stdin",
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// A process that is still alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waiting {
    /// On which host.
    pub host: Arc<str>,
    /// Its process id.
    pub pid: u32,
    /// Its program's name.
    pub process: Arc<str>,
    /// The system call it sleeps in.
    #[serde(deserialize_with = "interned")]
    pub call: Name,
    /// The book's function that made the call: `fgets`, `readline`, `str_echo`.
    #[serde(deserialize_with = "interned_option")]
    pub within: Option<Name>,
}

impl Waiting {
    /// What it sleeps in, as its program knows it.
    pub fn on(&self) -> &'static str {
        self.within.unwrap_or(self.call)
    }
}
