//! The format of a scenario's file, and its meaning.
//!
//! Every table of the file has a struct that serde fills, unknown keys refused, and a `check` that turns it into
//! plain data. What a value cannot be by itself is found by the first (`value`), what does not fit the rest of
//! the file by the second; both know the line.

mod expect;
mod fault;
mod host;
mod link;
mod list;
mod middlebox;
mod mistake;
mod names;
mod rule;
mod typing;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::variables::is_name;
use super::{Host, IpVersion, Rule, Scenario, Variables, keys, limits};
use crate::span;
use crate::stack::System;
use crate::time::SimTime;
use crate::timeline::FaultKind;
use expect::ExpectTable;
use fault::FaultTable;
use host::{Budget, Defaults, HostTable};
use link::LinkTable;
use middlebox::MiddleboxTable;
use mistake::{Wrong, from_toml, line_of};
use names::Names;
use rule::RuleTable;
use value::{Setting, Value};

pub use mistake::Mistake;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    name: Spanned<String>,
    stack: Option<Value<System>>,
    seed: Option<u64>,
    ip: Option<Value<IpVersion>>,
    #[serde(default)]
    lan: bool,
    until: Option<Value<Duration>>,
    #[serde(default)]
    may_miss: bool,
    #[serde(default)]
    set: BTreeMap<Spanned<String>, Setting>,
    #[serde(default)]
    host: BTreeMap<Spanned<String>, HostTable>,
    #[serde(default)]
    link: BTreeMap<Spanned<String>, LinkTable>,
    #[serde(default)]
    middlebox: Vec<MiddleboxTable>,
    #[serde(default)]
    rule: Vec<Spanned<RuleTable>>,
    #[serde(default)]
    fault: Vec<Spanned<FaultTable>>,
    #[serde(default)]
    expect: BTreeMap<Spanned<String>, ExpectTable>,
}

/// Reads the text of a scenario.
pub(super) fn parse(file: &str, text: &str) -> Result<Scenario, Mistake> {
    toml::from_str(text)
        .map_err(|error| from_toml(error, text))
        .and_then(|top: Top| top.check(file, text))
        .map_err(|wrong| wrong.in_file(file, text))
}

impl Top {
    fn check(self, file: &str, text: &str) -> Result<Scenario, Wrong> {
        if self.name.get_ref().trim().is_empty() || self.name.get_ref().contains('\n') {
            return Err(Wrong::new(self.name.span(), "name", "expected a sentence that says what is shown"));
        }
        if self.fault.len() > limits::FAULTS {
            let what = format!("more faults than the limit of {}", limits::FAULTS);
            return Err(Wrong::new(self.fault[limits::FAULTS].span(), "fault", what));
        }
        // In the file's order: the map has them by name.
        let mut tables: Vec<_> = self.host.into_iter().collect();
        tables.sort_by_key(|(name, _)| name.span().start);
        let names = Names::new(&tables)?;

        let mut scenario = Scenario {
            name: Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            file: file.to_owned(),
            sentence: self.name.into_inner(),
            stack: self.stack.map_or(System::default(), |Value(system)| system),
            seed: self.seed.unwrap_or(1),
            ip: self.ip.map_or(IpVersion::V4, |Value(ip)| ip),
            until: SimTime::ZERO + self.until.map_or(Scenario::UNTIL, |Value(until)| until),
            variables: variables(self.set, &tables)?,
            hosts: Vec::new(),
            middleboxes: Vec::new(),
            rules: Vec::new(),
            faults: Vec::new(),
            may_miss: self.may_miss,
            set: Vec::new(),
            on_loopback: false,
            netstat: None,
            ps: None,
        };
        let mut budget = Budget::new();
        for (name, table) in tables {
            table.check_mtu(name.get_ref(), scenario.ip)?;
            let (stack, variables) = (scenario.stack, &scenario.variables);
            let defaults = Defaults { stack, lan: self.lan, variables };
            let host = table.check(&name, &names, &defaults, &mut budget)?;
            scenario.hosts.push(host);
        }
        for (name, table) in self.link {
            let host = names.check(name.get_ref(), name.span(), "link")?;
            let line = table.drop_starts().map_or(0, |at| line_of(text, at));
            let (link, drops) = table.check(name.get_ref(), &names, scenario.ip)?;
            scenario.hosts[host].link = link;
            scenario.rules.extend(drops.into_iter().map(|config| Rule { line, config, may_miss: false }));
        }
        for table in self.middlebox {
            scenario.middleboxes.push(table.check(&names)?);
        }
        if self.rule.len() > limits::RULES {
            let what = format!("more rules than the limit of {}", limits::RULES);
            return Err(Wrong::new(self.rule[limits::RULES].span(), "rule", what));
        }
        for table in self.rule {
            let line = line_of(text, table.span().start);
            scenario.rules.push(table.into_inner().check(line, &names)?);
        }
        let mut before = Duration::ZERO;
        for table in self.fault {
            let span = table.span();
            let fault = table.into_inner().check(line_of(text, span.start), &names, &mut before)?;
            if matches!(fault.kind, FaultKind::Unreachable(_)) && !has_router_before(&scenario, &fault.host) {
                let what =
                    "no router lies between the hosts of a lan, and so none can say that one is unreachable";
                return Err(Wrong::new(span, "fault.do", what));
            }
            scenario.faults.push(fault);
        }
        for (name, table) in self.expect {
            let host = &mut scenario.hosts[names.check(name.get_ref(), name.span(), "expect")?];
            host.expect = table.check(name.get_ref(), host.count, &scenario.variables)?;
        }
        Ok(scenario)
    }
}

/// Whether anything that goes to this host goes over the router.
fn has_router_before(scenario: &Scenario, host: &str) -> bool {
    let is_on_lan = |other: &Host| other.name == host && other.lan;
    !scenario.hosts.iter().any(is_on_lan) || scenario.hosts.iter().any(|other| !other.lan)
}

/// The scenario's own `[set]`. Every name has to stand for something in a program's command line.
fn variables(
    set: BTreeMap<Spanned<String>, Setting>,
    hosts: &[(Spanned<String>, HostTable)],
) -> Result<Variables, Wrong> {
    let mut variables = Variables::default();
    for (name, Setting(value)) in set {
        let refuse = |what: String| Err(Wrong::new(name.span(), format!("set.{}", name.get_ref()), what));
        if !is_name(name.get_ref()) {
            return refuse("a name is made of letters, digits and _".to_owned());
        }
        if keys().any(|(key, _)| key == name.get_ref()) {
            return refuse("a key of the simulator: it is set in [link.HOST] or [host.HOST.set]".to_owned());
        }
        if !hosts.iter().any(|(_, host)| host.mentions(name.get_ref())) {
            return refuse(format!("no run has ${}", name.get_ref()));
        }
        variables.set(name.get_ref(), &value);
    }
    Ok(variables)
}

/// Says that a time comes after a later one.
fn backwards(time: Duration, before: Duration) -> String {
    format!("time runs backwards: {} after {}", span::show(time), span::show(before))
}

#[cfg(test)]
mod tests;
