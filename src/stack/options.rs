//! Socket options, under the names of `socket(7)` and `tcp(7)`.

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
    /// SO_SNDBUF: octets that may wait to be sent and acknowledged, of connections made from now on.
    SendBuffer(usize),
    /// SO_RCVBUF: octets that may wait to be read, of connections made from now on.
    ReceiveBuffer(usize),
    /// IP_TTL, IPV6_UNICAST_HOPS.
    HopLimit(u8),
}

impl SocketOption {
    /// Its level, its name and its value, as `setsockopt` takes them.
    pub(crate) fn posix(self) -> (&'static str, &'static str, OptionValue) {
        let int = OptionValue::Int;
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
            SocketOption::SendBuffer(size) => ("SOL_SOCKET", "SO_SNDBUF", int(size as u64)),
            SocketOption::ReceiveBuffer(size) => ("SOL_SOCKET", "SO_RCVBUF", int(size as u64)),
            SocketOption::HopLimit(hops) => ("SOL_IP", "IP_TTL", int(hops.into())),
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
    /// SO_SNDBUF, in octets; `None` is the profile's.
    pub send_buffer: Option<usize>,
    /// SO_RCVBUF, in octets; `None` is the profile's.
    pub receive_buffer: Option<usize>,
    /// IP_TTL, IPV6_UNICAST_HOPS.
    pub hop_limit: u8,
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
            send_buffer: None,
            receive_buffer: None,
            hop_limit: 64,
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
            SocketOption::SendBuffer(octets) => self.send_buffer = Some(octets.clamp(256, 1 << 24)),
            SocketOption::ReceiveBuffer(octets) => self.receive_buffer = Some(octets.clamp(256, 1 << 24)),
            SocketOption::HopLimit(hops) => self.hop_limit = hops.max(1),
        }
    }
}
