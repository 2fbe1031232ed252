//! What changed in a table since it was last asked.

use std::collections::BTreeSet;
use std::mem;

/// Keys of entries that may have changed: kept only for an observer, and free of cost without one.
#[derive(Debug)]
pub(crate) struct ChangeLog<K>(Option<BTreeSet<K>>);

impl<K> Default for ChangeLog<K> {
    fn default() -> ChangeLog<K> {
        ChangeLog(None)
    }
}

impl<K: Ord> ChangeLog<K> {
    /// From now on changes are kept.
    pub(crate) fn start(&mut self) {
        self.0.get_or_insert_default();
    }

    /// The entry may change, or come, or go.
    pub(crate) fn note(&mut self, key: K) {
        if let Some(keys) = &mut self.0 {
            keys.insert(key);
        }
    }

    /// The keys noted since the last time, in order.
    pub(crate) fn take(&mut self) -> BTreeSet<K> {
        self.0.as_mut().map(mem::take).unwrap_or_default()
    }
}
