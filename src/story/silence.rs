//! What silence comes of: which packets of a connection were sent in vain, where they were lost, and to which fault.

use std::net::IpAddr;

use super::{Fate, Story, Struck, Why};
use crate::packet::Flags;
use crate::timeline::{ConnectionId, Direction, FaultKind, Kind, LostReason, Resolution, SegmentEvent};

/// Where a conversation broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence<'a> {
    /// What was sent was lost.
    Lost(Loss<'a>),
    /// What was sent arrived, and the answers were lost.
    AnswersLost(Loss<'a>),
    /// Nothing was lost, but a link kept what it was given.
    Held(Struck<'a>),
    /// What became of the packets was not seen; this fault was in force.
    Unseen(Struck<'a>),
}

/// The last packet that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss<'a> {
    /// The event of its sending, or of an answer's loss.
    pub(crate) at: usize,
    pub(crate) reason: LostReason,
    /// The fault that lost it, if it was one.
    pub(crate) fault: Option<Struck<'a>>,
}

impl<'a> Silence<'a> {
    /// The fault that it comes of, if it is one.
    pub(crate) fn fault(self) -> Option<Struck<'a>> {
        match self {
            Silence::Lost(loss) | Silence::AnswersLost(loss) => loss.fault,
            Silence::Held(fault) | Silence::Unseen(fault) => Some(fault),
        }
    }
}

impl<'a> Story<'a> {
    /// All sendings, before an event, of what was never acknowledged.
    pub(crate) fn unanswered(&self, host: &str, id: ConnectionId, before: usize) -> Vec<usize> {
        let heard = self.segments(host, id, Direction::In, before).next_back().map_or(0, |(at, _)| at);
        let acked = self.segments(host, id, Direction::In, before).filter_map(|(_, it)| it.ack).max();
        // What came since may have acknowledged nothing new, where packets are lost in one direction only.
        let is_unacknowledged =
            |it: &SegmentEvent| it.len > 0 && acked.is_some_and(|acked| it.seq + it.len as u32 > acked);
        let counts = |segment: &SegmentEvent| {
            let bits = segment.flags.has(Flags::SYN) || segment.flags.has(Flags::FIN);
            segment.len > 0 || segment.probe.is_some() || bits
        };
        self.segments(host, id, Direction::Out, before)
            .filter(|(at, it)| {
                (*at > heard && counts(it) || is_unacknowledged(it)) && !it.flags.has(Flags::RST)
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether a middlebox or a firewall turned away what one end of a connection sent last before an event, or another than the peer sent
    /// the RST that came.
    pub(crate) fn turned_away(&self, host: &'a str, id: ConnectionId, before: usize) -> Option<Why> {
        let mut arrivals = self.segments(host, id, Direction::In, before);
        let reset = arrivals.rfind(|(_, segment)| segment.flags.has(Flags::RST));
        if let Some((arrival, _)) = reset {
            let why = self.origin(arrival).and_then(|sent| self.reset(sent)).map(|reset| reset.why);
            return why.filter(|why| matches!(why, Why::UnknownFlow | Why::Rejected | Why::Injected));
        }
        let last = self.losses(id, before).last().map(|at| &self.events[*at].kind);
        match last {
            Some(Kind::Lost { reason: LostReason::UnknownFlow, .. }) => Some(Why::UnknownFlow),
            Some(Kind::Lost { reason: LostReason::Rejected, .. }) => Some(Why::Rejected),
            _ => None,
        }
    }

    /// The fault that turned off a host's own interface, if it is off at an event.
    pub(crate) fn own_link_down(&self, host: &str, before: usize) -> Option<Struck<'a>> {
        self.faults.in_force(before, |it| it.kind == FaultKind::LinkDown && it.host == host)
    }

    /// When a host asked who on its segment has an address, before an event, since it was last answered.
    pub(crate) fn asked_in_vain(&self, host: &str, addr: IpAddr, before: usize) -> Vec<usize> {
        let mut asked = Vec::new();
        for (at, event) in self.events[..before].iter().enumerate().filter(|(_, event)| &*event.host == host)
        {
            let Kind::Neighbour(message) = &event.kind else { continue };
            match (message.dir, message.what) {
                (Direction::Out, Resolution::Request) if message.target == addr => asked.push(at),
                (Direction::In, _) if message.sender == addr => asked.clear(),
                _ => {}
            }
        }
        asked
    }

    /// Why nothing answered these sendings of a connection of `host`'s before an event.
    pub(crate) fn silence(
        &self,
        host: &'a str,
        id: ConnectionId,
        sendings: &[usize],
        before: usize,
    ) -> Option<Silence<'a>> {
        let concern = self.concern(host, Some(id.remote.ip()));
        let fault = |before: usize, is: &dyn Fn(FaultKind) -> bool| {
            self.faults.in_force(before, |it| is(it.kind) && concern.is_on_path(it.host))
        };
        let loss = |at: usize, reason: LostReason| {
            let fault = match reason {
                LostReason::HostDown => {
                    fault(at, &|kind| matches!(kind, FaultKind::Crash | FaultKind::Shutdown))
                }
                LostReason::UnknownFlow => fault(at, &|kind| kind == FaultKind::Forget),
                LostReason::HostPaused => fault(at, &|kind| kind == FaultKind::Pause),
                LostReason::LinkDown => fault(at, &|kind| kind == FaultKind::LinkDown),
                LostReason::Partition => fault(at, &|kind| matches!(kind, FaultKind::Partition(_))),
                LostReason::Unreachable => fault(at, &|kind| matches!(kind, FaultKind::Unreachable(_))),
                _ => None,
            };
            Loss { at, reason, fault }
        };
        let lost = |&sent: &usize| Some(loss(sent, self.flight(sent)?.lost(self.events)?));
        if let Some(loss) = sendings.iter().rev().find_map(lost) {
            return Some(Silence::Lost(loss));
        }
        let &first = sendings.first()?;
        let answers = self.losses(ConnectionId::new(id.remote, id.local), before);
        let lost = answers.last().filter(|at| **at >= first).and_then(|&at| match self.events[at].kind {
            Kind::Lost { reason, .. } => Some(loss(at, reason)),
            _ => None,
        });
        let held = || fault(before, &|kind| matches!(kind, FaultKind::Hold(_))).map(Silence::Held);
        let unseen = || {
            let last = self.flight(*sendings.last()?)?;
            let any = || fault(before, &|kind| !matches!(kind, FaultKind::Kill { .. }));
            (last.fate == Fate::Underway).then(any)?.map(Silence::Unseen)
        };
        lost.map(Silence::AnswersLost).or_else(held).or_else(unseen)
    }
}
