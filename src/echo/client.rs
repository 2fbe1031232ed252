//! The client (UNP fig. 5.4), and the one with five connections (fig. 5.9).

use std::net::SocketAddr;
use std::time::Duration;

use super::addresses::show_connection;
use super::error::{Broken, OrErrSys, complain, err_quit};
use super::str_cli::{Answer, Typed};
use super::{str_cli, str_cli_poll, sum};
use crate::os::{Action, Errno, Family, Fd, Os, PollEvents, PollFd, Signal, SocketOption};

/// What the client is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whom it connects to.
    pub server: SocketAddr,
    /// Where it connects from; `None` leaves that to the system.
    pub bind: Option<SocketAddr>,
    /// Set on each socket before it connects.
    pub options: Vec<SocketOption>,
    /// How long `connect` may take (ch. 16.4); `None` is however long.
    pub connect_timeout: Option<Duration>,
    /// Whether it connects again when there is no connection any more, and how long it waits before.
    pub reconnect: Option<Reconnect>,
    /// How it talks with the server.
    pub session: Session,
    /// Octets of each `write`; `None` is all there are.
    pub write_size: Option<usize>,
    /// How many connections it opens; it talks over the first (fig. 5.9).
    pub connections: usize,
    /// Whether SIGPIPE does nothing (ch. 5.13).
    pub ignores_sigpipe: bool,
    /// Whether it prints both ends of its first connection (ch. 5.17).
    pub shows_addresses: bool,
}

/// How a client talks with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// One line after the other: it sits in `fgets` or in `readline` (fig. 5.5).
    InTurn,
    /// The same, and whatever the connection says it writes on (ch. 5.13).
    Heedless,
    /// In `poll`, for whichever comes first; exits at the end of its input (fig. 6.9).
    Poll,
    /// In `poll`; at the end of its input it shuts the writing half down and reads on (fig. 6.13).
    PollThenShutdown,
    /// Writes each line and reads nothing.
    CloseUnread,
    /// Two numbers a line, in text (ch. 5.18).
    SumText,
    /// Two numbers a line, sent as a structure (fig. 5.19).
    SumBinary,
}

/// How long a client waits before it connects again: twice as long each time, until it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// At first.
    pub first: Duration,
    /// At the most.
    pub most: Duration,
}

impl Client {
    /// The book's client of this server.
    pub const fn new(server: SocketAddr, session: Session) -> Client {
        Client {
            server,
            bind: None,
            options: Vec::new(),
            connect_timeout: None,
            reconnect: None,
            session,
            write_size: None,
            connections: 1,
            ignores_sigpipe: false,
            shows_addresses: false,
        }
    }
}

/// Talks between standard input and output and the server. Status 0 at the end of the input; 1 after an error,
/// which it prints, unless it is to connect again.
pub async fn client<O: Os>(os: O, command: Client) -> i32 {
    if command.ignores_sigpipe {
        os.sigaction(Signal::SIGPIPE, Action::IGNORE).or_err_sys(&os, "sigaction error").await;
    }
    let mut typed = Typed::new();
    let mut wait = None;
    loop {
        let broken = match connected(&os, &command).await {
            Ok(sockfd) => {
                wait = None;
                for _ in 1..command.connections {
                    // Open until it exits: then all end at once (ch. 5.10).
                    if let Err(broken) = connected(&os, &command).await {
                        err_quit(&os, &broken.to_string()).await;
                    }
                }
                if command.shows_addresses {
                    show_connection(&os, "client", sockfd).await;
                }
                let Err(broken) =
                    converse(&os, sockfd, command.session, command.write_size, &mut typed).await
                else {
                    return 0;
                };
                if command.reconnect.is_some() {
                    os.close(sockfd).or_err_sys(&os, "close error").await;
                }
                broken
            }
            Err(broken) => broken,
        };
        let Some(Reconnect { first, most }) = command.reconnect else {
            err_quit(&os, &broken.to_string()).await
        };
        complain(&os, &broken.to_string()).await;
        let span = wait.map_or(first, |before: Duration| (before * 2).min(most));
        wait = Some(span);
        os.sleep(span).await.or_err_sys(&os, "sleep error").await;
    }
}

/// Talks over a connection until the input or the server ends it; writes `size` octets at a time, or all there are.
///
/// # Errors
///
/// Why the connection is of no more use.
pub async fn converse<O: Os>(
    os: &O,
    sockfd: Fd,
    session: Session,
    size: Option<usize>,
    typed: &mut Typed,
) -> Result<(), Broken> {
    match session {
        Session::InTurn => str_cli(os, sockfd, typed, Answer::Needed, size).await,
        Session::Heedless => str_cli(os, sockfd, typed, Answer::Ignored, size).await,
        Session::Poll => str_cli_poll(os, sockfd, false, size).await,
        Session::PollThenShutdown => str_cli_poll(os, sockfd, true, size).await,
        Session::CloseUnread => str_cli(os, sockfd, typed, Answer::Unread, size).await,
        Session::SumText => sum::ask_text(os, sockfd, typed).await,
        Session::SumBinary => sum::ask_binary(os, sockfd, typed).await,
    }
}

async fn connected<O: Os>(os: &O, command: &Client) -> Result<Fd, Broken> {
    let sockfd = os.socket(Family::of(command.server)).or_err_sys(os, "socket error").await;
    for option in &command.options {
        os.setsockopt(sockfd, *option).or_err_sys(os, "setsockopt error").await;
    }
    if let Some(addr) = command.bind {
        os.bind(sockfd, addr).or_err_sys(os, "bind error").await;
    }
    let connected = match command.connect_timeout {
        Some(span) => connect_nonb(os, sockfd, command.server, span).await,
        None => os.connect(sockfd, command.server).await,
    };
    if let Err(errno) = connected {
        if command.reconnect.is_some() {
            os.close(sockfd).or_err_sys(os, "close error").await;
        }
        return Err(Broken::by("connect error", errno));
    }
    Ok(sockfd)
}

/// A connect that takes so long at the most: it does not wait by itself, `poll` does (fig. 16.11, with `poll` for `select`).
async fn connect_nonb<O: Os>(os: &O, sockfd: Fd, server: SocketAddr, span: Duration) -> Result<(), Errno> {
    os.set_nonblocking(sockfd, true).or_err_sys(os, "fcntl error").await;
    match os.connect(sockfd, server).await {
        Err(Errno::EINPROGRESS) => {
            let mut fds = [PollFd::new(sockfd, PollEvents::OUT)];
            if os.poll(&mut fds, Some(span)).await.or_err_sys(os, "poll error").await == 0 {
                return Err(Errno::ETIMEDOUT);
            }
            if let Some(errno) = os.so_error(sockfd).or_err_sys(os, "getsockopt error").await {
                return Err(errno);
            }
        }
        result => result?,
    }
    os.set_nonblocking(sockfd, false).or_err_sys(os, "fcntl error").await;
    Ok(())
}
