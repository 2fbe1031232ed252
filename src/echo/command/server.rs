//! What a server is told.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::BadCommand;
use super::words::Word;
use crate::echo::SERV_PORT;
use crate::echo::server::{Forgotten, Reap, Server, Service};

const OPTIONS: &str = "`--reuse-addr`, `--accept-after=TIME`, `--read-after=TIME`, `--close-unread[=TIME]`, \
                       `--reap=HOW`, `--sa-restart=on|off`, `--eintr=retry|die`, `--sigterm=default|catch`, \
                       `--forgets=DESCRIPTOR`, `--sockopt=NAME=VALUE`, `--addresses`, of a sum-server `--binary`";

/// How long `--close-unread` waits that does not say.
const UNREAD: Duration = Duration::from_secs(1);

pub(super) fn parse<'a>(
    words: impl Iterator<Item = Word<'a>>,
    service: Service,
    wildcard: IpAddr,
) -> Result<Server, BadCommand> {
    let mut server = Server::new(SocketAddr::new(wildcard, SERV_PORT), service);
    let mut has_port = false;
    for word in words {
        if let Some((name, value)) = word.option() {
            set(&mut server, word, name, value)?;
        } else if has_port {
            return Err(word.surplus());
        } else {
            server.listen.set_port(word.port()?);
            has_port = true;
        }
    }
    Ok(server)
}

fn set(server: &mut Server, word: Word<'_>, name: &str, value: Option<&str>) -> Result<(), BadCommand> {
    match (name, value) {
        ("--reuse-addr", None) => server.reuse_addr = true,
        ("--sockopt", Some(option)) => server.options.push(word.socket_option(option)?),
        ("--addresses", None) => server.shows_addresses = true,
        ("--accept-after", Some(span)) => server.accept_after = Some(word.time(span)?),
        ("--read-after", Some(span)) => server.read_after = Some(word.time(span)?),
        ("--close-unread", span) if server.service == Service::Echo => {
            server.service = Service::CloseUnread;
            server.read_after = Some(span.map_or(Ok(UNREAD), |span| word.time(span))?);
        }
        ("--binary", None) if server.service == Service::SumText => server.service = Service::SumBinary,
        ("--reap", Some(how)) => {
            let words = [("none", Reap::None), ("wait", Reap::Wait), ("waitpid", Reap::Waitpid)];
            server.reap = word.one_of(how, &words, "none, wait or waitpid")?;
        }
        ("--sa-restart", value) => server.restarts = word.switch(value)?,
        ("--eintr", Some(what)) => {
            server.expects_eintr = word.one_of(what, &[("retry", true), ("die", false)], "retry or die")?;
        }
        ("--sigterm", Some(what)) => {
            let words = [("default", false), ("catch", true)];
            server.catches_sigterm = word.one_of(what, &words, "default or catch")?;
        }
        ("--forgets", Some(what)) => {
            let words = [("connfd", Forgotten::Connfd), ("listenfd", Forgotten::Listenfd)];
            server.forgets = Some(word.one_of(what, &words, "connfd or listenfd")?);
        }
        _ => return Err(word.unknown(OPTIONS)),
    }
    Ok(())
}
