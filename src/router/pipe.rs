//! One direction of a link: waiting for the wire, sending, travelling.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::chance::{Chance, CopyDraw, strikes};
use super::{LinkConfig, LinkId, Met};
use crate::time::SimTime;
use crate::timeline::LostReason;

/// Where a pipe leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    ToHost,
    FromHost,
}

/// Names one pipe of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PipeId {
    pub(super) link: LinkId,
    pub(super) heading: Heading,
}

/// One direction of a link, dummynet's word for it.
#[derive(Debug)]
pub(super) struct Pipe {
    chance: Chance,
    /// When the last bit accepted so far will be on the wire.
    wire_free: SimTime,
    /// When each packet that waits for the wire gets it.
    waiting: VecDeque<SimTime>,
    /// The latest arrival so far, reordered packets apart: nothing sent later may come before it.
    last_due: SimTime,
    /// Partitioned: what enters is lost.
    pub(super) cut: bool,
    /// While the pipe is held: the packets at its end that are not let out.
    pub(super) held: Option<VecDeque<Bytes>>,
}

/// What becomes of a packet that was accepted: one arrival, or two.
#[derive(Debug, PartialEq)]
pub(super) struct Passage {
    pub(super) packet: Arrival,
    pub(super) duplicate: Option<Arrival>,
}

/// When a copy of the packet arrives, and in which shape.
#[derive(Debug, PartialEq)]
pub(super) struct Arrival {
    pub(super) due: SimTime,
    /// The bit that flips on the way, counted from the start of the packet.
    pub(super) flipped: Option<usize>,
}

impl Arrival {
    /// The same, so much later.
    pub(super) fn later(self, by: Duration) -> Arrival {
        Arrival { due: self.due + by, ..self }
    }
}

/// The least time a reordered packet is kept back, for links without latency.
const OVERTAKING: Duration = Duration::from_millis(1);

impl Pipe {
    pub(super) fn new(chance: Chance) -> Pipe {
        Pipe {
            chance,
            wire_free: SimTime::ZERO,
            waiting: VecDeque::new(),
            last_due: SimTime::ZERO,
            cut: false,
            held: None,
        }
    }

    /// A packet of `len` octets enters: when does it arrive, or why not?
    pub(super) fn enter(
        &mut self,
        now: SimTime,
        len: usize,
        config: &LinkConfig,
        met: &mut Met,
    ) -> Result<Passage, LostReason> {
        // Drawn first, for packets that are lost otherwise too: the n-th packet has the n-th draw.
        let draw = config.is_random().then(|| self.chance.draw());
        if len > config.mtu {
            return Err(LostReason::TooBig);
        }
        if self.cut {
            met.partitioned += 1;
            return Err(LostReason::Partition);
        }
        let Some(sent) = self.serialise(now, len, config) else {
            met.queue_full += 1;
            return Err(LostReason::QueueFull);
        };
        let Some(draw) = draw else {
            return Ok(Passage { packet: self.travel_straight(sent, config), duplicate: None });
        };
        if strikes(draw.loss, config.loss).is_some() {
            met.lost += 1;
            return Err(LostReason::Loss);
        }
        let packet = self.travel(sent, len, config, draw.copies[0], met);
        let duplicate = strikes(draw.duplicate, config.duplicate).map(|_| {
            met.duplicated += 1;
            self.travel(sent, len, config, draw.copies[1], met)
        });
        Ok(Passage { packet, duplicate })
    }

    /// Puts the packet on the wire as soon as that is free, and returns when its last bit is out; `None` if
    /// too many wait already.
    fn serialise(&mut self, now: SimTime, len: usize, config: &LinkConfig) -> Option<SimTime> {
        let Some(bandwidth) = config.bandwidth else { return Some(now) };
        while self.waiting.front().is_some_and(|&start| start <= now) {
            self.waiting.pop_front();
        }
        if self.wire_free > now {
            if self.waiting.len() >= config.queue {
                return None;
            }
            self.waiting.push_back(self.wire_free);
        }
        // Rounded up: no wire is faster than it claims.
        let bits = (len as u64).saturating_mul(8 * 1_000_000_000);
        let nanos = if bandwidth == 0 { u64::MAX } else { bits.div_ceil(bandwidth) };
        self.wire_free = self.wire_free.max(now) + Duration::from_nanos(nanos);
        Some(self.wire_free)
    }

    fn travel_straight(&mut self, sent: SimTime, config: &LinkConfig) -> Arrival {
        self.last_due = self.last_due.max(sent + config.latency);
        Arrival { due: self.last_due, flipped: None }
    }

    fn travel(
        &mut self,
        sent: SimTime,
        len: usize,
        config: &LinkConfig,
        draw: CopyDraw,
        met: &mut Met,
    ) -> Arrival {
        let shortest = config.latency.saturating_sub(config.jitter);
        let longest = config.latency.saturating_add(config.jitter);
        let mut due = sent + shortest + fraction(longest - shortest, draw.jitter);
        if let Some(how_long) = strikes(draw.reorder, config.reorder) {
            met.reordered += 1;
            let back = config.latency.max(OVERTAKING);
            due = due.max(self.last_due) + back + fraction(back, how_long);
        } else {
            due = due.max(self.last_due);
            self.last_due = due;
        }
        let bits = len * 8;
        let flipped = strikes(draw.corrupt, config.corrupt).filter(|_| bits > 0).map(|which| {
            met.corrupted += 1;
            ((which * bits as f64) as usize).min(bits - 1)
        });
        Arrival { due, flipped }
    }

    /// The wire is cut: nothing is on it any more, and nothing has to be waited for.
    pub(super) fn clear(&mut self) {
        self.wire_free = SimTime::ZERO;
        self.waiting.clear();
        self.last_due = SimTime::ZERO;
    }
}

fn fraction(span: Duration, of: f64) -> Duration {
    Duration::from_nanos((span.as_nanos() as f64 * of) as u64)
}
