//! TCP, one connection at a time: the interface that a [`Stack`](super::Stack) uses, and what every TCP behind it
//! needs.
//!
//! The rules that a [`Profile`](super::Profile) parametrizes stand here once, free of any TCP's buffers: the
//! retransmission timeout and its back-off, keepalive, window probes, delayed acknowledgments, congestion control,
//! ICMP errors, and what a connection's end means to the process.

mod congestion;
mod context;
mod death;
mod delayed_ack;
mod icmp;
mod keepalive;
mod path;
mod persist;
mod retransmit;
mod rtt;
mod timer_table;
mod timers;

use bytes::Bytes;

pub(super) use congestion::Congestion;
pub(super) use context::{AcceptQueue, Context, Interface};
pub(super) use death::{Death, SoftError};
pub(super) use delayed_ack::delay_acknowledgment;
pub(super) use icmp::IcmpEffect;
pub(super) use path::{DEFAULT_MSS, Path};
pub(super) use retransmit::{Conditions, Retransmit};
pub(super) use rtt::RttEstimator;
pub(super) use timer_table::{Fired, Timer, TimerTable};
pub(super) use timers::Timers;

use super::info::SocketInfo;
use super::options::{Options, SocketOption};
use super::profile::Profile;
use crate::packet::{IcmpError, Segment};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// One connection's TCP (RFC 9293, 3.9): calls, segments, ICMP errors and time go in; what it sends goes into
/// [`Context::out`]; everything else that has come of it is its [`Status`].
///
/// Time never runs backwards, and no method waits. After any of them the caller looks at [`status`](Tcp::status)
/// again: it wakes the process if more can be read or written than before, and calls [`on_timeout`](Tcp::on_timeout)
/// at the new deadline. A connection that is dead only lets itself be read.
pub(super) trait Tcp: Send {
    /// SEND: queues as much of `data` as there is room for; `None` if nothing can be sent any more.
    fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Option<usize>;

    /// RECEIVE: copies what has come in order; with `peek` it stays in the queue.
    fn receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8], peek: bool) -> usize;

    /// CLOSE: a FIN after everything that was queued.
    fn close(&mut self, cx: &mut Context<'_>);

    /// ABORT: a reset, where the state asks for one, and the end.
    fn abort(&mut self, cx: &mut Context<'_>);

    /// The end, of which the peer is told nothing.
    fn forget(&mut self, cx: &mut Context<'_>);

    /// Whether anyone reads what arrives has changed.
    fn set_reader(&mut self, cx: &mut Context<'_>, reader: Reader);

    /// Sets an option.
    fn set_option(&mut self, cx: &mut Context<'_>, option: SocketOption);

    /// The options, as they were set or inherited.
    fn options(&self) -> &Options;

    /// TCP_QUICKACK: whether data is acknowledged at once.
    fn quick_ack(&self) -> bool;

    /// Sets TCP_QUICKACK, until the traffic says otherwise.
    fn set_quick_ack(&mut self, cx: &mut Context<'_>, quick: bool);

    /// A segment has arrived, in `packet`; whatever checks its checksums has done so.
    fn on_segment(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes);

    /// An ICMP error has arrived that quotes a segment between the connection's two ends.
    fn on_icmp(&mut self, cx: &mut Context<'_>, error: &IcmpError);

    /// The ICMP error that is remembered and has not ended the connection, where a process may ask for it; it is told once.
    fn take_soft_error(&mut self) -> Option<SoftError>;

    /// The deadline has come.
    fn on_timeout(&mut self, cx: &mut Context<'_>);

    /// STATUS: how the connection stands.
    fn status(&self) -> Status;

    /// STATUS as `ss -tino` shows it.
    fn info(&self, now: SimTime, profile: &Profile) -> SocketInfo;
}

/// How a connection stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status {
    /// RFC 9293's state; CLOSED once it is dead.
    pub(super) state: TcpState,
    /// Why it is over, if it is.
    pub(super) death: Option<Death>,
    /// Octets that have come in order and are not read.
    pub(super) unread: usize,
    /// Whether the peer's FIN has come, after all of its data.
    pub(super) fin_received: bool,
    /// Whether [`Tcp::send`] would take an octet.
    pub(super) can_send: bool,
    /// The moment at which [`Tcp::on_timeout`] has something to do.
    pub(super) deadline: Option<SimTime>,
}

/// Whether a process reads what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Not yet: the connection waits for `accept`.
    Awaited,
    /// It does.
    Reading,
    /// No more, though it has a descriptor: SHUT_RD.
    Stopped,
    /// The last descriptor is closed.
    Gone,
}

/// What a connection is made with.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// The socket's options, or those it inherits from its listener.
    pub(super) options: Options,
    /// Octets of the largest IP packet on the host's link.
    pub(super) mtu: usize,
    /// Seeds the initial sequence number.
    pub(super) seed: u64,
    /// Whether segments get their checksums here.
    pub(super) checksums: bool,
    /// Whether segments of one burst leave as one packet.
    pub(super) segmentation_offload: bool,
}
