//! Command lines of the programs: `echo-server 9877`, `echo-client server --poll`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use super::SERV_PORT;
use super::client::{Client, Waits, client};
use super::server::{Server, server};
use crate::os::{Os, SocketOption};

/// A program and what it is told; [`PROGRAMS`](Command::PROGRAMS) lists how that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `echo-server`.
    Server(Server),
    /// `echo-client`.
    Client(Client),
}

/// Why a command line is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BadCommand {
    #[error("no program is named")]
    Empty,
    #[error("unknown program `{0}`, expected `echo-server` or `echo-client`")]
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
        (SERVER, "echo-server [PORT] [--reuse-addr] [--close-unread[=TIME]]"),
        (
            CLIENT,
            "echo-client HOST [PORT] [--poll] [--half-close] [--keepalive[=IDLE,INTERVAL,COUNT]] \
             [--user-timeout=TIME] [--no-delay] [--linger=TIME]",
        ),
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
        let mut words = words.iter().map(AsRef::as_ref);
        match words.next() {
            Some(SERVER) => parse_server(words, wildcard).map(Command::Server),
            Some(CLIENT) => parse_client(words, resolve).map(Command::Client),
            Some(name) => Err(BadCommand::Program(name.to_owned())),
            None => Err(BadCommand::Empty),
        }
    }

    /// The program's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Server(_) => SERVER,
            Command::Client(_) => CLIENT,
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

const SERVER: &str = "echo-server";
const CLIENT: &str = "echo-client";

fn parse_server<'a>(words: impl Iterator<Item = &'a str>, wildcard: IpAddr) -> Result<Server, BadCommand> {
    let mut command = Server::new(SocketAddr::new(wildcard, SERV_PORT));
    let mut has_port = false;
    for word in words {
        match option(word) {
            Some(("--reuse-addr", None)) => command.reuse_addr = true,
            Some(("--close-unread", None)) => command.close_unread = Some(Duration::from_secs(1)),
            Some(("--close-unread", Some(span))) => command.close_unread = Some(time(SERVER, word, span)?),
            Some(_) => {
                return Err(BadCommand::Option {
                    program: SERVER,
                    option: word.to_owned(),
                    expected: "`--reuse-addr`, `--close-unread[=TIME]`",
                });
            }
            None if has_port => return Err(surplus(SERVER, word)),
            None => {
                command.listen.set_port(port(SERVER, word)?);
                has_port = true;
            }
        }
    }
    Ok(command)
}

fn parse_client<'a>(
    words: impl Iterator<Item = &'a str>,
    resolve: impl Fn(&str) -> Option<IpAddr>,
) -> Result<Client, BadCommand> {
    let (mut host, mut server_port) = (None, None);
    let (mut options, mut waits) = (Vec::new(), Waits::InTurn);
    for word in words {
        match option(word) {
            Some(("--poll", None)) if waits == Waits::InTurn => waits = Waits::Poll,
            Some(("--poll", None)) => {}
            Some(("--half-close", None)) => waits = Waits::PollThenShutdown,
            Some(("--no-delay", None)) => options.push(SocketOption::NoDelay(true)),
            Some(("--keepalive", value)) => options.extend(keepalive(word, value)?),
            Some(("--user-timeout", Some(span))) => {
                options.push(SocketOption::UserTimeout(time(CLIENT, word, span)?));
            }
            Some(("--linger", Some(span))) => {
                options.push(SocketOption::Linger(Some(time(CLIENT, word, span)?)));
            }
            Some(_) => {
                return Err(BadCommand::Option {
                    program: CLIENT,
                    option: word.to_owned(),
                    expected: "`--poll`, `--half-close`, `--keepalive[=IDLE,INTERVAL,COUNT]`, \
                               `--user-timeout=TIME`, `--no-delay`, `--linger=TIME`",
                });
            }
            None if host.is_none() => {
                let addr = word.parse().ok().or_else(|| resolve(word));
                let unknown = || BadCommand::Host { program: CLIENT, host: word.to_owned() };
                host = Some(addr.ok_or_else(unknown)?);
            }
            None if server_port.is_none() => server_port = Some(port(CLIENT, word)?),
            None => return Err(surplus(CLIENT, word)),
        }
    }
    let host = host.ok_or(BadCommand::NoHost(CLIENT))?;
    let server = SocketAddr::new(host, server_port.unwrap_or(SERV_PORT));
    Ok(Client { options, waits, ..Client::new(server) })
}

/// `--name` or `--name=value`.
fn option(word: &str) -> Option<(&str, Option<&str>)> {
    if !word.starts_with('-') {
        return None;
    }
    Some(match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    })
}

fn surplus(program: &'static str, word: &str) -> BadCommand {
    BadCommand::Surplus { program, word: word.to_owned() }
}

fn port(program: &'static str, word: &str) -> Result<u16, BadCommand> {
    let port = word.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| BadCommand::Port { program, port: word.to_owned() })
}

fn keepalive(word: &str, value: Option<&str>) -> Result<Vec<SocketOption>, BadCommand> {
    let mut options = vec![SocketOption::KeepAlive(true)];
    let Some(value) = value else { return Ok(options) };
    let bad = || BadCommand::Value {
        program: CLIENT,
        option: word.to_owned(),
        expected: "three values such as 2h,75s,9: idle time, interval, number of probes",
    };
    let [idle, interval, count] = value.split(',').collect::<Vec<_>>()[..] else { return Err(bad()) };
    options.push(SocketOption::KeepIdle(parse_time(idle).ok_or_else(bad)?));
    options.push(SocketOption::KeepInterval(parse_time(interval).ok_or_else(bad)?));
    options.push(SocketOption::KeepCount(count.parse().map_err(|_| bad())?));
    Ok(options)
}

fn time(program: &'static str, word: &str, value: &str) -> Result<Duration, BadCommand> {
    let expected = "a time such as 250ms, 10s, 2min or 2h";
    parse_time(value).ok_or_else(|| BadCommand::Value { program, option: word.to_owned(), expected })
}

fn parse_time(value: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] = [("ms", 1), ("min", 60_000), ("h", 3_600_000), ("s", 1_000), ("", 1_000)];
    let (number, millis) =
        UNITS.iter().find_map(|(unit, millis)| Some((value.strip_suffix(unit)?, millis)))?;
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_millis(number.checked_mul(*millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

    fn parse(line: &str) -> Result<Command, BadCommand> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let resolve = |name: &str| (name == "server").then_some(IpAddr::from([192, 0, 2, 2]));
        Command::parse(&words, ANY, resolve)
    }

    fn client(line: &str) -> Client {
        match parse(line) {
            Ok(Command::Client(client)) => client,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_books_port_is_the_default() {
        let server = Command::Server(Server::new("0.0.0.0:9877".parse().unwrap()));
        assert_eq!(parse("echo-server"), Ok(server));
        assert_eq!(client("echo-client server"), Client::new("192.0.2.2:9877".parse().unwrap()));
        assert_eq!(client("echo-client 2001:db8::2 7"), Client::new("[2001:db8::2]:7".parse().unwrap()));
    }

    #[test]
    fn options_of_the_client_become_socket_options() {
        let command = client("echo-client server --keepalive=2h,75s,9 --poll --user-timeout=10s");
        let secs = Duration::from_secs;
        let options = [
            SocketOption::KeepAlive(true),
            SocketOption::KeepIdle(secs(7_200)),
            SocketOption::KeepInterval(secs(75)),
            SocketOption::KeepCount(9),
            SocketOption::UserTimeout(secs(10)),
        ];
        assert_eq!(command.options, options);
        assert_eq!(command.waits, Waits::Poll);
        assert_eq!(client("echo-client server --half-close --poll").waits, Waits::PollThenShutdown);
    }

    #[test]
    fn what_cannot_be_read_says_what_was_expected() {
        let message = |line| parse(line).unwrap_err().to_string();
        assert_eq!(message(""), "no program is named");
        assert_eq!(message("ecko"), "unknown program `ecko`, expected `echo-server` or `echo-client`");
        assert_eq!(message("echo-client"), "`echo-client`: expected a host to connect to");
        assert_eq!(message("echo-client nobody"), "`echo-client`: unknown host `nobody`");
        assert_eq!(
            message("echo-server 70000"),
            "`echo-server`: expected a port from 1 to 65535, found `70000`"
        );
        assert_eq!(message("echo-server 7 8"), "`echo-server`: unexpected `8`");
        assert!(message("echo-server --fast").contains("unknown option `--fast`"));
        assert!(message("echo-client server --keepalive=1,2").contains("three values such as 2h,75s,9"));
        assert!(message("echo-client server --user-timeout=soon").contains("a time such as"));
        assert!(message("echo-client server --linger=99999999999999999999h").contains("a time such as"));
    }
}
