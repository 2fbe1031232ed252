//! The client (UNP fig. 5.4).

use std::net::SocketAddr;

use super::error::OrErrSys;
use super::{str_cli, str_cli_poll};
use crate::os::{Family, Os, SocketOption};

/// What the client is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whom it connects to.
    pub server: SocketAddr,
    /// Set on the socket before it connects.
    pub options: Vec<SocketOption>,
    /// How it waits for the terminal and the server.
    pub waits: Waits,
}

/// How the client waits for two things at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Not at all: it sits in `fgets` or in `readline` (fig. 5.5).
    InTurn,
    /// In `poll`, for whichever comes first; exits at the end of its input (fig. 6.9).
    Poll,
    /// In `poll`; at the end of its input it shuts the writing half down and reads on (fig. 6.13).
    PollThenShutdown,
}

impl Client {
    /// The book's client of this server.
    pub const fn new(server: SocketAddr) -> Client {
        Client { server, options: Vec::new(), waits: Waits::InTurn }
    }
}

/// Echoes standard input through the server to standard output. Status 0 at the end of the input; 1 after an
/// error, which it prints.
pub async fn client<O: Os>(os: O, command: Client) -> i32 {
    let sockfd = os.socket(Family::of(command.server)).or_err_sys(&os, "socket error").await;
    for option in command.options {
        os.setsockopt(sockfd, option).or_err_sys(&os, "setsockopt error").await;
    }
    os.connect(sockfd, command.server).await.or_err_sys(&os, "connect error").await;
    match command.waits {
        Waits::InTurn => str_cli(&os, sockfd).await,
        Waits::Poll => str_cli_poll(&os, sockfd, false).await,
        Waits::PollThenShutdown => str_cli_poll(&os, sockfd, true).await,
    }
    0
}
