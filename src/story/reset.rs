//! Why a host sent a RST: what it answers, and what had become of the connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{Direction, Event, FaultKind, Kind, LostPacket, LostReason, TcpState};

/// A RST that left a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reset {
    /// What had become of the connection.
    pub(crate) why: Why,
    /// The event of the arrival it answers, if it answers one.
    pub(crate) answers: Option<usize>,
}

/// Why a RST is sent (RFC 9293, 3.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The host has booted since, and knows nothing of the connection (UNP 5.15).
    Forgotten,
    /// A SYN for a port without a listener (UNP 4.3).
    Refused,
    /// The connection's process has closed it or is gone (UNP 5.13).
    Closed,
    /// The host gives the connection up.
    Abort,
    /// A middlebox does not know the flow.
    UnknownFlow,
    /// A firewall does not let pass what it answers.
    Rejected,
    /// A fault injected it.
    Injected,
}

impl Why {
    /// The same in a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Why::Forgotten => "it knows of no such connection",
            Why::Refused => "nobody listens on that port",
            Why::Closed => "nobody is left there to read it",
            Why::Abort => "ends the connection on the spot",
            Why::UnknownFlow => "a middlebox there knows no such flow",
            Why::Rejected => "a firewall there lets none pass",
            Why::Injected => "neither end has sent",
        }
    }

    /// What the RST does.
    pub(crate) const fn comment(self) -> &'static str {
        match self {
            Why::Forgotten => "answers the dead connection",
            Why::Refused => "nobody listens on the port",
            Why::Closed => "nobody is left to read",
            Why::Abort => "aborts the connection",
            Why::UnknownFlow => "the middlebox knows no such flow",
            Why::Rejected => "a firewall refuses it",
            Why::Injected => "injected: neither end has sent it",
        }
    }
}

/// Every RST that was sent, by the place of its event.
pub(crate) fn resets(events: &[Event]) -> BTreeMap<usize, Reset> {
    let mut reader = ResetReader::default();
    let resets = events.iter().enumerate().filter_map(|(at, event)| Some((at, reader.read(at, event)?)));
    resets.collect()
}

/// A connection as one host sees it: its name, and both ends.
type Connection = (Arc<str>, SocketAddr, SocketAddr);

/// Reads a timeline event by event, and keeps what a RST may be due to.
#[derive(Debug, Default)]
pub(crate) struct ResetReader {
    live: BTreeSet<Connection>,
    /// Connections that were there when the host went down.
    forgotten: BTreeSet<Connection>,
    /// The last arrival that nothing has been sent after.
    heard: BTreeMap<Connection, Heard>,
    /// Where a middlebox or a firewall last turned a segment away, when, and which of them.
    turned_away: Option<(Arc<str>, SimTime, Why)>,
    /// When RSTs were last injected.
    injected: Option<SimTime>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: usize,
    t: SimTime,
    /// It asks for a connection.
    opens: bool,
}

impl ResetReader {
    /// Takes in the next event, which is the `at`-th; says why, if it is a RST that leaves.
    pub(crate) fn read(&mut self, at: usize, event: &Event) -> Option<Reset> {
        let host = &event.host;
        match &event.kind {
            Kind::Segment(segment) if segment.dir == Direction::In => {
                let opens = segment.flags.has(Flags::SYN) && segment.ack.is_none();
                let heard = Heard { at, t: event.t, opens };
                self.heard.insert((host.clone(), segment.dst, segment.src), heard);
            }
            Kind::Segment(segment) => {
                let connection = (host.clone(), segment.src, segment.dst);
                let heard = self.heard.remove(&connection);
                if segment.flags.has(Flags::RST) {
                    let heard = heard.filter(|heard| heard.t == event.t);
                    if let Some((by, t, why)) = &self.turned_away
                        && (by, *t) == (host, event.t)
                    {
                        return Some(Reset { why: *why, answers: heard.map(|heard| heard.at) });
                    }
                    if self.injected == Some(event.t) && !self.live.contains(&connection) {
                        return Some(Reset { why: Why::Injected, answers: None });
                    }
                    return Some(self.reset(&connection, heard));
                }
            }
            Kind::Lost { packet, reason: reason @ (LostReason::UnknownFlow | LostReason::Rejected) } => {
                let why = if *reason == LostReason::Rejected { Why::Rejected } else { Why::UnknownFlow };
                self.turned_away = Some((host.clone(), event.t, why));
                if let LostPacket::Segment(segment) = &**packet {
                    let heard = Heard { at, t: event.t, opens: false };
                    self.heard.insert((host.clone(), segment.dst, segment.src), heard);
                }
            }
            Kind::State { local, remote, to: TcpState::Closed, .. } => {
                self.live.remove(&(host.clone(), *local, *remote));
            }
            Kind::State { local, remote, .. } => {
                let connection = (host.clone(), *local, *remote);
                self.forgotten.remove(&connection);
                self.live.insert(connection);
            }
            Kind::Fault { fault: FaultKind::Crash | FaultKind::Boot, target } => self.lose(target),
            Kind::Fault { fault: FaultKind::Reset { .. }, .. } => self.injected = Some(event.t),
            _ => {}
        }
        None
    }

    fn lose(&mut self, host: &str) {
        let is_of_host = |(of, ..): &Connection| **of == *host;
        self.forgotten.extend(self.live.extract_if(.., is_of_host));
        self.heard.retain(|connection, _| !is_of_host(connection));
    }

    fn reset(&self, connection: &Connection, answers: Option<Heard>) -> Reset {
        let why = match answers {
            None => Why::Abort,
            Some(_) if self.forgotten.contains(connection) => Why::Forgotten,
            Some(heard) if heard.opens => Why::Refused,
            Some(_) => Why::Closed,
        };
        Reset { why, answers: answers.map(|heard| heard.at) }
    }
}
