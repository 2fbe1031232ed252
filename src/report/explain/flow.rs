//! What a connection's id tell each other in their headers: that no more will come, and that there is no room.

use std::collections::BTreeMap;

use super::Sentence;
use crate::packet::Flags;
use crate::report::wording;
use crate::story::Story;
use crate::timeline::ConnectionId;
use crate::timeline::{Direction, Kind};

/// A sentence for every first FIN, and for every window that is closed.
pub(super) fn flow(story: &Story<'_>) -> Vec<Sentence> {
    let mut windows: BTreeMap<(&str, ConnectionId), (u16, Option<usize>)> = BTreeMap::new();
    let mut sentences = Vec::new();
    for (at, event) in story.events.iter().enumerate() {
        let Kind::Segment(segment) = &event.kind else { continue };
        if segment.dir == Direction::In || segment.flags.has(Flags::RST) {
            continue;
        }
        let peer = || story.name(segment.dst.ip());
        let mut say = |text: String, events: Vec<usize>| {
            sentences.push(Sentence { t: event.t, text, events });
        };
        if segment.flags.has(Flags::FIN) && segment.retransmission.is_none() {
            let text = format!("{} sends {} a FIN: nothing more will come from there.", event.host, peer());
            say(text, vec![at]);
        }
        let window = windows
            .entry((&event.host, ConnectionId::new(segment.src, segment.dst)))
            .or_insert((segment.win, None));
        match (*window, segment.win) {
            ((1.., _), 0) => {
                say(
                    format!("{} has no room for more: it tells {} so (window 0).", event.host, peer()),
                    vec![at],
                );
                *window = (0, Some(at));
            }
            ((0, Some(since)), 1..) => {
                let closed = event.t - story.t(since);
                let after = match closed.is_zero() {
                    true => "at once".to_owned(),
                    false => format!("after {}", wording::span(closed)),
                };
                let text = format!("{} has room again, {after}: it tells {} so.", event.host, peer());
                say(text, vec![since, at]);
                *window = (segment.win, None);
            }
            (_, win) => window.0 = win,
        }
    }
    sentences
}
