//! What a server is told.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::BadCommand;
use super::words::{Resolve, Word};
use crate::echo::SERV_PORT;
use crate::echo::server::{Forgotten, Reap, Server, Service};

const OPTIONS: &str = "`--reuse-addr`, `--bind=[HOST][:PORT]`, `--backlog=N`, `--keepalive[=IDLE,INTERVAL,COUNT]`, \
                       `--user-timeout=TIME`, `--no-delay[=on|off]`, `--linger=TIME`, `--read-timeout=TIME`, `--write-timeout=TIME`, \
                       `--write-size=OCTETS`, `--accept-after=TIME`, `--read-after=TIME`, `--close-unread[=TIME]`, \
                       `--reap=HOW`, `--mask-sigchld=TIME`, `--sa-restart=on|off`, `--eintr=retry|die`, `--sigterm=default|catch`, \
                       `--forgets=DESCRIPTOR`, `--sockopt=NAME=VALUE`, `--addresses`, of a sum-server `--binary`, of a \
                       push-server `--every=TIME` and `--lines=N`, of an echo-proxy `--half-close=on|off`";

/// How long `--close-unread` waits that does not say.
const UNREAD: Duration = Duration::from_secs(1);

pub(super) fn parse<'a>(
    words: impl Iterator<Item = Word<'a>>,
    service: Service,
    wildcard: IpAddr,
    resolve: impl Fn(&str) -> Option<IpAddr>,
) -> Result<Server, BadCommand> {
    let mut server = Server::new(SocketAddr::new(wildcard, SERV_PORT), service);
    let mut has_port = false;
    let mut is_host_missing = matches!(service, Service::Proxy(_));
    for word in words {
        if let Some((name, value)) = word.option() {
            set(&mut server, word, name, value, (wildcard, &resolve))?;
        } else if let Service::Proxy(proxy) = &mut server.service
            && is_host_missing
        {
            proxy.server.set_ip(word.host(&resolve)?);
            is_host_missing = false;
        } else if has_port {
            return Err(word.surplus());
        } else {
            match &mut server.service {
                Service::Proxy(proxy) => proxy.server.set_port(word.port()?),
                _ => server.listen.set_port(word.port()?),
            }
            has_port = true;
        }
    }
    if is_host_missing {
        return Err(BadCommand::NoHost(super::ECHO_PROXY));
    }
    Ok(server)
}

fn set(
    server: &mut Server,
    word: Word<'_>,
    name: &str,
    value: Option<&str>,
    (wildcard, resolve): (IpAddr, Resolve<'_>),
) -> Result<(), BadCommand> {
    if let Some(options) = word.socket_options(name, value) {
        server.options.extend(options?);
        return Ok(());
    }
    match (name, value) {
        ("--bind", Some(local)) => {
            let addr = word.local(local, wildcard, resolve)?;
            server.listen.set_ip(addr.ip());
            if addr.port() > 0 {
                server.listen.set_port(addr.port());
            }
        }
        ("--backlog", Some(number)) => server.backlog = word.number(number)?,
        ("--write-size", Some(octets)) if matches!(server.service, Service::Echo | Service::CloseUnread) => {
            server.write_size = Some(word.number(octets)?);
        }
        ("--every", Some(span)) if let Service::Push { every, .. } = &mut server.service => {
            *every = word.time(span)?;
        }
        ("--lines", Some(number)) if let Service::Push { lines, .. } = &mut server.service => {
            *lines = Some(word.number(number)? as u64);
        }
        ("--half-close", value) if let Service::Proxy(proxy) = &mut server.service => {
            proxy.half_close = word.switch(value)?;
        }
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
        ("--mask-sigchld", Some(span)) => server.masks_for = Some(word.time(span)?),
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
