//! The concurrent server: one child a connection (UNP fig. 5.2, completed as in fig. 5.12).

use std::net::SocketAddr;
use std::time::Duration;

use super::addresses::{show_connection, show_listener};
use super::error::OrErrSys;
use super::proxy::{self, Proxy};
pub use super::signals::Reap;
use super::signals::{catch_sigchld, catch_sigterm};
use super::{str_echo, str_push, sum};
use crate::errno::Errno;
use crate::os::{Family, Fd, MaskHow, Os, Signal, SignalSet, SocketOption};

/// LISTENQ: the backlog (unp.h).
const LISTENQ: usize = 1024;

/// What the server is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens; the book uses the wildcard address.
    pub listen: SocketAddr,
    /// What its children do.
    pub service: Service,
    /// Options of the listening socket, which its connections inherit.
    pub options: Vec<SocketOption>,
    /// The backlog: how many connections wait for `accept`.
    pub backlog: usize,
    /// Octets of each `write` of an echo; `None` is all there are.
    pub write_size: Option<usize>,
    /// How busy it is before its first `accept` (ch. 5.11).
    pub accept_after: Option<Duration>,
    /// How busy each child is before its first `read`.
    pub read_after: Option<Duration>,
    /// How long it is busy after each `fork` with SIGCHLD blocked (ch. 5.8).
    pub masks_for: Option<Duration>,
    /// What it does about SIGCHLD.
    pub reap: Reap,
    /// Whether its SIGCHLD handler has SA_RESTART.
    pub restarts: bool,
    /// Whether an `accept` that fails with `EINTR` is called again (ch. 5.9).
    pub expects_eintr: bool,
    /// Whether it catches SIGTERM and goes on (ch. 5.16).
    pub catches_sigterm: bool,
    /// Which `close` is missing (ch. 4.8).
    pub forgets: Option<Forgotten>,
    /// Whether parent and child print the ends of each connection (ch. 5.17).
    pub shows_addresses: bool,
}

/// What a server's children do for their clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `str_echo`: send back what comes (fig. 5.3).
    Echo,
    /// Close without having read.
    CloseUnread,
    /// Write a line every so often, unasked, and so many of them; `None` is for ever.
    Push {
        /// How often.
        every: Duration,
        /// How many.
        lines: Option<u64>,
    },
    /// Pass on what comes to a server behind, and what that answers back.
    Proxy(Proxy),
    /// Add two numbers in a line of text (fig. 5.17).
    SumText,
    /// Add two numbers in a structure (fig. 5.20).
    SumBinary,
}

/// A descriptor that is not closed where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// The parent keeps the connected socket of every child.
    Connfd,
    /// The children keep the listening socket.
    Listenfd,
}

impl Server {
    /// The book's server at this address.
    pub const fn new(listen: SocketAddr, service: Service) -> Server {
        Server {
            listen,
            service,
            options: Vec::new(),
            backlog: LISTENQ,
            write_size: None,
            accept_after: None,
            read_after: None,
            masks_for: None,
            reap: Reap::None,
            restarts: true,
            expects_eintr: true,
            catches_sigterm: false,
            forgets: None,
            shows_addresses: false,
        }
    }
}

/// Serves for ever. Ends only with an error, which it prints, and status 1.
pub async fn server<O: Os>(os: O, options: Server) -> i32 {
    let listenfd = os.socket(Family::of(options.listen)).or_err_sys(&os, "socket error").await;
    for option in &options.options {
        os.setsockopt(listenfd, *option).or_err_sys(&os, "setsockopt error").await;
    }
    os.bind(listenfd, options.listen).or_err_sys(&os, "bind error").await;
    os.listen(listenfd, options.backlog).or_err_sys(&os, "listen error").await;
    if options.shows_addresses {
        show_listener(&os, listenfd).await;
    }
    catch_sigchld(&os, options.reap, options.restarts).await;
    if options.catches_sigterm {
        catch_sigterm(&os).await;
    }
    sleep(&os, options.accept_after).await;
    loop {
        let connfd = match os.accept(listenfd).await {
            // A signal came (5.9): there will be clients yet.
            Err(Errno::EINTR) if options.expects_eintr => continue,
            // This one has gone again (5.11; EPROTO on SVR4): there will be others.
            Err(Errno::ECONNABORTED | Errno::EPROTO) => continue,
            result => result.or_err_sys(&os, "accept error").await.0,
        };
        if options.shows_addresses {
            show_connection(&os, "parent", connfd).await;
        }
        let told = options.clone();
        let child = os.fork(move |os| async move {
            if told.forgets != Some(Forgotten::Listenfd) {
                // The parent's, not ours: an open copy would keep the port taken.
                os.close(listenfd).or_err_sys(&os, "close error").await;
            }
            serve(&os, connfd, &told).await;
            0
        });
        child.or_err_sys(&os, "fork error").await;
        if options.forgets != Some(Forgotten::Connfd) {
            // The child's, not ours: an open copy would keep the connection from its FIN (4.8).
            os.close(connfd).or_err_sys(&os, "close error").await;
        }
        if let Some(span) = options.masks_for {
            let sigchld = SignalSet::EMPTY.with(Signal::SIGCHLD);
            let before =
                os.sigprocmask(MaskHow::Block, sigchld).await.or_err_sys(&os, "sigprocmask error").await;
            sleep(&os, Some(span)).await;
            os.sigprocmask(MaskHow::SetMask, before).await.or_err_sys(&os, "sigprocmask error").await;
        }
    }
}

async fn serve<O: Os>(os: &O, connfd: Fd, options: &Server) {
    if options.shows_addresses {
        show_connection(os, "child", connfd).await;
    }
    sleep(os, options.read_after).await;
    match options.service {
        Service::Echo => str_echo(os, connfd, options.write_size).await,
        Service::CloseUnread => {}
        Service::Push { every, lines } => str_push(os, connfd, every, lines).await,
        Service::Proxy(proxy) => proxy::serve(os, connfd, proxy, &options.options).await,
        Service::SumText => sum::serve_text(os, connfd).await,
        Service::SumBinary => sum::serve_binary(os, connfd).await,
    }
}

/// Busy with something else, from which no signal keeps it.
async fn sleep<O: Os>(os: &O, span: Option<Duration>) {
    let Some(span) = span else { return };
    match os.sleep(span).await {
        Err(Errno::EINTR) => {}
        result => result.or_err_sys(os, "sleep error").await,
    }
}
