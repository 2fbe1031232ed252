//! A host's local ports: who uses each, and which one the host chooses next.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How many sockets use a port.
#[derive(Clone, Copy, Default)]
struct Users {
    /// Of a program's own choice, or its listener's.
    bound: u32,
    /// Of `connect`'s choice.
    chosen: u32,
}

pub(super) struct Ports {
    ephemeral: RangeInclusive<u16>,
    next: u16,
    users: BTreeMap<u16, Users>,
}

impl Ports {
    /// No port is in use. The first choice is somewhere in the range, as `random` has it.
    pub(super) fn new(ephemeral: RangeInclusive<u16>, random: u32) -> Ports {
        // Half of the range is left to count up in, so that ports of a short run look in order.
        let half = (ephemeral.len() as u32 / 2).max(1);
        let next = ephemeral.start() + (random % half) as u16;
        Ports { ephemeral, next, users: BTreeMap::new() }
    }

    /// Chooses as another one would; who uses what stays as it is.
    pub(super) fn follow(&mut self, other: Ports) {
        (self.ephemeral, self.next) = (other.ephemeral, other.next);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    pub(super) fn is_used(&self, port: u16) -> bool {
        self.users.contains_key(&port)
    }

    /// One more socket uses the port; `chosen` if `connect` chose it.
    pub(super) fn acquire(&mut self, port: u16, chosen: bool) {
        *self.users.entry(port).or_default().of(chosen) += 1;
    }

    /// A socket that acquired the port no longer uses it.
    pub(super) fn release(&mut self, port: u16, chosen: bool) {
        if let Some(users) = self.users.get_mut(&port) {
            *users.of(chosen) -= 1;
            if users.bound + users.chosen == 0 {
                self.users.remove(&port);
            }
        }
    }

    /// The next port that nobody uses.
    pub(super) fn unused(&mut self) -> Option<u16> {
        self.next_that(|_, users| users.is_none())
    }

    /// The next port that is used by no socket but those for which `connect` chose it, and that is `free`.
    pub(super) fn shared(&mut self, free: impl Fn(u16) -> bool) -> Option<u16> {
        self.next_that(|port, users| users.is_none_or(|users| users.bound == 0) && free(port))
    }

    fn next_that(&mut self, fits: impl Fn(u16, Option<&Users>) -> bool) -> Option<u16> {
        (0..self.ephemeral.len()).find_map(|_| {
            let port = self.next;
            self.next = if port == *self.ephemeral.end() { *self.ephemeral.start() } else { port + 1 };
            fits(port, self.users.get(&port)).then_some(port)
        })
    }
}

impl Users {
    fn of(&mut self, chosen: bool) -> &mut u32 {
        if chosen { &mut self.chosen } else { &mut self.bound }
    }
}
