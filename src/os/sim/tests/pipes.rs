use super::*;
use crate::os::{Action, Handler, PollEvents, PollFd, Signal};

#[test]
fn what_a_child_writes_into_a_pipe_the_parent_reads() {
    let rig = Rig::after(async |os: SimOs| {
        let (reader, writer) = os.pipe().unwrap();
        os.fork(move |os| async move {
            os.write(writer, b"from the child").await.unwrap();
            0
        })
        .unwrap();
        let mut buf = [0; 64];
        let len = os.read(reader, &mut buf).await.unwrap();
        say(&os, String::from_utf8_lossy(&buf[..len])).await;
        0
    });
    assert_eq!(rig.said(), ["from the child"]);
}

#[test]
fn a_pipe_ends_only_when_every_copy_of_its_writing_end_is_closed() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        let (reader, writer) = os.pipe().unwrap();
        os.fork(move |os| async move {
            os.sleep(secs(5)).await.unwrap();
            0
        })
        .unwrap();
        os.close(writer).unwrap();
        let len = os.read(reader, &mut [0; 8]).await.unwrap();
        say(&os, format!("{len}")).await;
        0
    });
    rig.pass(secs(4));
    assert!(rig.said().is_empty(), "the child still holds a descriptor");
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["0"]);
}

#[test]
fn a_full_pipe_makes_its_writer_wait() {
    const LEN: usize = 200_000;
    let rig = Rig::after(async |os: SimOs| {
        let (reader, writer) = os.pipe().unwrap();
        os.fork(move |os| async move {
            os.close(reader).unwrap();
            let written = os.write(writer, &vec![b'x'; LEN]).await.unwrap();
            i32::from(written != LEN)
        })
        .unwrap();
        os.close(writer).unwrap();
        let mut total = 0;
        let mut buf = [0; 1_000];
        loop {
            match os.read(reader, &mut buf).await.unwrap() {
                0 => break,
                len => total += len,
            }
        }
        let (_, status) = os.wait().await.unwrap();
        say(&os, format!("{total} {:?}", status.exit_status())).await;
        0
    });
    assert_eq!(rig.said(), [format!("{LEN} Some(0)")]);
}

#[test]
fn a_pipe_that_nobody_reads_kills_its_writer() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        let (reader, writer) = os.pipe().unwrap();
        os.close(reader).unwrap();
        _ = os.write(writer, b"x").await;
        say(&os, "not reached").await;
        0
    });
    assert_eq!(rig.calls("write")[0].result, Err(Errno::EPIPE));
    assert!(rig.life(pid).contains(&ProcessChange::Killed { signal: "SIGPIPE" }));
    assert!(rig.said().is_empty());
}

#[test]
fn poll_tells_a_pipe_with_data_from_one_without_and_one_that_is_closed() {
    let rig = Rig::after(async |os: SimOs| {
        let (reader, writer) = os.pipe().unwrap();
        let look = async |os: &SimOs| {
            let mut fds = [PollFd::new(reader, PollEvents::IN)];
            os.poll(&mut fds, Some(Duration::ZERO)).await.unwrap();
            fds[0].revents.to_string()
        };
        let empty = look(&os).await;
        os.write(writer, b"x").await.unwrap();
        let full = look(&os).await;
        os.close(writer).unwrap();
        let closed = look(&os).await;
        say(&os, format!("{empty} {full} {closed}")).await;
        0
    });
    assert_eq!(rig.said(), ["0 POLLIN POLLIN|POLLHUP"]);
}

#[test]
fn an_interrupted_write_says_how_much_it_has_written() {
    for (restart, expected) in [(false, "Ok(65536)"), (true, "Ok(100000)")] {
        let mut rig = Rig::new();
        let pid = rig.start(async move |os| {
            let handler = Handler::new(async |_, _| ());
            os.sigaction(Signal::SIGUSR1, Action { restart, ..Action::handle(handler) }).unwrap();
            let (reader, writer) = os.pipe().unwrap();
            os.fork(move |os| async move {
                os.sleep(secs(2)).await.unwrap();
                while os.read(reader, &mut [0; 50_000]).await.unwrap() > 0 {}
                0
            })
            .unwrap();
            let written = os.write(writer, &vec![0; 100_000]).await;
            say(&os, format!("{written:?}")).await;
            0
        });
        rig.pass(secs(1));
        rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
        rig.pass(secs(2));
        assert_eq!(rig.said(), [expected]);
    }
}

#[test]
fn a_write_that_fails_half_way_says_how_much_it_has_written_and_the_next_one_why() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
        let (reader, writer) = os.pipe().unwrap();
        os.fork(async move |os| {
            os.close(writer).unwrap();
            os.sleep(secs(1)).await.unwrap();
            0
        })
        .unwrap();
        os.close(reader).unwrap();
        let first = os.write(writer, &vec![0; 100_000]).await;
        let second = os.write(writer, b"x").await;
        say(&os, format!("{first:?} {second:?}")).await;
        0
    });
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["Ok(65536) Err(EPIPE)"]);
}
