//! What TCP_INFO says (`tcp(7)`).

use super::agreed::Agreed;
use super::recovery::Phase;
use super::tcb::Tcb;
use crate::stack::info::{CaState, TcpInfo};
use crate::stack::profile::Profile;

impl Tcb {
    pub(super) fn tcp_info(&self, profile: &Profile) -> TcpInfo {
        let Agreed { sack, timestamps, scale } = self.agreed;
        let packets = self.queue.packets;
        TcpInfo {
            congestion: Some(profile.congestion),
            ca_state: match self.recovery.phase {
                Phase::Open => CaState::Open,
                Phase::Disorder => CaState::Disorder,
                Phase::Reducing => CaState::Cwr,
                Phase::Recovery => CaState::Recovery,
                Phase::Loss => CaState::Loss,
            },
            timestamps,
            sack,
            wscale: self.window.scales.then_some((scale, self.window.scale)),
            snd_mss: self.mss() as u32,
            advmss: (self.path.mss - self.agreed.octets()) as u32,
            pmtu: self.path.pmtu() as u32,
            snd_cwnd: self.congestion.window,
            snd_ssthresh: self.congestion.knows_threshold().then_some(self.congestion.threshold),
            unacked: packets.out,
            sacked: packets.sacked,
            lost: packets.lost,
            retrans: packets.repaired,
            reordering: self.recovery.reordering,
            notsent: self.not_sent() as u32,
            min_rtt: self.rtt.least(),
            snd_wnd: self.send.window,
            rcv_wnd: self.window.left(self.received.nxt),
        }
    }
}
