//! What a server tells its operator: lines on standard error, by level.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::MsgFlags;
use nix::sys::stat::{SFlag, fstat};

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

/// Standard error, for lines that nobody need read: a line for which there is no room is dropped and counted. So a
/// reader that stops reading a pipe, or ^S on a terminal, stops no process that writes to it.
#[derive(Debug)]
pub(super) struct Log {
    most: Level,
    way: Way,
    dropped: Cell<u64>,
}

/// How a line is written without waiting.
#[derive(Debug)]
enum Way {
    /// A file: a write to it waits for no reader.
    AsItIs,
    /// A pipe or terminal, opened once more: O_NONBLOCK belongs to the open file, which others may have as well.
    Reopened(File),
    /// A socket, which takes the wish with each call.
    Socket,
    /// What cannot be opened again. Between a look and the write another process may fill it up.
    Looked,
}

impl Log {
    /// Tells no more than `most`.
    pub(super) fn new(most: Level) -> Log {
        Log { most, way: Way::to(io::stderr().as_fd()), dropped: Cell::new(0) }
    }

    /// Writes a line with its level and this process's id, unless that is too much to tell or there is no room. Before
    /// it comes how many lines there was no room for.
    pub(super) fn say(&self, level: Level, message: fmt::Arguments<'_>) {
        if level > self.most {
            return;
        }
        let dropped = self.dropped.get();
        if dropped > 0 {
            let told = format_args!("{dropped} lines of the log were dropped: it was not read");
            if !self.way.write(&line(Level::Warn, told)) {
                self.dropped.set(dropped + 1);
                return;
            }
            self.dropped.set(0);
        }
        if !self.way.write(&line(level, message)) {
            self.drop_lines(1);
        }
    }

    /// How many lines there was no room for and that is not told yet.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Counts lines that another process could not write.
    pub(super) fn drop_lines(&self, lines: u64) {
        self.dropped.set(self.dropped.get() + lines);
    }

    /// In a child: what was dropped so far is its parent's to tell.
    pub(super) fn begin_anew(&self) {
        self.dropped.set(0);
    }
}

fn line(level: Level, message: fmt::Arguments<'_>) -> String {
    format!("{level:5} [{}] {message}\n", std::process::id())
}

impl Way {
    fn to(stderr: BorrowedFd<'_>) -> Way {
        let Ok(stat) = fstat(stderr) else { return Way::Looked };
        match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Way::AsItIs,
            SFlag::S_IFSOCK => Way::Socket,
            // Only Linux has an open file of its own there; elsewhere it is another name of the old one.
            _ if cfg!(target_os = "linux") => {
                let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
                let path = format!("/proc/self/fd/{}", stderr.as_raw_fd());
                let file = File::options().append(true).custom_flags(flags.bits()).open(path);
                file.map_or(Way::Looked, Way::Reopened)
            }
            _ => Way::Looked,
        }
    }

    /// Whether all of it was written. A line is short enough for a pipe to take it whole or not at all.
    fn write(&self, line: &str) -> bool {
        let (stderr, octets) = (io::stderr(), line.as_bytes());
        let written = match self {
            Way::AsItIs => nix::unistd::write(stderr, octets),
            Way::Reopened(file) => nix::unistd::write(file, octets),
            Way::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                nix::sys::socket::send(stderr.as_raw_fd(), octets, flags)
            }
            Way::Looked => {
                let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
                match nix::poll::poll(&mut fds, PollTimeout::ZERO) {
                    Ok(1) => nix::unistd::write(stderr.as_fd(), octets),
                    _ => return false,
                }
            }
        };
        written == Ok(octets.len())
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
