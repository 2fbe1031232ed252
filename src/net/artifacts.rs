//! What is written when a simulation ends: the captures that were asked for, and what a failed test leaves.
//!
//! A simulation ends in a drop, be it of turmoil's `Sim` or of the thread. So no caller can be handed an error: it is
//! said on standard error, where libtest keeps it with the test it belongs to.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::capture::Capture;
use super::origin::Origin;
use crate::report::{self, Palette, RunInfo};
use crate::timeline::{Event, Recorder};

/// Events at the most that a failed test leaves: of a long simulation its end.
pub(super) const LEFT: usize = 20_000;

/// What is to be done when a simulation ends.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    pub(super) captures: Vec<Capture>,
    /// The simulation is known to have failed, though its test may not panic.
    pub(super) failed: bool,
    origin: Origin,
}

impl Artifacts {
    pub(super) fn new() -> Artifacts {
        Artifacts { captures: Vec::new(), failed: false, origin: Origin::here() }
    }

    /// Writes what has to be written of what happened.
    pub(super) fn write(self, recorder: &Recorder) {
        if !self.captures.is_empty() {
            let events = recorder.events_from(0);
            let run = self.run_info(recorder.len() - events.len());
            for capture in &self.captures {
                if let Err(error) = capture.write(&run, &events) {
                    say(&format!("no capture in {error}"));
                }
            }
        }
        if (self.failed || thread::panicking()) && !recorder.is_empty() {
            let events = recorder.events_from(recorder.len().saturating_sub(LEFT));
            match self.leave(&events, recorder.len() - events.len()) {
                Ok(Some(trace)) => {
                    let again = self.origin.command();
                    say(&format!("what happened is in {} and beside it, again: {again}", trace.display()));
                }
                Ok(None) => {}
                Err(error) => say(&format!("what happened could not be kept: {error}")),
            }
        }
    }

    /// Leaves the trace, which begins with the command to see it again, and the capture. Returns where the
    /// trace is.
    fn leave(&self, events: &[Event], left_out: usize) -> io::Result<Option<PathBuf>> {
        let Some(path) = self.origin.path() else { return Ok(None) };
        let (trace, capture) = (with_suffix(&path, ".txt"), with_suffix(&path, ".pcapng"));
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let run = self.run_info(left_out);
        report::to_file(&trace, |out| report::text(out, &run, events, &Palette::PLAIN))?;
        Capture::new(capture).write(&run, events)?;
        Ok(Some(trace))
    }

    /// What is written at the head of a report without its first events.
    fn run_info(&self, left_out: usize) -> RunInfo {
        let mut run = self.origin.run_info();
        if left_out > 0 {
            run.sentence.push_str(&format!(", without the first {left_out} events"));
        }
        run
    }
}

/// Adds to a name that may have dots of its own.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[expect(clippy::print_stderr, reason = "a drop has no other way, and libtest catches no other one")]
fn say(what: &str) {
    eprintln!("echosim: {what}");
}
