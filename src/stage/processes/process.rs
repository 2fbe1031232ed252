//! A process that the scenario starts: forked, given a terminal, waited for.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal as Native, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid as NativePid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid};

use super::hosts::RealHost;
use super::terminal::Terminal;
use crate::echo::Command;
use crate::os::sim::Limits;
use crate::os::unix::{EventPipe, GroupGuard, UnixOs, block_on, fork};
use crate::os::{Os, Pid};
use crate::scenario;

/// A process that the scenario has started. Dropped, it ends, and everything it has forked.
pub(super) struct Process {
    pub(super) host: usize,
    pub(super) name: Arc<str>,
    pub(super) pid: Pid,
    pub(super) has_ended: bool,
    pub(super) terminal: Terminal,
    /// Closed with this process, however it ends: then the kernel does what `drop` does.
    _guard: OwnedFd,
}

impl Process {
    /// Forks a host's program. What it prints goes to the pipe alone.
    pub(super) fn start(
        host: usize,
        (of, real): (&scenario::Host, &RealHost),
        command: Command,
        pipe: &EventPipe,
    ) -> io::Result<Process> {
        let (stdin, terminal) = Terminal::new(of.file().as_deref(), &of.typed)?;
        let null = File::options().write(true).open(NULL).map_err(|error| named(NULL, &error))?;
        let name = command.name();
        let guard = GroupGuard::new()?;
        let child = || {
            let keep = [pipe.number(), guard.number()];
            let is_set_up = set_up(&stdin, &null, &keep, of.limits).and_then(|()| guard.watches_this_group());
            if is_set_up.is_err() {
                return 126; // as a shell says that it could not run a program
            }
            let os = UnixOs::on(real.persona.clone(), name, Some(pipe.clone()));
            block_on(async move {
                let status = command.run(os.clone()).await;
                os.exit(status).await
            })
        };
        let pid = fork(child)?;
        // Here as well as in the child: it has to be done before either goes on.
        _ = setpgid(native(pid), native(pid));
        Ok(Process { host, name: name.into(), pid, has_ended: false, terminal, _guard: guard.hold() })
    }

    /// How it has ended, told once.
    pub(super) fn reap(&mut self) -> Option<WaitStatus> {
        if self.has_ended {
            return None;
        }
        let status = waitpid(native(self.pid), Some(WaitPidFlag::WNOHANG));
        self.has_ended = !matches!(status, Ok(WaitStatus::StillAlive));
        status.ok().filter(|_| self.has_ended)
    }

    /// Sends a signal to it and to everything it has forked.
    pub(super) fn signal_group(&self, signal: Native) {
        // ESRCH: they have all gone by themselves.
        _ = killpg(native(self.pid), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal_group(Native::SIGKILL);
        if !self.has_ended {
            // A killed process ends soon, so this waits for no longer than that.
            _ = waitpid(native(self.pid), None);
        }
    }
}

/// In the child: its own group, its own standard streams, and nothing of ours but what it is to keep.
fn set_up(stdin: &OwnedFd, null: &File, keep: &[i32], limits: Limits) -> io::Result<()> {
    setpgid(NativePid::from_raw(0), NativePid::from_raw(0))?;
    dup2_stdin(stdin.as_fd())?;
    dup2_stdout(null.as_fd())?;
    dup2_stderr(null.as_fd())?;
    for fd in open_descriptors()? {
        if fd > 2 && !keep.contains(&fd) {
            _ = nix::unistd::close(fd); // the one the list was read from is gone already
        }
    }
    if limits.descriptors != Limits::default().descriptors {
        // Of descriptors to come; the pipe's is open already.
        setrlimit(Resource::RLIMIT_NOFILE, limits.descriptors as u64, limits.descriptors as u64)?;
    }
    Ok(())
}

const NULL: &str = "/dev/null";

/// A trouble with the name of what it is about.
fn named(what: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}

fn open_descriptors() -> io::Result<Vec<i32>> {
    let directory = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    Ok(fs::read_dir(directory)?.filter_map(number).collect())
}

pub(super) fn native(pid: Pid) -> NativePid {
    NativePid::from_raw(pid.as_raw() as i32)
}
