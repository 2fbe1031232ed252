//! The options tokio leaves to the crate `socket2`, under `socket2`'s names.

use std::fmt;
use std::io;
use std::time::Duration;

use super::{TcpSocket, TcpStream};
use crate::errno::Errno;
use crate::net::socket::Socket;
use crate::stack::SocketOption;

/// A look at a socket's further options, `socket2::SockRef`.
///
/// ```no_run
/// use std::time::Duration;
/// use echosim::net::{SockRef, TcpKeepalive, TcpStream};
///
/// # async fn f() -> std::io::Result<()> {
/// let stream = TcpStream::connect("server:80").await?;
/// let idle = TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
/// SockRef::from(&stream).set_tcp_keepalive(&idle.with_retries(3))?;
/// # Ok(())
/// # }
/// ```
pub struct SockRef<'s> {
    socket: &'s Socket,
}

/// When keepalive probes are sent, `socket2::TcpKeepalive`. What is not set is the profile's: 2 h, 75 s, 9.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpKeepalive {
    time: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
}

impl TcpKeepalive {
    /// Nothing set.
    pub const fn new() -> TcpKeepalive {
        TcpKeepalive { time: None, interval: None, retries: None }
    }

    /// TCP_KEEPIDLE: silence before the first probe.
    pub const fn with_time(self, time: Duration) -> TcpKeepalive {
        TcpKeepalive { time: Some(time), ..self }
    }

    /// TCP_KEEPINTVL: between probes.
    pub const fn with_interval(self, interval: Duration) -> TcpKeepalive {
        TcpKeepalive { interval: Some(interval), ..self }
    }

    /// TCP_KEEPCNT: probes without an answer before the connection is given up.
    pub const fn with_retries(self, retries: u32) -> TcpKeepalive {
        TcpKeepalive { retries: Some(retries), ..self }
    }
}

/// Every one fails with ENETDOWN after the host has crashed.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
impl SockRef<'_> {
    /// SO_KEEPALIVE.
    pub fn keepalive(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.keepalive)
    }

    /// Sets SO_KEEPALIVE.
    pub fn set_keepalive(&self, keepalive: bool) -> io::Result<()> {
        self.socket.set(SocketOption::KeepAlive(keepalive))
    }

    /// Sets SO_KEEPALIVE, and the times that `params` has.
    pub fn set_tcp_keepalive(&self, params: &TcpKeepalive) -> io::Result<()> {
        let times = [
            params.time.map(SocketOption::KeepIdle),
            params.interval.map(SocketOption::KeepInterval),
            params.retries.map(SocketOption::KeepCount),
        ];
        times.into_iter().flatten().try_for_each(|option| self.socket.set(option))?;
        self.set_keepalive(true)
    }

    /// TCP_KEEPIDLE.
    pub fn tcp_keepalive_time(&self) -> io::Result<Duration> {
        self.socket.option(|options, profile| options.keep_idle.unwrap_or(profile.keepalive.idle))
    }

    /// TCP_KEEPINTVL.
    pub fn tcp_keepalive_interval(&self) -> io::Result<Duration> {
        self.socket.option(|options, profile| options.keep_interval.unwrap_or(profile.keepalive.interval))
    }

    /// TCP_KEEPCNT.
    pub fn tcp_keepalive_retries(&self) -> io::Result<u32> {
        self.socket.option(|options, profile| options.keep_count.unwrap_or(profile.keepalive.count))
    }

    /// TCP_USER_TIMEOUT: how long data may stay without acknowledgment (RFC 5482).
    pub fn tcp_user_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.option(|options, _| options.user_timeout)
    }

    /// Sets TCP_USER_TIMEOUT; `None` is the profile's give-up time.
    pub fn set_tcp_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set(SocketOption::UserTimeout(timeout.unwrap_or_default()))
    }

    /// Sets TCP_MAXSEG: octets of data of the largest segment, either way, of a connection that is made from now on.
    /// ENOPROTOOPT under other systems than Linux, EINVAL if it is not from 88 to 32 767.
    pub fn set_tcp_mss(&self, mss: u32) -> io::Result<()> {
        let mss = u16::try_from(mss).map_err(|_| io::Error::from_raw_os_error(Errno::EINVAL as i32))?;
        self.socket.set(SocketOption::MaxSegment(mss))
    }

    /// TCP_CORK: whether what does not fill a segment waits.
    pub fn tcp_cork(&self) -> io::Result<bool> {
        self.socket.option(|options, _| options.cork)
    }

    /// Sets TCP_CORK. ENOPROTOOPT under other systems than Linux.
    pub fn set_tcp_cork(&self, cork: bool) -> io::Result<()> {
        self.socket.set(SocketOption::Cork(cork))
    }

    /// TCP_NOTSENT_LOWAT: octets that may be written and not yet sent.
    pub fn tcp_notsent_lowat(&self) -> io::Result<u32> {
        self.socket.option(|options, _| options.not_sent_lowat.unwrap_or(0))
    }

    /// Sets TCP_NOTSENT_LOWAT; zero is no bound. ENOPROTOOPT under other systems than Linux.
    pub fn set_tcp_notsent_lowat(&self, lowat: u32) -> io::Result<()> {
        self.socket.set(SocketOption::NotSentLowat(lowat))
    }
}

impl<'s> From<&'s TcpStream> for SockRef<'s> {
    fn from(stream: &'s TcpStream) -> SockRef<'s> {
        SockRef { socket: stream.inner() }
    }
}

impl<'s> From<&'s TcpSocket> for SockRef<'s> {
    fn from(socket: &'s TcpSocket) -> SockRef<'s> {
        SockRef { socket: socket.inner() }
    }
}

impl fmt::Debug for SockRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SockRef").field("local_addr", &self.socket.local_addr().ok()).finish()
    }
}
