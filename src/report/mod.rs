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

#[doc(hidden)] // for tests, which look at single sentences; the report is `explain()`
pub mod explain;
mod fault;
mod file;
mod html;
pub(crate) mod json;
mod ladder;
mod mermaid;
mod netstat;
mod palette;
mod pcapng;
mod ps;
mod run_info;
#[doc(hidden)] // for tests, which look at what is drawn before it is
pub mod sequence;
mod strace;
mod summary;
mod svg;
pub(crate) mod text;
mod wording;

pub use explain::{Notice, Remedy, explain};
pub use file::to_file;
pub use html::html;
pub use json::json;
pub use ladder::{Terminal, ladder};
pub use mermaid::mermaid;
pub use netstat::netstat;
pub use palette::Palette;
#[cfg(feature = "cli")]
pub(crate) use pcapng::Capture;
pub use pcapng::pcapng;
pub use ps::ps;
pub use run_info::RunInfo;
#[doc(hidden)] // for tests, which look at what a call was given
pub use strace::arguments;
pub use summary::{Waiting, summary};
pub use svg::svg;
pub use text::text;

// What `html` and `ps` show.
pub use crate::os::Pid;
pub use crate::os::sim::{ProcessInfo, ProcessState, Wchan};
pub use crate::sim::History;

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
