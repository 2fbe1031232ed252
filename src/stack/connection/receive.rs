//! What arrives for a connection: segments, and ICMP errors about its segments.

use bytes::Bytes;

use super::congestion::Congestion;
use super::emit::Acks;
use super::{Connection, Cx, Death, Owner};
use crate::packet::{Flags, IcmpError, Segment, Unreachable};
use crate::stack::profile::{IcmpBelief, IcmpRule};
use crate::timeline::TcpState;

/// The least MTU that is believed: RFC 791 for IPv4, RFC 8200 for IPv6.
const MIN_MTU: (usize, usize) = (68, 1_280);

/// Octets of data in a segment, where the peer does not say (RFC 9293, 3.7.1).
pub(super) const DEFAULT_MSS: usize = 536;

impl Connection {
    /// A segment that the engine is to see.
    pub(super) fn process(&mut self, cx: &mut Cx<'_>, segment: &Segment, packet: Bytes) {
        if self.nobody_reads(segment) {
            // Ch. 5.12: the process is gone, so data for it is answered with a reset.
            if let Some(reset) = segment.reset() {
                self.send(cx, &reset, crate::packet::emit_segment(&reset, &[]), None);
            }
            self.die(cx, Death::Closed);
            return;
        }
        let before = self.engine.state();
        if matches!(before, TcpState::Listen | TcpState::SynSent | TcpState::SynReceived) {
            self.note_handshake(cx, segment, &packet);
        }
        self.hand_over(cx, segment, packet);
        let after = self.engine.state();
        if segment.flags.has(Flags::RST) {
            // A reset in SYN-RECEIVED sends smoltcp's socket back to LISTEN (RFC 9293, 3.10.7.4).
            if after != before && matches!(after, TcpState::Closed | TcpState::Listen) {
                self.die(cx, Death::Reset { state: before });
            }
            return;
        }
        self.keepalive.heard(cx, &self.options);
        self.persist.heard();
        self.peer_window = self.window_of(segment);
        if segment.len > 0 {
            self.delayed_ack.on_data_in(cx.now);
        }
        self.note_acknowledged(cx, segment, before);
        let fin =
            after != before && matches!(after, TcpState::CloseWait | TcpState::Closing | TcpState::TimeWait);
        self.fin_received |= fin && segment.flags.has(Flags::FIN);
        if before == TcpState::TimeWait && segment.flags.has(Flags::FIN) {
            self.restart_time_wait(cx);
        }
        let acks = self.how_to_acknowledge(cx, segment, before, after);
        let goes_on = before == after && is_streaming(after);
        if goes_on && !cx.cuts_segments && (self.corked_until.is_some() || acks == Acks::AtOnce) {
            self.cork(cx);
        } else {
            self.corked_until = None;
            self.show_limit(cx);
            self.engine.send(cx.now);
        }
        self.emit(cx, acks);
        if self.corked_until.is_none() {
            self.acknowledge_bursts(cx);
        }
        self.settle(cx);
    }

    /// What the handshake tells of the peer, and of the path.
    fn note_handshake(&mut self, cx: &Cx<'_>, segment: &Segment, packet: &Bytes) {
        if segment.flags.has(Flags::SYN) {
            let scale = crate::packet::window_scale(packet);
            self.peer_scale = scale.unwrap_or(0);
            self.scale = scale.map_or(0, |_| self.engine.window_scale());
            self.peer_mss = crate::packet::max_segment_size(packet).map_or(DEFAULT_MSS, usize::from);
            self.read_to = segment.seq_end();
            self.highest = segment.seq_end();
        }
        let segment = self.mss.min(self.peer_mss);
        self.congestion = Congestion::new(segment, cx.profile.initial_window, self.retransmit.retransmits());
    }

    /// Data has come that no process can read any more.
    fn nobody_reads(&self, segment: &Segment) -> bool {
        let closed_half = matches!(self.state, TcpState::FinWait1 | TcpState::FinWait2 | TcpState::Closing);
        self.owner == Owner::Nobody
            && closed_half
            && segment.len > 0
            && !segment.flags.has(Flags::RST)
            && self.acked.before(segment.seq_end())
    }

    fn note_acknowledged(&mut self, cx: &Cx<'_>, segment: &Segment, before: TcpState) {
        let Some(ack) = segment.ack.filter(|ack| self.una.before(*ack)) else { return };
        // A window probe's octet may be acknowledged though it was never counted as sent.
        let probed = self.persist.fired() > 0 && ack == self.nxt + 1;
        if !ack.at_or_before(self.nxt) && !probed {
            return;
        }
        if before == TcpState::SynSent && !segment.flags.has(Flags::SYN) {
            return;
        }
        self.una = ack;
        self.nxt = self.nxt.later(ack);
        self.soft = None;
        self.recover = self.recover.filter(|end| ack.before(*end));
        self.resent.retain(|(seq, _)| !seq.before(ack));
        self.rtt.on_ack(cx.now, ack);
        self.on_new_ack(cx);
    }

    fn how_to_acknowledge(&self, cx: &Cx<'_>, segment: &Segment, before: TcpState, after: TcpState) -> Acks {
        let waits = if segment.flags.has(Flags::FIN) {
            before == TcpState::Established && after == TcpState::CloseWait && cx.profile.ack.delay_fin
        } else {
            // RFC 5681, 4.2: what is more than one segment's worth is acknowledged at once.
            let many = segment.len > self.mss;
            before == after && is_streaming(after) && !many && self.delayed_ack.waits_for_data(cx.profile)
        };
        if waits { Acks::MayWait } else { Acks::AtOnce }
    }

    /// An ICMP error that quotes one of this connection's segments.
    pub(crate) fn receive_icmp(&mut self, cx: &mut Cx<'_>, error: &IcmpError) {
        if !self.believes(cx, error) {
            return;
        }
        if let Unreachable::FragmentationNeeded { mtu } = error.what {
            self.shrink_path_mtu(cx, mtu.into());
            return;
        }
        let rules = match self.state {
            TcpState::SynSent => &cx.profile.icmp.syn_sent,
            _ => &cx.profile.icmp.synchronized,
        };
        match rules.rule(error.what) {
            IcmpRule::Ignore => {}
            IcmpRule::Soft => self.soft = Some(error.what),
            IcmpRule::Hard => {
                self.die(cx, Death::Unreachable(error.what));
                return;
            }
        }
        let route = matches!(error.what, Unreachable::Net | Unreachable::Host);
        if route && cx.profile.undo_backoff_on_unreachable && error.about.seq == self.una {
            self.undo_backoff(cx);
        }
        self.settle(cx);
    }

    /// RFC 5927, 4.1: a forger does not know which sequence numbers are in flight.
    fn believes(&self, cx: &Cx<'_>, error: &IcmpError) -> bool {
        let quoted = error.about.seq;
        let in_flight = self.una.at_or_before(quoted) && quoted.before(self.nxt);
        let probe = self.keepalive.probes() > 0 && quoted == self.una - 1;
        match cx.profile.icmp.belief {
            IcmpBelief::Any => true,
            IcmpBelief::InFlight => in_flight,
            IcmpBelief::InFlightOrProbe => in_flight || probe,
        }
    }

    /// RFC 1191, 6.3: what was too big goes out again at once, in smaller pieces.
    fn shrink_path_mtu(&mut self, cx: &mut Cx<'_>, mtu: usize) {
        let least = if self.local.is_ipv4() { MIN_MTU.0 } else { MIN_MTU.1 };
        let mtu = mtu.max(least);
        if self.path_mtu.is_none_or(|known| mtu < known) {
            self.path_mtu = Some(mtu);
            if self.in_flight() {
                self.retransmit_now(cx);
            }
        }
    }
}

/// Data, or acknowledgments of data, may still come.
fn is_streaming(state: TcpState) -> bool {
    use TcpState::{CloseWait, Established, FinWait1, FinWait2};
    matches!(state, Established | CloseWait | FinWait1 | FinWait2)
}
