//! When a fault strikes: at a time, or when something happens.

mod parse;

use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{Direction, Errno, Event, Kind, Octets, Stream, SystemCall};

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// At this time.
    At(SimTime),
    /// The moment this happens.
    On(Watch),
}

/// Waits on the timeline for the n-th time that something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// On which host; `None` is any, the router not among them.
    pub host: Option<String>,
    /// What has to happen.
    pub what: Happening,
    /// How many times more it has to happen; 0 once it is over.
    pub left: u64,
}

/// What a [`Watch`] waits for. Without a text or flags, any will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A process writes this line to a descriptor.
    Writes(Option<String>),
    /// A process reads this line from a descriptor.
    Reads(Option<String>),
    /// A process prints this line to its standard output.
    Prints(Option<String>),
    /// `connect` succeeds.
    Connects,
    /// `accept` succeeds.
    Accepts,
    /// A segment with exactly these control bits leaves.
    Sends(Option<Flags>),
    /// A segment with exactly these control bits arrives.
    Receives(Option<Flags>),
    /// A segment leaves that was sent before.
    Retransmits,
}

impl Watch {
    /// Looks at the next event of the timeline, in order; true at the one that was waited for, once.
    pub fn matches(&mut self, event: &Event) -> bool {
        let here = self.host.as_deref().is_none_or(|host| host == &*event.host);
        if self.left == 0 || !here || !self.what.is(&event.kind) {
            return false;
        }
        self.left -= 1;
        self.left == 0
    }
}

impl Happening {
    fn is(&self, kind: &Kind) -> bool {
        match (self, kind) {
            (Happening::Writes(text), Kind::Call(call)) => match &call.what {
                SystemCall::Write { data, .. } => moved(call.result, data, text.as_deref()),
                _ => false,
            },
            (Happening::Reads(text), Kind::Call(call)) => match &call.what {
                SystemCall::Read { data: Some(data), .. } => moved(call.result, data, text.as_deref()),
                _ => false,
            },
            (Happening::Connects, Kind::Call(call)) => {
                matches!(call.what, SystemCall::Connect { .. }) && call.result.is_ok()
            }
            (Happening::Accepts, Kind::Call(call)) => {
                matches!(call.what, SystemCall::Accept { .. }) && call.result.is_ok()
            }
            (Happening::Prints(text), Kind::Line(line)) => {
                line.stream == Stream::Stdout && text.as_ref().is_none_or(|text| *text == line.text)
            }
            (Happening::Sends(flags), Kind::Segment(segment)) => {
                segment.dir == Direction::Out && flags.is_none_or(|flags| flags == segment.flags)
            }
            (Happening::Receives(flags), Kind::Segment(segment)) => {
                segment.dir == Direction::In && flags.is_none_or(|flags| flags == segment.flags)
            }
            (Happening::Retransmits, Kind::Segment(segment)) => segment.retransmission.is_some(),
            _ => false,
        }
    }
}

/// Whether a call moved data, and this line if one is named. Of a long one only the beginning is known.
fn moved(result: Result<i64, Errno>, data: &Octets, line: Option<&str>) -> bool {
    let Some(line) = line.map(str::as_bytes) else { return result.is_ok_and(|octets| octets > 0) };
    let known = &*data.beginning;
    result.is_ok_and(|octets| octets > 0)
        && if data.is_cut() {
            line.starts_with(known)
        } else {
            known.strip_suffix(b"\n").unwrap_or(known) == line
        }
}

#[cfg(test)]
mod tests;
