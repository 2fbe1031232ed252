//! What the tests need of the machine: a running server, its children, and bounded waiting.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::programs::program;

/// Far more than anything here takes; what takes longer hangs.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + TIME_LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "still not: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process waits for something (state S in its `stat`, behind the name in parentheses).
pub(crate) fn is_asleep(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
}

/// A program where any user may read it.
pub(crate) struct Copy(pub(crate) PathBuf);

impl Copy {
    pub(crate) fn of(program: &Path, name: &str) -> Copy {
        let path = std::env::temp_dir().join(format!("echosim-{name}-{}", std::process::id()));
        fs::copy(program, &path).expect("a copy");
        Copy(path)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

/// A server in a process of its own; gone with this value.
pub(crate) struct Server {
    process: Child,
    pub(crate) addr: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one on a port of the kernel's choice.
    pub(crate) fn start(options: &[&str]) -> Server {
        let mut command = program(&["serve"]);
        command.args(options);
        Server::of(command)
    }

    /// The server that a command is.
    pub(crate) fn of(mut command: Command) -> Server {
        let process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut process = process.expect("a process");
        let mut stderr = BufReader::new(process.stderr.take().expect("piped"));
        let mut first = String::new();
        stderr.read_line(&mut first).expect("a first line");
        let (_, addr) = first.trim().rsplit_once(' ').unwrap_or_else(|| panic!("says {first:?}"));
        let addr = addr.parse().unwrap_or_else(|_| panic!("says {first:?}"));
        let log = Arc::new(Mutex::new(vec![first]));
        let written = log.clone();
        // Ends with the last process that has the pipe open.
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        Server { process, addr, log }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).expect("the server listens");
        stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        stream.set_write_timeout(Some(TIME_LIMIT)).unwrap();
        stream
    }

    /// Whether a fresh connection is served.
    pub(crate) fn assert_serves(&self) {
        assert_eq!(echo(&mut self.connect(), b"hello\n"), b"hello\n");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("the server lives");
    }

    /// The pids of its children, zombies too.
    pub(crate) fn children(&self) -> Vec<i32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = fs::read_to_string(path).expect("a kernel with CONFIG_PROC_CHILDREN");
        children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// The descriptors it has open.
    pub(crate) fn descriptors(&self) -> BTreeSet<u64> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("the server lives");
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
    }

    pub(crate) fn logged(&self, text: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server has ended", || {
            status = self.process.try_wait().expect("our child");
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            for child in self.children() {
                _ = kill(Pid::from_raw(child), Signal::SIGKILL);
            }
            _ = self.process.kill();
            _ = self.process.wait();
        }
    }
}

/// Sends `octets` from a thread, so that neither side's buffers can hold the other up; reads as many back.
pub(crate) fn echo(stream: &mut TcpStream, octets: &[u8]) -> Vec<u8> {
    let mut writer = stream.try_clone().unwrap();
    let mut back = vec![0; octets.len()];
    thread::scope(|scope| {
        scope.spawn(move || writer.write_all(octets).expect("sent"));
        stream.read_exact(&mut back).expect("echoed");
    });
    back
}
