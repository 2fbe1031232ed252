//! What is done to the hosts from outside, which both runs have from the scenario: paired by what it is.

use std::collections::BTreeMap;

use crate::timeline::{Event, Kind, ProcessChange, Stream};

/// What is given, and for the how-manieth time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Given<'a> {
    Start {
        host: &'a str,
    },
    /// Typed at the n-th process of its host.
    Line {
        host: &'a str,
        process: usize,
        text: &'a str,
    },
    Fault {
        what: String,
        target: &'a str,
    },
}

/// Pairs what is given in the first of two runs with what is given in the other, by place.
pub(super) fn pairs(sim: &[Event], real: &[Event]) -> Vec<(usize, usize)> {
    let mut real = given(real);
    let pair = |(what, at)| Some((at, real.remove(&what)?));
    given(sim).into_iter().filter_map(pair).collect()
}

fn given(events: &[Event]) -> BTreeMap<(Given<'_>, usize), usize> {
    let mut found = BTreeMap::new();
    let mut counts: BTreeMap<Given<'_>, usize> = BTreeMap::new();
    let born = Born::of(events);
    for (at, event) in events.iter().enumerate() {
        let host: &str = &event.host;
        let what = match &event.kind {
            Kind::Process(process) if process.what == ProcessChange::Start => Given::Start { host },
            Kind::Line(line) if line.stream == Stream::Stdin => {
                let process = born.nth(host, line.pid, at).unwrap_or(usize::MAX);
                Given::Line { host, process, text: &line.text }
            }
            Kind::Fault { fault, target } => Given::Fault { what: format!("{fault:?}"), target },
            _ => continue,
        };
        let count = counts.entry(what.clone()).or_insert(0);
        found.insert((what, *count), at);
        *count += 1;
    }
    found
}

/// Processes in the order in which they came to life on their host: pids differ from run to run.
pub(super) struct Born<'a>(BTreeMap<(&'a str, u32), Vec<Birth>>);

struct Birth {
    at: usize,
    nth: usize,
}

impl<'a> Born<'a> {
    pub(super) fn of(events: &'a [Event]) -> Born<'a> {
        let mut born = Born(BTreeMap::new());
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            if let Kind::Process(process) = &event.kind
                && matches!(process.what, ProcessChange::Start | ProcessChange::Fork { .. })
            {
                let count = counts.entry(&event.host).or_insert(0);
                born.0.entry((&event.host, process.pid)).or_default().push(Birth { at, nth: *count });
                *count += 1;
            }
        }
        born
    }

    /// Which process of its host a pid means in the event at `at`: the last that was born by then, for a host gives a
    /// pid again when it has booted. A parent may tell of a child before the child tells of itself.
    pub(super) fn nth(&self, host: &'a str, pid: u32, at: usize) -> Option<usize> {
        let births = self.0.get(&(host, pid))?;
        let last = births.partition_point(|birth| birth.at <= at).saturating_sub(1);
        births.get(last).map(|birth| birth.nth)
    }
}
