//! Appropriate byte counting (RFC 3465): the congestion window grows with what is acknowledged.
//!
//! smoltcp's Reno counts acknowledgments. A burst that travels as one packet is acknowledged by one, which for
//! Reno stands for one segment of many. So such an acknowledgment is given to smoltcp a segment at a time, as
//! long as it is the congestion window that limits what is sent (RFC 7661, 4.1).

use super::{Connection, Cx, seq};
use crate::packet::{Flags, Segment};

impl Connection {
    /// Acknowledges what `segment` does but for the last segment's worth of it, as far as that makes room for
    /// what is to be sent.
    pub(super) fn count_acknowledged_octets(&mut self, cx: &Cx<'_>, segment: &Segment) {
        let (Some(octets), Some(ack)) = (self.segment_size, segment.ack) else { return };
        let is_new = seq::before(self.una, ack) && seq::at_or_before(ack, self.nxt);
        if !is_new || segment.flags.has(Flags::RST) {
            return;
        }
        let acknowledged = ack.wrapping_sub(self.una) as usize;
        let parts = (acknowledged - 1).min(self.congested()) / octets;
        for nth in 1..=parts {
            let ack = self.una.wrapping_add((nth * octets) as u32);
            let part = Segment { flags: Flags::ACK, ack: Some(ack), len: 0, ..segment.clone() };
            self.engine.receive(cx.now, crate::packet::emit_segment(&part, &[]));
        }
    }

    /// Octets that are there to be sent and that the peer has room for: the congestion window holds them back.
    fn congested(&self) -> usize {
        let written = self.una.wrapping_add(self.engine.socket(|socket| socket.send_queue()) as u32);
        let room = self.una.wrapping_add(u32::from(self.peer_window) << self.peer_scale);
        let limit = if seq::before(room, written) { room } else { written };
        if seq::before(self.sent_to, limit) { limit.wrapping_sub(self.sent_to) as usize } else { 0 }
    }
}
