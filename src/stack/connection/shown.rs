//! How much of the peer's window smoltcp is shown: no more than the congestion window.
//!
//! smoltcp believes the windows of the segments that it is handed. A segment without data is shown with a smaller one; for
//! one with data, which is not copied for that, and whenever else the limit has changed, a segment follows that says
//! nothing but the window.

use bytes::Bytes;

use super::{Connection, Cx};
use crate::packet::{Flags, Segment};
use crate::timeline::TcpState;

impl Connection {
    /// Hands a segment to the engine.
    pub(super) fn show(&mut self, cx: &Cx<'_>, segment: &Segment, packet: Bytes) {
        let (offered, scale) = (self.window_of(segment), self.scale_of(segment));
        let win = self.limited(offered, scale);
        let is_bare = segment.len == 0 && !segment.flags.has(Flags::RST);
        let is_less = is_bare && win < segment.win;
        if self.is_acceptable(segment) {
            self.shown = if is_less { u32::from(win) << scale } else { offered };
        }
        let packet = if is_less { crate::packet::with_window(&packet, win) } else { packet };
        self.engine.receive(cx.now, packet);
    }

    /// Tells the engine what it may send, if that is not what it was last shown.
    pub(super) fn show_limit(&mut self, cx: &Cx<'_>) {
        use TcpState::{CloseWait, Closing, Established, FinWait1};
        let win = self.limited(self.peer_window, self.peer_scale);
        let octets = u32::from(win) << self.peer_scale;
        if octets == self.shown || self.engine.socket(|socket| socket.send_queue()) == 0 {
            return;
        }
        // In LAST_ACK smoltcp takes an acknowledgment of nothing new for a stray.
        if !matches!(self.engine.state(), Established | CloseWait | FinWait1 | Closing) {
            return;
        }
        self.shown = octets;
        let told = Segment {
            src: self.remote,
            dst: self.local,
            flags: Flags::ACK,
            seq: self.expected(),
            ack: Some(self.una),
            win,
            len: 0,
            hop_limit: self.options.hop_limit,
        };
        self.engine.receive(cx.now, crate::packet::emit_segment(&told, &[]));
    }

    /// Octets of the window that a segment of the peer's offers.
    pub(super) fn window_of(&self, segment: &Segment) -> u32 {
        u32::from(segment.win) << self.scale_of(segment)
    }

    /// RFC 7323, 2.2: a SYN's window is never scaled.
    fn scale_of(&self, segment: &Segment) -> u8 {
        if segment.flags.has(Flags::SYN) { 0 } else { self.peer_scale }
    }

    /// What of an offered window is to be seen, in the units that `scale` makes; a window that is open stays open.
    fn limited(&self, offered: u32, scale: u8) -> u16 {
        let window = u32::try_from(self.congestion.window()).unwrap_or(u32::MAX);
        let units = offered.min(window) >> scale;
        u16::try_from(units).unwrap_or(u16::MAX).max(u16::from(offered > 0))
    }

    /// RFC 9293, 3.10.7.4: whether the engine will look at the segment's window at all.
    fn is_acceptable(&self, segment: &Segment) -> bool {
        let expected = self.expected();
        if matches!(self.engine.state(), TcpState::Listen | TcpState::SynSent) {
            true
        } else if segment.len == 0 {
            expected.at_or_before(segment.seq)
        } else {
            self.window > 0 && expected.before(segment.seq + segment.len as u32)
        }
    }
}
