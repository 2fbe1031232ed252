//! The words of a command line: `--name`, `--name=value`, operands.

use std::time::Duration;

use super::BadCommand;
use crate::os::SocketOption;
use crate::span;

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
