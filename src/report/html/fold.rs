//! What repeats itself: the same few events again and again, at an even pace.

use super::row::Row;

/// Fewer repeats than this are worth being seen one by one: the book's retransmissions are.
const FEWEST: usize = 9;

/// The longest thing that is looked for, in events.
const LONGEST: usize = 12;

/// A stretch of the timeline that says the same again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fold {
    /// Its first event.
    pub(super) first: usize,
    /// How many events are said again.
    pub(super) events: usize,
    /// How many times in all.
    pub(super) times: usize,
}

/// Every such stretch, one behind the other; of two readings the shorter phrase is the better one.
pub(super) fn folds(rows: &[Row]) -> Vec<Fold> {
    let mut folds = Vec::new();
    let mut first = 0;
    while first < rows.len() {
        let phrases = (1..=LONGEST).filter(|events| begins(rows, first, *events));
        let mut found = phrases.map(|events| Fold { first, events, times: times(rows, first, events) });
        match found.find(|fold| fold.times >= FEWEST) {
            Some(fold) => {
                folds.push(fold);
                first += fold.events * fold.times;
            }
            None => first += 1,
        }
    }
    folds
}

/// Whether a phrase may begin here: with a packet that leaves, if any does in it, so that no flight is cut.
fn begins(rows: &[Row], first: usize, events: usize) -> bool {
    rows[first].departs() || !rows[first..].iter().take(events).any(Row::departs)
}

/// How many times the `events` from `first` on are said in a row.
fn times(rows: &[Row], first: usize, events: usize) -> usize {
    let phrase = |nth: usize| rows.get(first + nth * events..first + (nth + 1) * events);
    let Some(once) = phrase(0) else { return 0 };
    let start = |nth: usize| rows[first + nth * events].time();
    let says =
        |nth: usize| phrase(nth).is_some_and(|again| once.iter().zip(again).all(|(a, b)| a.is_like(b)));
    if !says(1) {
        return 1;
    }
    let pace = start(1) - start(0);
    // An even pace: no step is twice another.
    let even = |nth: usize| {
        let step = start(nth) - start(nth - 1);
        step * 3 <= pace * 4 && pace * 3 <= step * 4
    };
    (2..).find(|nth| !says(*nth) || !even(*nth)).expect("rows end")
}
