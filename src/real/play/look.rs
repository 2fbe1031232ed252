//! The hosts at a moment that was asked for: `--netstat` and `--ps`.

use std::io;
use std::sync::Arc;

use super::performance::Performance;
use super::view::View;
use crate::scenario::{Netstat, Ps};

impl Performance<'_> {
    /// Looks now. The programs do not stand still for it: what is asked of the kernel last may be a little later.
    pub(super) fn look(&mut self, view: View) -> io::Result<()> {
        self.listen()?;
        let t = self.pipe.now();
        match view {
            View::Netstat => {
                let hosts = self.each(|play, host| play.sockets(host))?;
                self.views.netstat = Some(Netstat { t, hosts });
            }
            View::Ps => {
                let hosts = self.each(|play, host| play.processes(host))?;
                self.views.ps = Some(Ps { t, hosts });
            }
        }
        Ok(())
    }

    /// Looks at what the play has ended too early for, or what was to be looked at when it ends.
    pub(super) fn look_at_the_end(&mut self) -> io::Result<()> {
        if self.play.netstat.is_some() && self.views.netstat.is_none() {
            self.look(View::Netstat)?;
        }
        if self.play.ps.is_some() && self.views.ps.is_none() {
            self.look(View::Ps)?;
        }
        Ok(())
    }

    /// What is found on each host; `None` on one that is off.
    fn each<T>(
        &mut self,
        mut find: impl FnMut(&mut Self, usize) -> io::Result<T>,
    ) -> io::Result<Vec<(Arc<str>, Option<T>)>> {
        let mut all = Vec::with_capacity(self.play.hosts.len());
        for (n, host) in self.play.hosts.iter().enumerate() {
            let is_off = self.off[n].last().is_some_and(|(_, until)| until.is_none());
            let found = if is_off { None } else { Some(find(self, n)?) };
            all.push((host.name.as_str().into(), found));
        }
        Ok(all)
    }
}
