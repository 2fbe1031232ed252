//! `[[rule]]`: what becomes of chosen packets.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::mistake::Wrong;
use super::value::{Setting, Value};
use crate::packet::{Flags, Unreachable};
use crate::router::{Action, Refusal, RuleConfig};
use crate::scenario::link::Rule;
use crate::scenario::units;
use crate::time::SimTime;

/// What `do` may be.
const ACTIONS: [&str; 5] = ["drop", "delay", "duplicate", "corrupt", "reject"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTable {
    #[serde(rename = "do")]
    what: Spanned<String>,
    by: Option<Spanned<Value<Duration>>>,
    answer: Option<Spanned<Value<Refusal>>>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    flags: Option<Value<Flags>>,
    port: Option<Spanned<u16>>,
    longer: Option<usize>,
    shorter: Option<usize>,
    connection: Option<Spanned<u64>>,
    idle: Option<Value<Duration>>,
    since: Option<Value<Duration>>,
    until: Option<Spanned<Value<Duration>>>,
    probability: Option<Spanned<Setting>>,
    nth: Option<Spanned<u64>>,
    count: Option<Spanned<u64>>,
    #[serde(default)]
    may_miss: bool,
}

impl RuleTable {
    /// `line` is where the rule stands.
    pub(super) fn check(self, line: usize, names: &Names) -> Result<Rule, Wrong> {
        for (host, key) in [(&self.from, "rule.from"), (&self.to, "rule.to")] {
            if let Some(host) = host {
                names.check(host.get_ref(), host.span(), key)?;
            }
        }
        for (number, key) in
            [(&self.connection, "rule.connection"), (&self.nth, "rule.nth"), (&self.count, "rule.count")]
        {
            if let Some(number) = number.as_ref().filter(|number| *number.get_ref() == 0) {
                return Err(Wrong::new(number.span(), key, "expected 1 or more"));
            }
        }
        if let Some(port) = self.port.as_ref().filter(|port| *port.get_ref() == 0) {
            return Err(Wrong::new(port.span(), "rule.port", "expected 1 or more"));
        }
        let since = SimTime::ZERO + self.since.as_ref().map_or(Duration::ZERO, |Value(since)| *since);
        let until = self.until.as_ref().map(|until| SimTime::ZERO + until.get_ref().0);
        if let Some(span) = self.until.as_ref().map(Spanned::span)
            && until.is_some_and(|until| until <= since)
        {
            return Err(Wrong::new(span, "rule.until", "expected a time after since"));
        }
        let action = self.action()?;
        let probability = self.probability()?;
        let nth = self.nth.map(Spanned::into_inner);
        // `nth` alone is that one.
        let all = if nth.is_some() { 1 } else { u64::MAX };
        let config = RuleConfig {
            action,
            from: self.from.map(Spanned::into_inner),
            to: self.to.map(Spanned::into_inner),
            flags: self.flags.map(|Value(flags)| flags),
            port: self.port.map(Spanned::into_inner),
            longer: self.longer,
            shorter: self.shorter,
            connection: self.connection.map(Spanned::into_inner),
            idle: self.idle.map(|Value(idle)| idle),
            since,
            until,
            probability,
            nth: nth.unwrap_or(1),
            count: self.count.map_or(all, Spanned::into_inner),
            ..RuleConfig::default()
        };
        Ok(Rule { line, config, may_miss: self.may_miss })
    }

    fn action(&self) -> Result<Action, Wrong> {
        let what = self.what.get_ref().as_str();
        if let Some(by) = self.by.as_ref().filter(|_| what != "delay") {
            return Err(Wrong::new(by.span(), "rule.by", "only delay has a by"));
        }
        if let Some(answer) = self.answer.as_ref().filter(|_| what != "reject") {
            return Err(Wrong::new(answer.span(), "rule.answer", "only reject has an answer"));
        }
        match (what, &self.by) {
            ("drop", _) => Ok(Action::Drop),
            ("delay", Some(by)) => Ok(Action::Delay(by.get_ref().0)),
            ("delay", None) => Err(Wrong::new(
                self.what.span(),
                "rule.by",
                "expected how much later, such as by = \"100ms\"",
            )),
            ("duplicate", _) => Ok(Action::Duplicate),
            ("corrupt", _) => Ok(Action::Corrupt),
            // As a packet filter's `reject`.
            ("reject", _) => Ok(Action::Reject(
                self.answer.as_ref().map_or(Refusal::Icmp(Unreachable::Port), |answer| answer.get_ref().0),
            )),
            _ => {
                let known = ACTIONS.map(|name| format!("`{name}`")).join(", ");
                let what = format!("unknown variant `{what}`, expected one of {known}");
                Err(Wrong::new(self.what.span(), "rule.do", what))
            }
        }
    }

    fn probability(&self) -> Result<f64, Wrong> {
        let Some(probability) = &self.probability else { return Ok(1.0) };
        let Setting(text) = probability.get_ref();
        units::fraction(text).ok_or_else(|| {
            let what = format!("{text:?} is not {}", units::A_FRACTION);
            Wrong::new(probability.span(), "rule.probability", what)
        })
    }
}
