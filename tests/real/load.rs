//! Load: minutes of work, so only when asked for.

pub(crate) const TESTS: &[(&str, fn())] = &[];
