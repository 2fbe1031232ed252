//! Why a host sent a RST: what it answers, and what had become of the connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::packet::Flags;
use crate::timeline::{Direction, Event, FaultKind, Kind, SegmentEvent, TcpState};

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
}

impl Why {
    /// The same in a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Why::Forgotten => "it knows of no such connection",
            Why::Refused => "nobody listens on that port",
            Why::Closed => "nobody is left there to read it",
            Why::Abort => "ends the connection on the spot",
        }
    }

    /// What the RST does.
    pub(crate) const fn comment(self) -> &'static str {
        match self {
            Why::Forgotten => "answers the dead connection",
            Why::Refused => "nobody listens on the port",
            Why::Closed => "nobody is left to read",
            Why::Abort => "aborts the connection",
        }
    }
}

/// Every RST that was sent, by the place of its event.
pub(crate) fn resets(events: &[Event]) -> BTreeMap<usize, Reset> {
    let mut memory = Memory::default();
    let mut resets = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let host: &str = &event.host;
        match &event.kind {
            Kind::Segment(segment) if segment.dir == Direction::In => {
                memory.heard.insert((host, segment.dst, segment.src), at);
            }
            Kind::Segment(segment) => {
                let heard = memory.heard.remove(&(host, segment.src, segment.dst));
                if segment.flags.has(Flags::RST) {
                    let answers = heard.filter(|&heard| events[heard].t == event.t);
                    resets.insert(at, memory.reset(events, host, segment, answers));
                }
            }
            Kind::State { local, remote, to: TcpState::Closed, .. } => {
                memory.live.remove(&(host, *local, *remote));
            }
            Kind::State { local, remote, .. } => {
                memory.live.insert((host, *local, *remote));
                memory.forgotten.remove(&(host, *local, *remote));
            }
            Kind::Fault { fault: FaultKind::Crash | FaultKind::Boot, target } => memory.lose(target),
            _ => {}
        }
    }
    resets
}

/// A host's name, and both ends of a connection as it sees them.
type Connection<'a> = (&'a str, SocketAddr, SocketAddr);

#[derive(Default)]
struct Memory<'a> {
    live: BTreeSet<Connection<'a>>,
    /// Connections that were there when the host went down.
    forgotten: BTreeSet<Connection<'a>>,
    /// The last arrival that nothing has been sent after.
    heard: BTreeMap<Connection<'a>, usize>,
}

impl Memory<'_> {
    fn lose(&mut self, host: &str) {
        let lost: Vec<_> = self.live.iter().filter(|(of, ..)| *of == host).copied().collect();
        for connection in lost {
            self.live.remove(&connection);
            self.forgotten.insert(connection);
        }
        self.heard.retain(|(of, ..), _| *of != host);
    }

    fn reset(&self, events: &[Event], host: &str, rst: &SegmentEvent, answers: Option<usize>) -> Reset {
        let connection = (host, rst.src, rst.dst);
        let opens = answers.is_some_and(|at| match &events[at].kind {
            Kind::Segment(segment) => segment.flags.has(Flags::SYN) && segment.ack.is_none(),
            _ => false,
        });
        let why = match answers {
            None => Why::Abort,
            Some(_) if self.forgotten.contains(&connection) => Why::Forgotten,
            Some(_) if opens => Why::Refused,
            Some(_) => Why::Closed,
        };
        Reset { why, answers }
    }
}
