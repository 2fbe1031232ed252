//! What an ICMP error does to a connection (RFC 1122, 4.2.3.9; RFC 5461; RFC 5927).

use crate::packet::{Seq, Unreachable};
use crate::stack::profile::{IcmpBelief, IcmpPolicy, IcmpRule};
use crate::timeline::TcpState;

/// What is to be done about an ICMP error that is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IcmpEffect {
    /// Nothing.
    Nothing,
    /// Smaller packets are sent from now on (RFC 1191).
    ShrinkPath {
        /// Octets of the largest packet that gets through.
        mtu: usize,
    },
    /// It is kept, and reported if the connection is given up.
    Soft,
    /// It ends the connection.
    Fatal,
}

impl IcmpEffect {
    /// What an error `what` does that quotes the number `quoted`, where `una..nxt` is in flight and a keepalive probe
    /// may be; `None` if it is not believed.
    pub(crate) fn of(
        policy: &IcmpPolicy,
        state: TcpState,
        what: Unreachable,
        quoted: Seq,
        (una, nxt): (Seq, Seq),
        is_probing: bool,
    ) -> Option<IcmpEffect> {
        // RFC 5927, 4.1: a forger does not know which sequence numbers are in flight.
        let in_flight = una.at_or_before(quoted) && quoted.before(nxt);
        let is_believed = match policy.belief {
            IcmpBelief::Any => true,
            IcmpBelief::InFlight => in_flight,
            IcmpBelief::InFlightOrProbe => in_flight || (is_probing && quoted == una - 1),
        };
        if !is_believed {
            return None;
        }
        if let Unreachable::FragmentationNeeded { mtu } = what {
            return Some(IcmpEffect::ShrinkPath { mtu: mtu.into() });
        }
        let rules = if state == TcpState::SynSent { &policy.syn_sent } else { &policy.synchronized };
        Some(match rules.rule(what) {
            IcmpRule::Ignore => IcmpEffect::Nothing,
            IcmpRule::Soft => IcmpEffect::Soft,
            IcmpRule::Hard => IcmpEffect::Fatal,
        })
    }
}
