//! The server and the client alone on this machine's kernel: `echosim serve --real`, `echosim connect --real`.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `server`, `session` | the server that withstands whatever comes |
//! | [`log`] | a line on standard error for those who run a server |
//!
//! A server forks, so it must not run in a process that has a second thread.

pub mod log;
mod server;
mod session;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::echo::client::{Session, converse};
use crate::echo::error::{err_quit, err_sys};
use crate::echo::str_cli::Typed;
use crate::os::unix::{Threads, UnixOs, block_on, single_threaded};
use crate::os::{Errno, Family, Os, SocketOption};

pub use server::ServeOptions;
use server::server;

/// `echosim serve --real`: serves until a signal asks it to end (SIGTERM, SIGINT, SIGHUP,
/// SIGQUIT). The exit status: 0 after such a signal, 1 after an error,
/// which it has told on standard error.
///
/// # Errors
///
/// This process has [`Threads`].
pub fn serve(options: ServeOptions) -> Result<i32, Threads> {
    single_threaded()?;
    Ok(block_on(server(UnixOs::new("echo-server", None), options)))
}

/// The server that `echosim connect --real` connects to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// The server's addresses, tried in this order.
    pub servers: Vec<SocketAddr>,
    /// Set on the socket before it connects.
    pub options: Vec<SocketOption>,
    /// How the client waits for the terminal and the server.
    pub session: Session,
}

impl ConnectOptions {
    /// The book's client of the server `HOST:PORT`; names are looked up.
    ///
    /// # Errors
    ///
    /// That there is no such host, or no port.
    pub fn to(server: &str) -> io::Result<ConnectOptions> {
        let servers: Vec<SocketAddr> = server.to_socket_addrs()?.collect();
        if servers.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        Ok(ConnectOptions { servers, options: Vec::new(), session: Session::InTurn })
    }
}

/// `echosim connect --real`: echoes standard input through the server to standard output; the exit status.
///
/// Ends this process if the connection fails, as the book's client does.
pub fn connect(options: ConnectOptions) -> i32 {
    block_on(client(UnixOs::new("echo-client", None), options))
}

/// `tcp_connect` (UNP fig. 11.10), then the book's client.
async fn client<O: Os>(os: O, options: ConnectOptions) -> i32 {
    let mut last = None;
    for server in options.servers {
        let sockfd = match os.socket(Family::of(server)) {
            Ok(fd) => fd,
            Err(errno) => err_sys(&os, "socket error", errno).await,
        };
        for option in &options.options {
            if let Err(errno) = os.setsockopt(sockfd, *option) {
                err_sys(&os, "setsockopt error", errno).await;
            }
        }
        match os.connect(sockfd, server).await {
            Ok(()) => match converse(&os, sockfd, options.session, None, &mut Typed::new()).await {
                Ok(()) => return 0,
                Err(broken) => err_quit(&os, &broken.to_string()).await,
            },
            Err(errno) => last = Some((server, errno)),
        }
        _ = os.close(sockfd);
    }
    let (server, errno) =
        last.map_or(("".to_owned(), Errno::EADDRNOTAVAIL), |(server, errno)| (format!(" ({server})"), errno));
    err_quit(&os, &format!("connect error{server}: {}", errno.message())).await
}
