//! How late this machine is: whoever woke late may have found everything late.
//!
//! A process for each processor asks to be woken every millisecond, and notes when it was woken much later. It shares
//! nothing with the run but the clock.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid as NativePid, pipe};

use super::process::native;
use super::wait_for;
use crate::os::unix::fork;
use crate::scenario::Stall;
use crate::time::SimTime;

/// Between two wakings.
const PERIOD: Duration = Duration::from_millis(1);
/// What is no stall yet: a quiet machine wakes within it.
const PROMPT: Duration = Duration::from_micros(500);
/// Stalls that are kept of a processor.
const MOST: usize = 100_000;

/// The meters of a run. Dropped, they end; and so they do when this process ends in any other way.
pub(in crate::stage) struct Meter {
    start: Instant,
    results: Option<File>,
    /// Closed, it ends them.
    go_on: Option<OwnedFd>,
    pids: Vec<NativePid>,
}

impl Meter {
    /// Meters for every processor that this process may run on, in the network namespace and with the priority that it
    /// has now.
    ///
    /// # Errors
    ///
    /// Out of descriptors or processes.
    pub(in crate::stage) fn start() -> io::Result<Meter> {
        let (watched, go_on) = pipe()?;
        let (results, writer) = pipe()?;
        let mut meter = Meter {
            start: Instant::now(),
            results: Some(results.into()),
            go_on: Some(go_on),
            pids: Vec::new(),
        };
        for processor in processors() {
            let Meter { start, results, go_on, .. } = &mut meter;
            let child = || {
                // The child's own copies: the parent's are to be the only ones.
                (*results, *go_on) = (None, None);
                settle_on(processor);
                let stalls = measure(*start, &watched);
                i32::from(tell(&writer, &stalls).is_err())
            };
            let pid = fork(child)?;
            meter.pids.push(native(pid));
        }
        Ok(meter)
    }

    /// Ends the meters: the stalls of all processors by time, counted from `epoch`.
    ///
    /// # Errors
    ///
    /// What reading a pipe says.
    pub(super) fn finish(mut self, epoch: Instant) -> io::Result<Vec<Stall>> {
        self.go_on = None;
        let mut octets = Vec::new();
        if let Some(mut results) = self.results.take() {
            results.read_to_end(&mut octets)?;
        }
        // What was before the epoch can have made nothing late.
        let before = epoch.saturating_duration_since(self.start);
        let number = |octets: &[u8]| u64::from_le_bytes(octets.try_into().expect("eight octets"));
        let stalls = octets.chunks_exact(RECORD).filter_map(|record| {
            let (due, late) = record.split_at(RECORD / 2);
            let due = Duration::from_nanos(number(due)).checked_sub(before)?;
            Some(Stall { t: SimTime::ZERO + due, late: Duration::from_nanos(number(late)) })
        });
        let mut stalls: Vec<Stall> = stalls.collect();
        stalls.sort_by_key(|stall| (stall.t, stall.late));
        Ok(stalls)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.go_on = None;
        for pid in &self.pids {
            _ = kill(*pid, Signal::SIGKILL);
            _ = waitpid(*pid, None);
        }
    }
}

/// Octets of a stall in the pipe: when the waking was due, and how late it was, in nanoseconds.
const RECORD: usize = 2 * size_of::<u64>();

/// Until the other end of `watched` is closed.
fn measure(start: Instant, watched: &OwnedFd) -> Vec<(Duration, Duration)> {
    let mut stalls = Vec::new();
    let mut due = start.elapsed();
    loop {
        due += PERIOD;
        let mut fds = [PollFd::new(watched.as_fd(), PollFlags::POLLIN)];
        match wait_for(&mut fds, due.saturating_sub(start.elapsed())) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            _ => return stalls,
        }
        let now = start.elapsed();
        let late = now.saturating_sub(due);
        if late > PROMPT {
            if stalls.len() < MOST {
                stalls.push((due, late));
            }
            due = now;
        }
    }
}

fn tell(writer: &OwnedFd, stalls: &[(Duration, Duration)]) -> io::Result<()> {
    // A record is written at once, so that those of two processors never mix (PIPE_BUF, pipe(7)).
    let mut file = File::from(writer.try_clone()?);
    for (due, late) in stalls {
        let nanos = |span: &Duration| (span.as_nanos() as u64).to_le_bytes();
        file.write_all(&[nanos(due), nanos(late)].concat())?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn processors() -> Vec<usize> {
    use nix::sched::{CpuSet, sched_getaffinity};
    let set = sched_getaffinity(NativePid::from_raw(0)).unwrap_or_default();
    let own: Vec<usize> = (0..CpuSet::count()).filter(|n| set.is_set(*n).unwrap_or(false)).collect();
    if own.is_empty() { vec![0] } else { own }
}

#[cfg(not(target_os = "linux"))]
fn processors() -> Vec<usize> {
    vec![0]
}

/// Where it cannot settle it measures wherever it runs.
#[cfg(target_os = "linux")]
fn settle_on(processor: usize) {
    use nix::sched::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    if set.set(processor).is_ok() {
        _ = sched_setaffinity(NativePid::from_raw(0), &set);
    }
}

#[cfg(not(target_os = "linux"))]
fn settle_on(_: usize) {}
