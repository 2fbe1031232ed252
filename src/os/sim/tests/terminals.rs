use super::*;
use crate::os::sim::Wchan;
use crate::os::{PollEvents, PollFd};
use crate::timeline::{Octets, Polled, SystemCall};

async fn cat(os: SimOs) -> i32 {
    let mut buf = [0; 100];
    loop {
        match os.within("fgets").read(Fd::STDIN, &mut buf).await.unwrap() {
            0 => return 0,
            len => _ = os.write(Fd::STDOUT, &buf[..len]).await.unwrap(),
        }
    }
}

#[test]
fn a_typed_line_wakes_its_reader_at_once() {
    let mut rig = Rig::new();
    let pid = rig.start(cat);
    rig.pass(secs(3));
    rig.type_line(pid, "hello");
    assert_eq!(rig.printed(Stream::Stdin), ["hello"]);
    assert_eq!(rig.said(), ["hello"]);
    let read = rig.calls("read").remove(0);
    assert_eq!((read.since, read.result, read.within), (SimTime::ZERO, Ok(6), Some("fgets")));
    let data = Some(Octets::new(b"hello\n"));
    assert_eq!(read.what, SystemCall::Read { fd: 0, data, size: 100 });
}

#[test]
fn control_d_ends_the_input() {
    let mut rig = Rig::new();
    let pid = rig.start(cat);
    assert!(rig.host.type_eof(rig.now, pid));
    rig.host.run(rig.now);
    assert!(rig.life(pid).contains(&ProcessChange::Exit { status: 0 }));
}

#[test]
fn typing_at_a_terminal_that_nobody_holds_is_told() {
    let mut rig = Rig::new();
    let pid = rig.start(async |_| 0);
    assert!(!rig.host.type_line(rig.now, pid, "anybody there?"));
    assert!(rig.printed(Stream::Stdin).is_empty());
}

#[test]
fn ps_says_that_a_reader_of_the_terminal_sleeps_in_read_chan() {
    let mut rig = Rig::new();
    let pid = rig.start(cat);
    let process = rig.host.processes().remove(0);
    assert_eq!((process.pid, process.ppid, process.state), (pid, Pid::INIT, ProcessState::Sleeping));
    assert_eq!(process.sleeping_on.map(Wchan::book), Some("read_chan"));
    assert_eq!(process.within, Some("fgets"));
}

#[test]
fn the_last_line_is_seen_at_exit_even_without_a_newline() {
    let rig = Rig::after(async |os: SimOs| {
        os.write(Fd::STDOUT, b"one\ntw").await.unwrap();
        os.write(Fd::STDERR, b"oops").await.unwrap();
        os.write(Fd::STDOUT, b"o").await.unwrap();
        0
    });
    assert_eq!(rig.said(), ["one", "two"]);
    assert_eq!(rig.printed(Stream::Stderr), ["oops"]);
}

#[test]
fn a_redirected_file_is_read_to_its_end() {
    let mut rig = Rig::new();
    let pid = rig.host.spawn_reading(rig.now, "cat", b"a\nb\n", cat);
    rig.host.run(rig.now);
    assert_eq!(rig.said(), ["a", "b"]);
    assert!(rig.life(pid).contains(&ProcessChange::Exit { status: 0 }));
}

#[test]
fn poll_waits_for_the_terminal_and_no_longer_than_its_timeout() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        let mut fds =
            [PollFd::new(Fd::STDIN, PollEvents::IN), PollFd::new(Fd::from_raw(77), PollEvents::NONE)];
        loop {
            let ready = os.poll(&mut fds[..1], Some(secs(10))).await.unwrap();
            say(&os, format!("{ready} {}", fds[0].revents)).await;
            if ready == 1 {
                break;
            }
        }
        let ready = os.poll(&mut fds, None).await.unwrap();
        say(&os, format!("{ready} {}", fds[1].revents)).await;
        0
    });
    rig.pass(secs(15));
    rig.type_line(pid, "x");
    assert_eq!(rig.said(), ["0 0", "1 POLLIN", "2 POLLNVAL"]);
    let polls = rig.calls("poll");
    assert_eq!(polls[0].since + secs(10), polls[1].since, "the first one waited for its timeout");
    let input = PollEvents::IN.bits();
    let fds = vec![Polled::new(0, input, input)];
    assert_eq!(polls[1].what, SystemCall::Poll { fds, timeout: Some(secs(10)) });
}
