//! When a fault strikes: at a time, or when something happens.

mod parse;

use crate::packet::Flags;
use crate::time::SimTime;
use crate::timeline::{Call, Direction, Event, Kind, Stream};

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
    /// What.
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
            (Happening::Writes(text), Kind::Call(call)) => moved(call, &["write", "send"], text.as_deref()),
            (Happening::Reads(text), Kind::Call(call)) => moved(call, &["read", "recv"], text.as_deref()),
            (Happening::Connects, Kind::Call(call)) => call.call == "connect" && call.result.is_ok(),
            (Happening::Accepts, Kind::Call(call)) => call.call == "accept" && call.result.is_ok(),
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

/// Whether one of these calls moved data, and this line if one is named.
fn moved(call: &Call, names: &[&str], line: Option<&str>) -> bool {
    if !names.contains(&call.call) || !call.result.is_ok_and(|octets| octets > 0) {
        return false;
    }
    let Some(line) = line else { return true };
    match parse::string_argument(&call.args) {
        Some((text, false)) => text.strip_suffix('\n').unwrap_or(&text) == line,
        Some((beginning, true)) => line.starts_with(&beginning),
        None => false,
    }
}

#[cfg(test)]
mod tests;
