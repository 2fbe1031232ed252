//! What a server tells its operator: lines on standard error, by level.

use std::fmt;

use crate::echo::lines::writen;
use crate::os::{Fd, Os};

/// How much is told; each level tells what those above it tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// What ends the server.
    Error,
    /// What it had to put up with.
    Warn,
    /// A line a connection.
    #[default]
    Info,
    /// Every step.
    Debug,
}

impl Level {
    const NAMES: [(&'static str, Level); 6] = [
        ("off", Level::Off),
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("debug", Level::Debug),
        ("trace", Level::Debug),
    ];

    /// Reads what `RUST_LOG` may say: `debug`, `echosim=warn`, several with commas, the last for us counts. `None` if
    /// nothing in it is for us.
    pub fn from_rust_log(text: &str) -> Option<Level> {
        let ours = |directive: &str| {
            let (target, level) = directive.trim().rsplit_once('=').unwrap_or(("echosim", directive.trim()));
            let known = Level::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(level));
            known.filter(|_| target.split("::").next() == Some("echosim")).map(|(_, level)| *level)
        };
        text.rsplit(',').find_map(ours)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Level::NAMES.iter().find(|(_, level)| level == self).map_or("", |(name, _)| name);
        f.pad(name)
    }
}

/// Writes a line if `level` is told where `most` is the most that is: level, process id, message.
pub(super) async fn log<O: Os>(os: &O, most: Level, level: Level, message: fmt::Arguments<'_>) {
    if level <= most {
        let line = format!("{level:5} [{}] {message}\n", os.getpid());
        // If standard error is gone, no one can be told.
        _ = writen(os, Fd::STDERR, line.as_bytes()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_log_is_read_as_far_as_it_is_for_us() {
        assert_eq!(Level::from_rust_log("debug"), Some(Level::Debug));
        assert_eq!(Level::from_rust_log("info,echosim=warn,other=debug"), Some(Level::Warn));
        assert_eq!(Level::from_rust_log("echosim::real=off"), Some(Level::Off));
        assert_eq!(Level::from_rust_log("other=debug"), None);
        assert_eq!(Level::from_rust_log("loud"), None);
    }
}
