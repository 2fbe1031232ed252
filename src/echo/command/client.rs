//! What a client is told.

use std::net::{IpAddr, SocketAddr};

use super::BadCommand;
use super::words::Word;
use crate::echo::SERV_PORT;
use crate::echo::client::{Client, Session};
use crate::os::SocketOption;
use crate::span;

const OPTIONS: &str = "`--poll`, `--half-close`, `--heedless`, `--keepalive[=IDLE,INTERVAL,COUNT]`, \
                       `--user-timeout=TIME`, `--no-delay[=on|off]`, `--linger=TIME`, `--sockopt=NAME=VALUE`, \
                       `--sigpipe=default|ignore`, `--connections=N`, `--addresses`, of a sum-client `--binary`";

/// The most that a process may have open is 1024 by default; the book has 5.
const MOST_CONNECTIONS: usize = 1_000;

pub(super) fn parse<'a>(
    program: &'static str,
    words: impl Iterator<Item = Word<'a>>,
    session: Session,
    resolve: impl Fn(&str) -> Option<IpAddr>,
) -> Result<Client, BadCommand> {
    let (mut host, mut port) = (None, None);
    let mut client = Client::new(SocketAddr::from(([0, 0, 0, 0], SERV_PORT)), session);
    for word in words {
        if let Some((name, value)) = word.option() {
            set(&mut client, word, name, value)?;
        } else if host.is_none() {
            let addr = word.text.parse().ok().or_else(|| resolve(word.text));
            let unknown = || BadCommand::Host { program, host: word.text.to_owned() };
            host = Some(addr.ok_or_else(unknown)?);
        } else if port.is_none() {
            port = Some(word.port()?);
        } else {
            return Err(word.surplus());
        }
    }
    let host = host.ok_or(BadCommand::NoHost(program))?;
    client.server = SocketAddr::new(host, port.unwrap_or(SERV_PORT));
    Ok(client)
}

fn set(client: &mut Client, word: Word<'_>, name: &str, value: Option<&str>) -> Result<(), BadCommand> {
    let echoes = !matches!(client.session, Session::SumText | Session::SumBinary);
    match (name, value) {
        ("--poll", None) if echoes => {
            // Half-closing polls already.
            if client.session != Session::PollThenShutdown {
                client.session = Session::Poll;
            }
        }
        ("--half-close", None) if echoes => client.session = Session::PollThenShutdown,
        ("--heedless", None) if echoes => client.session = Session::Heedless,
        ("--binary", None) if !echoes => client.session = Session::SumBinary,
        ("--no-delay", value) => client.options.push(SocketOption::NoDelay(word.switch(value)?)),
        ("--keepalive", value) => client.options.extend(keepalive(word, value)?),
        ("--user-timeout", Some(span)) => {
            client.options.push(SocketOption::UserTimeout(word.time(span)?));
        }
        ("--sockopt", Some(option)) => client.options.push(word.socket_option(option)?),
        ("--linger", Some(span)) => client.options.push(SocketOption::Linger(Some(word.time(span)?))),
        ("--sigpipe", Some(what)) => {
            let words = [("default", false), ("ignore", true)];
            client.ignores_sigpipe = word.one_of(what, &words, "default or ignore")?;
        }
        ("--connections", Some(number)) => {
            let number = number.parse().ok().filter(|number| (1..=MOST_CONNECTIONS).contains(number));
            client.connections = number.ok_or_else(|| word.expected("a number from 1 to 1000"))?;
        }
        ("--addresses", None) => client.shows_addresses = true,
        _ => return Err(word.unknown(OPTIONS)),
    }
    Ok(())
}

fn keepalive(word: Word<'_>, value: Option<&str>) -> Result<Vec<SocketOption>, BadCommand> {
    let mut options = vec![SocketOption::KeepAlive(true)];
    let Some(value) = value else { return Ok(options) };
    let bad = || word.expected("three values such as 2h,75s,9: idle time, interval, number of probes");
    let [idle, interval, count] = value.split(',').collect::<Vec<_>>()[..] else { return Err(bad()) };
    options.push(SocketOption::KeepIdle(span::parse(idle).ok_or_else(bad)?));
    options.push(SocketOption::KeepInterval(span::parse(interval).ok_or_else(bad)?));
    options.push(SocketOption::KeepCount(count.parse().map_err(|_| bad())?));
    Ok(options)
}
