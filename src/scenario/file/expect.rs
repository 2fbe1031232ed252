//! `[expect.HOST]`: what the programs have to see. `[expect.HOST.linux]` says what is different under Linux's
//! TCP, `[expect.HOST.process.2]` what the second of several processes sees.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::list::{Lines, OneOrMany};
use super::mistake::Wrong;
use super::value::Value;
use crate::errno::Errno;
use crate::scenario::expect::{Count, Expectation, Expectations, Failure, Override, Prints, TimeBound};
use crate::scenario::{SIGNALS, Variables, generated_line, keys, limits};
use crate::stack::System;
use crate::timeline::TcpState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectTable {
    prints: Option<Spanned<Lines>>,
    stderr: Option<Vec<String>>,
    fails: Option<OneOrMany<FailureTable>>,
    exits: Option<OneOrMany<i32>>,
    killed: Option<Spanned<OneOrMany<String>>>,
    waits: Option<OneOrMany<String>>,
    zombies: Option<Value<Count>>,
    states: Option<Vec<Value<TcpState>>>,
    segments: Option<Spanned<Value<Count>>>,
    retransmissions: Option<Spanned<Value<Count>>>,
    #[serde(default)]
    with: BTreeMap<Spanned<String>, ExpectTable>,
    #[serde(default)]
    process: BTreeMap<Spanned<String>, ExpectTable>,
    book: Option<Spanned<Box<ExpectTable>>>,
    linux: Option<Spanned<Box<ExpectTable>>>,
    bsd: Option<Spanned<Box<ExpectTable>>>,
    rfc: Option<Spanned<Box<ExpectTable>>>,
    loopback: Option<Spanned<Box<ExpectTable>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureTable {
    call: String,
    errno: Value<Errno>,
    at: Option<Value<TimeBound>>,
    after: Option<Value<TimeBound>>,
}

/// For whom a table is.
#[derive(Clone, Default, PartialEq)]
struct Scope {
    process: Option<u32>,
    system: Option<System>,
    setting: Option<(String, String)>,
    loopback: bool,
}

impl ExpectTable {
    /// `count` is how many processes the host starts, `variables` what the scenario lets be set.
    pub(super) fn check(self, host: &str, count: u32, variables: &Variables) -> Result<Expectations, Wrong> {
        let mut expectations = Expectations::default();
        self.add(&mut expectations, &format!("expect.{host}"), Scope::default(), (count, variables))?;
        // The more special behind the more general; stable, so that of equals the file's order decides.
        let rank =
            |it: &Override| (it.process.is_some(), it.setting.is_some(), it.loopback, it.system.is_some());
        expectations.overrides.sort_by_key(rank);
        Ok(expectations)
    }

    /// Adds what this table says and then what the tables in it say.
    fn add(
        mut self,
        all: &mut Expectations,
        key: &str,
        scope: Scope,
        known: (u32, &Variables),
    ) -> Result<(), Wrong> {
        let (count, variables) = known;
        let systems = [
            (System::Book, self.book.take()),
            (System::Linux, self.linux.take()),
            (System::Bsd, self.bsd.take()),
            (System::Rfc, self.rfc.take()),
        ];
        let loopback = self.loopback.take();
        let settings = std::mem::take(&mut self.with);
        let processes = std::mem::take(&mut self.process);
        let instead = self.expectation(key, &scope)?;
        match scope.clone() {
            Scope { process: None, system: None, setting: None, loopback: false } => all.base = instead,
            Scope { process, system, setting, loopback } => {
                all.overrides.push(Override { process, system, loopback, setting, instead })
            }
        }
        if let Some(table) = loopback {
            let key = format!("{key}.loopback");
            if scope.loopback {
                return Err(Wrong::new(table.span(), key, "it is the loopback already"));
            }
            table.into_inner().add(all, &key, Scope { loopback: true, ..scope.clone() }, known)?;
        }
        for (system, table) in systems {
            let Some(table) = table else { continue };
            let key = format!("{key}.{}", system.name());
            if scope.system.is_some() {
                return Err(Wrong::new(table.span(), key, "a run has one system; it is named already"));
            }
            table.into_inner().add(all, &key, Scope { system: Some(system), ..scope.clone() }, known)?;
        }
        for (given, table) in settings {
            let key = format!("{key}.with.{:?}", given.get_ref());
            if scope.setting.is_some() {
                return Err(Wrong::new(given.span(), key, "one setting at a time"));
            }
            let setting = setting(given, &key, variables)?;
            table.add(all, &key, Scope { setting: Some(setting), ..scope.clone() }, known)?;
        }
        for (nth, table) in processes {
            let key = format!("{key}.process.{}", nth.get_ref());
            if scope != Scope::default() {
                return Err(Wrong::new(nth.span(), key, "expected directly under [expect.HOST]"));
            }
            let process = nth.get_ref().parse::<u32>().ok().filter(|nth| (1..=count).contains(nth));
            let Some(process) = process else {
                return Err(Wrong::new(
                    nth.span(),
                    key,
                    format!("expected the number of a process, 1 to {count}"),
                ));
            };
            table.add(all, &key, Scope { process: Some(process - 1), ..scope.clone() }, known)?;
        }
        Ok(())
    }

    fn expectation(self, key: &str, scope: &Scope) -> Result<Expectation, Wrong> {
        for (count, name) in [(&self.segments, "segments"), (&self.retransmissions, "retransmissions")] {
            if let (Some(count), Some(_)) = (count, scope.process) {
                let what = "segments are counted by host, not by process";
                return Err(Wrong::new(count.span(), format!("{key}.{name}"), what));
            }
        }
        let count = |count: Option<Spanned<Value<Count>>>| count.map(|count| count.into_inner().0);
        Ok(Expectation {
            prints: self.prints.map(|prints| lines(prints, key)).transpose()?,
            stderr: self.stderr,
            fails: self.fails.map(|OneOrMany(fails)| fails.into_iter().map(FailureTable::failure).collect()),
            exits: self.exits.map(|OneOrMany(exits)| exits),
            killed: self.killed.map(|killed| signals(killed, key)).transpose()?,
            waits: self.waits.map(|OneOrMany(waits)| waits),
            zombies: self.zombies.map(|Value(count)| count),
            states: self.states.map(|states| states.into_iter().map(|Value(state)| state).collect()),
            segments: count(self.segments),
            retransmissions: count(self.retransmissions),
        })
    }
}

impl FailureTable {
    fn failure(self) -> Failure {
        let bound = |bound: Option<Value<TimeBound>>| bound.map(|Value(bound)| bound);
        Failure { call: self.call, errno: self.errno.0, at: bound(self.at), after: bound(self.after) }
    }
}

/// `KEY=VALUE` of a key that can be set.
fn setting(given: Spanned<String>, key: &str, variables: &Variables) -> Result<(String, String), Wrong> {
    match given.get_ref().split_once('=') {
        Some((name, value)) if variables.get(name).is_some() || keys().any(|(known, _)| known == name) => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => {
            Err(Wrong::new(given.span(), key, "expected \"KEY=VALUE\" of a name in [set] or a key of --set"))
        }
    }
}

fn lines(prints: Spanned<Lines>, key: &str) -> Result<Prints, Wrong> {
    let span = prints.span();
    match prints.into_inner() {
        Lines::Listed(lines) => Ok(Prints::Exactly(lines)),
        Lines::Each(line, count) => Ok(Prints::Each(line, count)),
        Lines::Generated(lines) if lines.high > limits::TYPED_LINES => {
            let what = format!("more lines than the limit of {}", limits::TYPED_LINES);
            Err(Wrong::new(span, format!("{key}.prints"), what))
        }
        Lines::Generated(lines) if lines.low < lines.high => Ok(Prints::First(lines)),
        Lines::Generated(lines) => Ok(Prints::Exactly((1..=lines.low).map(generated_line).collect())),
    }
}

fn signals(killed: Spanned<OneOrMany<String>>, key: &str) -> Result<Vec<String>, Wrong> {
    let span = killed.span();
    let OneOrMany(signals) = killed.into_inner();
    match signals.iter().find(|name| !SIGNALS.contains(&name.as_str())) {
        Some(name) => {
            let what = format!("no signal {name:?}; signals are {}", SIGNALS.join(", "));
            Err(Wrong::new(span, format!("{key}.killed"), what))
        }
        None => Ok(signals),
    }
}
