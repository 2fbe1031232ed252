//! `[[fault]]`: what goes wrong, and when.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::mistake::Wrong;
use super::value::{After, Value, When};
use super::{Names, backwards};
use crate::packet::Unreachable;
use crate::scenario::{Fault, SIGNALS, Trigger, Watch};
use crate::time::SimTime;
use crate::timeline::{FaultKind, Victim, Way};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultTable {
    at: Option<Spanned<Value<Duration>>>,
    when: Option<Spanned<Value<When>>>,
    after: Option<Spanned<Value<After>>>,
    delay: Option<Spanned<Value<Duration>>>,
    #[serde(rename = "do")]
    what: Spanned<Do>,
    host: Spanned<String>,
    way: Option<Spanned<Way>>,
    code: Option<Spanned<Value<Unreachable>>>,
    process: Option<Spanned<Victim>>,
    signal: Option<Spanned<String>>,
    #[serde(default)]
    may_miss: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Do {
    Crash,
    Boot,
    Shutdown,
    Kill,
    Partition,
    Repair,
    Hold,
    Release,
    Unreachable,
    Reachable,
}

impl FaultTable {
    /// `line` is where the fault stands; `before` the time of the fault before it that has one.
    pub(super) fn check(self, line: usize, names: &Names, before: &mut Duration) -> Result<Fault, Wrong> {
        names.check(self.host.get_ref(), self.host.span(), "fault.host")?;
        if *self.what.get_ref() == Do::Kill && !names.runs_something(self.host.get_ref()) {
            let what = format!("nothing runs on {:?} that could be killed", self.host.get_ref());
            return Err(Wrong::new(self.host.span(), "fault.host", what));
        }
        self.refuse_strays()?;
        Ok(Fault {
            line,
            trigger: self.trigger(names, before)?,
            delay: self.delay.as_ref().map_or(Duration::ZERO, |delay| delay.get_ref().0),
            kind: self.kind()?,
            host: self.host.into_inner(),
            may_miss: self.may_miss,
        })
    }

    /// A key that means nothing to this fault is a misunderstanding, not an ornament.
    fn refuse_strays(&self) -> Result<(), Wrong> {
        let what = *self.what.get_ref();
        let on_links = matches!(what, Do::Partition | Do::Repair | Do::Hold | Do::Release);
        let (kill, unreachable) = (what == Do::Kill, what == Do::Unreachable);
        let keys = [
            ("fault.way", span(&self.way), on_links, "partition, repair, hold and release have a way"),
            ("fault.code", span(&self.code), unreachable, "unreachable has a code"),
            ("fault.process", span(&self.process), kill, "kill has a process"),
            ("fault.signal", span(&self.signal), kill, "kill has a signal"),
        ];
        for (key, span, fits, only) in keys {
            if let (Some(span), false) = (span, fits) {
                return Err(Wrong::new(span, key, format!("only {only}")));
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

    fn kind(&self) -> Result<FaultKind, Wrong> {
        let way = self.way.as_ref().map_or(Way::Both, |way| *way.get_ref());
        Ok(match self.what.get_ref() {
            Do::Crash => FaultKind::Crash,
            Do::Boot => FaultKind::Boot,
            Do::Shutdown => FaultKind::Shutdown,
            Do::Kill => {
                let process = self.process.as_ref().map_or(Victim::Parent, |process| *process.get_ref());
                FaultKind::Kill { process, signal: self.signal()? }
            }
            Do::Partition => FaultKind::Partition(way),
            Do::Repair => FaultKind::Repair(way),
            Do::Hold => FaultKind::Hold(way),
            Do::Release => FaultKind::Release(way),
            Do::Unreachable => {
                FaultKind::Unreachable(self.code.as_ref().map_or(Unreachable::Host, |code| code.get_ref().0))
            }
            Do::Reachable => FaultKind::Reachable,
        })
    }

    /// SIGTERM, as of kill(1), unless another is named.
    fn signal(&self) -> Result<&'static str, Wrong> {
        let Some(signal) = &self.signal else { return Ok("SIGTERM") };
        SIGNALS.into_iter().find(|name| name == signal.get_ref()).ok_or_else(|| {
            let what = format!("no signal {:?}; signals are {}", signal.get_ref(), SIGNALS.join(", "));
            Wrong::new(signal.span(), "fault.signal", what)
        })
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
