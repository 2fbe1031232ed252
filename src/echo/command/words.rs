//! The words of a command line: `--name`, `--name=value`, operands.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::BadCommand;
use crate::os::SocketOption;
use crate::span;

/// Finds the address of a host's name.
pub(super) type Resolve<'a> = &'a dyn Fn(&str) -> Option<IpAddr>;

/// A word, and the program it is for.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) program: &'static str,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    /// `--name` or `--name=value`; `None` for an operand.
    pub(super) fn option(self) -> Option<(&'a str, Option<&'a str>)> {
        if !self.text.starts_with('-') {
            return None;
        }
        Some(match self.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (self.text, None),
        })
    }

    /// A host's name or address.
    pub(super) fn host(self, resolve: impl Fn(&str) -> Option<IpAddr>) -> Result<IpAddr, BadCommand> {
        let addr = self.text.parse().ok().or_else(|| resolve(self.text));
        addr.ok_or_else(|| BadCommand::Host { program: self.program, host: self.text.to_owned() })
    }

    pub(super) fn port(self) -> Result<u16, BadCommand> {
        let port = self.text.parse().ok().filter(|port| *port != 0);
        port.ok_or_else(|| BadCommand::Port { program: self.program, port: self.text.to_owned() })
    }

    pub(super) fn time(self, value: &str) -> Result<Duration, BadCommand> {
        span::parse(value).ok_or_else(|| self.expected(span::EXPECTED))
    }

    /// The meaning of `value`, one of `words`.
    pub(super) fn one_of<T: Copy>(
        self,
        value: &str,
        words: &[(&str, T)],
        expected: &'static str,
    ) -> Result<T, BadCommand> {
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| self.expected(expected))
    }

    /// `on` or `off`; nothing is `on`.
    pub(super) fn switch(self, value: Option<&str>) -> Result<bool, BadCommand> {
        self.one_of(value.unwrap_or("on"), &[("on", true), ("off", false)], "on or off")
    }

    /// `NAME=VALUE`, as `setsockopt` takes them.
    pub(super) fn socket_option(self, value: &str) -> Result<SocketOption, BadCommand> {
        let option = value.split_once('=').and_then(|(name, number)| {
            let number = number.parse().ok()?;
            SocketOption::from_posix(name, number)
        });
        option.ok_or_else(|| self.expected("an option and its number, such as TCP_SYNCNT=2"))
    }

    /// A number of octets, of connections: at least 1.
    pub(super) fn number(self, value: &str) -> Result<usize, BadCommand> {
        let number = value.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| self.expected("a number from 1 on"))
    }

    /// The options that both ends set on their sockets; `None` if this is none of them.
    pub(super) fn socket_options(
        self,
        name: &str,
        value: Option<&str>,
    ) -> Option<Result<Vec<SocketOption>, BadCommand>> {
        let one = |option: Result<SocketOption, BadCommand>| Some(option.map(|option| vec![option]));
        match (name, value) {
            ("--no-delay", value) => one(self.switch(value).map(SocketOption::NoDelay)),
            ("--keepalive", value) => Some(self.keepalive(value)),
            ("--user-timeout", Some(span)) => one(self.time(span).map(SocketOption::UserTimeout)),
            ("--linger", Some(span)) => one(self.time(span).map(|span| SocketOption::Linger(Some(span)))),
            ("--read-timeout", Some(span)) => one(self.time(span).map(SocketOption::ReceiveTimeout)),
            ("--write-timeout", Some(span)) => one(self.time(span).map(SocketOption::SendTimeout)),
            ("--reuse-addr", None) => one(Ok(SocketOption::ReuseAddr(true))),
            ("--sockopt", Some(option)) => one(self.socket_option(option)),
            _ => None,
        }
    }

    fn keepalive(self, value: Option<&str>) -> Result<Vec<SocketOption>, BadCommand> {
        let mut options = vec![SocketOption::KeepAlive(true)];
        let Some(value) = value else { return Ok(options) };
        let bad = || self.expected("three values such as 2h,75s,9: idle time, interval, number of probes");
        let [idle, interval, count] = value.split(',').collect::<Vec<_>>()[..] else { return Err(bad()) };
        options.push(SocketOption::KeepIdle(span::parse(idle).ok_or_else(bad)?));
        options.push(SocketOption::KeepInterval(span::parse(interval).ok_or_else(bad)?));
        options.push(SocketOption::KeepCount(count.parse().map_err(|_| bad())?));
        Ok(options)
    }

    /// Where to bind to: a host or an address, a port after a colon, or both. What is not said is 0, and `wildcard`.
    pub(super) fn local(
        self,
        value: &str,
        wildcard: IpAddr,
        resolve: impl Fn(&str) -> Option<IpAddr>,
    ) -> Result<SocketAddr, BadCommand> {
        let host = |text: &str| match text {
            "" => Some(wildcard),
            text => text.parse().ok().or_else(|| resolve(text)),
        };
        let in_parts = || {
            let (text, port) = value.rsplit_once(':')?;
            Some(SocketAddr::new(host(text)?, port.parse().ok()?))
        };
        // An IPv6 address has colons of its own; `:PORT` is no host's name.
        let addr = match value.parse() {
            Ok(ip) => Some(SocketAddr::new(ip, 0)),
            Err(_) => value.parse().ok().or_else(in_parts).or_else(|| Some(SocketAddr::new(host(value)?, 0))),
        };
        let addr = addr.filter(|_| !value.is_empty());
        addr.ok_or_else(|| self.expected("a host or an address, :PORT, or both"))
    }

    pub(super) fn expected(self, expected: &'static str) -> BadCommand {
        BadCommand::Value { program: self.program, option: self.text.to_owned(), expected }
    }

    pub(super) fn unknown(self, expected: &'static str) -> BadCommand {
        BadCommand::Option { program: self.program, option: self.text.to_owned(), expected }
    }

    pub(super) fn surplus(self) -> BadCommand {
        BadCommand::Surplus { program: self.program, word: self.text.to_owned() }
    }
}
