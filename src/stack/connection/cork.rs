//! Autocorking (`net.ipv4.tcp_autocorking` of Linux): while a packet of the connection still waits to leave the host,
//! what is written gathers behind it.
//!
//! Where bursts travel as one packet, the packets of a moment leave at its end, when the programs have had their turn.
//! So what else there is to be sent at this moment, data or acknowledgment, goes out then, at once and in one piece.

use super::{Connection, Cx};

impl Connection {
    /// Lets what there is to be sent wait for the end of this moment.
    pub(super) fn cork(&mut self, cx: &Cx<'_>) {
        self.corked_until = Some(cx.now);
    }

    /// Whether what is written now waits for company.
    pub(super) fn autocorks(&self, cx: &Cx<'_>) -> bool {
        !cx.cuts_segments && self.sent_at == Some(cx.now)
    }
}
