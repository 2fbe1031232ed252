//! What is sent: the send sequence space (RFC 9293, 3.3.1), as the segments that smoltcp sends show it.

use crate::packet::{Flags, Segment, Seq};
use crate::stack::profile::InitialWindow;
use crate::stack::transport::{Congestion, Context, RttEstimator};
use crate::time::SimTime;

#[derive(Debug)]
pub(super) struct SendSpace {
    /// SND.UNA, and the number after the last one ever sent: SND.NXT without its rewinding. They are the same until
    /// the SYN is sent.
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    /// The number after the last one that smoltcp has sent, or sent again.
    pub(super) sent_to: Seq,
    /// When data were last sent.
    pub(super) sent_at: Option<SimTime>,
    /// SND.WND: the window that the peer last advertised, in octets.
    pub(super) window: u32,
    /// By how many bits the peer's windows are shifted.
    pub(super) scale: u8,
    /// The number after the octet of the last window probe, which counts as sent only when it is acknowledged.
    pub(super) probed_to: Option<Seq>,
    /// How much of the window smoltcp was last shown.
    pub(super) shown: u32,
    pub(super) congestion: Congestion,
    pub(super) rtt: RttEstimator,
    /// How often each segment in flight has been sent again, by first sequence number.
    resent: Vec<(Seq, u32)>,
    /// Octets of data of the segments that bursts are cut into, if they leave as one packet.
    pub(super) segment_size: Option<usize>,
}

impl SendSpace {
    /// Before the handshake, with segments of so many octets of data.
    pub(super) fn new(segment: usize) -> SendSpace {
        SendSpace {
            una: Seq::default(),
            nxt: Seq::default(),
            sent_to: Seq::default(),
            sent_at: None,
            window: 0,
            scale: 0,
            probed_to: None,
            shown: 0,
            congestion: Congestion::new(segment, InitialWindow::ONE, 0),
            rtt: RttEstimator::default(),
            resent: Vec::new(),
            segment_size: None,
        }
    }

    /// Whether something that was sent is not yet acknowledged.
    pub(super) fn is_in_flight(&self) -> bool {
        self.una != self.nxt
    }

    /// Octets that were sent since the last timeout, if there was one, and are not acknowledged.
    pub(super) fn flight(&self) -> usize {
        if self.una.before(self.sent_to) { (self.sent_to - self.una) as usize } else { 0 }
    }

    /// The number of a segment without data: SND.NXT (RFC 9293, 3.10.7.4), but none that the peer's window has
    /// no room for. smoltcp goes back on SND.NXT when it retransmits; two ends that both did would drop each
    /// other's acknowledgments for ever, for they lie before the window, or behind one that has shut.
    pub(super) fn acceptable_seq(&self) -> Seq {
        let edge = self.una + self.window;
        if edge.before(self.nxt) { edge } else { self.nxt }
    }

    /// Octets of the window that a segment of the peer's offers.
    pub(super) fn window_of(&self, segment: &Segment) -> u32 {
        u32::from(segment.win) << self.scale_of(segment)
    }

    /// RFC 7323, 2.2: a SYN's window is never scaled.
    pub(super) fn scale_of(&self, segment: &Segment) -> u8 {
        if segment.flags.has(Flags::SYN) { 0 } else { self.scale }
    }

    /// How much of an offered window smoltcp is to be shown, in the units that `scale` makes: no more than the congestion
    /// window; but a window that is open stays open. So does one that is shut while anything from `una` on is in
    /// flight: smoltcp would begin to probe it, and forget that it has to send again.
    pub(super) fn limited(&self, offered: u32, scale: u8, una: Seq) -> u16 {
        let window = u32::try_from(self.congestion.window()).unwrap_or(u32::MAX);
        let units = offered.min(window) >> scale;
        u16::try_from(units).unwrap_or(u16::MAX).max(u16::from(offered > 0 || una != self.nxt))
    }

    /// SND.UNA once the segment is processed.
    pub(super) fn una_after(&self, segment: &Segment) -> Seq {
        self.una + self.newly_acknowledged(segment) as u32
    }

    /// RFC 5681, 2: nothing new, no data, the same window, and something is in flight.
    pub(super) fn is_duplicate(&self, segment: &Segment) -> bool {
        segment.flags == Flags::ACK
            && segment.len == 0
            && segment.ack == Some(self.una)
            && self.window_of(segment) == self.window
            && self.flight() > 0
    }

    /// Octets that the segment acknowledges and none did before.
    pub(super) fn newly_acknowledged(&self, segment: &Segment) -> usize {
        let is_new = |ack: &Seq| self.una.before(*ack) && ack.at_or_before(self.nxt);
        segment.ack.filter(is_new).map_or(0, |ack| (ack - self.una) as usize)
    }

    /// Everything before `ack` has arrived.
    pub(super) fn on_ack(&mut self, now: SimTime, ack: Seq) {
        self.una = ack;
        self.nxt = self.nxt.later(ack);
        self.resent.retain(|(seq, _)| !seq.before(ack));
        self.rtt.on_ack(now, ack);
    }

    /// The retransmission timer has fired for what is in flight.
    pub(super) fn on_timeout(&mut self) {
        self.congestion.on_timeout((self.nxt - self.una) as usize);
    }

    /// The segment that begins with `seq` is sent again: for the how manieth time.
    pub(super) fn on_resend(&mut self, seq: Seq) -> u32 {
        self.rtt.on_retransmit();
        if let Some((_, times)) = self.resent.iter_mut().find(|(resent, _)| *resent == seq) {
            *times += 1;
            return *times;
        }
        self.resent.push((seq, 1));
        1
    }

    /// Something is about to be sent: after a silence of more than a timeout, no more than at first.
    pub(super) fn restart_after_idle(&mut self, cx: &Context<'_>, timeout: std::time::Duration) {
        if !self.is_in_flight() && self.sent_at.is_some_and(|sent| cx.now - sent > timeout) {
            self.congestion.restart(cx.profile.initial_window);
        }
    }
}
