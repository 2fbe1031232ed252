//! How one system's TCP behaves where systems differ: data, never code.
//!
//! The stack asks its [`Profile`]; it never asks which system that is.

mod bsd;
mod congestion;
mod keys;
mod linux;
mod neighbours;
mod rfc;
mod wheel;

use std::ops::RangeInclusive;
use std::time::Duration;

pub use congestion::CongestionControl;
pub use neighbours::NeighbourRules;
pub use wheel::TimerWheel;

use crate::errno::Errno;
use crate::packet::Unreachable;

/// The systems whose TCP is modelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum System {
    /// The hosts of UNIX Network Programming vol. 1 (ch. 4, 5, 7): Berkeley timers, POSIX errors.
    #[default]
    Book,
    /// Linux 6.18, as measured.
    Linux,
    /// 4.4BSD-Lite2, where the book and the code part.
    Bsd,
    /// RFC 9293, 6298, 1122 and 5461 by the letter.
    Rfc,
}

impl System {
    /// Every system, in the order they are listed.
    pub const ALL: [System; 4] = [System::Book, System::Linux, System::Bsd, System::Rfc];

    /// Their names in a sentence, for a message about a word that is none of them.
    #[cfg(feature = "cli")]
    pub(crate) const NAMES: &str = "\"book\", \"linux\", \"bsd\" or \"rfc\"";

    /// The one whose kernel runs programs with `--real`.
    pub const REAL: System = System::Linux;

    /// The name on the command line: `book`, `linux`, `bsd`, `rfc`.
    pub const fn name(self) -> &'static str {
        match self {
            System::Book => "book",
            System::Linux => "linux",
            System::Bsd => "bsd",
            System::Rfc => "rfc",
        }
    }

    /// The system of this name.
    pub fn from_name(name: &str) -> Option<System> {
        System::ALL.into_iter().find(|system| system.name() == name)
    }
}

/// RFC 6335, 6.
const DYNAMIC_PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// Constants and switches of one system's TCP.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Whose they are.
    pub system: System,
    /// The retransmission timeout of data and FIN.
    pub rto: Rto,
    /// When retransmitting data ends.
    pub give_up: GiveUp,
    /// The same for a connection whose process is gone; `None` is as for data.
    pub orphan_give_up: Option<GiveUp>,
    /// What follows each SYN: a wait, then the next SYN; after the last wait `connect` fails.
    pub syn: SynWaits,
    /// The same for SYN-ACK.
    pub syn_ack: Vec<Duration>,
    /// A probe re-sends a lost tail one timeout after it, before the retransmission timer starts (RFC 8985, 7).
    pub tail_loss_probe: bool,
    /// How the system's timers are rounded, if they are.
    pub wheel: Option<TimerWheel>,
    /// Whether giving up data sends a reset.
    pub reset_on_give_up: bool,
    /// Whether giving up after keepalive probes sends a reset.
    pub reset_on_keepalive_give_up: bool,
    /// Keepalive's times, unless the socket sets its own.
    pub keepalive: Keepalive,
    /// Bounds of the time between window probes.
    pub persist: (Duration, Duration),
    /// What an ICMP error does.
    pub icmp: IcmpPolicy,
    /// How long acknowledgments wait for company.
    pub ack: AckPolicy,
    /// 2MSL.
    pub time_wait: Duration,
    /// How long a closed socket waits in FIN_WAIT_2; `None` is for ever.
    pub fin_wait_2: Option<Duration>,
    /// `close` answers unread data with a reset (RFC 1122, 4.2.2.13) instead of a FIN.
    pub reset_on_close_unread: bool,
    /// What becomes of a connection that is reset before `accept`.
    pub aborted_accept: AbortedAccept,
    /// A reset that follows the peer's FIN is not reported to `read`, which still says end of file.
    pub eof_hides_reset: bool,
    /// A `write` after a reset reports that reset's error first, if no call has; otherwise it is EPIPE
    /// at once.
    pub write_reports_reset: bool,
    /// How many connections a backlog holds.
    pub backlog: Backlog,
    /// The most that a backlog may be.
    pub somaxconn: usize,
    /// Where there is no room for another handshake, a SYN is answered by a cookie (RFC 4987).
    pub syn_cookies: bool,
    /// A connection that there is no room for when its handshake ends is reset.
    pub abort_on_overflow: bool,
    /// TCP_USER_TIMEOUT: the retransmission timer fires no later than it ends.
    pub user_timeout_clamps_timer: bool,
    /// Octets in each of a socket's two buffers, as if every socket set SO_SNDBUF and SO_RCVBUF. `None`: they begin and grow
    /// as [`send_memory`](Profile::send_memory) and [`receive_memory`](Profile::receive_memory) say.
    pub buffer: Option<usize>,
    /// How SO_SNDBUF and SO_RCVBUF are kept.
    pub buffer_sizes: BufferSizes,
    /// The ports that the host chooses from, where the program does not say (Linux: `ip_local_port_range`).
    pub ephemeral_ports: RangeInclusive<u16>,
    /// Whether two connections to different peers may have the same port of the host's choice, once none is left.
    pub shares_ephemeral_ports: bool,
    /// Whether SO_REUSEADDR has to be set on the socket that has the port, too.
    pub reuse_addr_of_both: bool,
    /// What `connect` says if there is a connection between these two addresses already.
    pub taken_pair: Errno,
    /// What is said of a host's own interface that is off.
    pub link_down: Errno,
    /// Whether a `connect` that a handler with SA_RESTART interrupted goes on (UNP 5.9).
    pub connect_restarts: bool,
    /// Whether SO_SNDTIMEO bounds `connect`: on Linux it does (socket(7)); "cannot be used to set a timeout for a connect" (UNP
    /// 14.2) holds elsewhere.
    pub connect_times_out: bool,
    /// What may be in flight before anything is acknowledged.
    pub initial_window: InitialWindow,
    /// Whose TCP it is.
    pub(crate) engine: Engine,
    /// How the congestion window grows. Under `linux` alone it is looked at; the others' is Reno's.
    pub congestion: CongestionControl,
    /// Whether segments carry timestamps (RFC 7323). Under `linux` alone they may.
    pub timestamps: bool,
    /// Octets of memory of a receive buffer (Linux: `tcp_rmem`), where it grows.
    pub receive_memory: SocketMemory,
    /// The same of a send buffer (Linux: `tcp_wmem`).
    pub send_memory: SocketMemory,
    /// How hosts of the same segment find each other.
    pub neighbours: NeighbourRules,
}

/// The implementations of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// smoltcp's, which a profile gives its timers.
    Smoltcp,
    /// One of a present-day kernel: SACK, RACK, CUBIC, buffers that grow.
    Native,
}

/// How much memory a socket's buffer has: data and the kernel's bookkeeping of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketMemory {
    /// At first.
    pub default: usize,
    /// At most, once it has grown.
    pub most: usize,
}

impl SocketMemory {
    /// Memory of a buffer that does not grow, as `setsockopt` of so many octets gives it.
    pub const fn fixed(octets: usize) -> SocketMemory {
        SocketMemory { default: octets * 2, most: octets * 2 }
    }
}

impl From<System> for Profile {
    fn from(system: System) -> Profile {
        Profile::of(system)
    }
}

/// How `setsockopt` keeps the size of a buffer, and `getsockopt` shows it (`socket(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferSizes {
    /// What is set is multiplied by this: Linux doubles it, for its own bookkeeping.
    pub factor: usize,
    /// The least that SO_SNDBUF and SO_RCVBUF are.
    pub least: (usize, usize),
    /// The most that may be set.
    pub most: usize,
}

impl BufferSizes {
    /// As they are set.
    pub const PLAIN: BufferSizes = BufferSizes { factor: 1, least: (256, 256), most: 1 << 24 };

    /// What `getsockopt` says of a SO_SNDBUF that was set to `octets`.
    pub(crate) fn send(&self, octets: usize) -> usize {
        (octets.min(self.most) * self.factor).max(self.least.0)
    }

    /// The same of a SO_RCVBUF.
    pub(crate) fn receive(&self, octets: usize) -> usize {
        (octets.min(self.most) * self.factor).max(self.least.1)
    }
}

/// How the retransmission timeout is computed (RFC 6298) and bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rto {
    /// Before a round trip is measured.
    pub initial: Duration,
    /// The least it may be; under `linux` the least of its variance term, as a kernel has it.
    pub min: Duration,
    /// The most that doubling may make of it.
    pub max: Duration,
}

/// When retransmitting ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// After so many retransmissions, when the timer fires once more.
    Retransmissions(u32),
    /// At the first firing after the time that so many ideal retransmissions would take: doubling from
    /// `rto_min` up to the ceiling, counted from the first retransmission (Linux's `tcp_retries2`).
    ModelledTime {
        /// How many.
        retransmissions: u32,
        /// The first interval of the model.
        rto_min: Duration,
    },
    /// At the first firing so long after the segment was first sent: R2 of RFC 1122 (4.2.3.5).
    After(Duration),
}

impl GiveUp {
    /// The number of retransmissions, where one decides.
    pub(crate) fn retransmissions(self) -> Option<u32> {
        match self {
            GiveUp::Retransmissions(count) | GiveUp::ModelledTime { retransmissions: count, .. } => {
                Some(count)
            }
            GiveUp::After(_) => None,
        }
    }
}

/// Keepalive (RFC 1122, 4.2.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keepalive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Between probes.
    pub interval: Duration,
    /// Probes without an answer before the connection is given up.
    pub count: u32,
}

/// The congestion window that a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitialWindow {
    /// In segments; `None` is two to four of them by their size, as RFC 5681 (3.1) has it.
    pub segments: Option<u32>,
    /// If the SYN, or SYN-ACK, is sent again more often than this, it is one segment.
    pub retransmissions: u32,
}

impl InitialWindow {
    /// One segment.
    pub const ONE: InitialWindow = InitialWindow { segments: Some(1), retransmissions: 0 };

    /// In packets, where the SYN was sent again so often.
    pub(crate) fn packets(self, retransmissions: u32) -> u32 {
        if retransmissions > self.retransmissions { 1 } else { self.segments.unwrap_or(3) }
    }

    /// In octets, where a segment has so many of data, and the SYN was sent again so often.
    pub(crate) fn octets(self, segment: usize, retransmissions: u32) -> usize {
        let by_size = match segment {
            ..=1_095 => 4,
            1_096..=2_190 => 3,
            _ => 2,
        };
        let segments = self.segments.unwrap_or(by_size);
        segment * if retransmissions > self.retransmissions { 1 } else { segments as usize }
    }
}

/// Delayed acknowledgment (RFC 1122, 4.2.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AckPolicy {
    /// How long an acknowledgment may wait.
    pub delay: Duration,
    /// TCP_QUICKACK is known: acknowledgments are sent at once at first, and wait where answers carry them (`tcp(7)`).
    pub quick: bool,
}

/// What ICMP errors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IcmpPolicy {
    /// Which are believed at all.
    pub belief: IcmpBelief,
    /// In SYN_SENT, by kind.
    pub syn_sent: IcmpRules,
    /// In the synchronized states, by kind.
    pub synchronized: IcmpRules,
    /// ICMPv6's errors have errnos of their own: EACCES if an administrator forbids it, EPROTO for an unknown protocol.
    pub errnos_of_v6: bool,
}

/// Which ICMP errors are believed, besides being about a connection that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IcmpBelief {
    /// All: address and port match.
    Any,
    /// The quoted sequence number is in flight (RFC 5927, 4.1).
    InFlight,
    /// That, or it is a keepalive probe's.
    InFlightOrProbe,
}

/// What each kind of ICMP error does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IcmpRules {
    /// Net, host unreachable, time exceeded.
    pub route: IcmpRule,
    /// Forbidden by an administrator.
    pub prohibited: IcmpRule,
    /// Protocol, port unreachable.
    pub endpoint: IcmpRule,
}

/// What an ICMP error does to a connection (RFC 1122, 4.2.3.9; RFC 5461).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpRule {
    /// Nothing.
    Ignore,
    /// It is kept, and reported when the connection is given up.
    Soft,
    /// It ends the connection.
    Hard,
}

/// What becomes of a connection that is reset while it waits for `accept` (ch. 5.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbortedAccept {
    /// `accept` fails with this.
    Fails(Errno),
    /// `accept` succeeds, and the first `read` fails.
    Succeeds,
    /// The process never hears of it.
    Hidden,
}

/// How long `connect` waits after each SYN.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SynWaits {
    /// So long after each; the last wait ends it.
    Each(Vec<Duration>),
    /// Linux: at an even pace at first (`tcp_syn_linear_timeouts`), then doubling.
    Linear {
        /// `tcp_syn_retries`: it is over at the first timer past the time that so many doublings would take.
        retries: u32,
    },
}

impl SynWaits {
    /// A wait after each SYN, where there are such.
    pub(crate) fn each(&self) -> &[Duration] {
        match self {
            SynWaits::Each(waits) => waits,
            SynWaits::Linear { .. } => &[],
        }
    }
}

/// How many connections a listening socket's backlog holds (ch. 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backlog {
    /// Berkeley's fudge factor: 3·backlog/2 + 1, completed and incomplete together.
    Berkeley,
    /// backlog + 1 completed, and as many incomplete ones.
    Linux,
    /// As many as it says.
    Exact,
}

impl Profile {
    /// The profile of a system.
    pub fn of(system: System) -> Profile {
        match system {
            System::Book => bsd::book(),
            System::Linux => linux::profile(),
            System::Bsd => bsd::profile(),
            System::Rfc => rfc::profile(),
        }
    }

    /// A span as this system's kernel keeps it.
    pub(crate) fn kept(&self, span: Duration) -> Duration {
        self.wheel.map_or(span, |wheel| wheel.whole(span))
    }

    /// What this system's kernel takes for the time between two moments.
    pub(crate) fn between(&self, since: crate::time::SimTime, now: crate::time::SimTime) -> Duration {
        self.wheel.map_or(now - since, |wheel| wheel.between(since, now))
    }

    /// The moment a timer set to `at` really fires.
    pub(crate) fn rounded(
        &self,
        now: crate::time::SimTime,
        at: crate::time::SimTime,
    ) -> crate::time::SimTime {
        match self.wheel {
            Some(wheel) => wheel.round(now, at),
            None => at,
        }
    }

    /// Octets of a buffer that is `set`, or that the profile sets; `None` if it grows.
    pub(crate) fn fixed_buffer(&self, set: Option<usize>) -> Option<usize> {
        set.or(self.buffer)
    }
}

impl IcmpRules {
    /// The rule for one kind; fragmentation needed is no error but advice (RFC 1191).
    pub(crate) fn rule(&self, what: Unreachable) -> IcmpRule {
        match what {
            Unreachable::Net | Unreachable::Host | Unreachable::TimeExceeded => self.route,
            Unreachable::Prohibited => self.prohibited,
            Unreachable::Protocol | Unreachable::Port => self.endpoint,
            Unreachable::FragmentationNeeded { .. } => IcmpRule::Ignore,
        }
    }
}

/// The errno of an ICMP error, as UNP's fig. A.15 has it, or with those of [`IcmpPolicy::errnos_of_v6`].
pub(crate) fn errno_of(what: Unreachable, of_v6: bool) -> Errno {
    match what {
        Unreachable::Prohibited if of_v6 => Errno::EACCES,
        Unreachable::Protocol if of_v6 => Errno::EPROTO,
        Unreachable::Net => Errno::ENETUNREACH,
        Unreachable::Host | Unreachable::Prohibited | Unreachable::TimeExceeded => Errno::EHOSTUNREACH,
        Unreachable::Protocol => Errno::ENOPROTOOPT,
        Unreachable::Port => Errno::ECONNREFUSED,
        Unreachable::FragmentationNeeded { .. } => Errno::EMSGSIZE,
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
