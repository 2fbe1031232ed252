//! What is to be done, by time; what is due at once in the order it was put down.

use std::collections::BTreeMap;

use super::view::View;
use super::{Play, Stdin};
use crate::scenario::{Moment, Trigger};
use crate::time::SimTime;

/// One thing to do. Numbers are indices into the play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Start {
        host: usize,
        run: usize,
    },
    Type {
        host: usize,
        run: usize,
        input: usize,
    },
    Strike {
        fault: usize,
    },
    Look {
        view: View,
    },
    /// A host that is shut down has said its last.
    SwitchOff {
        host: usize,
    },
    /// The grace of a shutdown is over.
    KillAll {
        host: usize,
    },
}

#[derive(Debug, Default)]
pub(super) struct Agenda {
    items: BTreeMap<(SimTime, usize), Item>,
    count: usize,
}

impl Agenda {
    pub(super) fn of(play: &Play) -> Agenda {
        let mut agenda = Agenda::default();
        for (h, host) in play.hosts.iter().enumerate() {
            for (r, run) in host.runs.iter().enumerate() {
                agenda.add(SimTime::ZERO + run.start, Item::Start { host: h, run: r });
                let Stdin::Terminal(typed) = &run.stdin else { continue };
                for (i, typed) in typed.iter().enumerate() {
                    agenda.add(typed.at, Item::Type { host: h, run: r, input: i });
                }
            }
        }
        for (f, fault) in play.faults.iter().enumerate() {
            if let Trigger::At(at) = fault.trigger {
                agenda.add(at + fault.delay, Item::Strike { fault: f });
            }
        }
        for (view, moment) in [(View::Netstat, play.netstat), (View::Ps, play.ps)] {
            if let Some(Moment::At(at)) = moment {
                agenda.add(at, Item::Look { view });
            }
        }
        agenda
    }

    pub(super) fn add(&mut self, at: SimTime, item: Item) {
        self.items.insert((at, self.count), item);
        self.count += 1;
    }

    /// The next item that is due at `now`.
    pub(super) fn next(&mut self, now: SimTime) -> Option<Item> {
        self.items.first_entry().filter(|first| first.key().0 <= now).map(|first| first.remove())
    }

    pub(super) fn next_time(&self) -> Option<SimTime> {
        self.items.first_key_value().map(|((at, _), _)| *at)
    }
}
