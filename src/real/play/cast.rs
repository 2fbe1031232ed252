//! The processes of a play: started, typed at, watched, ended.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal as Native, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid as NativePid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid};

use super::stat::Stat;
use super::stdin::Keyboard;
use super::{Host, Run};
use crate::os::sim::Limits;
use crate::os::unix::{EventPipe, UnixOs, block_on, fork};
use crate::os::{Os, Pid, Signal};
use crate::timeline::ProcessChange;

/// A process that the play has started.
pub(super) struct Actor {
    pub(super) host: usize,
    pub(super) run: usize,
    pub(super) name: Arc<str>,
    pub(super) pid: Pid,
    pub(super) has_ended: bool,
    pub(super) keyboard: Keyboard,
}

impl Actor {
    /// Forks the program; what it prints is only on the pipe. Numbers are indices into the play.
    pub(super) fn start(
        (host, index): (usize, usize),
        home: &Host,
        run: &Run,
        pipe: &EventPipe,
    ) -> io::Result<Actor> {
        let (stdin, keyboard) = Keyboard::new(&run.stdin)?;
        let null = File::options().write(true).open("/dev/null")?;
        let child = || {
            if settle(&stdin, &null, pipe, home.limits).is_err() {
                return 126; // as a shell says that it could not run a program
            }
            let os = UnixOs::on(home.machine.clone(), &run.name, Some(pipe.clone()));
            let program = run.program.clone();
            block_on(async move {
                let status = program(os.clone()).await;
                os.exit(status).await
            })
        };
        let pid = fork(child)?;
        // Here as well as in the child: whoever comes first.
        _ = setpgid(native(pid), native(pid));
        Ok(Actor { host, run: index, name: run.name.as_str().into(), pid, has_ended: false, keyboard })
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

    /// Ends it and everything it has forked.
    pub(super) fn kill_group(&self, signal: Native) {
        // ESRCH: they have all gone by themselves.
        _ = killpg(native(self.pid), signal);
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.kill_group(Native::SIGKILL);
        if !self.has_ended {
            // A killed process ends soon, so this waits for no longer than that.
            _ = waitpid(native(self.pid), None);
        }
    }
}

/// In the child: its own group, its own standard streams, and nothing of ours but the pipe.
fn settle(stdin: &OwnedFd, null: &File, pipe: &EventPipe, limits: Limits) -> io::Result<()> {
    setpgid(NativePid::from_raw(0), NativePid::from_raw(0))?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Native::SIGKILL)?;
    dup2_stdin(stdin.as_fd())?;
    dup2_stdout(null.as_fd())?;
    dup2_stderr(null.as_fd())?;
    for fd in open_descriptors()? {
        if fd > 2 && fd != pipe.number() {
            _ = nix::unistd::close(fd); // the one the list was read from is gone already
        }
    }
    if limits.descriptors != Limits::default().descriptors {
        // Of descriptors to come; the pipe's is open already.
        setrlimit(Resource::RLIMIT_NOFILE, limits.descriptors as u64, limits.descriptors as u64)?;
    }
    Ok(())
}

fn open_descriptors() -> io::Result<Vec<i32>> {
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    Ok(fs::read_dir("/dev/fd")?.filter_map(number).collect())
}

/// Whether a process has ended: `Zombie` while nobody has waited for it, `Reaped` after that.
pub(super) fn fate(pid: u32) -> Option<ProcessChange> {
    match Stat::of(pid) {
        None => Some(ProcessChange::Reaped),
        Some(stat) => (stat.state == 'Z').then_some(ProcessChange::Zombie),
    }
}

/// Sends a signal to one process.
pub(super) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let native: Native = signal.name().parse().expect("our names are the system's");
    Ok(nix::sys::signal::kill(NativePid::from_raw(pid as i32), native)?)
}

fn native(pid: Pid) -> NativePid {
    NativePid::from_raw(pid.as_raw() as i32)
}
