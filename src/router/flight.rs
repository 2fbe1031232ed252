//! The packets under way, on all links together.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::pipe::PipeId;
use crate::time::SimTime;

/// Packets by the time they reach the end of their pipe; those of one instant in the order they set out.
#[derive(Debug, Default)]
pub(super) struct Flight {
    packets: BTreeMap<(SimTime, u64), (PipeId, Bytes)>,
    departures: u64,
}

impl Flight {
    pub(super) fn depart(&mut self, due: SimTime, pipe: PipeId, packet: Bytes) {
        self.packets.insert((due, self.departures), (pipe, packet));
        self.departures += 1;
    }

    pub(super) fn next_due(&self) -> Option<SimTime> {
        self.packets.first_key_value().map(|(&(due, _), _)| due)
    }

    /// The next packet that is at the end of its pipe by `now`.
    pub(super) fn land(&mut self, now: SimTime) -> Option<(PipeId, Bytes)> {
        let first = self.packets.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// Takes out what is under way on `pipe`, in order. This looks at every packet: for faults only.
    pub(super) fn cut(&mut self, pipe: PipeId) -> Vec<Bytes> {
        self.packets.extract_if(.., |_, (on, _)| *on == pipe).map(|(_, (_, packet))| packet).collect()
    }
}
