//! A mistake in a scenario's file: where it is, in which key, and what was expected.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

/// What is wrong with a scenario, and where: `sims/x.toml:12: fault.host: no host "sever"; hosts are …`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The key, with the tables around it: `fault.host`; empty where TOML itself is broken.
    pub key: String,
    /// What is wrong, and what was expected.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

/// A mistake found, while only its place in the text is known.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Octets from the start of the text.
    pub(super) at: usize,
    pub(super) key: String,
    pub(super) what: String,
}

impl Wrong {
    pub(super) fn new(span: Range<usize>, key: impl Into<String>, what: impl Into<String>) -> Wrong {
        Wrong { at: span.start, key: key.into(), what: what.into() }
    }

    pub(super) fn in_file(self, file: &str, text: &str) -> Mistake {
        let line = line_of(text, self.at);
        Mistake { file: file.to_owned(), line, key: self.key, what: self.what }
    }
}

/// What TOML and serde have to say.
pub(super) fn from_toml(mut error: toml::de::Error, text: &str) -> Wrong {
    let what = error.message().replace('\n', ", ");
    let span = error.span().unwrap_or(0..0);
    // The error tells its key only when it is shown without the text around it: "…\nin `fault.at`\n".
    error.set_input(None);
    let shown = error.to_string();
    let path = shown.trim_end().rsplit_once("\nin `").and_then(|(_, path)| path.strip_suffix('`'));
    let word = || text.get(span.clone()).filter(|word| !word.is_empty() && word.chars().all(is_key_char));
    let key = path.or_else(word).unwrap_or_default();
    Wrong::new(span.clone(), key, what)
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// The line, from 1, that the octet at `at` stands on.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    1 + before.iter().filter(|&&octet| octet == b'\n').count()
}
