//! `[expect.HOST]`: what the programs have to see. `[expect.HOST.linux]` says what is different under Linux's
//! TCP, `[expect.HOST.process.2]` what the second of several processes sees.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::list::{Lines, OneOrMany};
use super::mistake::Wrong;
use super::value::Value;
use crate::errno::Errno;
use crate::scenario::expect::{Count, Expectation, Expectations, Failure, Override, TimeBound};
use crate::scenario::{SIGNALS, generated_line, limits};
use crate::stack::System;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectTable {
    prints: Option<Spanned<Lines>>,
    stderr: Option<Vec<String>>,
    fails: Option<OneOrMany<FailureTable>>,
    exits: Option<OneOrMany<i32>>,
    killed: Option<Spanned<OneOrMany<String>>>,
    waits: Option<OneOrMany<String>>,
    segments: Option<Spanned<Value<Count>>>,
    retransmissions: Option<Spanned<Value<Count>>>,
    #[serde(default)]
    process: BTreeMap<Spanned<String>, ExpectTable>,
    book: Option<Spanned<Box<ExpectTable>>>,
    linux: Option<Spanned<Box<ExpectTable>>>,
    bsd: Option<Spanned<Box<ExpectTable>>>,
    rfc: Option<Spanned<Box<ExpectTable>>>,
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
#[derive(Clone, Copy, Default)]
struct Scope {
    process: Option<u32>,
    system: Option<System>,
}

impl ExpectTable {
    /// `count` is how many processes the host starts.
    pub(super) fn check(self, host: &str, count: u32) -> Result<Expectations, Wrong> {
        let mut expectations = Expectations::default();
        self.add(&mut expectations, &format!("expect.{host}"), Scope::default(), count)?;
        Ok(expectations)
    }

    /// Adds what this table says and then what the tables in it say, so that the more special comes later.
    fn add(mut self, all: &mut Expectations, key: &str, scope: Scope, count: u32) -> Result<(), Wrong> {
        let systems = [
            (System::Book, self.book.take()),
            (System::Linux, self.linux.take()),
            (System::Bsd, self.bsd.take()),
            (System::Rfc, self.rfc.take()),
        ];
        let processes = std::mem::take(&mut self.process);
        let expectation = self.expectation(key, scope)?;
        match scope {
            Scope { process: None, system: None } => all.base = expectation,
            Scope { process, system } => {
                all.overrides.push(Override { process, system, instead: expectation })
            }
        }
        for (system, table) in systems {
            let Some(table) = table else { continue };
            let key = format!("{key}.{}", system.name());
            if scope.system.is_some() {
                return Err(Wrong::new(table.span(), key, "a run has one system; it is named already"));
            }
            table.into_inner().add(all, &key, Scope { system: Some(system), ..scope }, count)?;
        }
        for (nth, table) in processes {
            let key = format!("{key}.process.{}", nth.get_ref());
            if scope.process.is_some() || scope.system.is_some() {
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
            table.add(all, &key, Scope { process: Some(process - 1), ..scope }, count)?;
        }
        Ok(())
    }

    fn expectation(self, key: &str, scope: Scope) -> Result<Expectation, Wrong> {
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

fn lines(prints: Spanned<Lines>, key: &str) -> Result<Vec<String>, Wrong> {
    let span = prints.span();
    match prints.into_inner() {
        Lines::Listed(lines) => Ok(lines),
        Lines::Generated(lines) if lines > limits::TYPED_LINES => {
            let what = format!("more lines than the limit of {}", limits::TYPED_LINES);
            Err(Wrong::new(span, format!("{key}.prints"), what))
        }
        Lines::Generated(lines) => Ok((1..=lines).map(generated_line).collect()),
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
