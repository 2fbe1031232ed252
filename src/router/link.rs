//! A host's link to the router: two pipes, and the faults that now strike there.

use super::chance::Chance;
use super::injected::Watched;
use super::middlebox::Middlebox;
use super::pipe::{Heading, Passage, Pipe};
use super::{LinkConfig, LinkId, Met};
use crate::packet::Unreachable;
use crate::time::SimTime;
use crate::timeline::LostReason;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) config: LinkConfig,
    /// It is one of those that make up the shared segment.
    pub(super) is_shared: bool,
    to_host: Pipe,
    from_host: Pipe,
    /// The host is off.
    pub(super) down: bool,
    /// The host's interface is off.
    pub(super) off: bool,
    /// The host is paused.
    pub(super) paused: bool,
    /// What the router answers to packets for the host, in place of forwarding them.
    pub(super) unreachable: Option<Unreachable>,
    pub(super) middleboxes: Vec<Middlebox>,
    /// The flows on it, if somebody watches them.
    pub(super) watched: Option<Watched>,
    pub(super) met: Met,
}

impl Link {
    pub(super) fn new(id: LinkId, name: &str, config: LinkConfig, seed: u64) -> Link {
        let stream = 2 * id.0 as u64;
        Link {
            name: name.to_owned(),
            config,
            is_shared: false,
            to_host: Pipe::new(Chance::new(seed, stream)),
            from_host: Pipe::new(Chance::new(seed, stream + 1)),
            down: false,
            off: false,
            paused: false,
            unreachable: None,
            middleboxes: Vec::new(),
            watched: None,
            met: Met::default(),
        }
    }

    pub(super) fn pipe(&mut self, heading: Heading) -> &mut Pipe {
        match heading {
            Heading::ToHost => &mut self.to_host,
            Heading::FromHost => &mut self.from_host,
        }
    }

    /// A packet of `len` octets enters one of the pipes.
    pub(super) fn enter(
        &mut self,
        now: SimTime,
        heading: Heading,
        len: usize,
    ) -> Result<Passage, LostReason> {
        let pipe = match heading {
            Heading::ToHost => &mut self.to_host,
            Heading::FromHost => &mut self.from_host,
        };
        pipe.enter(now, len, &self.config, &mut self.met)
    }
}
