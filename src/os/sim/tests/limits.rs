use super::*;
use crate::os::{Action, Family, Handler, Signal};

#[test]
fn descriptors_run_out_with_emfile_and_files_with_enfile() {
    let open_all = async |os: SimOs| {
        let mut open = 0;
        let errno = loop {
            match os.socket(Family::Inet) {
                Ok(_) => open += 1,
                Err(errno) => break errno,
            }
        };
        let duplicate = os.dup(Fd::STDIN);
        say(&os, format!("{open} {errno} {}", duplicate.is_err())).await;
        0
    };
    let mut rig = Rig::with_limits(Limits { descriptors: 10, ..Limits::default() });
    rig.start(open_all);
    assert_eq!(rig.said(), ["7 EMFILE true"]);

    let mut rig = Rig::with_limits(Limits { files: 10, ..Limits::default() });
    rig.start(open_all);
    assert_eq!(rig.said(), ["7 ENFILE false"], "a second descriptor takes no new file");
}

#[test]
fn a_pipe_that_gets_only_one_descriptor_gives_it_back() {
    let mut rig = Rig::with_limits(Limits { descriptors: 4, ..Limits::default() });
    rig.start(async |os| {
        let pipe = os.pipe();
        let socket = os.socket(Family::Inet);
        say(&os, format!("{pipe:?} {}", socket.is_ok())).await;
        0
    });
    assert_eq!(rig.said(), ["Err(EMFILE) true"]);
}

#[test]
fn a_fork_bomb_is_refused_and_then_stopped() {
    async fn bomb(os: SimOs) -> i32 {
        loop {
            _ = os.fork(|os| Box::pin(bomb(os)) as std::pin::Pin<Box<dyn Future<Output = i32>>>);
        }
    }
    let mut rig = Rig::with_limits(Limits { processes: 50, steps_per_instant: 1_000, ..Limits::default() });
    rig.start(bomb);
    let refused = rig.calls("fork").iter().filter(|call| call.result == Err(Errno::EAGAIN)).count();
    assert!(refused > 0);
    assert!(rig.host.processes().is_empty());
    assert!(rig.host.stuck().unwrap().contains("more than 1000 system calls without letting time pass"));
}

#[test]
fn a_loop_without_any_waiting_is_stopped_with_a_message() {
    let mut rig = Rig::with_limits(Limits { steps_per_instant: 1_000, ..Limits::default() });
    let pid = rig.start(async |os| {
        loop {
            _ = os.listen(Fd::STDIN, 1);
        }
    });
    let message = rig.host.stuck().unwrap();
    assert!(message.starts_with(&format!("program (pid {pid}) was killed")), "{message}");
    assert!(rig.life(pid).contains(&ProcessChange::Killed { signal: "SIGKILL" }));
}

#[test]
fn a_loop_that_lets_time_pass_is_not_stopped() {
    let mut rig = Rig::with_limits(Limits { steps_per_instant: 10, ..Limits::default() });
    rig.start(async |os| {
        loop {
            os.sleep(Duration::from_millis(1)).await.unwrap();
        }
    });
    rig.pass(secs(1));
    assert_eq!(rig.host.stuck(), None);
}

#[test]
fn a_handler_that_forks_without_end_meets_eagain() {
    let mut rig = Rig::with_limits(Limits { processes: 20, steps_per_instant: 1_000, ..Limits::default() });
    let pid = rig.start(async |os| {
        // Each child's death is answered with a new child; zombies pile up until there is no room.
        let handler = Handler::new(async |os: SimOs, _| {
            let forked = os.fork(async |_| 0);
            if forked.is_err() {
                say(&os, format!("{forked:?}")).await;
            }
        });
        os.sigaction(Signal::SIGCHLD, Action::handle(handler)).unwrap();
        os.fork(async |_| 0).unwrap();
        while os.sleep(secs(1)).await == Err(Errno::EINTR) {}
        0
    });
    assert_eq!(rig.said(), ["Err(EAGAIN)"]);
    assert_eq!(rig.zombies(), 19);
    assert_eq!(rig.host.stuck(), None);
    assert!(rig.host.processes().iter().any(|process| process.pid == pid));
}

#[test]
fn waiting_for_what_is_no_call_is_found_out() {
    let mut rig = Rig::new();
    rig.start(async |_| std::future::pending().await);
    assert!(rig.host.stuck().unwrap().contains("no call of its operating system"));
    assert!(rig.host.processes().is_empty());
}

#[test]
fn a_programs_panic_is_not_swallowed() {
    let mut rig = Rig::new();
    rig.host.spawn(rig.now, "program", async |_| std::panic::resume_unwind(Box::new("its own words")));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.host.run(SimTime::ZERO)));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"its own words"));
}

/// A value whose destructor makes a call.
struct ClosesOnDrop(SimOs, Fd);

impl Drop for ClosesOnDrop {
    fn drop(&mut self) {
        _ = self.0.close(self.1);
    }
}

#[test]
fn destructors_of_a_killed_program_or_a_crashed_host_may_make_calls() {
    let mut rig = Rig::new();
    let program = async |os: SimOs| {
        let fd = os.socket(Family::Inet).unwrap();
        let _guard = ClosesOnDrop(os.clone(), fd);
        os.sleep(secs(1)).await.map_or(1, |()| 0)
    };
    let pid = rig.start(program);
    rig.start(program);
    rig.host.kill(rig.now, pid, Signal::SIGKILL).unwrap();
    rig.host.run(rig.now);
    let recorder = rig.recorder.clone();
    let before = recorder.len();
    drop(rig);
    assert_eq!(recorder.len(), before, "a crash says nothing");
    let closes = recorder
        .events_from(0)
        .iter()
        .filter(|e| matches!(&e.kind, Kind::Call(c) if c.name() == "close"))
        .count();
    assert_eq!(closes, 0, "the dead make no calls");
}

#[test]
fn ten_thousand_zombies_fill_the_process_table_until_they_are_waited_for() {
    let breed = async |os: SimOs| {
        let errno = loop {
            if let Err(errno) = os.fork(async |_| 0) {
                break errno;
            }
        };
        // They end while their parent sleeps.
        os.sleep(secs(1)).await.unwrap();
        let still = os.fork(async |_| 0);
        let mut reaped = 0;
        while let Ok(Some(_)) = os.waitpid(crate::os::Child::Any, true).await {
            reaped += 1;
        }
        let again = os.fork(async |_| 0);
        say(&os, format!("{errno} {still:?} {reaped} {}", again.is_ok())).await;
        0
    };
    let mut rig = Rig::with_limits(Limits { processes: 10_001, ..Limits::default() });
    rig.start(breed);
    assert_eq!(rig.zombies(), 10_000);
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["EAGAIN Err(EAGAIN) 10000 true"]);
    assert_eq!(rig.host.stuck(), None);
}
