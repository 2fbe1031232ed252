//! What a client is told.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::BadCommand;
use super::words::{Resolve, Word};
use crate::echo::SERV_PORT;
use crate::echo::client::{Client, Reconnect, Session};

const OPTIONS: &str = "`--poll`, `--half-close`, `--heedless`, `--close-unread`, `--bind=[HOST][:PORT]`, `--reuse-addr`, \
                       `--keepalive[=IDLE,INTERVAL,COUNT]`, `--user-timeout=TIME`, `--no-delay[=on|off]`, \
                       `--linger=TIME`, `--connect-timeout=TIME`, `--read-timeout=TIME`, `--write-timeout=TIME`, \
                       `--reconnect[=TIME[,MOST]]`, `--write-size=OCTETS`, `--sockopt=NAME=VALUE`, \
                       `--sigpipe=default|ignore`, `--connections=N`, `--addresses`, of a sum-client `--binary`";

/// How long `--reconnect` waits that does not say: at first, and at the most.
const RECONNECT: Reconnect = Reconnect { first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// The most that a process may have open is 1024 by default; the book has 5.
const MOST_CONNECTIONS: usize = 1_000;

pub(super) fn parse<'a>(
    program: &'static str,
    words: impl Iterator<Item = Word<'a>>,
    session: Session,
    wildcard: IpAddr,
    resolve: impl Fn(&str) -> Option<IpAddr>,
) -> Result<Client, BadCommand> {
    let (mut host, mut port) = (None, None);
    let mut client = Client::new(SocketAddr::from(([0, 0, 0, 0], SERV_PORT)), session);
    for word in words {
        if let Some((name, value)) = word.option() {
            set(&mut client, word, name, value, (wildcard, &resolve))?;
        } else if host.is_none() {
            host = Some(word.host(&resolve)?);
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

fn set(
    client: &mut Client,
    word: Word<'_>,
    name: &str,
    value: Option<&str>,
    (wildcard, resolve): (IpAddr, Resolve<'_>),
) -> Result<(), BadCommand> {
    if let Some(options) = word.socket_options(name, value) {
        client.options.extend(options?);
        return Ok(());
    }
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
        ("--close-unread", None) if echoes => client.session = Session::CloseUnread,
        ("--bind", Some(local)) => client.bind = Some(word.local(local, wildcard, resolve)?),
        ("--connect-timeout", Some(span)) => client.connect_timeout = Some(word.time(span)?),
        ("--reconnect", None) => client.reconnect = Some(RECONNECT),
        ("--reconnect", Some(spans)) => {
            let (first, most) = spans.split_once(',').unwrap_or((spans, ""));
            let first = word.time(first)?;
            let most = if most.is_empty() { RECONNECT.most.max(first) } else { word.time(most)? };
            if first.is_zero() || most < first {
                return Err(word.expected("a time, or two: the second no shorter"));
            }
            client.reconnect = Some(Reconnect { first, most });
        }
        ("--write-size", Some(octets)) if echoes => client.write_size = Some(word.number(octets)?),
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
