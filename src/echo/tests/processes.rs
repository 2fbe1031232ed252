//! What the process world does to connections.

use super::*;
use crate::echo::{SERV_PORT, str_echo};
use crate::errno::Errno;
use crate::os::sim::{ProcessState, SimOs, Wchan};
use crate::os::{Action, Family, Fd, Handler, Os, SocketOption};
use crate::timeline::{OptionValue, SystemCall};
use std::net::SocketAddr;

async fn listening(os: &SimOs) -> Fd {
    let fd = os.socket(Family::Inet).unwrap();
    os.bind(fd, SocketAddr::new([0, 0, 0, 0].into(), SERV_PORT)).unwrap();
    os.listen(fd, 5).unwrap();
    fd
}

#[test]
fn at_startup_parent_child_and_client_sleep_where_the_book_says() {
    let (mut net, _) = Net::with_client("echo-client server", &[]);
    let asleep = |host: &Machine| {
        let processes = host.processes().into_iter();
        processes.map(|p| (p.state.letter(), p.sleeping_on.map(Wchan::book), p.within)).collect::<Vec<_>>()
    };
    let parent = ('S', Some("wait_for_connect"), None);
    let child = ('S', Some("tcp_data_wait"), Some("str_echo"));
    assert_eq!(asleep(net.host(SERVER)), [parent, child]);
    assert_eq!(asleep(net.host(CLIENT)), [('S', Some("read_chan"), Some("fgets"))]);
}

#[test]
fn the_child_of_an_ended_connection_is_a_zombie() {
    let (mut net, pid) = Net::with_client("echo-client server", &["hello"]);
    net.type_eof(pid);
    net.pass(secs(1));
    let states: Vec<_> = net.host(SERVER).processes().iter().map(|process| process.state).collect();
    assert_eq!(states, [ProcessState::Sleeping, ProcessState::Zombie]);
}

#[test]
fn a_parent_that_forgets_to_close_keeps_the_connection_from_its_fin() {
    let mut net = Net::new(System::Book);
    let now = net.now;
    net.host(SERVER).spawn(now, "forgetful", async |os: SimOs| {
        let listenfd = listening(&os).await;
        let (connfd, _) = os.accept(listenfd).await.unwrap();
        os.fork(move |os| async move {
            str_echo(&os, connfd, None).await;
            0
        })
        .unwrap();
        os.wait().await.unwrap();
        os.sleep(secs(10)).await.unwrap();
        os.close(connfd).unwrap();
        0
    });
    let pid = net.run_program(CLIENT, "echo-client server --half-close");
    net.pass(secs(1));
    net.type_eof(pid);
    let typed = net.now;
    net.pass(secs(9));
    assert_eq!(net.exit_of(CLIENT, pid), None, "the child has ended, but no FIN has come");
    net.pass(secs(5));
    assert_eq!(net.exit_of(CLIENT, pid), Some(ProcessChange::Exit { status: 0 }));
    let (end, _) = net.calls(CLIENT, "read").pop().unwrap();
    assert_eq!(end, typed + LATENCY + secs(10) + LATENCY);
}

#[test]
fn a_blocked_accept_fails_with_eintr_unless_it_is_restarted() {
    for (restart, expected) in [(false, Some(Err(Errno::EINTR))), (true, None)] {
        let mut net = Net::new(System::Book);
        let now = net.now;
        let pid = net.host(SERVER).spawn(now, "server", async move |os: SimOs| {
            let handler = Handler::new(async |_, _| ());
            os.sigaction(Signal::SIGCHLD, Action { restart, ..Action::handle(handler) }).unwrap();
            let listenfd = listening(&os).await;
            i32::from(os.accept(listenfd).await.is_err())
        });
        net.pass(secs(1));
        net.kill(SERVER, pid, Signal::SIGCHLD);
        net.pass(secs(1));
        assert_eq!(net.calls(SERVER, "accept").pop().map(|(_, call)| call.result), expected);
    }
}

#[test]
fn a_connect_interrupted_by_a_restarting_handler_goes_on_only_under_linux() {
    for (system, expected) in [(System::Book, Err(Errno::EINTR)), (System::Linux, Ok(0))] {
        let mut net = Net::new(system);
        net.run_program(SERVER, "echo-server");
        let now = net.now;
        let pid = net.host(CLIENT).spawn(now, "client", async |os: SimOs| {
            let handler = Handler::new(async |_, _| ());
            os.sigaction(Signal::SIGALRM, Action::handle(handler).restarting()).unwrap();
            let fd = os.socket(Family::Inet).unwrap();
            let server = SocketAddr::new(addr(SERVER), SERV_PORT);
            if os.connect(fd, server).await == Err(Errno::EINTR) {
                // The handshake goes on meanwhile; asked again, connect waits for its end.
                os.connect(fd, server).await.unwrap();
            }
            0
        });
        net.pass(LATENCY / 2);
        net.kill(CLIENT, pid, Signal::SIGALRM);
        net.pass(secs(1));
        let connects = net.calls(CLIENT, "connect");
        assert_eq!(connects[0].1.result, expected, "{}", system.name());
        assert_eq!(connects.last().unwrap().0, SimTime::ZERO + RTT, "{}", system.name());
    }
}

#[test]
fn a_second_write_after_the_reset_kills_the_writer_with_sigpipe() {
    // UNP 5.13: the first write elicits the RST, the second SIGPIPE.
    for (ignored, exit) in
        [(false, ProcessChange::Killed { signal: "SIGPIPE" }), (true, ProcessChange::Exit { status: 32 })]
    {
        let mut net = Net::new(System::Book);
        let server = net.run_program(SERVER, "echo-server");
        let now = net.now;
        let pid = net.host(CLIENT).spawn(now, "client", async move |os: SimOs| {
            if ignored {
                os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
            }
            let fd = os.socket(Family::Inet).unwrap();
            os.connect(fd, SocketAddr::new(addr(SERVER), SERV_PORT)).await.unwrap();
            os.sleep(secs(2)).await.unwrap();
            assert_eq!(os.write(fd, b"x").await, Ok(1));
            os.sleep(secs(1)).await.unwrap();
            os.write(fd, b"x").await.map_or_else(Errno::raw, |_| 0)
        });
        net.pass(secs(1));
        let child = net.children()[0];
        net.kill(SERVER, child, Signal::SIGKILL);
        net.pass(secs(5));
        assert_eq!(net.exit_of(CLIENT, pid), Some(exit));
        assert_eq!(net.exit_of(SERVER, server), None);
    }
}

#[test]
fn a_client_that_does_not_read_makes_its_server_wait_to_write() {
    let mut net = Net::new(System::Book);
    let now = net.now;
    net.host(SERVER).spawn(now, "talker", async |os: SimOs| {
        let listenfd = listening(&os).await;
        let (connfd, _) = os.accept(listenfd).await.unwrap();
        let written = os.write(connfd, &vec![b'x'; 1_000_000]).await.unwrap();
        i32::from(written != 1_000_000)
    });
    let reader = net.host(CLIENT).spawn(now, "slow reader", async |os: SimOs| {
        let fd = os.socket(Family::Inet).unwrap();
        os.connect(fd, SocketAddr::new(addr(SERVER), SERV_PORT)).await.unwrap();
        os.sleep(secs(30)).await.unwrap();
        let mut total = 0;
        let mut buf = [0; 10_000];
        loop {
            match os.read(fd, &mut buf).await.unwrap() {
                0 => return i32::from(total != 1_000_000),
                len => total += len,
            }
        }
    });
    net.pass(secs(20));
    assert!(net.calls(SERVER, "write").is_empty());
    assert_eq!(net.host(SERVER).processes()[0].sleeping_on, Some(Wchan::Socket));
    net.pass(secs(100));
    let (_, write) = net.calls(SERVER, "write").pop().unwrap();
    assert_eq!(write.result, Ok(1_000_000));
    assert_eq!(net.exit_of(CLIENT, reader), Some(ProcessChange::Exit { status: 0 }));
}

#[test]
fn children_that_share_a_listener_accept_in_turn() {
    let mut net = Net::new(System::Book);
    let now = net.now;
    net.host(SERVER).spawn(now, "preforked", async |os: SimOs| {
        let listenfd = listening(&os).await;
        for _ in 0..3 {
            os.fork(move |os| async move {
                loop {
                    let (connfd, _) = os.accept(listenfd).await.unwrap();
                    str_echo(&os, connfd, None).await;
                    os.close(connfd).unwrap();
                }
            })
            .unwrap();
        }
        os.wait().await.map_or(1, |_| 0)
    });
    net.pass(secs(1));
    let clients: Vec<Pid> = (0..3).map(|_| net.run_program(CLIENT, "echo-client server")).collect();
    net.pass(secs(1));
    let mut acceptors: Vec<u32> = net.calls(SERVER, "accept").iter().map(|(_, call)| call.pid).collect();
    acceptors.dedup();
    assert_eq!(acceptors.len(), 3, "one connection each");
    assert_eq!(net.host(SERVER).stuck(), None, "no two sleepers wake each other for ever");
    for pid in clients {
        net.type_line(pid, "x");
    }
    net.pass(secs(1));
    assert_eq!(net.echoed().len(), 3);
}

#[test]
fn two_processes_that_read_one_socket_do_not_wake_each_other_for_ever() {
    let mut net = Net::new(System::Book);
    let now = net.now;
    net.host(SERVER).spawn(now, "twins", async |os: SimOs| {
        let listenfd = listening(&os).await;
        let (connfd, _) = os.accept(listenfd).await.unwrap();
        os.fork(move |os| async move {
            str_echo(&os, connfd, None).await;
            0
        })
        .unwrap();
        str_echo(&os, connfd, None).await;
        0
    });
    let pid = net.run_program(CLIENT, "echo-client server");
    net.pass(secs(1));
    net.type_line(pid, "hello");
    net.pass(secs(1));
    assert_eq!(net.echoed(), ["hello"]);
    assert_eq!(net.host(SERVER).stuck(), None);
}

#[test]
fn addresses_are_told_and_options_set_through_descriptors() {
    let mut net = Net::new(System::Book);
    net.run_program(SERVER, "echo-server");
    let now = net.now;
    net.host(CLIENT).spawn(now, "client", async |os: SimOs| {
        let fd = os.socket(Family::Inet).unwrap();
        assert_eq!(os.getpeername(fd), Err(Errno::ENOTCONN));
        os.setsockopt(fd, SocketOption::KeepIdle(secs(7_200))).unwrap();
        os.connect(fd, SocketAddr::new(addr(SERVER), SERV_PORT)).await.unwrap();
        assert_eq!(os.getsockname(fd).unwrap().ip(), addr(CLIENT));
        assert_eq!(os.getpeername(fd).unwrap(), SocketAddr::new(addr(SERVER), SERV_PORT));
        assert_eq!(os.so_error(fd), Ok(None));
        0
    });
    net.pass(secs(1));
    let last = |name| net.calls(CLIENT, name).pop().unwrap().1.what;
    let peer = SocketAddr::new(addr(SERVER), SERV_PORT);
    assert_eq!(last("getpeername"), SystemCall::GetPeerName { fd: 3, addr: Some(peer) });
    let (level, option, value) = ("SOL_TCP", "TCP_KEEPIDLE", OptionValue::Int(7_200));
    assert_eq!(last("setsockopt"), SystemCall::SetSockOpt { fd: 3, level, option, value });
    assert_eq!(last("getsockopt"), SystemCall::GetSockError { fd: 3, error: None });
}

#[test]
fn a_connection_that_finds_no_descriptor_stays_in_the_queue() {
    let mut net = Net::new(System::Book);
    let now = net.now;
    net.host(SERVER).spawn(now, "server", async |os: SimOs| {
        let listenfd = listening(&os).await;
        os.sleep(secs(1)).await.unwrap();
        while os.dup(listenfd).is_ok() {}
        assert_eq!(os.accept(listenfd).await, Err(Errno::EMFILE));
        os.close(Fd::STDIN).unwrap();
        let (connfd, _) = os.accept(listenfd).await.unwrap();
        str_echo(&os, connfd, None).await;
        0
    });
    let pid = net.run_program(CLIENT, "echo-client server");
    net.pass(secs(2));
    net.type_line(pid, "hello");
    net.pass(secs(1));
    assert_eq!(net.echoed(), ["hello"]);
}

#[test]
fn a_reset_in_the_middle_of_a_write_is_told_by_the_next_one() {
    for (system, told) in [(System::Linux, "ECONNRESET"), (System::Book, "EPIPE")] {
        let mut net = Net::new(system);
        let now = net.now;
        net.host(SERVER).spawn(now, "talker", async |os: SimOs| {
            os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
            let listenfd = listening(&os).await;
            let (connfd, _) = os.accept(listenfd).await.unwrap();
            let first = os.write(connfd, &vec![b'x'; 1_000_000]).await;
            assert!(first.is_ok_and(|written| (1..1_000_000).contains(&written)), "{first:?}");
            let second = os.write(connfd, b"x").await.unwrap_err();
            os.write(Fd::STDOUT, format!("{second}\n").as_bytes()).await.unwrap();
            0
        });
        let client = net.run_program(CLIENT, "echo-client server");
        net.pass(secs(1));
        net.kill(CLIENT, client, Signal::SIGKILL);
        net.pass(secs(1));
        let printed = net.printed(SERVER, Stream::Stdout);
        assert_eq!(printed.last().map(|(_, line)| line.as_str()), Some(told), "{}", system.name());
    }
}

/// SO_RCVTIMEO (UNP 14.4) and O_NONBLOCK (UNP 16.1): a read that waits for a time, and one that does not.
#[test]
fn a_read_waits_no_longer_than_its_socket_or_not_at_all() {
    for system in System::ALL {
        let mut net = Net::new(system);
        let now = net.now;
        net.host(SERVER).spawn(now, "silent", async |os: SimOs| {
            let listenfd = listening(&os).await;
            os.accept(listenfd).await.unwrap();
            os.sleep(secs(100)).await.unwrap();
            0
        });
        let server = SocketAddr::new(addr(SERVER), SERV_PORT);
        net.host(CLIENT).spawn(now, "hasty", async move |os: SimOs| {
            let fd = os.socket(Family::Inet).unwrap();
            os.setsockopt(fd, SocketOption::ReceiveTimeout(secs(3))).unwrap();
            os.connect(fd, server).await.unwrap();
            assert_eq!(os.read(fd, &mut [0]).await, Err(Errno::EAGAIN));
            os.set_nonblocking(fd, true).unwrap();
            assert_eq!(os.read(fd, &mut [0]).await, Err(Errno::EAGAIN));
            0
        });
        net.pass(secs(10));
        let reads = net.calls(CLIENT, "read");
        let reads: Vec<_> = reads.iter().map(|(t, call)| (t.since(call.since), call.failure(*t))).collect();
        assert_eq!(reads, [(secs(3), Some(Errno::EAGAIN)), (secs(0), None)], "{}", system.name());
    }
}
