//! Ways to look at a run: each is a pure function from the timeline to a writer, one file a format.
//!
//! | function | shows |
//! | --- | --- |
//! | [`text()`] | every event, as tcpdump and strace would print it on one clock |
//! | [`json()`] | every event as a line of JSON |
//! | [`html()`] | a page to go back and forth in: the ladder, and every host at any moment |
//! | [`netstat()`] | every host's sockets, as `ss -tino` |
//! | [`ps`](fn@ps) | every host's processes, as `ps -o pid,ppid,stat,wchan,comm` |
//! | [`summary()`] | what happened and why, in a few sentences |
//! | [`ladder()`] | the textbook picture: a column a host, arrows between them |
//! | [`mermaid()`] | the same as a Mermaid diagram |
//! | [`svg()`] | the same as a picture for documents |
//! | [`pcapng()`] | the packets, for Wireshark |
//! | [`explain()`] | the story in sentences, its causes, and what would have helped |
//!
//! Pictures are drawings of one [`Sequence`](sequence::Sequence). [`to_file`] puts any report into a file, whole or
//! not at all.
//!
//! An error of the writer ends the report at once and is handed back as it is.

pub mod explain;
mod file;
mod flight;
mod html;
mod json;
mod ladder;
mod mermaid;
mod netstat;
mod palette;
mod pcapng;
mod ps;
mod reset;
pub mod sequence;
mod summary;
mod svg;
mod text;
mod wording;

pub use explain::{Notice, Remedy, explain};
pub use file::to_file;
pub use html::html;
pub use json::json;
pub use ladder::{Terminal, ladder};
pub use mermaid::mermaid;
pub use netstat::netstat;
pub use palette::Palette;
pub use pcapng::pcapng;
pub use ps::ps;
pub use summary::{Waiting, summary};
pub use svg::svg;
pub use text::text;

/// Which run a report is about: enough to repeat it to the byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// The scenario's name, or its file.
    pub scenario: String,
    /// What the scenario says of itself, one sentence.
    pub sentence: String,
    /// Which system's TCP: `book`, `linux` …
    pub stack: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What was set with `--set`, in the order given.
    pub set: Vec<(String, String)>,
    /// The command that repeats it, where it was not the command `echosim` that ran it.
    pub replay: Option<String>,
    /// Whether it was on this machine's own TCP: then it can be repeated, but not to the byte.
    pub real: bool,
}

impl RunInfo {
    /// The command that repeats this run, fit for a shell.
    pub fn command(&self) -> String {
        if let Some(replay) = &self.replay {
            return replay.clone();
        }
        let RunInfo { scenario, stack, seed, .. } = self;
        let mut command =
            format!("echosim --scenario {} --stack {} --seed {seed}", shell(scenario), shell(stack));
        if self.real {
            command.push_str(" --real");
        }
        for (key, value) in &self.set {
            command.push_str(&format!(" --set {}", shell(&format!("{key}={value}"))));
        }
        command
    }
}

/// A word as a POSIX shell reads it back: in single quotes where it has to be.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,/:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
