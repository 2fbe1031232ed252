//! Autocorking (`net.ipv4.tcp_autocorking` of Linux): while a packet of the connection still waits to leave the host,
//! what is written gathers behind it.
//!
//! Where bursts travel as one packet, the packets of a moment leave at its end, when the programs have had their turn.
//! So what else there is to be sent at this moment, data or acknowledgment, goes out then, at once and in one piece.

use super::{Connection, Cx};
use crate::time::SimTime;

#[derive(Debug, Default)]
pub(super) struct Cork {
    /// When a packet with data was last sent.
    sent_at: Option<SimTime>,
    /// When what has gathered is to be sent.
    until: Option<SimTime>,
}

impl Cork {
    pub(super) fn until(&self) -> Option<SimTime> {
        self.until
    }

    pub(super) fn is_in(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn note_sent(&mut self, now: SimTime) {
        self.sent_at = Some(now);
    }

    pub(super) fn pull(&mut self) {
        self.until = None;
    }
}

impl Connection {
    /// Lets what there is to be sent wait for the end of this moment.
    pub(super) fn cork(&mut self, cx: &Cx<'_>) {
        self.cork.until = Some(cx.now);
    }

    /// Whether what is written now waits for company.
    pub(super) fn autocorks(&self, cx: &Cx<'_>) -> bool {
        !cx.cuts_segments && self.cork.sent_at == Some(cx.now)
    }
}
