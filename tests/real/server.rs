//! The server that takes whatever comes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};
use socket2::SockRef;

use crate::claims;
use crate::machine::{Server, echo, eventually, is_asleep};
use crate::programs::program;

pub(crate) const TESTS: &[(&str, fn())] = claims![
    every_octet_comes_back,
    a_line_without_its_newline_comes_back_at_the_end,
    serves_over_ipv6,
    sigterm_ends_children_that_outlive_the_grace,
    connections_beyond_max_children_wait,
    a_silent_client_is_closed,
    a_client_that_reads_nothing_is_closed,
    a_full_descriptor_table_is_waited_out,
    clients_that_reset_in_every_state_harm_nobody,
    clients_that_dawdle_harm_nobody,
    killed_children_leave_no_zombie,
    a_taken_port_is_told,
    the_backlog_is_as_long_as_was_asked,
    every_line_of_the_log_names_its_process,
    the_client_echoes_its_input,
    the_client_tells_who_refused_it,
    the_client_notices_the_death_of_its_server_with_the_next_line,
];

fn every_octet_comes_back() {
    let server = Server::start(&[]);
    let all: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let line = [vec![b'x'; 3 << 20], b"\n".to_vec()].concat();
    let mut stream = server.connect();
    for octets in [&b"hello\n"[..], b"\0\0nul\0\n", &all, &line] {
        assert!(echo(&mut stream, octets) == octets);
    }
}

fn a_line_without_its_newline_comes_back_at_the_end() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(b"no newline").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    assert_eq!(back, b"no newline");
    eventually("the line of the log", || server.logged("10 octets, closed") == 1);
}

fn serves_over_ipv6() {
    let server = Server::start(&["listen=[::1]:0"]);
    assert!(server.addr.is_ipv6());
    server.assert_serves();
}

fn sigterm_ends_children_that_outlive_the_grace() {
    let mut server = Server::start(&["grace_ms=60"]);
    let mut stream = server.connect();
    assert_eq!(echo(&mut stream, b"before\n"), b"before\n");
    server.send(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0, "the child's kernel closed the connection");
    eventually("told", || server.logged("SIGTERM to 1 children") == 1);
}

fn connections_beyond_max_children_wait() {
    let server = Server::start(&["max_children=1", "log=debug"]);
    let mut first = server.connect();
    assert_eq!(echo(&mut first, b"first\n"), b"first\n");
    let mut second = server.connect();
    second.write_all(b"second\n").unwrap();
    eventually("full", || server.logged("waiting for one to end") > 0);
    assert_eq!(server.children().len(), 1);
    drop(first);
    let mut back = [0; 7];
    second.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"second\n");
}

fn a_silent_client_is_closed() {
    let server = Server::start(&["idle_ms=50"]);
    let mut stream = server.connect();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    eventually("told", || server.logged("0 octets, idle for 50ms") == 1);
}

fn a_client_that_reads_nothing_is_closed() {
    let server = Server::start(&["idle_ms=300"]);
    let mut stream = server.connect();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    // Both buffers fill, then the child's write waits for a window that never opens.
    let ended = std::iter::repeat_with(|| stream.write(&[0; 1 << 16])).find_map(Result::err);
    assert_ne!(ended.unwrap().kind(), ErrorKind::WouldBlock, "not by our own time limit");
    eventually("no child is left", || server.children().is_empty());
    server.assert_serves();
}

fn a_full_descriptor_table_is_waited_out() {
    let server = Server::start(&[]);
    let pid = rustix::process::Pid::from_raw(server.pid() as i32);
    let open = server.descriptors();
    let next = (0..).find(|fd| !open.contains(fd)).unwrap();
    let limit = |limit| Rlimit { current: Some(limit), maximum: Some(4096) };
    prlimit(pid, Resource::Nofile, limit(next)).unwrap();
    let mut stream = server.connect();
    stream.write_all(b"hello\n").unwrap();
    eventually("out of descriptors", || server.logged("Too many open files") > 2);
    // 10, 20, 40, 80 … ms: in a tenth of a second four attempts, not a hundred thousand.
    assert!(server.logged("Too many open files") < 50);
    prlimit(pid, Resource::Nofile, limit(64)).unwrap();
    let mut back = [0; 6];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello\n");
}

fn clients_that_reset_in_every_state_harm_nobody() {
    let server = Server::start(&[]);
    let mut bystander = server.connect();
    assert_eq!(echo(&mut bystander, b"here\n"), b"here\n");
    let resets_before: [fn(&Server) -> TcpStream; 6] = [
        // it is accepted
        |server| {
            server.send(Signal::SIGSTOP);
            server.connect()
        },
        // its line is read
        |server| {
            let mut stream = server.connect();
            stream.write_all(b"hello\n").unwrap();
            stream
        },
        // it reads the echo
        |server| {
            let mut stream = server.connect();
            stream.write_all(b"hello\n").unwrap();
            stream.peek(&mut [0; 6]).unwrap();
            stream
        },
        // its next line
        |server| {
            let mut stream = server.connect();
            assert_eq!(echo(&mut stream, b"hello\n"), b"hello\n");
            stream
        },
        // a write that waits for it can go on
        hoard,
        // its FIN is answered
        |server| {
            let stream = server.connect();
            stream.shutdown(Shutdown::Write).unwrap();
            stream
        },
    ];
    for reach in [resets_before; 5].as_flattened() {
        let stream = reach(&server);
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        drop(stream);
        assert_eq!(echo(&mut bystander, b"still here\n"), b"still here\n");
        server.send(Signal::SIGCONT);
    }
    drop(bystander);
    eventually("no child is left", || server.children().is_empty());
    server.assert_serves();
    // The resets did arrive: in a child that waited for the next line, and in one that could write no more.
    eventually("all are told", || server.logged("6 octets, read: Connection reset by peer") >= 5);
    eventually("all are told", || server.logged("write: Connection reset by peer") >= 5);
}

/// A client that reads nothing and has sent until its server's child could write no more.
fn hoard(server: &Server) -> TcpStream {
    let others = server.children();
    let stream = server.connect();
    stream.set_nonblocking(true).unwrap();
    let is_full = || (&stream).write(&[b'x'; 1 << 16]).is_err();
    eventually("the child waits to write", || {
        while !is_full() {}
        let children = server.children();
        // Asleep although there is something to read: this is seen in this order, or it might wait for us.
        children.iter().any(|child| !others.contains(child) && is_asleep(*child)) && is_full()
    });
    stream
}

fn clients_that_dawdle_harm_nobody() {
    let server = Server::start(&[]);
    let mut loris: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let mut hoarder = hoard(&server);
    for octet in *b"slow" {
        loris.iter_mut().for_each(|stream| stream.write_all(&[octet]).unwrap());
        server.assert_serves();
    }
    for stream in &mut loris {
        let mut back = [0; 4];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"slow");
    }
    eventually("each has its own, and no client was disconnected", || server.children().len() == 21);
    // Nothing is lost for want of reading.
    hoarder.set_nonblocking(false).unwrap();
    hoarder.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    hoarder.read_to_end(&mut back).unwrap();
    assert!(back.len() > 1 << 16 && back.iter().all(|octet| *octet == b'x'));
}

fn killed_children_leave_no_zombie() {
    let server = Server::start(&[]);
    let before = server.descriptors();
    let mut streams: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for stream in &mut streams {
        assert_eq!(echo(stream, b"hello\n"), b"hello\n");
    }
    let children = server.children();
    assert_eq!(children.len(), 8);
    for child in children {
        kill(Pid::from_raw(child), Signal::SIGKILL).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    }
    eventually("all are waited for", || server.children().is_empty());
    assert_eq!(server.descriptors(), before);
    eventually("all are told", || server.logged("was killed by SIGKILL") == 8);
    server.assert_serves();
}

fn a_taken_port_is_told() {
    let server = Server::start(&[]);
    let listen = format!("listen={}", server.addr);
    let second = program(&["serve", &listen]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains(&format!("bind {}: Address already in use", server.addr)), "{told}");
}

fn the_backlog_is_as_long_as_was_asked() {
    let server = Server::start(&["max_children=1", "backlog=1"]);
    let mut first = server.connect();
    assert_eq!(echo(&mut first, b"first\n"), b"first\n");
    // Linux lets one more wait than was asked for, as Berkeley did (UNP 4.5).
    let _waiting = [server.connect(), server.connect()];
    let turned_away = TcpStream::connect_timeout(&server.addr, Duration::from_millis(300));
    assert_eq!(turned_away.unwrap_err().kind(), ErrorKind::TimedOut);
}

fn every_line_of_the_log_names_its_process() {
    let server = Server::start(&["log=debug"]);
    let mut stream = server.connect();
    assert_eq!(echo(&mut stream, b"hello\n"), b"hello\n");
    let (child, peer) = (server.children()[0], stream.local_addr().unwrap());
    drop(stream);
    eventually("told", || server.logged(&format!("[{child}] {peer}: 6 octets, closed")) == 1);
    assert_eq!(server.logged(&format!("[{}] listening on {}", server.pid(), server.addr)), 1);
    assert_eq!(server.logged(&format!("[{}] {peer}: child {child}", server.pid())), 1);
}

fn the_client_echoes_its_input() {
    let server = Server::start(&[]);
    let mut input = Vec::new();
    input.extend(b"one\ntwo\0three\n");
    input.extend([b'x'; 100_000]);
    input.extend(b"\nno newline");
    let mut client = client(&server);
    let mut stdin = client.stdin.take().unwrap();
    let expected = input.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = client.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == expected);
}

fn the_client_tells_who_refused_it() {
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = program(&["connect", &addr.to_string()]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, format!("connect error ({addr}): Connection refused\n"));
}

fn the_client_notices_the_death_of_its_server_with_the_next_line() {
    let server = Server::start(&[]);
    let mut client = client(&server);
    let (mut stdin, mut stdout) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    stdin.write_all(b"hello\n").unwrap();
    let mut back = [0; 6];
    stdout.read_exact(&mut back).unwrap();
    kill(Pid::from_raw(server.children()[0]), Signal::SIGKILL).unwrap();
    eventually("the child is gone", || server.children().is_empty());
    assert!(client.try_wait().unwrap().is_none(), "it sits in fgets (5.12)");
    stdin.write_all(b"another line\n").unwrap();
    let start = Instant::now();
    let output = client.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "str_cli: server terminated prematurely\n");
}

fn client(server: &Server) -> std::process::Child {
    let mut command = program(&["connect", &server.addr.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
