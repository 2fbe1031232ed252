//! The server and the client on this machine's own TCP.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::parse::{at_least_one, duration};
use super::{Exit, complain};
use crate::real::log::Level;
use crate::real::{ConnectOptions, ServeOptions, connect, serve};

/// `echosim serve`
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// On this machine's own TCP; there is no other server to be had
    #[arg(long, required = true)]
    real: bool,

    /// Where it listens; port 0 asks for any that is free
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,

    /// How many connections may wait for accept
    #[arg(long, value_name = "N")]
    backlog: Option<usize>,

    /// How many children it has at most; more connections wait
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_children: Option<NonZeroUsize>,

    /// Close a connection that has said nothing for so long
    #[arg(long, value_name = "T", value_parser = duration)]
    idle_timeout: Option<Duration>,

    /// After SIGTERM or ^C children may go on for so long; a second one cuts it short
    #[arg(long, value_name = "T", value_parser = duration)]
    grace: Option<Duration>,
}

impl Serve {
    pub(super) fn run(self, err: &mut dyn Write) -> io::Result<Exit> {
        let plain = ServeOptions::new(self.listen);
        let level = std::env::var("RUST_LOG").ok().and_then(|text| Level::from_rust_log(&text));
        let options = ServeOptions {
            listen: self.listen,
            backlog: self.backlog.unwrap_or(plain.backlog),
            max_children: self.max_children.unwrap_or(plain.max_children),
            idle_timeout: self.idle_timeout,
            grace: self.grace.unwrap_or(plain.grace),
            log: level.unwrap_or(plain.log),
        };
        match serve(options) {
            Ok(0) => Ok(Exit::AsExpected),
            // It has told why on standard error.
            Ok(_) => Ok(Exit::Trouble),
            Err(error) => complain(err, &error),
        }
    }
}

/// `echosim connect`
#[derive(Debug, clap::Args)]
pub(super) struct Connect {
    /// On this machine's own TCP; there is no other client to be had
    #[arg(long, required = true)]
    real: bool,

    /// The server
    #[arg(value_name = "HOST:PORT")]
    server: String,
}

impl Connect {
    pub(super) fn run(self, err: &mut dyn Write) -> io::Result<Exit> {
        match ConnectOptions::to(&self.server) {
            Ok(options) => match connect(options) {
                0 => Ok(Exit::AsExpected),
                _ => Ok(Exit::Different),
            },
            Err(error) => complain(err, &format!("{}: {error}", self.server)),
        }
    }
}
