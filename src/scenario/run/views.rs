//! Looks at every host at a moment that was asked for.

use std::sync::Arc;

use crate::os::sim::Host;
use crate::scenario::{Moment, Netstat, Ps, Scenario};
use crate::sim::World;
use crate::time::SimTime;

/// What was asked for, and what has been seen of it.
pub(super) struct Views {
    netstat: View<Netstat>,
    ps: View<Ps>,
}

enum View<T> {
    Unwanted,
    At(Moment),
    Seen(T),
}

impl Views {
    pub(super) fn new(scenario: &Scenario) -> Views {
        Views { netstat: View::new(scenario.netstat), ps: View::new(scenario.ps) }
    }

    /// Looks at what has to be looked at before the world goes on to `next`.
    pub(super) fn before(&mut self, world: &mut World, next: SimTime) {
        while let Some(at) = self.first().filter(|at| *at < next) {
            self.at(world, at);
        }
    }

    /// Looks at what lies behind the last event of a run: nothing changes any more, so it is no wait at all.
    pub(super) fn behind(&mut self, world: &mut World) {
        while let Some(at) = self.first() {
            self.at(world, at);
        }
    }

    fn at(&mut self, world: &mut World, at: SimTime) {
        world.go_to(at.max(world.now()));
        self.netstat.look(at, || netstat(world));
        self.ps.look(at, || ps(world));
    }

    pub(super) fn at_the_end(self, world: &World) -> (Option<Netstat>, Option<Ps>) {
        (self.netstat.or_now(|| netstat(world)), self.ps.or_now(|| ps(world)))
    }

    fn first(&self) -> Option<SimTime> {
        [self.netstat.time(), self.ps.time()].into_iter().flatten().min()
    }
}

impl<T> View<T> {
    fn new(moment: Option<Moment>) -> View<T> {
        moment.map_or(View::Unwanted, View::At)
    }

    fn time(&self) -> Option<SimTime> {
        match self {
            View::At(Moment::At(at)) => Some(*at),
            _ => None,
        }
    }

    fn look(&mut self, now: SimTime, see: impl FnOnce() -> T) {
        if self.time() == Some(now) {
            *self = View::Seen(see());
        }
    }

    fn or_now(self, see: impl FnOnce() -> T) -> Option<T> {
        match self {
            View::Unwanted => None,
            View::At(_) => Some(see()),
            View::Seen(seen) => Some(seen),
        }
    }
}

fn netstat(world: &World) -> Netstat {
    Netstat { t: world.now(), hosts: each(world, |host, now| host.stack().sockets(now)) }
}

fn ps(world: &World) -> Ps {
    Ps { t: world.now(), hosts: each(world, |host, _| host.processes()) }
}

/// What `look` finds on each host; `None` on one that is down.
fn each<R>(world: &World, look: impl Fn(&Host, SimTime) -> R) -> Vec<(Arc<str>, Option<R>)> {
    let hosts = world.host_names().map(|name| (Arc::from(name), world.look_at(name, &look)));
    hosts.collect()
}
