//! `[host.NAME]`: who runs what, and what is typed there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::list::Lines;
use super::mistake::Wrong;
use super::typing::{self, Entry};
use super::value::{Setting, Value};
use crate::os::sim::Limits;
use crate::os::{Abi, ByteOrder};
use crate::router::LinkConfig;
use crate::scenario::expect::Expectations;
use crate::scenario::link::mtu_fits;
use crate::scenario::variables::mentions;
use crate::scenario::{Host, Input, IpVersion, Program, Typed, Variables, generated_line, limits, set};
use crate::stack::System;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostTable {
    run: Option<Spanned<String>>,
    count: Option<Spanned<u32>>,
    every: Option<Value<Duration>>,
    start: Option<Value<Duration>>,
    addrs: Option<Spanned<u8>>,
    lan: Option<bool>,
    stack: Option<Value<System>>,
    mtu: Option<Spanned<usize>>,
    byte_order: Option<ByteOrderName>,
    long: Option<Spanned<usize>>,
    grace: Option<Spanned<Value<Duration>>>,
    limits: Option<Spanned<LimitsTable>>,
    stdin: Option<Spanned<Lines>>,
    #[serde(default)]
    set: BTreeMap<Spanned<String>, Setting>,
    #[serde(default, rename = "type")]
    typed: Vec<Spanned<Entry>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ByteOrderName {
    Little,
    Big,
}

/// `limits = { descriptors = 6, processes = 20 }`.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    descriptors: Option<usize>,
    processes: Option<usize>,
}

/// What the scenario says of all hosts: of those that say nothing else.
pub(super) struct Defaults<'a> {
    pub(super) stack: System,
    pub(super) lan: bool,
    /// The scenario's `[set]`.
    pub(super) variables: &'a Variables,
}

/// What all hosts together may still have.
pub(super) struct Budget {
    processes: u64,
    lines: u64,
    octets: u64,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { processes: limits::PROCESSES, lines: limits::TYPED_LINES, octets: limits::TYPED_OCTETS }
    }

    /// So many octets for each of `count` processes.
    fn take_octets(&mut self, each: u64, count: u32) -> Result<(), String> {
        let left = each.checked_mul(count.into()).and_then(|all| self.octets.checked_sub(all));
        self.octets =
            left.ok_or_else(|| format!("more octets than the limit of {}", limits::TYPED_OCTETS))?;
        Ok(())
    }
}

impl HostTable {
    pub(super) fn runs_something(&self) -> bool {
        self.run.is_some()
    }

    /// Whether IP can use its interface.
    pub(super) fn check_mtu(&self, name: &str, ip: IpVersion) -> Result<(), Wrong> {
        let Some(mtu) = &self.mtu else { return Ok(()) };
        mtu_fits(*mtu.get_ref(), ip).map_err(|what| Wrong::new(mtu.span(), format!("host.{name}.mtu"), what))
    }

    /// Whether `$name` occurs in its command line.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.run.as_ref().is_some_and(|run| mentions(run.get_ref(), name))
    }

    pub(super) fn addresses_wanted(&self) -> u8 {
        self.addrs.as_ref().map_or(1, |addrs| *addrs.get_ref())
    }

    pub(super) fn check(
        self,
        name: &Spanned<String>,
        names: &Names,
        defaults: &Defaults<'_>,
        budget: &mut Budget,
    ) -> Result<Host, Wrong> {
        let Defaults { stack: default, lan, variables } = *defaults;
        let table = format!("host.{}", name.get_ref());
        let stack = self.stack.map(|Value(system)| system);
        let count = self.processes(name, &table, budget)?;
        Ok(Host {
            name: name.get_ref().clone(),
            program: self.program(names, variables, &table)?,
            count,
            every: self.every.map_or(Duration::ZERO, |Value(every)| every),
            start: self.start.map_or(Duration::ZERO, |Value(start)| start),
            addrs: self.addresses(&table)?,
            lan: self.lan.unwrap_or(lan),
            stack,
            mtu: self.mtu.as_ref().map(|mtu| *mtu.get_ref()),
            abi: self.abi(&table)?,
            grace: self.grace(&table)?,
            limits: self.limits(&table)?,
            stdin: self.stdin(count, &table, budget)?,
            typed: self.typed(count, &table, budget)?,
            set: self.settings(stack.unwrap_or(default), &table)?,
            link: LinkConfig::default(),
            expect: Expectations::default(),
        })
    }

    fn program(&self, names: &Names, variables: &Variables, table: &str) -> Result<Option<Program>, Wrong> {
        let Some(run) = &self.run else { return Ok(None) };
        let program = Program::parse(run.get_ref(), variables, |host| names.find_address(host));
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

    fn abi(&self, table: &str) -> Result<Abi, Wrong> {
        let byte_order = match self.byte_order {
            Some(ByteOrderName::Little) => ByteOrder::Little,
            Some(ByteOrderName::Big) => ByteOrder::Big,
            None => Abi::TODAY.byte_order,
        };
        let long = match &self.long {
            Some(long) if ![4, 8].contains(long.get_ref()) => {
                return Err(Wrong::new(long.span(), format!("{table}.long"), "expected 4 or 8 octets"));
            }
            Some(long) => *long.get_ref(),
            None => Abi::TODAY.long,
        };
        Ok(Abi { byte_order, long })
    }

    fn grace(&self, table: &str) -> Result<Duration, Wrong> {
        let Some(grace) = &self.grace else { return Ok(Host::GRACE) };
        let Value(time) = *grace.get_ref();
        if !limits::GRACE.contains(&time) {
            return Err(Wrong::new(grace.span(), format!("{table}.grace"), "expected 5 to 20 s (UNP 5.16)"));
        }
        Ok(time)
    }

    fn limits(&self, table: &str) -> Result<Limits, Wrong> {
        let default = Limits::default();
        let Some(limits) = &self.limits else { return Ok(default) };
        let LimitsTable { descriptors, processes } = *limits.get_ref();
        let given = Limits {
            descriptors: descriptors.unwrap_or(default.descriptors),
            processes: processes.unwrap_or(default.processes),
            ..default
        };
        // With fewer descriptors there would be no room for the three standard streams.
        if given.descriptors < 3
            || given.descriptors > default.files
            || !(1..=1 << 16).contains(&given.processes)
        {
            let what = format!("expected 3 to {} descriptors, and 1 to 65536 processes", default.files);
            return Err(Wrong::new(limits.span(), format!("{table}.limits"), what));
        }
        Ok(given)
    }

    /// The file that each of `count` processes has for a standard input.
    fn stdin(&self, count: u32, table: &str, budget: &mut Budget) -> Result<Option<Vec<String>>, Wrong> {
        let Some(stdin) = &self.stdin else { return Ok(None) };
        let refuse = |what: &str| Err(Wrong::new(stdin.span(), format!("{table}.stdin"), what));
        if !self.runs_something() {
            return refuse("nothing runs here that could read it");
        }
        if !self.typed.is_empty() {
            return refuse("standard input is a file or a terminal to type at, not both");
        }
        let wanted = match stdin.get_ref() {
            Lines::Listed(lines) => lines.len() as u64,
            Lines::Generated(count) | Lines::Each(_, count) if count.low != count.high => {
                return refuse("expected one number of lines");
            }
            Lines::Generated(count) | Lines::Each(_, count) => count.low,
        };
        let Some(left) = wanted.checked_mul(count.into()).and_then(|all| budget.lines.checked_sub(all))
        else {
            return refuse(&format!("more lines than the limit of {}", limits::TYPED_LINES));
        };
        budget.lines = left;
        let each = match stdin.get_ref() {
            Lines::Listed(lines) => lines.iter().map(|line| line.len() as u64 + 1).sum(),
            Lines::Generated(_) => wanted * (generated_line(wanted).len() as u64 + 1),
            Lines::Each(line, _) => wanted * (line.len() as u64 + 1),
        };
        if let Err(what) = budget.take_octets(each, count) {
            return refuse(&what);
        }
        Ok(Some(match stdin.get_ref() {
            Lines::Listed(lines) => lines.clone(),
            Lines::Generated(_) => (1..=wanted).map(generated_line).collect(),
            Lines::Each(line, _) => vec![line.clone(); wanted as usize],
        }))
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
        let octets = typed.iter().map(|typed| match &typed.what {
            Input::Line(line) => line.len() as u64 + 1,
            Input::Eof => 1,
        });
        if let (Err(what), Some(last)) = (budget.take_octets(octets.sum(), count), self.typed.last()) {
            return Err(refuse(last, what));
        }
        Ok(typed)
    }

    fn settings(self, system: System, table: &str) -> Result<Vec<(String, String)>, Wrong> {
        let spans: BTreeMap<String, _> =
            self.set.keys().map(|key| (key.get_ref().clone(), key.span())).collect();
        let set: Vec<(String, String)> =
            self.set.into_iter().map(|(key, Setting(value))| (key.into_inner(), value)).collect();
        match set::profile_with(system, set.iter()) {
            Ok(_) => Ok(set),
            Err(error) => {
                Err(Wrong::new(spans[error.key()].clone(), format!("{table}.set"), error.to_string()))
            }
        }
    }
}
