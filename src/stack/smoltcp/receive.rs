//! What arrives: the receive sequence space (RFC 9293, 3.3.1), and what of it smoltcp does not know.

use bytes::Bytes;

use super::bursts::Bursts;
use super::engine::Engine;
use crate::packet::{Segment, Seq};
use crate::stack::transport::Reader;
use crate::timeline::TcpState;

#[derive(Debug)]
pub(super) struct ReceiveSpace {
    pub(super) reader: Reader,
    /// The number after the last one that was read.
    pub(super) read_to: Seq,
    /// The number after the last one of the peer's that has come, in order or not.
    pub(super) highest: Seq,
    /// The peer's FIN has come, and all that is before it.
    pub(super) fin_received: bool,
    /// What has come in bursts that smoltcp does not know of.
    pub(super) bursts: Bursts,
    /// The last acknowledgment and window that were sent, or that wait to be.
    pub(super) acked: Seq,
    pub(super) window: u16,
    /// By how many bits the windows that are advertised are shifted.
    pub(super) scale: u8,
    /// The acknowledgment that the delayed acknowledgment timer sends.
    pub(super) held_ack: Option<(Segment, Bytes)>,
}

impl ReceiveSpace {
    pub(super) fn new(reader: Reader) -> ReceiveSpace {
        ReceiveSpace {
            reader,
            read_to: Seq::default(),
            highest: Seq::default(),
            fin_received: false,
            bursts: Bursts::default(),
            acked: Seq::default(),
            window: 0,
            scale: 0,
            held_ack: None,
        }
    }

    /// RCV.NXT: the next number that is expected of the peer.
    pub(super) fn nxt(&self, engine: &Engine) -> Seq {
        self.read_to + (self.unread(engine) as u32 + u32::from(self.fin_received))
    }

    /// Octets that have come in order and are not read.
    pub(super) fn unread(&self, engine: &Engine) -> usize {
        self.bursts.len() + engine.recv_queue()
    }

    pub(super) fn has_room_for(&self, engine: &Engine, segment: &Segment) -> bool {
        segment.len == 0 || self.has_room_until(engine, segment.seq_end())
    }

    /// Whether the buffer reaches as far as `seq`.
    pub(super) fn has_room_until(&self, engine: &Engine, seq: Seq) -> bool {
        seq.at_or_before(self.read_to + engine.recv_capacity() as u32)
    }

    /// RCV.WND, as it is to be advertised.
    pub(super) fn room(&self, engine: &Engine) -> u16 {
        let room = engine.recv_capacity() - engine.recv_queue();
        u16::try_from(room >> self.scale).unwrap_or(u16::MAX).saturating_sub(self.held())
    }

    /// How much of the window the unread bursts take, in the units it is advertised in.
    pub(super) fn held(&self) -> u16 {
        let units = self.bursts.len().div_ceil(1 << self.scale);
        u16::try_from(units).unwrap_or(u16::MAX)
    }

    /// Reads what has come in order: smoltcp has nothing that does not follow the bursts.
    pub(super) fn read(&mut self, engine: &mut Engine, buf: &mut [u8], peek: bool) -> usize {
        let of_bursts = self.bursts.read(buf, peek);
        let read = of_bursts + engine.read(&mut buf[of_bursts..], peek);
        if !peek {
            self.read_to += read as u32;
            engine.hold(self.held());
        }
        read
    }

    /// A segment leaves that acknowledges what its header says.
    pub(super) fn on_send(&mut self, segment: &Segment) {
        if let Some(ack) = segment.ack {
            self.acked = ack;
            self.window = segment.win;
        }
    }
}

/// Data may still come.
pub(super) fn may_receive(state: TcpState) -> bool {
    matches!(state, TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2)
}
