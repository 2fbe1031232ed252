//! The servers: how each is started, and stopped whatever happens.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

use crate::load;
use crate::memory;

/// A server of the competition.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// Its words; `PORT` stands for the port.
    pub(crate) command: &'static str,
    /// Whether ours is measured by it.
    pub(crate) counts: bool,
}

/// The first is ours. The rest are what a fair judge would think of: socat and ncat with `cat`, and what socat has that
/// is leaner: a bigger buffer, or no second process. With `nofork` it hands the socket to `cat` and is gone: that is our
/// loop, in C. It is there to be compared with, and does not count as socat.
pub(crate) const ALL: [Contestant; 6] = [
    Contestant { name: "echosim", command: "echosim serve --real --listen 127.0.0.1:PORT", counts: false },
    // With bigger blocks it hangs for good when its pipe is all but full: select says that there is room, and
    // then the write waits for a reader who is the writer itself.
    Contestant {
        name: "socat PIPE",
        command: "socat -b 4096 TCP-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr,backlog=1024 PIPE",
        counts: true,
    },
    Contestant {
        name: "socat cat",
        command: "socat TCP-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr,backlog=1024 EXEC:/bin/cat",
        counts: true,
    },
    Contestant {
        name: "socat -b cat",
        command: "socat -b 65536 TCP-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr,backlog=1024 EXEC:/bin/cat",
        counts: true,
    },
    Contestant {
        name: "socat cat,nofork",
        command: "socat TCP-LISTEN:PORT,bind=127.0.0.1,fork,reuseaddr,backlog=1024 EXEC:/bin/cat,nofork",
        counts: false,
    },
    Contestant { name: "ncat", command: "ncat -l -k -m 1000 -e /bin/cat 127.0.0.1 PORT", counts: true },
];

/// The process groups that have to be stopped: ours, by their numbers.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// How long a server may take to begin or to end a connection.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Whether what is raced against is here.
pub(crate) fn all_are_installed() -> io::Result<()> {
    let missing = |program: &&str| {
        let version = if *program == "socat" { "-V" } else { "--version" };
        Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    };
    match ["socat", "ncat"].iter().filter(|name| missing(name)).copied().collect::<Vec<_>>() {
        missing if missing.is_empty() => Ok(()),
        missing => {
            let missing = missing.join(" ");
            Err(io::Error::other(format!("not installed: {missing}. Try: apt-get install {missing}")))
        }
    }
}

/// SIGINT and SIGTERM end the servers first. To be called before there is a second thread.
pub(crate) fn stop_on_signals() -> io::Result<()> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block()?;
    thread::spawn(move || {
        let signal = signals.wait();
        // Held to the end, so that none is started meanwhile.
        let groups = GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        groups.iter().for_each(|group| _ = killpg(*group, Signal::SIGKILL));
        _ = writeln!(io::stderr(), "stopped");
        std::process::exit(signal.map_or(1, |signal| 128 + signal as i32));
    });
    Ok(())
}

/// A server that runs, in a process group of its own; it and all its children are gone with this value.
pub(crate) struct Running {
    process: Child,
    pub(crate) addr: SocketAddr,
}

impl Running {
    /// Starts it at a fresh port, and waits until it echoes.
    pub(crate) fn start(contestant: &Contestant) -> io::Result<Running> {
        let addr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let line = contestant.command.replace("PORT", &addr.port().to_string());
        let mut words = line.split(' ');
        let mut program = words.next().expect("a command has a first word");
        if program == "echosim" {
            program = env!("CARGO_BIN_EXE_echosim");
        }
        let mut command = Command::new(program);
        // As they are out of the box: ours says a line for each connection, the others nothing.
        command
            .args(words)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut groups = GROUPS.lock().expect("no thread panics with it");
        let process = command.process_group(0).spawn()?;
        groups.push(Pid::from_raw(process.id() as i32));
        drop(groups);
        let running = Running { process, addr };
        let end = Instant::now() + TIME_LIMIT;
        while let Err(error) = load::one_echo(addr) {
            if Instant::now() > end {
                return Err(io::Error::other(format!("{}: does not serve: {error}", contestant.name)));
            }
            thread::sleep(Duration::from_millis(5));
        }
        running.rest()?;
        Ok(running)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has done with every connection.
    pub(crate) fn rest(&self) -> io::Result<()> {
        let end = Instant::now() + TIME_LIMIT;
        while memory::tree(self.pid()).len() > 1 {
            if Instant::now() > end {
                return Err(io::Error::other(format!("{}: still has children", self.process.id())));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.process.id() as i32);
        let mut groups = GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        _ = killpg(group, Signal::SIGKILL);
        _ = self.process.wait();
        groups.retain(|other| *other != group);
    }
}
