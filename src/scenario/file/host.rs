//! `[host.NAME]`: who runs what, and what is typed there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::mistake::Wrong;
use super::typing::{self, Entry};
use super::value::{Setting, Value};
use crate::scenario::{Host, Program, limits, set};
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
    #[serde(default)]
    r#type: Vec<Spanned<Entry>>,
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

    pub(super) fn check(
        self,
        name: &Spanned<String>,
        names: &Names,
        default: System,
        budget: &mut Budget,
    ) -> Result<Host, Wrong> {
        let key = |key: &str| format!("host.{}.{key}", name.get_ref());
        let mut host = Host {
            name: name.get_ref().clone(),
            program: self.run.map(|run| program(&run, names, key("run"))).transpose()?,
            count: 1,
            every: self.every.map_or(Duration::ZERO, |Value(every)| every),
            start: self.start.map_or(Duration::ZERO, |Value(start)| start),
            addrs: 1,
            stack: self.stack.map(|Value(system)| system),
            set: Vec::new(),
            typed: Vec::new(),
            link: Default::default(),
            expect: Default::default(),
        };
        if let Some(count) = self.count {
            host.count = *count.get_ref();
            if host.count == 0 || host.program.is_none() {
                return Err(Wrong::new(
                    count.span(),
                    key("count"),
                    "at least one process, of a program to run",
                ));
            }
            if u64::from(host.count) > budget.processes {
                let what = format!("more processes than the limit of {}", limits::PROCESSES);
                return Err(Wrong::new(count.span(), key("count"), what));
            }
        }
        budget.processes -= u64::from(host.count);
        if let Some(addrs) = self.addrs {
            host.addrs = *addrs.get_ref();
            if !(1..=limits::ADDRESSES).contains(&host.addrs) {
                let what = format!("expected 1 to {} addresses", limits::ADDRESSES);
                return Err(Wrong::new(addrs.span(), key("addrs"), what));
            }
        }
        for (name, Setting(value)) in self.set {
            let mut profile = Profile::of(host.stack.unwrap_or(default));
            set::set_profile(&mut profile, name.get_ref(), &value)
                .map_err(|error| Wrong::new(name.span(), key("set"), error.to_string()))?;
            host.set.push((name.into_inner(), value));
        }
        if let Some(first) = self.r#type.first()
            && host.program.is_none()
        {
            return Err(Wrong::new(first.span(), key("type"), "nothing runs here that could read it"));
        }
        for entry in self.r#type {
            let left = budget.lines / u64::from(host.count);
            typing::add(&mut host.typed, entry.get_ref(), left)
                .map_err(|what| Wrong::new(entry.span(), key("type"), what))?;
        }
        budget.lines = budget.lines.saturating_sub(host.typed.len() as u64 * u64::from(host.count));
        Ok(host)
    }
}

fn program(run: &Spanned<String>, names: &Names, key: String) -> Result<Program, Wrong> {
    let find = |host: &str| names.find(host).map(|_| ());
    Program::parse(run.get_ref(), find).map_err(|what| Wrong::new(run.span(), key, what))
}
