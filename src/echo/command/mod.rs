//! Command lines of the programs: `echo-server 9877`, `echo-client server --poll`.

mod client;
mod server;
mod words;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use super::SERV_PORT;
use super::client::{Client, Session, client};
use super::proxy::Proxy;
use super::server::{Server, Service, server};
use crate::os::Os;
use words::Word;

/// A program and what it is told; [`PROGRAMS`](Command::PROGRAMS) lists how that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `echo-server`, `sum-server`, `push-server`, `echo-proxy`.
    Server(Server),
    /// `echo-client`, `sum-client`.
    Client(Client),
}

/// Why a command line is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BadCommand {
    #[error("no program is named")]
    Empty,
    #[error(
        "unknown program `{0}`, expected `echo-server`, `echo-client`, `sum-server`, `sum-client`, `push-server` or \
         `echo-proxy`"
    )]
    Program(String),
    #[error("`{0}`: expected a host to connect to")]
    NoHost(&'static str),
    #[error("`{program}`: unknown host `{host}`")]
    Host { program: &'static str, host: String },
    #[error("`{program}`: expected a port from 1 to 65535, found `{port}`")]
    Port { program: &'static str, port: String },
    #[error("`{program}`: unexpected `{word}`")]
    Surplus { program: &'static str, word: String },
    #[error("`{program}`: unknown option `{option}`, expected one of {expected}")]
    Option { program: &'static str, option: String, expected: &'static str },
    #[error("`{program}`: `{option}`: expected {expected}")]
    Value { program: &'static str, option: String, expected: &'static str },
}

impl Command {
    /// The programs there are, each with its usage.
    pub const PROGRAMS: &'static [(&'static str, &'static str)] = &[
        (
            ECHO_SERVER,
            "echo-server [PORT] [--bind=[HOST][:PORT]] [--reuse-addr] [--backlog=N] \
             [--keepalive[=IDLE,INTERVAL,COUNT]] [--user-timeout=TIME] [--no-delay[=on|off]] [--linger=TIME] \
             [--read-timeout=TIME] [--write-timeout=TIME] [--sockopt=NAME=VALUE] [--accept-after=TIME] [--read-after=TIME] \
             [--close-unread[=TIME]] [--write-size=OCTETS] [--reap=none|wait|waitpid] [--mask-sigchld=TIME] [--sa-restart=on|off] \
             [--eintr=retry|die] [--sigterm=default|catch] [--forgets=connfd|listenfd] [--addresses]",
        ),
        (
            ECHO_CLIENT,
            "echo-client HOST [PORT] [--poll] [--half-close] [--heedless] [--close-unread] [--bind=[HOST][:PORT]] \
             [--reuse-addr] [--keepalive[=IDLE,INTERVAL,COUNT]] [--user-timeout=TIME] [--no-delay[=on|off]] \
             [--linger=TIME] [--connect-timeout=TIME] [--read-timeout=TIME] [--write-timeout=TIME] [--reconnect[=TIME[,MOST]]] \
             [--write-size=OCTETS] [--sockopt=NAME=VALUE] [--sigpipe=default|ignore] [--connections=N] \
             [--addresses]",
        ),
        (
            PUSH_SERVER,
            "push-server [PORT] [--every=TIME] [--lines=N], and what an echo-server takes: writes a line every second, \
             unasked",
        ),
        (
            ECHO_PROXY,
            "echo-proxy HOST [PORT] [--half-close=on|off], and what an echo-server takes: listens, and passes on to \
             HOST and back",
        ),
        (SUM_SERVER, "sum-server [PORT] [--binary], and what an echo-server takes"),
        (SUM_CLIENT, "sum-client HOST [PORT] [--binary], and what an echo-client takes"),
    ];

    /// Reads a program's name and its arguments. `wildcard` is the address a server binds to, `0.0.0.0` or `::`;
    /// `resolve` finds the address of a host's name. Times are `250ms`, `10s`, `2min`, `2h`.
    ///
    /// # Errors
    ///
    /// [`BadCommand`] says what was expected.
    pub fn parse(
        words: &[impl AsRef<str>],
        wildcard: IpAddr,
        resolve: impl Fn(&str) -> Option<IpAddr>,
    ) -> Result<Command, BadCommand> {
        let (name, rest) = words.split_first().ok_or(BadCommand::Empty)?;
        let rest = |program| rest.iter().map(move |text| Word { program, text: text.as_ref() });
        match name.as_ref() {
            ECHO_SERVER => {
                server::parse(rest(ECHO_SERVER), Service::Echo, wildcard, resolve).map(Command::Server)
            }
            SUM_SERVER => {
                server::parse(rest(SUM_SERVER), Service::SumText, wildcard, resolve).map(Command::Server)
            }
            PUSH_SERVER => {
                let push = Service::Push { every: Duration::from_secs(1), lines: None };
                server::parse(rest(PUSH_SERVER), push, wildcard, resolve).map(Command::Server)
            }
            ECHO_PROXY => {
                let server = SocketAddr::new(wildcard, SERV_PORT);
                let proxy = Service::Proxy(Proxy { server, half_close: true });
                server::parse(rest(ECHO_PROXY), proxy, wildcard, resolve).map(Command::Server)
            }
            ECHO_CLIENT => client::parse(ECHO_CLIENT, rest(ECHO_CLIENT), Session::InTurn, wildcard, resolve)
                .map(Command::Client),
            SUM_CLIENT => client::parse(SUM_CLIENT, rest(SUM_CLIENT), Session::SumText, wildcard, resolve)
                .map(Command::Client),
            unknown => Err(BadCommand::Program(unknown.to_owned())),
        }
    }

    /// The program's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Server(Server { service: Service::Echo | Service::CloseUnread, .. }) => ECHO_SERVER,
            Command::Server(Server { service: Service::Push { .. }, .. }) => PUSH_SERVER,
            Command::Server(Server { service: Service::Proxy(_), .. }) => ECHO_PROXY,
            Command::Server(Server { service: Service::SumText | Service::SumBinary, .. }) => SUM_SERVER,
            Command::Client(Client { session: Session::SumText | Session::SumBinary, .. }) => SUM_CLIENT,
            Command::Client(_) => ECHO_CLIENT,
        }
    }

    /// Runs it in the process `os`; the exit status.
    pub async fn run<O: Os>(self, os: O) -> i32 {
        match self {
            Command::Server(options) => server(os, options).await,
            Command::Client(options) => client(os, options).await,
        }
    }
}

const ECHO_SERVER: &str = "echo-server";
const ECHO_CLIENT: &str = "echo-client";
const PUSH_SERVER: &str = "push-server";
const ECHO_PROXY: &str = "echo-proxy";
const SUM_SERVER: &str = "sum-server";
const SUM_CLIENT: &str = "sum-client";

#[cfg(test)]
mod tests;
