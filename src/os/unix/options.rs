//! Socket options, as the kernel takes them.

use std::os::fd::AsFd;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;

use super::errors::{errno, io_errno};
use crate::os::{Errno, SocketOption};

pub(crate) fn set(socket: &impl AsFd, option: SocketOption) -> Result<(), Errno> {
    let fd = socket.as_fd();
    let socket = SockRef::from(&fd);
    match option {
        SocketOption::NoDelay(on) => socket.set_tcp_nodelay(on),
        SocketOption::ReuseAddr(on) => socket.set_reuse_address(on),
        SocketOption::KeepAlive(on) => socket.set_keepalive(on),
        SocketOption::KeepIdle(span) => return keep_idle(&fd, seconds(span)),
        SocketOption::KeepInterval(span) => {
            return setsockopt(&fd, sockopt::TcpKeepInterval, &seconds(span)).map_err(errno);
        }
        SocketOption::KeepCount(count) => {
            return setsockopt(&fd, sockopt::TcpKeepCount, &count).map_err(errno);
        }
        SocketOption::UserTimeout(span) => return user_timeout(&socket, span),
        SocketOption::Linger(span) => socket.set_linger(span),
        SocketOption::ReceiveTimeout(span) => socket.set_read_timeout((!span.is_zero()).then_some(span)),
        SocketOption::SendTimeout(span) => socket.set_write_timeout((!span.is_zero()).then_some(span)),
        SocketOption::ReusePort(on) => return setsockopt(&fd, sockopt::ReusePort, &on).map_err(errno),
        SocketOption::SendBuffer(octets) => socket.set_send_buffer_size(octets),
        SocketOption::ReceiveBuffer(octets) => socket.set_recv_buffer_size(octets),
        SocketOption::HopLimit(hops) => match socket.local_addr() {
            Ok(addr) if addr.is_ipv6() => socket.set_unicast_hops_v6(hops.into()),
            _ => socket.set_ttl_v4(hops.into()),
        },
        SocketOption::MaxSegment(_)
        | SocketOption::Cork(_)
        | SocketOption::SynCount(_)
        | SocketOption::Linger2(_)
        | SocketOption::DeferAccept(_)
        | SocketOption::NotSentLowat(_) => return set_of_linux(&socket, option),
    }
    .map_err(|error| io_errno(&error))
}

/// Whole seconds, at least one: the kernel knows no less.
fn seconds(span: Duration) -> u32 {
    let whole = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).max(1)
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
fn keep_idle(fd: &impl AsFd, seconds: u32) -> Result<(), Errno> {
    setsockopt(fd, sockopt::TcpKeepIdle, &seconds).map_err(errno)
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn keep_idle(fd: &impl AsFd, seconds: u32) -> Result<(), Errno> {
    setsockopt(fd, sockopt::TcpKeepAlive, &seconds).map_err(errno)
}

/// Those of `tcp(7)` that Linux alone has, as it is simulated.
#[cfg(target_os = "linux")]
fn set_of_linux(socket: &SockRef<'_>, option: SocketOption) -> Result<(), Errno> {
    use nix::libc;
    let seconds = |span: Duration| i32::try_from(span.as_secs()).unwrap_or(i32::MAX);
    // No crate sets these.
    let number = |name, value| super::raw::set_tcp_option(socket.as_fd(), name, value).map_err(errno);
    match option {
        SocketOption::SynCount(count) => return number(libc::TCP_SYNCNT, count.into()),
        SocketOption::Linger2(span) => return number(libc::TCP_LINGER2, span.map_or(-1, seconds)),
        SocketOption::DeferAccept(span) => return number(libc::TCP_DEFER_ACCEPT, seconds(span)),
        SocketOption::MaxSegment(octets) => socket.set_tcp_mss(octets.into()),
        SocketOption::Cork(on) => socket.set_tcp_cork(on),
        SocketOption::NotSentLowat(octets) => socket.set_tcp_notsent_lowat(octets),
        _ => return Err(Errno::ENOPROTOOPT),
    }
    .map_err(|error| io_errno(&error))
}

#[cfg(not(target_os = "linux"))]
fn set_of_linux(_: &SockRef<'_>, _: SocketOption) -> Result<(), Errno> {
    Err(Errno::ENOPROTOOPT)
}

#[cfg(target_os = "linux")]
fn user_timeout(socket: &SockRef<'_>, span: Duration) -> Result<(), Errno> {
    let span = (!span.is_zero()).then_some(span);
    socket.set_tcp_user_timeout(span).map_err(|error| io_errno(&error))
}

#[cfg(not(target_os = "linux"))]
fn user_timeout(_: &SockRef<'_>, _: Duration) -> Result<(), Errno> {
    Err(Errno::ENOPROTOOPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_counts_whole_seconds_and_never_none() {
        assert_eq!(seconds(Duration::from_millis(1_500)), 2);
        assert_eq!(seconds(Duration::ZERO), 1);
    }
}
