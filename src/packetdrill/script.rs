//! A script, read.

use std::time::Duration;

use super::call::Call;
use super::tcp_option::TcpOption;
use crate::errno::Errno;
use crate::packet::{Flags, Unreachable};
use crate::scenario::IpVersion;

/// A script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(super) ip: IpVersion,
    /// Octets of the largest IP packet.
    pub(super) mtu: usize,
    pub(super) tolerance: Tolerance,
    /// Keys of the TCP profile and their values, in the order in which they are set.
    pub(super) settings: Vec<(String, String)>,
    pub(super) steps: Vec<Step>,
}

/// How far a time may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    /// `--tolerance_usecs`.
    pub(super) span: Duration,
    /// `--tolerance_percent`, of the time since the step before: 3.0 is three per cent.
    pub(super) percent: f64,
}

/// Something that is done, or has to happen.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    /// Its line in the file, from 1.
    pub(super) line: usize,
    /// As it is written.
    pub(super) text: String,
    pub(super) when: When,
    pub(super) what: What,
}

/// When a step is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// At that time.
    At(Moment),
    /// Between two times.
    Between(Moment, Moment),
    /// At any time.
    Any,
}

/// A time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moment {
    /// Since the start of the script.
    Absolute(Duration),
    /// Since the step before.
    Relative(Duration),
}

/// What a step is.
#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// A packet is injected.
    Inbound(Packet),
    /// A packet has to be sent.
    Outbound(Segment),
    /// A call is made.
    Call(Call, Returns),
}

/// What a call has to return.
#[derive(Debug, PartialEq)]
pub(super) struct Returns {
    /// The number; `None` is any.
    pub(super) value: Option<i64>,
    pub(super) errno: Option<Errno>,
    /// When it has to return, if it blocks.
    pub(super) at: Option<Moment>,
}

/// A packet that is injected.
#[derive(Debug, PartialEq)]
pub(super) enum Packet {
    Segment(Segment),
    /// An ICMP error about the segment with this sequence number.
    Icmp(Unreachable, u32),
}

/// A segment, in the script's numbers: each side's count from the initial one that its SYN has in the script.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    /// Where it is from and where it goes; `None` is the connection that the script is about.
    pub(super) ports: Option<(u16, u16)>,
    pub(super) flags: Flags,
    pub(super) seq: u32,
    /// Octets of data.
    pub(super) len: usize,
    pub(super) ack: Option<u32>,
    /// As it stands in the header; `None` is any, and 0 where it is sent.
    pub(super) win: Option<u16>,
    /// `None` is any.
    pub(super) options: Option<Vec<TcpOption>>,
}
