//! How the server ends, and what neither its log nor the machine may keep it from.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use rustix::process::{Resource, getrlimit};

use crate::claims;
use crate::machine::{Copy, Server, echo, eventually};
use crate::programs::{AS, program};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    every_signal_to_end_lets_children_finish,
    a_second_signal_ends_the_grace,
    a_hangup_that_was_ignored_stays_ignored,
    children_of_a_killed_server_end,
    a_log_that_nobody_reads_stops_nobody,
    a_connection_without_a_child_keeps_no_other_waiting,
];

/// The user `nobody`, as Debian has it.
const NOBODY: u32 = 65534;

fn every_signal_to_end_lets_children_finish() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut server = Server::start(&["grace_ms=50000"]);
        let mut stream = server.connect();
        assert_eq!(echo(&mut stream, b"before\n"), b"before\n");
        if signal != Signal::SIGTERM {
            // A terminal sends it to the whole process group.
            kill(Pid::from_raw(server.children()[0]), signal).unwrap();
        }
        server.send(signal);
        eventually("no longer listening", || TcpStream::connect(server.addr).is_err());
        assert_eq!(echo(&mut stream, b"after\n"), b"after\n", "{signal}");
        drop(stream);
        assert_eq!(server.wait().code(), Some(0), "{signal}");
    }
}

fn a_second_signal_ends_the_grace() {
    let mut server = Server::start(&["grace_ms=3600000"]);
    let mut stream = server.connect();
    assert_eq!(echo(&mut stream, b"before\n"), b"before\n");
    server.send(Signal::SIGTERM);
    eventually("no longer listening", || TcpStream::connect(server.addr).is_err());
    server.send(Signal::SIGINT);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    eventually("told", || server.logged("SIGTERM to 1 children") == 1);
}

fn a_hangup_that_was_ignored_stays_ignored() {
    let mut command = Command::new("sh");
    let exe = std::env::current_exe().unwrap();
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(exe).args([AS, "serve"]);
    let mut server = Server::of(command);
    server.send(Signal::SIGHUP);
    server.assert_serves();
    server.send(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
}

fn children_of_a_killed_server_end() {
    let mut server = Server::start(&[]);
    let mut streams: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for stream in &mut streams {
        assert_eq!(echo(stream, b"hello\n"), b"hello\n");
    }
    server.send(Signal::SIGKILL);
    assert_eq!(server.wait().code(), None);
    for stream in &mut streams {
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    }
}

fn a_log_that_nobody_reads_stops_nobody() {
    let mut command = program(&["serve", "log=debug"]);
    let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process");
    let mut log = BufReader::new(process.stderr.take().expect("piped"));
    let mut first = String::new();
    log.read_line(&mut first).unwrap();
    let addr = first.trim().rsplit_once(' ').expect("an address at the end").1.to_owned();
    // Of Linux's 64 KiB each takes more than 64 octets.
    for _ in 0..1_000 {
        assert_eq!(echo(&mut TcpStream::connect(&addr).unwrap(), b"hello\n"), b"hello\n");
    }
    // Read up to the lines that say what was lost, they are followed by what came later.
    let mut stream = TcpStream::connect(&addr).unwrap();
    assert_eq!(echo(&mut stream, b"hello\n"), b"hello\n");
    kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).unwrap();
    eventually("no longer listening", || TcpStream::connect(&addr).is_err());
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let reader = std::thread::spawn(move || {
        log.lines().for_each(|line| heard.lock().unwrap().push(line.unwrap()));
    });
    // There is room again before more is said.
    eventually("much is read", || told.lock().unwrap().len() > 500);
    drop(stream);
    assert_eq!(process.wait().unwrap().code(), Some(0));
    reader.join().unwrap();
    let told = told.lock().unwrap();
    let lost: u64 = told
        .iter()
        .filter_map(|line| line.strip_suffix(" lines of the log were dropped: it was not read"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    let of_log = told.iter().filter(|line| !line.contains("were dropped")).count() as u64;
    // For each connection the server tells of a child, and the child of its end; and at last the server ends.
    assert_eq!(of_log + lost, 2 * 1_001 + 1, "{lost} lost");
    assert!(lost > 100, "{lost} lost");
}

fn a_connection_without_a_child_keeps_no_other_waiting() {
    let exe = std::env::current_exe().unwrap();
    let copy = Copy::of(&exe, "limited");
    let mut command = Command::new(&copy.0);
    command.args([AS, "serve"]);
    if Uid::current().is_root() {
        // Root's processes are not limited.
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    let server = Server::of(command);
    limit_processes(&server, "0:");
    let before = descriptors(&server);
    let mut streams: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"hello\n").unwrap();
    }
    eventually("all are accepted", || descriptors(&server) == before + 3);
    eventually("told", || server.logged("fork: Resource temporarily unavailable; again in") > 0);
    let most = getrlimit(Resource::Nproc).maximum.map_or("unlimited".to_owned(), |most| most.to_string());
    limit_processes(&server, &format!("{most}:"));
    for stream in &mut streams {
        let mut back = [0; 6];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello\n");
    }
}

/// As the server's own user: another would need CAP_SYS_RESOURCE, which root of a container may lack.
fn limit_processes(server: &Server, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args([format!("--pid={}", server.pid()), format!("--nproc={limit}")]);
    if Uid::current().is_root() {
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    assert!(command.status().expect("prlimit of util-linux").success());
}

fn descriptors(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("the server lives").count()
}
