//! Captures for Wireshark, complete when the simulation ends.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::origin::Origin;
use crate::report::{self, RunInfo};
use crate::timeline::Event;

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

    /// Of one host, or of all; written already, without packets yet.
    ///
    /// # Errors
    ///
    /// What the file system says, with the path.
    pub(super) fn begin(path: &Path, host: Option<String>) -> io::Result<Capture> {
        // The test may change its working directory.
        let capture = Capture { path: std::path::absolute(path)?, host };
        capture.write(&Origin::here().run_info(), &[])?;
        Ok(capture)
    }

    /// Whether both are the same file.
    pub(super) fn replaces(&self, other: &Capture) -> bool {
        self.path == other.path
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
