//! `[host.NAME]`: who runs what, and what is typed there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::mistake::Wrong;
use super::typing::{self, Entry};
use super::value::{Setting, Value};
use crate::scenario::expect::Expectations;
use crate::scenario::{Host, Link, Program, Typed, limits, set};
use crate::stack::{Profile, System};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostTable {
    run: Option<Spanned<String>>,
    count: Option<Spanned<u32>>,
    every: Option<Value<Duration>>,
    start: Option<Value<Duration>>,
    addrs: Option<Spanned<u8>>,
    stack: Option<Value<System>>,
    #[serde(default)]
    set: BTreeMap<Spanned<String>, Setting>,
    #[serde(default, rename = "type")]
    typed: Vec<Spanned<Entry>>,
}

/// What all hosts together may still have.
pub(super) struct Budget {
    processes: u64,
    lines: u64,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { processes: limits::PROCESSES, lines: limits::TYPED_LINES }
    }
}

impl HostTable {
    pub(super) fn runs_something(&self) -> bool {
        self.run.is_some()
    }

    /// `default` is the system of a host that names none.
    pub(super) fn check(
        self,
        name: &Spanned<String>,
        names: &Names,
        default: System,
        budget: &mut Budget,
    ) -> Result<Host, Wrong> {
        let table = format!("host.{}", name.get_ref());
        let stack = self.stack.map(|Value(system)| system);
        let count = self.processes(name, &table, budget)?;
        Ok(Host {
            name: name.get_ref().clone(),
            program: self.program(names, &table)?,
            count,
            every: self.every.map_or(Duration::ZERO, |Value(every)| every),
            start: self.start.map_or(Duration::ZERO, |Value(start)| start),
            addrs: self.addresses(&table)?,
            stack,
            typed: self.typed(count, &table, budget)?,
            set: self.settings(Profile::of(stack.unwrap_or(default)), &table)?,
            link: Link::default(),
            expect: Expectations::default(),
        })
    }

    fn program(&self, names: &Names, table: &str) -> Result<Option<Program>, Wrong> {
        let Some(run) = &self.run else { return Ok(None) };
        let program = Program::parse(run.get_ref(), |host| names.find(host).map(|_| ()));
        program.map(Some).map_err(|what| Wrong::new(run.span(), format!("{table}.run"), what))
    }

    fn processes(&self, name: &Spanned<String>, table: &str, budget: &mut Budget) -> Result<u32, Wrong> {
        let (count, span) = match &self.count {
            Some(count) => (*count.get_ref(), count.span()),
            None => (1, name.span()),
        };
        let refuse = |what: String| Wrong::new(span, format!("{table}.count"), what);
        if !self.runs_something() && self.count.is_some() || count == 0 {
            return Err(refuse("at least one process, of a program to run".to_owned()));
        }
        if self.runs_something() {
            let left = budget.processes.checked_sub(count.into());
            let too_many = || refuse(format!("more processes than the limit of {}", limits::PROCESSES));
            budget.processes = left.ok_or_else(too_many)?;
        }
        Ok(count)
    }

    fn addresses(&self, table: &str) -> Result<u8, Wrong> {
        let Some(addrs) = &self.addrs else { return Ok(1) };
        if !(1..=limits::ADDRESSES).contains(addrs.get_ref()) {
            let what = format!("expected 1 to {} addresses", limits::ADDRESSES);
            return Err(Wrong::new(addrs.span(), format!("{table}.addrs"), what));
        }
        Ok(*addrs.get_ref())
    }

    /// What is typed at the terminal of each of `count` processes.
    fn typed(&self, count: u32, table: &str, budget: &mut Budget) -> Result<Vec<Typed>, Wrong> {
        let refuse =
            |entry: &Spanned<Entry>, what: String| Wrong::new(entry.span(), format!("{table}.type"), what);
        let mut typed = Vec::new();
        for entry in &self.typed {
            if !self.runs_something() {
                return Err(refuse(entry, "nothing runs here that could read it".to_owned()));
            }
            let left = budget.lines / u64::from(count);
            typing::add(&mut typed, entry.get_ref(), left).map_err(|what| refuse(entry, what))?;
        }
        budget.lines = budget.lines.saturating_sub(typed.len() as u64 * u64::from(count));
        Ok(typed)
    }

    fn settings(self, mut profile: Profile, table: &str) -> Result<Vec<(String, String)>, Wrong> {
        let set = self.set.into_iter().map(|(key, Setting(value))| {
            set::set_profile(&mut profile, key.get_ref(), &value)
                .map_err(|error| Wrong::new(key.span(), format!("{table}.set"), error.to_string()))?;
            Ok((key.into_inner(), value))
        });
        set.collect()
    }
}
