//! The client (UNP fig. 5.4), and the one with five connections (fig. 5.9).

use std::net::SocketAddr;

use super::addresses::show_connection;
use super::error::OrErrSys;
use super::str_cli::Answer;
use super::{str_cli, str_cli_poll, sum};
use crate::os::{Action, Family, Fd, Os, Signal, SocketOption};

/// What the client is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whom it connects to.
    pub server: SocketAddr,
    /// Set on each socket before it connects.
    pub options: Vec<SocketOption>,
    /// How it talks with the server.
    pub session: Session,
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
    /// Two numbers a line, in text (ch. 5.18).
    SumText,
    /// Two numbers a line, sent as a structure (fig. 5.19).
    SumBinary,
}

impl Client {
    /// The book's client of this server.
    pub const fn new(server: SocketAddr, session: Session) -> Client {
        Client {
            server,
            options: Vec::new(),
            session,
            connections: 1,
            ignores_sigpipe: false,
            shows_addresses: false,
        }
    }
}

/// Talks between standard input and output and the server. Status 0 at the end of the input; 1 after an error,
/// which it prints.
pub async fn client<O: Os>(os: O, command: Client) -> i32 {
    if command.ignores_sigpipe {
        os.sigaction(Signal::SIGPIPE, Action::IGNORE).or_err_sys(&os, "sigaction error").await;
    }
    let sockfd = connected(&os, &command).await;
    for _ in 1..command.connections {
        // Open until it exits: then all end at once (ch. 5.10).
        connected(&os, &command).await;
    }
    if command.shows_addresses {
        show_connection(&os, "client", sockfd).await;
    }
    converse(&os, sockfd, command.session).await;
    0
}

/// Talks over a connection until the input or the server ends it.
pub async fn converse<O: Os>(os: &O, sockfd: Fd, session: Session) {
    match session {
        Session::InTurn => str_cli(os, sockfd, Answer::Needed).await,
        Session::Heedless => str_cli(os, sockfd, Answer::Ignored).await,
        Session::Poll => str_cli_poll(os, sockfd, false).await,
        Session::PollThenShutdown => str_cli_poll(os, sockfd, true).await,
        Session::SumText => sum::ask_text(os, sockfd).await,
        Session::SumBinary => sum::ask_binary(os, sockfd).await,
    }
}

async fn connected<O: Os>(os: &O, command: &Client) -> Fd {
    let sockfd = os.socket(Family::of(command.server)).or_err_sys(os, "socket error").await;
    for option in &command.options {
        os.setsockopt(sockfd, *option).or_err_sys(os, "setsockopt error").await;
    }
    os.connect(sockfd, command.server).await.or_err_sys(os, "connect error").await;
    sockfd
}
