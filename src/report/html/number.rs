//! Everything as a number: times, texts, and nothing.

use std::collections::BTreeMap;

use crate::time::SimTime;

/// Nothing.
pub(super) const NONE: i64 = -1;

/// Microseconds.
pub(super) fn micros(t: SimTime) -> i64 {
    t.as_micros() as i64
}

/// Every text once.
#[derive(Default)]
pub(super) struct Words {
    places: BTreeMap<String, i64>,
    list: Vec<String>,
}

impl Words {
    pub(super) fn put(&mut self, word: impl ToString) -> i64 {
        let word = word.to_string();
        *self.places.entry(word).or_insert_with_key(|word| {
            self.list.push(word.clone());
            self.list.len() as i64 - 1
        })
    }

    pub(super) fn put_some(&mut self, word: Option<impl ToString>) -> i64 {
        word.map_or(NONE, |word| self.put(word))
    }

    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}
