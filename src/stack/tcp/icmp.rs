//! ICMP errors about segments of the connection (RFC 1122, 4.2.3.9; RFC 5461; RFC 5927; RFC 6069).

use std::time::Duration;

use super::retransmission::Purpose;
use super::tcb::Tcb;
use crate::packet::{IcmpError, Unreachable};
use crate::stack::transport::{Context, Death, IcmpEffect, Reader, SoftError};
use crate::timeline::TcpState;

impl Tcb {
    /// An ICMP error that quotes one of this connection's segments.
    pub(super) fn input_icmp(&mut self, cx: &mut Context<'_>, error: &IcmpError) {
        let quoted = error.about.seq;
        let is_handshake = self.state == TcpState::SynReceived && self.reader == Reader::Awaited;
        if is_handshake && quoted == self.send.una && self.forgets_handshake(error.what) {
            self.die(Death::Closed);
            return;
        }
        // Linux takes the number after the last one for one in flight, too.
        let in_flight = (self.send.una, self.send.nxt + 1);
        match IcmpEffect::of(&cx.profile.icmp, self.state, error.what, quoted, in_flight, false) {
            None => return,
            Some(IcmpEffect::ShrinkPath { mtu }) => {
                if self.path.shrink(mtu) && self.queue.sent() > 0 {
                    self.repair_for_smaller_path(cx);
                }
                return;
            }
            Some(IcmpEffect::Fatal) => {
                self.die(Death::Unreachable(error.what));
                return;
            }
            Some(IcmpEffect::Soft) => self.soft = Some(SoftError::Icmp(error.what)),
            Some(IcmpEffect::Nothing) => {}
        }
        let is_of_route = match error.what {
            Unreachable::Net => true,
            Unreachable::Host => self.path.local.is_ipv4(),
            _ => false,
        };
        if is_of_route && quoted == self.send.una {
            self.undo_backoff(cx);
        }
    }

    /// Whether an error makes a listener forget a handshake: nobody could be told of it, and the peer's SYN begins another.
    fn forgets_handshake(&self, what: Unreachable) -> bool {
        use Unreachable::{Host, Net, Port, Prohibited, Protocol, TimeExceeded};
        match self.path.local.is_ipv4() {
            true => matches!(what, Net | Host | TimeExceeded),
            false => matches!(what, Prohibited | Port | Protocol),
        }
    }

    /// RFC 6069: an unreachable about the oldest segment says that the path lost it, not congestion.
    fn undo_backoff(&mut self, cx: &mut Context<'_>) {
        let Some(sent) = self.queue.oldest().map(|oldest| oldest.sent) else { return };
        if self.retransmission.kernel_count() == 0 || self.retransmission.backoff == 0 {
            return;
        }
        self.retransmission.backoff -= 1;
        let timeout = self.rtt.timeout(cx.profile);
        let backoff = 1 << self.retransmission.backoff.min(16);
        self.retransmission.rto = timeout.saturating_mul(backoff).min(cx.profile.rto.max);
        // What has passed is rounded up as well, so that Linux takes off more than has passed; and a kernel has always taken
        // some time besides.
        let passed = cx.now - sent + Duration::from_nanos(1);
        let left = self.retransmission.rto.saturating_sub(cx.profile.kept(passed));
        if left.is_zero() {
            self.fire_retransmission(cx);
        } else {
            self.set_retransmission(cx, Purpose::Retransmit, left);
        }
    }
}
