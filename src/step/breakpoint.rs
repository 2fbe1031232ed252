//! Which events stop a run.

use std::fmt;

use thiserror::Error;

use super::Session;
use crate::errno::Errno;
use crate::packet::Flags;
use crate::timeline::{Event, Kind, TcpState};

/// One thing that an event may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// It happened on this host, or is a fault of it.
    Host(String),
    /// It is about a segment with these control bits.
    Flag(Flags),
    /// It is a call that failed with this error.
    Errno(Errno),
    /// A connection came into this state.
    State(TcpState),
}

/// Stops at events that meet every condition: `host client flag R`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint(Vec<Condition>);

/// Why there is no such breakpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// Nothing was said.
    #[error("break where? host NAME, flag LETTERS, errno NAME or state NAME")]
    Nothing,
    /// Neither of the four.
    #[error("no {0}: host, flag, errno or state")]
    What(String),
    /// It ends too early.
    #[error("{0} what?")]
    Value(String),
    /// No such host.
    #[error("no host {0}")]
    Host(String),
    /// No such control bits.
    #[error("no flags {0}: letters of S F R P .")]
    Flag(String),
    /// No such error.
    #[error("no errno {0}")]
    Errno(String),
    /// No such state.
    #[error("no state {0}: as netstat has it, CLOSE_WAIT")]
    State(String),
}

impl Breakpoint {
    /// Reads pairs of words; capitals do not matter in names of errors and states.
    ///
    /// # Errors
    ///
    /// A word that means nothing in this run.
    pub fn parse(words: &[&str], session: &Session) -> Result<Breakpoint, Unfit> {
        if words.is_empty() {
            return Err(Unfit::Nothing);
        }
        words.chunks(2).map(|pair| Condition::parse(pair, session)).collect::<Result<_, _>>().map(Breakpoint)
    }

    /// Whether a run stops at this event.
    pub fn stops_at(&self, event: &Event) -> bool {
        self.0.iter().all(|condition| condition.holds(event))
    }
}

impl Condition {
    fn parse(pair: &[&str], session: &Session) -> Result<Condition, Unfit> {
        let &[what, value] = pair else {
            return Err(Unfit::Value(pair.concat()));
        };
        match what {
            "host" => {
                let known = session.events.iter().any(|event| *event.host == *value);
                let known = known || session.hosts().any(|host| *host.name == *value);
                known.then(|| Condition::Host(value.to_owned())).ok_or_else(|| Unfit::Host(value.to_owned()))
            }
            "flag" => {
                let flags = Flags::from_letters(&value.to_uppercase());
                flags.map(Condition::Flag).ok_or_else(|| Unfit::Flag(value.to_owned()))
            }
            "errno" => {
                let errno = Errno::from_name(&value.to_uppercase());
                errno.map(Condition::Errno).ok_or_else(|| Unfit::Errno(value.to_owned()))
            }
            "state" => {
                let state = TcpState::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(value));
                state.map(Condition::State).ok_or_else(|| Unfit::State(value.to_owned()))
            }
            _ => Err(Unfit::What(what.to_owned())),
        }
    }

    fn holds(&self, event: &Event) -> bool {
        match (self, &event.kind) {
            (Condition::Host(host), Kind::Fault { target, .. }) => host == target,
            (Condition::Host(host), _) => **host == *event.host,
            (Condition::Flag(flags), kind) => kind.segment().is_some_and(|it| it.flags.has(*flags)),
            (Condition::Errno(errno), Kind::Call(call)) => call.result == Err(*errno),
            (Condition::State(state), Kind::State { to, .. }) => to == state,
            _ => false,
        }
    }
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, condition) in self.0.iter().enumerate() {
            f.write_str(if nth > 0 { " " } else { "" })?;
            match condition {
                Condition::Host(host) => write!(f, "host {host}")?,
                Condition::Flag(flags) => write!(f, "flag {flags}")?,
                Condition::Errno(errno) => write!(f, "errno {errno}")?,
                Condition::State(state) => write!(f, "state {state}")?,
            }
        }
        Ok(())
    }
}
