//! What there is to say of a packet that its octets do not show.

use std::collections::BTreeMap;

use crate::story::{Fate, Reset, flights};
use crate::timeline::{Event, Kind, Retransmission};

/// The comments of a run, by the places of their packets' events.
pub(super) struct Comments(BTreeMap<usize, Vec<String>>);

impl Comments {
    /// With the resets among the events.
    pub(super) fn of(events: &[Event], resets: &BTreeMap<usize, Reset>) -> Comments {
        let mut comments = Comments(BTreeMap::new());
        for flight in &flights(events) {
            let own = own(&events[flight.sent], resets.get(&flight.sent));
            if !flight.copy {
                comments.add(flight.sent, own.iter().cloned());
            }
            if let Some(reason) = flight.lost(events) {
                let copy = if flight.copy { "a copy was " } else { "" };
                comments.add(flight.sent, [format!("{copy}lost: {reason}")]);
            }
            if let Fate::Arrived(at) = flight.fate {
                comments.add(at, own);
                comments.add(at, flight.copy.then(|| "a copy made by the network".to_owned()));
            }
        }
        comments
    }

    fn add(&mut self, at: usize, what: impl IntoIterator<Item = String>) {
        self.0.entry(at).or_default().extend(what);
    }

    /// The comment at a packet; empty where there is nothing to say.
    pub(super) fn at(&self, at: usize) -> String {
        self.0.get(&at).map_or(String::new(), |comments| comments.join(", "))
    }
}

/// What is true of the packet wherever it is seen.
fn own(event: &Event, reset: Option<&Reset>) -> Vec<String> {
    let Kind::Segment(segment) = &event.kind else { return Vec::new() };
    let again = segment.retransmission.as_deref().map(|Retransmission { nth, limit, .. }| match limit {
        Some(limit) => format!("retransmission {nth}/{limit}"),
        None => format!("retransmission {nth}"),
    });
    let note = segment.probe.map(|probe| probe.to_string());
    let reset = reset.map(|reset| reset.why.comment().to_owned());
    [note, again, reset].into_iter().flatten().collect()
}
