//! What is typed behind the colon.

use super::{Breakpoint, Session};
use crate::span;
use crate::time::SimTime;

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing was typed.
    Nothing,
    /// Stop at such events from now on.
    Break(Breakpoint),
    /// Forget a breakpoint, counted from 1.
    Delete(usize),
    /// Forget every breakpoint.
    DeleteAll,
    /// Go to a moment.
    Go(SimTime),
    /// Show the help.
    Help,
    /// End.
    Quit,
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What to answer the user.
    pub fn parse(line: &str, session: &Session) -> Result<Command, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => Ok(Command::Nothing),
            ["break" | "b", what @ ..] => {
                Breakpoint::parse(what, session).map(Command::Break).map_err(|unfit| unfit.to_string())
            }
            ["delete" | "d", "all"] => Ok(Command::DeleteAll),
            ["delete" | "d", nth] => match nth.parse() {
                Ok(nth) => Ok(Command::Delete(nth)),
                Err(_) => Err(format!("no breakpoint {nth}: a number, or all")),
            },
            ["go" | "g", time] => match span::parse(time) {
                Some(time) => Ok(Command::Go(SimTime::ZERO + time)),
                None => Err(format!("no time {time}: expected {}", span::EXPECTED)),
            },
            ["help" | "h"] => Ok(Command::Help),
            ["quit" | "q"] => Ok(Command::Quit),
            ["delete" | "d" | "go" | "g", ..] => Err(format!("{} takes one word", words[0])),
            [other, ..] => Err(format!("no command {other}: break, delete, go, help, quit")),
        }
    }
}
