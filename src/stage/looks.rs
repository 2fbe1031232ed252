//! Every host's sockets and processes at a moment that was asked for: `--netstat`, `--ps`.

use std::sync::Arc;

use super::Stage;
use crate::scenario::{Moment, Netstat, Ps, Scenario};
use crate::time::SimTime;

/// What was asked for, and what has been seen of it.
pub(super) struct Looks<'a> {
    scenario: &'a Scenario,
    /// When to look at the sockets, until that is done.
    netstat_at: Option<Moment>,
    netstat: Option<Netstat>,
    /// When to look at the processes, until that is done.
    ps_at: Option<Moment>,
    ps: Option<Ps>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Looks<'a> {
        Looks { scenario, netstat_at: scenario.netstat, netstat: None, ps_at: scenario.ps, ps: None }
    }

    /// What was seen. What has not been looked at yet is looked at now.
    pub(super) fn take<S: Stage>(mut self, stage: &mut S) -> Result<(Option<Netstat>, Option<Ps>), S::Error> {
        for moment in [self.netstat_at, self.ps_at].into_iter().flatten() {
            self.look(moment, stage)?;
        }
        Ok((self.netstat, self.ps))
    }

    /// The first moment to look at.
    pub(super) fn first(&self) -> Option<SimTime> {
        let time = |moment| match moment {
            Some(Moment::At(at)) => Some(at),
            Some(Moment::End) | None => None,
        };
        [time(self.netstat_at), time(self.ps_at)].into_iter().flatten().min()
    }

    /// Looks at what was asked for at this moment. Real programs do not stand still for it: what the kernel is asked
    /// for last may be a little later.
    pub(super) fn look<S: Stage>(&mut self, moment: Moment, stage: &mut S) -> Result<(), S::Error> {
        let t = stage.now();
        if self.netstat_at.take_if(|at| *at == moment).is_some() {
            self.netstat = Some(Netstat { t, hosts: self.each(|host| stage.sockets(host))? });
        }
        if self.ps_at.take_if(|at| *at == moment).is_some() {
            self.ps = Some(Ps { t, hosts: self.each(|host| stage.processes(host))? });
        }
        Ok(())
    }

    /// What `find` finds on each host.
    fn each<T, E>(&self, mut find: impl FnMut(usize) -> Result<T, E>) -> Result<Vec<(Arc<str>, T)>, E> {
        let hosts = self.scenario.hosts.iter().enumerate();
        hosts.map(|(n, host)| Ok((host.name.as_str().into(), find(n)?))).collect()
    }
}
