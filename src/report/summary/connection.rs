//! What one end of a connection has gone through, as far as its host's segments show it.

use std::net::{IpAddr, SocketAddr};

use crate::packet::{Flags, Unreachable};
use crate::report::wording;
use crate::time::SimTime;
use crate::timeline::{Icmp, SegmentEvent};

/// Local and remote address of a connection, seen from one of its ends.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// One end of a connection, up to the event read last. What is counted is what has not been answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection {
    /// Sendings again since the peer last acknowledged anything new.
    pub(super) retransmissions: usize,
    /// Tail loss probes since then.
    pub(super) tail_loss_probes: usize,
    /// Window probes since the peer was last heard.
    pub(super) window_probes: usize,
    /// Keepalive probes since then, and when the first and the last were sent.
    pub(super) keepalives: Option<Keepalives>,
    /// The ICMP error heard last, since the last progress.
    pub(super) told: Option<Told>,
    /// When its SYN was sent, or came.
    pub(super) opened: Option<SimTime>,
    /// When the peer's RST came.
    pub(super) reset: Option<SimTime>,
    /// When the peer's FIN came.
    pub(super) fin: Option<SimTime>,
    pub(super) acked: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Keepalives {
    pub(super) probes: usize,
    pub(super) first: SimTime,
    pub(super) last: SimTime,
}

/// An ICMP error, from whom, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) what: Unreachable,
    pub(super) by: IpAddr,
    pub(super) times: usize,
}

impl Connection {
    pub(super) fn sent(&mut self, t: SimTime, segment: &SegmentEvent) {
        match segment.note {
            Some(note) if note.starts_with("keepalive") => {
                let before = self.keepalives.unwrap_or(Keepalives { probes: 0, first: t, last: t });
                self.keepalives = Some(Keepalives { probes: before.probes + 1, last: t, ..before });
            }
            Some(note) if note.starts_with("window probe") => self.window_probes += 1,
            Some(note) if note.starts_with("tail loss probe") => self.tail_loss_probes += 1,
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

    /// What was sent again and again in vain: `1 tail loss probe and 15 retransmissions`.
    pub(super) fn attempts(&self) -> Option<String> {
        let keepalives = self.keepalives.map_or(0, |keepalives| keepalives.probes);
        let again = wording::attempts(self.tail_loss_probes, self.retransmissions);
        let probes = [(self.window_probes, "window probe"), (keepalives, "keepalive probe")];
        let probes = probes.into_iter().filter(|&(n, _)| n > 0).map(|(n, noun)| wording::count(n, noun));
        let attempts: Vec<String> = again.into_iter().chain(probes).collect();
        (!attempts.is_empty()).then(|| attempts.join(" and "))
    }

    /// How the peer ended it, if it did.
    pub(super) fn goodbye(&self) -> Option<&'static str> {
        let reset = self.reset.map(|_| "sent a RST");
        reset.or(self.fin.map(|_| "closed the connection"))
    }

    pub(super) fn told(&mut self, error: &Icmp) {
        let times = self.told.map_or(0, |told| told.times);
        self.told = Some(Told { what: error.what, by: error.src, times: times + 1 });
    }
}
