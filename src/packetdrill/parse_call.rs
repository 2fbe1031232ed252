//! Reads a call: its name, its arguments, and what it has to return.

use std::time::Duration;

use super::Mistake;
use super::call::{Call, Flags, O_NONBLOCK, O_RDWR, POLL, Watched};
use super::expression::Expression;
use super::reader::Reader;
use super::script::{Moment, Returns, What};
use super::token::Token;
use crate::errno::Errno;
use crate::stack::{How, SocketOption};

/// Reads a call that may block until `until`.
pub(super) fn read_call(reader: &mut Reader<'_>, until: Option<Moment>) -> Result<What, Mistake> {
    let name = reader.word()?;
    reader.expect('(')?;
    let arguments = Expression::read_list(reader, ')')?;
    let call = call(name, &arguments).map_err(|what| reader.mistake(what))?;
    reader.expect('=')?;
    let value = match Expression::read(reader)? {
        Expression::Any => None,
        Expression::Number(number) => Some(number),
        words => Some(bits(&words).ok_or_else(|| reader.unexpected("a number"))?),
    };
    let mut errno = None;
    if let Some(Token::Word(word)) = reader.peek() {
        reader.next();
        errno = Some(
            Errno::from_name(word).ok_or_else(|| reader.mistake(format!("{word} is no error known here")))?,
        );
    }
    read_note(reader);
    if errno.is_some() && value != Some(-1) {
        return Err(reader.mistake("a call that fails returns -1".to_owned()));
    }
    Ok(What::Call(call, Returns { value, errno, at: until }))
}

/// What strace adds, and says nothing: `(Connection reset by peer)`, `(flags O_RDWR|O_NONBLOCK)`.
fn read_note(reader: &mut Reader<'_>) {
    if reader.takes('(') {
        while !matches!(reader.next(), Some(Token::Mark(')')) | None) {}
    }
}

fn call(name: &str, arguments: &[Expression<'_>]) -> Result<Call, String> {
    let not_enough = || format!("{name} takes more arguments");
    let argument = |n: usize| arguments.get(n).ok_or_else(not_enough);
    let number = |n: usize| {
        argument(n)?.number().ok_or_else(|| format!("argument {} of {name} has to be a number", n + 1))
    };
    let size = |n: usize| {
        let size = number(n)?;
        // As much as any test writes at once.
        usize::try_from(size)
            .ok()
            .filter(|size| *size <= 1 << 24)
            .ok_or_else(|| format!("{name} of {size} octets"))
    };
    let fd = || number(0);
    Ok(match name {
        "socket" => {
            let kind = argument(1)?.words().unwrap_or_default();
            if !kind.contains(&"SOCK_STREAM") || kind.len() > 1 {
                return Err("only sockets of type SOCK_STREAM are supported".to_owned());
            }
            Call::Socket
        }
        "bind" => Call::Bind(any_address(arguments).and_then(|()| fd())?),
        "listen" => Call::Listen(fd()?, size(1)?),
        "accept" => Call::Accept(any_address(arguments).and_then(|()| fd())?),
        "connect" => Call::Connect(any_address(arguments).and_then(|()| fd())?),
        "read" => Call::Read(fd()?, size(2)?, Flags::default()),
        "write" => Call::Write(fd()?, size(2)?, Flags::default()),
        "recv" => Call::Read(fd()?, size(2)?, flags(argument(3)?)?),
        "send" => Call::Write(fd()?, size(2)?, flags(argument(3)?)?),
        "shutdown" => Call::Shutdown(fd()?, how(argument(1)?)?),
        "close" => Call::Close(fd()?),
        "setsockopt" => set_option(fd()?, argument(2)?, argument(3)?)?,
        "getsockopt" => match (argument(2)?, argument(3)?.only()) {
            (Expression::Word("SO_ERROR"), expected) => Call::Error(fd()?, value(expected)?),
            (Expression::Word(option), _) => return Err(format!("getsockopt of {option} is not supported")),
            _ => return Err("argument 3 of getsockopt has to be an option's name".to_owned()),
        },
        "fcntl" => match (argument(1)?, arguments.get(2)) {
            (Expression::Word("F_GETFL"), _) => Call::Flags(fd()?),
            (Expression::Word("F_SETFL"), Some(flags)) => {
                let flags = bits(flags).ok_or("argument 3 of fcntl has to be flags")?;
                Call::SetNonblocking(fd()?, flags & O_NONBLOCK != 0)
            }
            _ => return Err("fcntl knows F_GETFL and F_SETFL here".to_owned()),
        },
        "ioctl" => match argument(1)? {
            Expression::Word("SIOCINQ" | "FIONREAD") => Call::Unread(fd()?, value(argument(2)?.only())?),
            _ => return Err("ioctl knows SIOCINQ here".to_owned()),
        },
        "poll" => poll(argument(0)?, argument(2)?)?,
        _ => return Err(format!("the call {name} is not supported")),
    })
}

/// Addresses are the script's own, whatever it is that runs it.
fn any_address(arguments: &[Expression<'_>]) -> Result<(), String> {
    match arguments.get(1) {
        Some(Expression::Any) => Ok(()),
        _ => Err("an address that is not `...` is not supported".to_owned()),
    }
}

/// A number, or the name of an error.
fn value(expression: &Expression<'_>) -> Result<i64, String> {
    match expression {
        Expression::Number(number) => Ok(*number),
        Expression::Word(word) => {
            let errno = Errno::from_name(word).ok_or_else(|| format!("{word} is no error known here"))?;
            Ok(errno as i64)
        }
        _ => Err("expected a number in brackets".to_owned()),
    }
}

/// A number, or flags by their names.
fn bits(expression: &Expression<'_>) -> Option<i64> {
    const FLAGS: [(&str, i64); 2] = [("O_RDWR", O_RDWR), ("O_NONBLOCK", O_NONBLOCK)];
    if let Some(number) = expression.number() {
        return Some(number);
    }
    let bit = |word: &&str| FLAGS.iter().chain(&POLL).find(|(name, _)| name == word).map(|(_, bit)| *bit);
    expression.words()?.iter().map(bit).try_fold(0, |all, bit| Some(all | bit?))
}

fn flags(expression: &Expression<'_>) -> Result<Flags, String> {
    if expression.number() == Some(0) {
        return Ok(Flags::default());
    }
    let mut flags = Flags::default();
    for word in expression.words().ok_or("flags have to be 0 or names")? {
        match word {
            "MSG_DONTWAIT" => flags.dont_wait = true,
            "MSG_PEEK" => flags.peek = true,
            // No signal is sent to anybody here.
            "MSG_NOSIGNAL" => {}
            _ => return Err(format!("the flag {word} is not supported")),
        }
    }
    Ok(flags)
}

fn how(expression: &Expression<'_>) -> Result<How, String> {
    match expression {
        Expression::Word("SHUT_RD") => Ok(How::Read),
        Expression::Word("SHUT_WR") => Ok(How::Write),
        Expression::Word("SHUT_RDWR") => Ok(How::Both),
        _ => Err("shutdown takes SHUT_RD, SHUT_WR or SHUT_RDWR".to_owned()),
    }
}

fn set_option(fd: i64, name: &Expression<'_>, given: &Expression<'_>) -> Result<Call, String> {
    let Expression::Word(name) = name else {
        return Err("argument 3 of setsockopt has to be an option's name".to_owned());
    };
    let given = given.only();
    if *name == "SO_LINGER" {
        let field = |name| given.field(name).and_then(Expression::number);
        let (Some(on), Some(seconds)) = (field("onoff"), field("linger")) else {
            return Err("SO_LINGER takes {onoff=N, linger=SECONDS}".to_owned());
        };
        let span = Duration::from_secs(u64::try_from(seconds).map_err(|_| "SO_LINGER: less than no time")?);
        return Ok(Call::SetOption(fd, SocketOption::Linger((on != 0).then_some(span))));
    }
    let number = given.number().ok_or_else(|| format!("{name} takes a number in brackets"))?;
    if *name == "TCP_QUICKACK" {
        return Ok(Call::SetQuickAck(fd, number != 0));
    }
    let option = SocketOption::from_posix(name, number);
    option
        .map(|option| Call::SetOption(fd, option))
        .ok_or_else(|| format!("setsockopt of {name} to {number} is not supported"))
}

fn poll(watched: &Expression<'_>, timeout: &Expression<'_>) -> Result<Call, String> {
    let Expression::List(all) = watched else { return Err("poll takes a list of structures".to_owned()) };
    let one = |one: &Expression<'_>| {
        let field = |name| one.field(name).and_then(bits);
        Some(Watched { fd: field("fd")?, events: field("events")?, revents: field("revents")? })
    };
    let watched = all.iter().map(one).collect::<Option<Vec<_>>>();
    let watched = watched.ok_or("poll takes structures {fd=N, events=WORDS, revents=WORDS}")?;
    let millis = timeout.number().ok_or("argument 3 of poll has to be milliseconds")?;
    Ok(Call::Poll(watched, u64::try_from(millis).ok().map(Duration::from_millis)))
}
