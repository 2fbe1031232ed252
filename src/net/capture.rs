//! Captures for Wireshark, complete when the simulation ends.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::network::Network;
use super::origin::Origin;
use crate::report::{self, RunInfo};
use crate::timeline::Event;

/// Writes every packet of the simulation to `path` as a pcapng file, its times in nanoseconds from the start. Each is
/// in it once, on its sender's interface, when it left; a packet that was lost by [`loss`](super::loss) or at a dead
/// host says so in a comment, and an ICMP error is there when it came.
///
/// It may be asked for before the simulation or while it runs, and is about the whole of it. The file is there
/// at once and without packets; it is replaced by the whole capture when the simulation ends, which is when
/// turmoil's `Sim` is dropped, be it by a test that panics. What was not [recorded](super::recording) is not in it.
///
/// # Errors
///
/// What the file system says of `path` now. If it cannot be written at the end, that is said on standard error.
pub fn pcapng(path: impl AsRef<Path>) -> io::Result<()> {
    Capture::order(path.as_ref(), None)
}

/// As [`pcapng`], of the packets that one host sends and receives, which is named as turmoil names it.
///
/// # Errors
///
/// As [`pcapng`].
pub fn pcapng_host(host: impl ToString, path: impl AsRef<Path>) -> io::Result<()> {
    Capture::order(path.as_ref(), Some(host.to_string()))
}

/// A file that is to be written.
#[derive(Debug)]
pub(super) struct Capture {
    path: PathBuf,
    host: Option<String>,
}

impl Capture {
    /// Of all hosts.
    pub(super) fn new(path: PathBuf) -> Capture {
        Capture { path, host: None }
    }

    fn order(path: &Path, host: Option<String>) -> io::Result<()> {
        // The test may change its working directory.
        let capture = Capture { path: std::path::absolute(path)?, host };
        capture.write(&Origin::here().run_info(), &[])?;
        let network = Network::current();
        let captures = &mut network.lock().ending.captures;
        captures.retain(|other| other.path != capture.path);
        captures.push(capture);
        Ok(())
    }

    /// Writes the file again, with these events in it.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub(super) fn write(&self, run: &RunInfo, events: &[Event]) -> io::Result<()> {
        let write = |out: &mut dyn Write| report::pcapng(out, run, events, self.host.as_deref());
        report::to_file(&self.path, write)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}
