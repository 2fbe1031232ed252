//! Faults of hosts and links.

use std::time::Duration;

use super::World;
use crate::timeline::FaultKind;

/// Each returns whether there was anything to strike. The timeline has only what follows from a fault: that one struck
/// is recorded by the caller, which knows what it was meant for.
impl World {
    /// Does to a host, or to its link, what the fault does to it. `grace` is how long its processes have when it is
    /// shut down. A signal to a process is not for the world to send: false.
    pub fn strike(&mut self, host: &str, fault: FaultKind, grace: Duration) -> bool {
        match fault {
            FaultKind::Crash => self.crash(host),
            FaultKind::Boot => self.boot(host),
            FaultKind::Shutdown => self.shutdown(host, grace),
            FaultKind::Kill { .. } => false,
            FaultKind::Pause => self.pause(host),
            FaultKind::Resume => self.resume(host),
            FaultKind::LinkDown => self.set_link(host, false),
            FaultKind::LinkUp => self.set_link(host, true),
            FaultKind::Partition(_)
            | FaultKind::Repair(_)
            | FaultKind::Hold(_)
            | FaultKind::Release(_)
            | FaultKind::Unreachable(_)
            | FaultKind::Reachable
            | FaultKind::Forget
            | FaultKind::Reset { .. } => self.strike_link(host, fault),
        }
    }

    /// The host loses its power. Not a packet leaves it; what it had sent before is on its way still.
    ///
    /// False if it was off already, or there is no such host.
    pub fn crash(&mut self, host: &str) -> bool {
        let Some(n) = self.number(host).filter(|n| self.hosts.is_on(*n)) else { return false };
        self.resume(host);
        self.strike_link(host, FaultKind::Crash);
        self.hosts.switch_off(n);
        true
    }

    /// Power again: a new stack in the old one's place, with other sequence numbers, and its programs from the
    /// start. False if it was not off.
    pub fn boot(&mut self, host: &str) -> bool {
        let Some(n) = self.number(host).filter(|n| !self.hosts.is_on(*n)) else { return false };
        self.strike_link(host, FaultKind::Boot);
        self.hosts.switch_on(n);
        true
    }

    /// `shutdown -h now` (ch. 5.16): SIGTERM to every process, SIGKILL after `grace`, then off.
    pub fn shutdown(&mut self, host: &str, grace: Duration) -> bool {
        self.on_host(host, |machine, now| machine.shutdown(now, grace)).is_some()
    }

    /// The host does nothing from now on, and its clock stands still: a virtual machine that is suspended, a laptop that
    /// sleeps. What comes to it is lost. False if it is so already, or off.
    pub fn pause(&mut self, host: &str) -> bool {
        let Some(n) = self.number(host) else { return false };
        // What comes at this very moment it has yet to take in.
        self.hosts.pause(n) && self.strike_link(host, FaultKind::Pause)
    }

    /// The host goes on where it was: its timers have what was left to them. False if it was not paused.
    pub fn resume(&mut self, host: &str) -> bool {
        let Some(n) = self.number(host) else { return false };
        let Some((stood, missed)) = self.hosts.resume(n) else { return false };
        self.recorder().for_host(host).shift(stood, missed);
        self.strike_link(host, FaultKind::Resume)
    }

    /// Turns the host's interface on or off. False if it is so already, or the host is off.
    pub fn set_link(&mut self, host: &str, up: bool) -> bool {
        let was_other = self.on_host(host, |machine, _| machine.set_link(up)) == Some(true);
        was_other && self.strike_link(host, if up { FaultKind::LinkUp } else { FaultKind::LinkDown })
    }

    /// Does to the host's link what the fault does to it. False if there is no such host.
    pub fn strike_link(&mut self, host: &str, fault: FaultKind) -> bool {
        let Some(link) = self.link(host) else { return false };
        self.on_router(|router, now| router.strike(now, link, fault));
        self.router.move_on();
        true
    }
}
