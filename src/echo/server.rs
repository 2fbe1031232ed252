//! The concurrent server: one child a connection (UNP fig. 5.2, completed as in fig. 5.12).

use std::net::SocketAddr;
use std::time::Duration;

use super::error::OrErrSys;
use super::str_echo;
use crate::errno::Errno;
use crate::os::{Family, Fd, Os, SocketOption};

/// LISTENQ: the backlog (unp.h).
const LISTENQ: usize = 1024;

/// What the server is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens; the book uses the wildcard address.
    pub listen: SocketAddr,
    /// SO_REUSEADDR, as ch. 7.5 recommends.
    pub reuse_addr: bool,
    /// Instead of echoing, waits so long and closes without having read.
    pub close_unread: Option<Duration>,
}

impl Server {
    /// The book's server at this address.
    pub const fn new(listen: SocketAddr) -> Server {
        Server { listen, reuse_addr: false, close_unread: None }
    }
}

/// Serves for ever. Ends only with an error, which it prints, and status 1.
pub async fn server<O: Os>(os: O, options: Server) -> i32 {
    let listenfd = os.socket(Family::of(options.listen)).or_err_sys(&os, "socket error").await;
    if options.reuse_addr {
        let reuse = SocketOption::ReuseAddr(true);
        os.setsockopt(listenfd, reuse).or_err_sys(&os, "setsockopt error").await;
    }
    os.bind(listenfd, options.listen).or_err_sys(&os, "bind error").await;
    os.listen(listenfd, LISTENQ).or_err_sys(&os, "listen error").await;
    loop {
        let (connfd, _) = match os.accept(listenfd).await {
            // A signal came (5.9), or the client has gone again (5.11; EPROTO on SVR4): there will be others.
            Err(Errno::EINTR | Errno::ECONNABORTED | Errno::EPROTO) => continue,
            result => result.or_err_sys(&os, "accept error").await,
        };
        let close_unread = options.close_unread;
        let child = os.fork(move |os| async move {
            // The parent's, not ours: an open copy would keep the port taken.
            os.close(listenfd).or_err_sys(&os, "close error").await;
            serve(&os, connfd, close_unread).await;
            0
        });
        child.or_err_sys(&os, "fork error").await;
        // The child's, not ours: an open copy would keep the connection from its FIN (4.8).
        os.close(connfd).or_err_sys(&os, "close error").await;
    }
}

async fn serve<O: Os>(os: &O, connfd: Fd, close_unread: Option<Duration>) {
    match close_unread {
        None => str_echo(os, connfd).await,
        Some(span) => os.sleep(span).await.or_err_sys(os, "sleep error").await,
    }
}
