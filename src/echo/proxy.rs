//! A proxy: two connections, and what comes over one goes out over the other.
//!
//! TCP ends each direction by itself (RFC 9293, 3.6; UNP 6.6). A proxy that takes the end of one for the end of both loses the
//! answers that were still to come.

use std::net::SocketAddr;

use super::MAXLINE;
use super::error::OrErrSys;
use super::lines::writen;
use super::str_cli_poll::read;
use crate::errno::Errno;
use crate::os::{Family, Fd, How, Os, PollEvents, PollFd, SocketOption};

/// What a proxy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The server behind it.
    pub server: SocketAddr,
    /// Whether it passes on the end of one direction, and the other goes on. If not, it closes both connections.
    pub half_close: bool,
}

/// Connects to the server behind, with the options that the client's connection has, and passes on what comes from either until
/// both have ended.
pub(super) async fn serve<O: Os>(os: &O, client: Fd, proxy: Proxy, options: &[SocketOption]) {
    let server = os.socket(Family::of(proxy.server)).or_err_sys(os, "socket error").await;
    for option in options {
        os.setsockopt(server, *option).or_err_sys(os, "setsockopt error").await;
    }
    os.connect(server, proxy.server).await.or_err_sys(os, "connect error").await;
    relay(&os.within("relay"), [client, server], proxy.half_close).await;
}

async fn relay<O: Os>(os: &O, ends: [Fd; 2], half_close: bool) {
    let mut fds = ends.map(|fd| PollFd::new(fd, PollEvents::IN));
    let mut buf = vec![0; MAXLINE];
    while fds.iter().any(|fd| fd.fd.as_raw() >= 0) {
        match os.poll(&mut fds, None).await {
            Err(Errno::EINTR) => continue,
            result => _ = result.or_err_sys(os, "poll error").await,
        }
        for (from, to) in [(0, 1), (1, 0)] {
            if fds[from].revents.is_empty() {
                continue;
            }
            match read(os, ends[from], &mut buf).await.or_err_sys(os, "relay: read error").await {
                0 if half_close => {
                    fds[from].fd = Fd::from_raw(-1);
                    match os.shutdown(ends[to], How::Write) {
                        // It has been reset meanwhile: the next read tells.
                        Err(Errno::ENOTCONN) => {}
                        result => result.or_err_sys(os, "shutdown error").await,
                    }
                }
                0 => return,
                len => {
                    let sent = writen(&os.within("writen"), ends[to], &buf[..len]).await;
                    sent.or_err_sys(os, "relay: writen error").await;
                }
            }
        }
    }
}
