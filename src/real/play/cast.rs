//! The processes of a play: started, typed at, watched, ended.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal as Native, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid as NativePid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid};

use super::Run;
use crate::os::unix::{Tape, UnixOs, block_on, fork};
use crate::os::{Os, Pid, Signal};
use crate::timeline::ProcessChange;

/// A process that the play has started.
pub(super) struct Actor {
    pub(super) host: usize,
    pub(super) run: usize,
    pub(super) name: Arc<str>,
    pub(super) pid: Pid,
    pub(super) has_ended: bool,
    terminal: Terminal,
}

/// The end of the pipe that we type into.
struct Terminal {
    pipe: Option<File>,
    typed: Vec<u8>,
    hung_up: bool,
}

impl Actor {
    /// Forks the program, which has a pipe as its standard input, and what it prints only on the tape.
    pub(super) fn start(host: usize, index: usize, run: &Run, tape: &Tape) -> io::Result<Actor> {
        let (stdin, pipe) = nix::unistd::pipe()?;
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let null = File::options().write(true).open("/dev/null")?;
        let child = || {
            if settle(&stdin, &null, tape).is_err() {
                return 126; // as a shell says that it could not run a program
            }
            let os = UnixOs::new(&run.name, Some(tape.clone()));
            let program = run.program.clone();
            block_on(async move {
                let status = program(os.clone()).await;
                os.exit(status).await
            })
        };
        let pid = fork(child)?;
        // Here as well as in the child: whoever comes first.
        _ = setpgid(native(pid), native(pid));
        let terminal = Terminal { pipe: Some(pipe.into()), typed: Vec::new(), hung_up: false };
        Ok(Actor { host, run: index, name: run.name.as_str().into(), pid, has_ended: false, terminal })
    }

    pub(super) fn type_line(&mut self, line: &str) {
        self.terminal.typed.extend(line.as_bytes());
        self.terminal.typed.push(b'\n');
        self.flush();
    }

    pub(super) fn hang_up(&mut self) {
        self.terminal.hung_up = true;
        self.flush();
    }

    /// Gives the program what it has room for; whether something is left.
    pub(super) fn flush(&mut self) -> bool {
        let terminal = &mut self.terminal;
        if let Some(pipe) = &mut terminal.pipe {
            match pipe.write(&terminal.typed) {
                Ok(len) => _ = terminal.typed.drain(..len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => terminal.typed.clear(), // nobody reads it any more
            }
        }
        if terminal.hung_up && terminal.typed.is_empty() {
            terminal.pipe = None;
        }
        !terminal.typed.is_empty()
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

/// In the child: its own group, its own standard streams, and nothing of ours but the tape.
fn settle(stdin: &OwnedFd, null: &File, tape: &Tape) -> io::Result<()> {
    setpgid(NativePid::from_raw(0), NativePid::from_raw(0))?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Native::SIGKILL)?;
    dup2_stdin(stdin.as_fd())?;
    dup2_stdout(null.as_fd())?;
    dup2_stderr(null.as_fd())?;
    for fd in open_descriptors()? {
        if fd > 2 && fd != tape.number() {
            _ = nix::unistd::close(fd); // the one the list was read from is gone already
        }
    }
    Ok(())
}

fn open_descriptors() -> io::Result<Vec<i32>> {
    let number = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    Ok(fs::read_dir("/dev/fd")?.filter_map(number).collect())
}

/// Whether a process has ended: `Zombie` while nobody has waited for it, `Reaped` after that.
pub(super) fn fate(pid: u32) -> Option<ProcessChange> {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Some(ProcessChange::Reaped);
    };
    // The command's name stands in parentheses and may hold anything.
    let state = stat.rsplit_once(')')?.1.trim_start().chars().next()?;
    (state == 'Z').then_some(ProcessChange::Zombie)
}

/// Sends a signal to one process.
pub(super) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    Ok(nix::sys::signal::kill(NativePid::from_raw(pid as i32), native_signal(signal))?)
}

/// The system's name for a signal.
pub(super) fn native_signal(signal: Signal) -> Native {
    signal.name().parse().expect("our names are the system's")
}

fn native(pid: Pid) -> NativePid {
    NativePid::from_raw(pid.as_raw() as i32)
}
