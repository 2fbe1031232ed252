//! What is to be done, by time; what is due at once in the order it was put down.

use std::collections::BTreeMap;

use super::Play;
use crate::scenario::Trigger;
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
                for (i, (at, _)) in run.typed.iter().enumerate() {
                    agenda.add(SimTime::ZERO + *at, Item::Type { host: h, run: r, input: i });
                }
            }
        }
        for (f, fault) in play.faults.iter().enumerate() {
            if let Trigger::At(at) = fault.trigger {
                agenda.add(at + fault.delay, Item::Strike { fault: f });
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
