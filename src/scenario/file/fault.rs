//! `[[fault]]`: what goes wrong, and when.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::mistake::Wrong;
use super::value::{After, Value, When};
use super::{Names, backwards};
use crate::packet::Unreachable;
use crate::scenario::fault::{Details, keys, written};
use crate::scenario::{Fault, SIGNALS, Trigger, Watch};
use crate::time::SimTime;
use crate::timeline::{FaultKind, ResetAim, ResetEnds, Victim, Way};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultTable {
    at: Option<Spanned<Value<Duration>>>,
    when: Option<Spanned<Value<When>>>,
    after: Option<Spanned<Value<After>>>,
    delay: Option<Spanned<Value<Duration>>>,
    #[serde(rename = "do")]
    what: Spanned<String>,
    host: Spanned<String>,
    way: Option<Spanned<Way>>,
    code: Option<Spanned<Value<Unreachable>>>,
    process: Option<Spanned<Victim>>,
    signal: Option<Spanned<String>>,
    to: Option<Spanned<ResetEnds>>,
    aim: Option<Spanned<ResetAim>>,
    #[serde(default)]
    may_miss: bool,
}

impl FaultTable {
    /// `line` is where the fault stands; `before` the time of the fault before it that has one.
    pub(super) fn check(self, line: usize, names: &Names, before: &mut Duration) -> Result<Fault, Wrong> {
        names.check(self.host.get_ref(), self.host.span(), "fault.host")?;
        let kind = self.kind(Details::default())?;
        if matches!(kind, FaultKind::Kill { .. }) && !names.runs_something(self.host.get_ref()) {
            let what = format!("nothing runs on {:?} that could be killed", self.host.get_ref());
            return Err(Wrong::new(self.host.span(), "fault.host", what));
        }
        self.refuse_strays(keys(kind))?;
        Ok(Fault {
            line,
            trigger: self.trigger(names, before)?,
            delay: self.delay.as_ref().map_or(Duration::ZERO, |delay| delay.get_ref().0),
            kind: self.kind(self.details()?)?,
            host: self.host.into_inner(),
            may_miss: self.may_miss,
        })
    }

    fn kind(&self, details: Details) -> Result<FaultKind, Wrong> {
        let (name, faults) = (self.what.get_ref(), written(details));
        faults.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
            let known: Vec<String> = faults.iter().map(|fault| format!("`{}`", fault.name())).collect();
            let what = format!("unknown variant `{name}`, expected one of {}", known.join(", "));
            Wrong::new(self.what.span(), "fault.do", what)
        })
    }

    /// A key that means nothing to this fault is a misunderstanding, not an ornament.
    fn refuse_strays(&self, keys: &[&str]) -> Result<(), Wrong> {
        let given = [
            ("way", span(&self.way)),
            ("code", span(&self.code)),
            ("process", span(&self.process)),
            ("signal", span(&self.signal)),
            ("to", span(&self.to)),
            ("aim", span(&self.aim)),
        ];
        for (key, span) in given {
            if let Some(span) = span
                && !keys.contains(&key)
            {
                return Err(Wrong::new(span, format!("fault.{key}"), only(key)));
            }
        }
        Ok(())
    }

    fn trigger(&self, names: &Names, before: &mut Duration) -> Result<Trigger, Wrong> {
        match (&self.at, &self.when, &self.after) {
            (Some(at), None, None) => {
                let Value(time) = *at.get_ref();
                if time < *before {
                    return Err(Wrong::new(at.span(), "fault.at", backwards(time, *before)));
                }
                if let Some(delay) = &self.delay {
                    return Err(Wrong::new(delay.span(), "fault.delay", "only when and after take a delay"));
                }
                *before = time;
                Ok(Trigger::At(SimTime::ZERO + time))
            }
            (None, Some(when), None) => {
                let Value(When(watch)) = when.get_ref();
                upon(watch, names, when.span(), "fault.when")
            }
            (None, None, Some(after)) => {
                let Value(After(watch)) = after.get_ref();
                upon(watch, names, after.span(), "fault.after")
            }
            _ => Err(Wrong::new(self.what.span(), "fault", "expected one of at, when and after")),
        }
    }

    fn details(&self) -> Result<Details, Wrong> {
        let default = Details::default();
        Ok(Details {
            way: self.way.as_ref().map_or(default.way, |way| *way.get_ref()),
            code: self.code.as_ref().map_or(default.code, |code| code.get_ref().0),
            process: self.process.as_ref().map_or(default.process, |process| *process.get_ref()),
            signal: self.signal(default.signal)?,
            to: self.to.as_ref().map_or(default.to, |to| *to.get_ref()),
            aim: self.aim.as_ref().map_or(default.aim, |aim| *aim.get_ref()),
        })
    }

    fn signal(&self, default: &'static str) -> Result<&'static str, Wrong> {
        let Some(signal) = &self.signal else { return Ok(default) };
        SIGNALS.into_iter().find(|name| name == signal.get_ref()).ok_or_else(|| {
            let what = format!("no signal {:?}; signals are {}", signal.get_ref(), SIGNALS.join(", "));
            Wrong::new(signal.span(), "fault.signal", what)
        })
    }
}

/// `only partition, repair, hold and release have a way`.
fn only(key: &str) -> String {
    let faults = written(Details::default()).into_iter().filter(|fault| keys(*fault).contains(&key));
    let faults: Vec<&str> = faults.map(FaultKind::name).collect();
    match faults.as_slice() {
        [only] => format!("only {only} has a {key}"),
        [most @ .., last] => format!("only {} and {last} have a {key}", most.join(", ")),
        [] => format!("no fault has a {key}"),
    }
}

fn span<T>(value: &Option<Spanned<T>>) -> Option<Range<usize>> {
    value.as_ref().map(Spanned::span)
}

fn upon(watch: &Watch, names: &Names, span: Range<usize>, key: &str) -> Result<Trigger, Wrong> {
    if let Some(host) = &watch.host {
        names.check(host, span, key)?;
    }
    Ok(Trigger::On(watch.clone()))
}
