//! Names that are compiled in on one side and read from the wire on the other.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer};

/// A name that is compiled in. (Under its full type serde would borrow it from what it reads.)
pub(super) type Name = &'static str;

/// The one copy of this text that lives for ever. Memory grows with the number of different names only, and
/// these are names of calls and signals.
fn intern(text: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = names.get(text.as_str()) {
        return name;
    }
    let name: &'static str = text.leak();
    names.insert(name);
    name
}

pub(super) fn interned<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    String::deserialize(from).map(intern)
}

pub(crate) fn interned_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'static str>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.map(intern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let (first, second) = (intern("read".to_owned()), intern("read".to_owned()));
        assert!(std::ptr::eq(first, second));
    }
}
