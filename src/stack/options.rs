//! Socket options, under the names of `socket(7)` and `tcp(7)`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::timeline::OptionValue;

/// One option and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOption {
    /// TCP_NODELAY: Nagle's algorithm is off.
    NoDelay(bool),
    /// SO_REUSEADDR: bind to a port whose old connections still linger.
    ReuseAddr(bool),
    /// SO_REUSEPORT: several listen on one port.
    ReusePort(bool),
    /// SO_KEEPALIVE.
    KeepAlive(bool),
    /// TCP_KEEPIDLE: silence before the first probe.
    KeepIdle(Duration),
    /// TCP_KEEPINTVL: between probes.
    KeepInterval(Duration),
    /// TCP_KEEPCNT: probes without an answer.
    KeepCount(u32),
    /// TCP_USER_TIMEOUT: how long data may stay without acknowledgment (RFC 5482); zero is the default.
    UserTimeout(Duration),
    /// SO_LINGER: zero makes `close` send a reset; any other time is not waited for.
    Linger(Option<Duration>),
    /// SO_RCVTIMEO: how long a call waits for something to come; zero is however long.
    ReceiveTimeout(Duration),
    /// SO_SNDTIMEO: how long a call waits for room to write, and `connect` for an answer; zero is however long.
    SendTimeout(Duration),
    /// SO_SNDBUF: octets that may wait to be sent and acknowledged, of connections made from now on.
    SendBuffer(usize),
    /// SO_RCVBUF: octets that may wait to be read, of connections made from now on.
    ReceiveBuffer(usize),
    /// IP_TTL, IPV6_UNICAST_HOPS.
    HopLimit(u8),
    /// TCP_MAXSEG: octets of data of the largest segment, either way, of connections made from now on.
    MaxSegment(u16),
    /// TCP_CORK: what does not fill a segment waits until the option is off again, but no longer than a timeout.
    Cork(bool),
    /// TCP_SYNCNT: retransmissions of a SYN before `connect` fails.
    SynCount(u8),
    /// TCP_LINGER2: how long FIN_WAIT_2 lasts without a process; `None` is not at all, zero is the system's.
    Linger2(Option<Duration>),
    /// TCP_DEFER_ACCEPT: a connection is for `accept` when data have come, or about so much later; zero is at once.
    DeferAccept(Duration),
    /// TCP_NOTSENT_LOWAT: octets that may be written and not yet sent.
    NotSentLowat(u32),
}

/// What TCP_MAXSEG may be: from TCP_MIN_MSS to half of the largest window without a scale.
const MAX_SEGMENT: RangeInclusive<u16> = 88..=32_767;

/// The most that TCP_SYNCNT may be (MAX_TCP_SYNCNT).
const MOST_SYNS: u8 = 127;

/// FIN_WAIT_2 lasts no longer, whatever TCP_LINGER2 says (TCP_FIN_TIMEOUT_MAX).
const LONGEST_LINGER2: Duration = Duration::from_secs(120);

impl SocketOption {
    /// Its level, its name and its value, as `setsockopt` takes them.
    pub(crate) fn posix(self) -> (&'static str, &'static str, OptionValue) {
        let int = |value: u64| OptionValue::Int(i64::try_from(value).unwrap_or(i64::MAX));
        match self {
            SocketOption::NoDelay(on) => ("SOL_TCP", "TCP_NODELAY", int(on.into())),
            SocketOption::ReuseAddr(on) => ("SOL_SOCKET", "SO_REUSEADDR", int(on.into())),
            SocketOption::ReusePort(on) => ("SOL_SOCKET", "SO_REUSEPORT", int(on.into())),
            SocketOption::KeepAlive(on) => ("SOL_SOCKET", "SO_KEEPALIVE", int(on.into())),
            SocketOption::KeepIdle(span) => ("SOL_TCP", "TCP_KEEPIDLE", int(span.as_secs())),
            SocketOption::KeepInterval(span) => ("SOL_TCP", "TCP_KEEPINTVL", int(span.as_secs())),
            SocketOption::KeepCount(count) => ("SOL_TCP", "TCP_KEEPCNT", int(count.into())),
            SocketOption::UserTimeout(span) => ("SOL_TCP", "TCP_USER_TIMEOUT", int(span.as_millis() as u64)),
            SocketOption::Linger(span) => {
                ("SOL_SOCKET", "SO_LINGER", OptionValue::Linger(span.map(|span| span.as_secs())))
            }
            SocketOption::ReceiveTimeout(span) => ("SOL_SOCKET", "SO_RCVTIMEO", OptionValue::Time(span)),
            SocketOption::SendTimeout(span) => ("SOL_SOCKET", "SO_SNDTIMEO", OptionValue::Time(span)),
            SocketOption::SendBuffer(size) => ("SOL_SOCKET", "SO_SNDBUF", int(size as u64)),
            SocketOption::ReceiveBuffer(size) => ("SOL_SOCKET", "SO_RCVBUF", int(size as u64)),
            SocketOption::HopLimit(hops) => ("SOL_IP", "IP_TTL", int(hops.into())),
            SocketOption::MaxSegment(octets) => ("SOL_TCP", "TCP_MAXSEG", int(octets.into())),
            SocketOption::Cork(on) => ("SOL_TCP", "TCP_CORK", int(on.into())),
            SocketOption::SynCount(count) => ("SOL_TCP", "TCP_SYNCNT", int(count.into())),
            SocketOption::Linger2(span) => {
                ("SOL_TCP", "TCP_LINGER2", span.map_or(OptionValue::Int(-1), |span| int(span.as_secs())))
            }
            SocketOption::DeferAccept(span) => ("SOL_TCP", "TCP_DEFER_ACCEPT", int(span.as_secs())),
            SocketOption::NotSentLowat(octets) => ("SOL_TCP", "TCP_NOTSENT_LOWAT", int(octets.into())),
        }
    }

    /// The option that `setsockopt` means by a name and a number, in the unit that it takes; `None` if there is none, or it has
    /// no such value.
    #[cfg(feature = "cli")]
    pub(crate) fn from_posix(name: &str, value: i64) -> Option<SocketOption> {
        let count = u32::try_from(value);
        let seconds = || Some(Duration::from_secs(count.ok()?.into()));
        let on = value != 0;
        Some(match name {
            "SO_REUSEADDR" => SocketOption::ReuseAddr(on),
            "SO_REUSEPORT" => SocketOption::ReusePort(on),
            "SO_KEEPALIVE" => SocketOption::KeepAlive(on),
            "SO_SNDBUF" => SocketOption::SendBuffer(count.ok()? as usize),
            "SO_RCVBUF" => SocketOption::ReceiveBuffer(count.ok()? as usize),
            "TCP_NODELAY" => SocketOption::NoDelay(on),
            "TCP_KEEPIDLE" => SocketOption::KeepIdle(seconds()?),
            "TCP_KEEPINTVL" => SocketOption::KeepInterval(seconds()?),
            "TCP_KEEPCNT" => SocketOption::KeepCount(count.ok()?),
            "TCP_USER_TIMEOUT" => SocketOption::UserTimeout(Duration::from_millis(count.ok()?.into())),
            "TCP_MAXSEG" => SocketOption::MaxSegment(value.try_into().ok()?),
            "TCP_CORK" => SocketOption::Cork(on),
            "TCP_SYNCNT" => SocketOption::SynCount(value.try_into().ok()?),
            "TCP_LINGER2" if value < 0 => SocketOption::Linger2(None),
            "TCP_LINGER2" => SocketOption::Linger2(Some(seconds()?)),
            "TCP_DEFER_ACCEPT" => SocketOption::DeferAccept(seconds()?),
            "TCP_NOTSENT_LOWAT" => SocketOption::NotSentLowat(count.ok()?),
            "IP_TTL" | "IPV6_UNICAST_HOPS" => SocketOption::HopLimit(value.try_into().ok()?),
            _ => return None,
        })
    }

    /// Whether only Linux has it, as it is here.
    pub(super) fn is_of_linux(self) -> bool {
        use SocketOption::{Cork, DeferAccept, Linger2, MaxSegment, NotSentLowat, SynCount};
        matches!(self, MaxSegment(_) | Cork(_) | SynCount(_) | Linger2(_) | DeferAccept(_) | NotSentLowat(_))
    }

    /// Whether a kernel takes the value.
    pub(super) fn is_in_range(self) -> bool {
        match self {
            SocketOption::MaxSegment(octets) => octets == 0 || MAX_SEGMENT.contains(&octets),
            SocketOption::SynCount(count) => (1..=MOST_SYNS).contains(&count),
            _ => true,
        }
    }
}

/// The options of a socket; a connection that is accepted inherits its listener's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// TCP_NODELAY.
    pub no_delay: bool,
    /// SO_REUSEADDR.
    pub reuse_addr: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// SO_KEEPALIVE.
    pub keepalive: bool,
    /// TCP_KEEPIDLE; `None` is the profile's.
    pub keep_idle: Option<Duration>,
    /// TCP_KEEPINTVL; `None` is the profile's.
    pub keep_interval: Option<Duration>,
    /// TCP_KEEPCNT; `None` is the profile's.
    pub keep_count: Option<u32>,
    /// TCP_USER_TIMEOUT; `None` is the profile's give-up time.
    pub user_timeout: Option<Duration>,
    /// SO_LINGER.
    pub linger: Option<Duration>,
    /// SO_RCVTIMEO.
    pub receive_timeout: Option<Duration>,
    /// SO_SNDTIMEO.
    pub send_timeout: Option<Duration>,
    /// SO_SNDBUF, in octets; `None` is the profile's.
    pub send_buffer: Option<usize>,
    /// SO_RCVBUF, in octets; `None` is the profile's.
    pub receive_buffer: Option<usize>,
    /// IP_TTL, IPV6_UNICAST_HOPS.
    pub hop_limit: u8,
    /// TCP_MAXSEG; `None` is the link's.
    pub max_segment: Option<u16>,
    /// TCP_CORK.
    pub cork: bool,
    /// TCP_SYNCNT; `None` is the profile's.
    pub syn_count: Option<u8>,
    /// TCP_LINGER2; the outer `None` is the profile's, the inner one no FIN_WAIT_2 at all.
    pub linger2: Option<Option<Duration>>,
    /// TCP_DEFER_ACCEPT.
    pub defer_accept: Option<Duration>,
    /// TCP_NOTSENT_LOWAT; `None` is no bound.
    pub not_sent_lowat: Option<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            no_delay: false,
            reuse_addr: false,
            reuse_port: false,
            keepalive: false,
            keep_idle: None,
            keep_interval: None,
            keep_count: None,
            user_timeout: None,
            linger: None,
            receive_timeout: None,
            send_timeout: None,
            send_buffer: None,
            receive_buffer: None,
            hop_limit: 64,
            max_segment: None,
            cork: false,
            syn_count: None,
            linger2: None,
            defer_accept: None,
            not_sent_lowat: None,
        }
    }
}

impl Options {
    pub(super) fn set(&mut self, option: SocketOption) {
        match option {
            SocketOption::NoDelay(on) => self.no_delay = on,
            SocketOption::ReuseAddr(on) => self.reuse_addr = on,
            SocketOption::ReusePort(on) => self.reuse_port = on,
            SocketOption::KeepAlive(on) => self.keepalive = on,
            SocketOption::KeepIdle(idle) => self.keep_idle = Some(idle),
            SocketOption::KeepInterval(interval) => self.keep_interval = Some(interval),
            SocketOption::KeepCount(count) => self.keep_count = Some(count),
            SocketOption::UserTimeout(timeout) => {
                self.user_timeout = (!timeout.is_zero()).then_some(timeout);
            }
            SocketOption::Linger(linger) => self.linger = linger,
            SocketOption::ReceiveTimeout(span) => self.receive_timeout = (!span.is_zero()).then_some(span),
            SocketOption::SendTimeout(span) => self.send_timeout = (!span.is_zero()).then_some(span),
            SocketOption::SendBuffer(octets) => self.send_buffer = Some(octets.clamp(256, 1 << 24)),
            SocketOption::ReceiveBuffer(octets) => self.receive_buffer = Some(octets.clamp(256, 1 << 24)),
            SocketOption::HopLimit(hops) => self.hop_limit = hops.max(1),
            SocketOption::MaxSegment(octets) => self.max_segment = (octets > 0).then_some(octets),
            SocketOption::Cork(on) => self.cork = on,
            SocketOption::SynCount(count) => self.syn_count = Some(count),
            SocketOption::Linger2(span) => {
                let span = span.map(|span| span.min(LONGEST_LINGER2));
                self.linger2 = (span != Some(Duration::ZERO)).then_some(span);
            }
            SocketOption::DeferAccept(span) => self.defer_accept = (!span.is_zero()).then_some(span),
            SocketOption::NotSentLowat(octets) => self.not_sent_lowat = (octets > 0).then_some(octets),
        }
    }
}
