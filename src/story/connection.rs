//! What one end of a connection has gone through, as far as its host's segments show it.

use std::net::IpAddr;

use crate::packet::{Flags, Unreachable};
use crate::time::SimTime;
use crate::timeline::{Icmp, Probe, SegmentEvent, TcpState};

/// One end of a connection, up to the event read last. What is counted is what has not been answered yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    /// Sendings again since the peer last acknowledged anything new.
    pub(crate) retransmissions: usize,
    /// Tail loss probes since then.
    pub(crate) tail_loss_probes: usize,
    /// Window probes since the peer was last heard.
    pub(crate) window_probes: usize,
    /// Keepalive probes since then, and when the first and the last were sent.
    pub(crate) keepalives: Option<Keepalives>,
    /// The ICMP error heard last, since the last progress.
    pub(crate) told: Option<Told>,
    /// When its SYN was sent, or came.
    pub(crate) opened: Option<SimTime>,
    /// When the peer's RST came.
    pub(crate) reset: Option<SimTime>,
    /// When the peer's FIN came.
    pub(crate) fin: Option<SimTime>,
    /// The event at which its own TCP ended it, with nothing heard from the peer, and when. The program may ask for it much
    /// later.
    pub(crate) gave_up: Option<(usize, SimTime)>,
    pub(super) acked: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalives {
    pub(crate) probes: usize,
    pub(crate) first: SimTime,
    pub(crate) last: SimTime,
}

/// An ICMP error, from whom, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) what: Unreachable,
    pub(crate) by: IpAddr,
    pub(crate) times: usize,
}

impl Connection {
    pub(super) fn sent(&mut self, t: SimTime, segment: &SegmentEvent) {
        match segment.probe {
            Some(Probe::Keepalive) => {
                let before = self.keepalives.unwrap_or(Keepalives { probes: 0, first: t, last: t });
                self.keepalives = Some(Keepalives { probes: before.probes + 1, last: t, ..before });
            }
            Some(Probe::Window) => self.window_probes += 1,
            Some(Probe::TailLoss) => self.tail_loss_probes += 1,
            _ => self.retransmissions += usize::from(segment.retransmission.is_some()),
        }
    }

    pub(super) fn received(&mut self, t: SimTime, segment: &SegmentEvent) {
        if segment.flags.has(Flags::RST) {
            self.reset = self.reset.or(Some(t));
            return;
        }
        if segment.flags.has(Flags::FIN) {
            self.fin = self.fin.or(Some(t));
        }
        (self.keepalives, self.window_probes) = (None, 0);
        // Sequence numbers are a circle: ahead is less than half of it away (RFC 9293, 3.4).
        if let Some(ack) = segment.ack
            && (ack.wrapping_sub(self.acked) as i32) > 0
        {
            self.acked = ack;
            (self.retransmissions, self.tail_loss_probes, self.told) = (0, 0, None);
        }
    }

    /// It is closed, and this is the state it was in before.
    pub(super) fn closed(&mut self, moment: (usize, SimTime), from: TcpState) {
        let in_order = matches!(from, TcpState::TimeWait | TcpState::LastAck | TcpState::Listen);
        if !in_order && self.reset.is_none() {
            self.gave_up = Some(moment);
        }
    }

    /// When its own TCP had given up, if a program has heard of it only later.
    pub(crate) fn gave_up_before(&self, t: SimTime) -> Option<(usize, SimTime)> {
        self.gave_up.filter(|(_, then)| *then < t)
    }

    pub(super) fn told(&mut self, error: &Icmp) {
        let times = self.told.map_or(0, |told| told.times);
        self.told = Some(Told { what: error.what, by: error.src, times: times + 1 });
    }
}
