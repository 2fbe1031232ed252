//! Load, so only when asked for (`cargo test --release --test real -- --ignored load`): seconds on an idle machine. Each
//! says on standard error how fast it was.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use echosim::stage::loopback_addr;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::claims;
use crate::machine::{Server, echo, eventually};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    load_of_a_thousand_clients_at_once,
    load_of_twenty_thousand_connections_in_turn,
    load_while_children_are_killed,
];

const CLIENTS: u64 = 1_000;
const LINES: usize = 100;
const LONGEST: usize = 64 << 10;
const CONNECTIONS: usize = 20_000;

/// Descriptors that a thousand clients take, and a reader's of each.
const DESCRIPTORS: u64 = 4_096;

/// A server at an address of its own, whose ports no other test uses up; and the right to be its only load.
fn server() -> (MutexGuard<'static, ()>, Server) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < DESCRIPTORS) {
        let current = Some(DESCRIPTORS.min(limit.maximum.unwrap_or(DESCRIPTORS)));
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
        let most = limit.maximum.unwrap_or(DESCRIPTORS);
        assert!(most >= DESCRIPTORS, "needs {DESCRIPTORS} descriptors (ulimit -Hn), has {most}");
    }
    (alone, Server::start(&[&format!("listen={}:0", loopback_addr())]))
}

/// No zombie, no descriptor, no process is left behind, and the parent still serves.
fn assert_nothing_is_left(server: &Server, descriptors: &std::collections::BTreeSet<u64>) {
    eventually("no child is left", || server.children().is_empty());
    assert_eq!(server.descriptors(), *descriptors);
    server.assert_serves();
}

fn tell(what: std::fmt::Arguments<'_>) {
    writeln!(std::io::stderr(), "{what}").expect("stderr");
}

fn load_of_a_thousand_clients_at_once() {
    let (_alone, server) = server();
    let descriptors = server.descriptors();
    let start = Instant::now();
    let octets = AtomicU64::new(0);
    thread::scope(|scope| {
        for seed in 0..CLIENTS {
            let (server, octets) = (&server, &octets);
            let client = move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let mut stream = server.connect();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut back = Vec::new();
                for _ in 0..LINES {
                    // As many short lines as long ones: the logarithm is even.
                    let len = (LONGEST as f64).powf(rng.random::<f64>()) as usize;
                    let mut line: Vec<u8> = (0..len.max(1)).map(|_| rng.random_range(b' '..=b'~')).collect();
                    *line.last_mut().unwrap() = b'\n';
                    stream.write_all(&line).unwrap();
                    back.clear();
                    reader.read_until(b'\n', &mut back).unwrap();
                    assert!(back == line, "client {seed}");
                    octets.fetch_add(line.len() as u64, Ordering::Relaxed);
                }
            };
            thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, client).unwrap();
        }
    });
    let (mebibytes, time) = (octets.into_inner() >> 20, start.elapsed());
    tell(format_args!("{CLIENTS} clients, {LINES} lines each: {mebibytes} MiB each way in {time:.1?}"));
    assert_nothing_is_left(&server, &descriptors);
}

fn load_of_twenty_thousand_connections_in_turn() {
    let (_alone, server) = server();
    let descriptors = server.descriptors();
    let start = Instant::now();
    for _ in 0..CONNECTIONS {
        let mut stream = server.connect();
        stream.write_all(b"hello\n").unwrap();
        let mut back = [0; 6];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello\n");
    }
    let time = start.elapsed();
    let rate = CONNECTIONS as f64 / time.as_secs_f64();
    tell(format_args!("{CONNECTIONS} connections in turn in {time:.1?}: {rate:.0} a second"));
    assert_nothing_is_left(&server, &descriptors);
}

fn load_while_children_are_killed() {
    let (_alone, server) = server();
    let descriptors = server.descriptors();
    let over = AtomicBool::new(false);
    let (served, cut) = (AtomicU64::new(0), AtomicU64::new(0));
    let killed = thread::scope(|scope| {
        for seed in 0..50 {
            let (server, over, served, cut) = (&server, &over, &served, &cut);
            scope.spawn(move || {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                while !over.load(Ordering::Relaxed) {
                    let mut stream = server.connect();
                    for _ in 0..rng.random_range(1..20) {
                        let mut back = [0; 6];
                        let echoed = stream.write_all(b"hello\n").and_then(|()| stream.read_exact(&mut back));
                        if echoed.is_err() {
                            cut.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        assert_eq!(&back, b"hello\n");
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(50);
        let mut killed = 0;
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            let children = server.children();
            if !children.is_empty() {
                let child = Pid::from_raw(children[rng.random_range(0..children.len())]);
                killed += u64::from(kill(child, Signal::SIGKILL).is_ok());
            }
            thread::sleep(Duration::from_millis(1));
        }
        over.store(true, Ordering::Relaxed);
        killed
    });
    let (served, cut) = (served.into_inner(), cut.into_inner());
    tell(format_args!("{killed} children killed, {cut} conversations cut, {served} lines echoed"));
    assert!(cut > 0 && served > 0);
    // One that is not killed is served to its end.
    assert_eq!(echo(&mut server.connect(), b"still here\n"), b"still here\n");
    assert_nothing_is_left(&server, &descriptors);
}
