use super::*;
use crate::os::{Action, Child, Signal, WaitStatus};
use crate::timeline::{ChildStatus, SystemCall};

#[test]
fn a_child_is_a_zombie_until_its_parent_waits() {
    let mut rig = Rig::new();
    let parent = rig.start(async |os| {
        os.fork(async |_| 7).unwrap();
        os.sleep(secs(10)).await.unwrap();
        let (pid, status) = os.wait().await.unwrap();
        say(&os, format!("{pid} {status:?}")).await;
        os.sleep(secs(10)).await.unwrap();
        0
    });
    let child = Pid::from_raw(parent.as_raw() + 1);
    rig.pass(secs(9));
    assert_eq!(rig.zombies(), 1);
    rig.pass(secs(2));
    assert_eq!(rig.zombies(), 0);
    assert_eq!(rig.said(), [format!("{child} Exited(7)")]);
    let life = [
        ProcessChange::Fork { parent: parent.as_raw() },
        ProcessChange::Exit { status: 7 },
        ProcessChange::Zombie,
        ProcessChange::Reaped,
    ];
    assert_eq!(rig.life(child), life);
}

#[test]
fn wait_sleeps_until_a_child_ends() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        let child = async |os: SimOs| {
            os.sleep(secs(3)).await.unwrap();
            os.exit(300).await
        };
        os.fork(child).unwrap();
        let (_, status) = os.wait().await.unwrap();
        say(&os, format!("{status:?}")).await;
        say(&os, format!("{:?}", os.wait().await)).await;
        0
    });
    rig.pass(secs(3));
    assert_eq!(rig.said(), ["Exited(44)", "Err(ECHILD)"], "300 modulo 256, then there is no child left");
    let status = Some(ChildStatus::Exited(44));
    assert_eq!(rig.calls("wait")[0].what, SystemCall::Wait { status });
}

#[test]
fn waitpid_with_nohang_does_not_wait() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        let nobody = os.waitpid(Child::Any, true).await;
        let first = os.fork(async |os| os.sleep(secs(1)).await.map_or(1, |()| 0)).unwrap();
        let second = os.fork(async |_| 2).unwrap();
        let none_yet = os.waitpid(Child::Pid(first), true).await;
        os.sleep(Duration::from_millis(1)).await.unwrap();
        let any = os.waitpid(Child::Any, true).await;
        let stranger = os.waitpid(Child::Pid(Pid::INIT), true).await;
        assert_eq!((nobody, none_yet, stranger), (Err(Errno::ECHILD), Ok(None), Err(Errno::ECHILD)));
        assert_eq!(any, Ok(Some((second, WaitStatus::Exited(2)))));
        let waited = os.waitpid(Child::Pid(first), false).await;
        assert_eq!(waited, Ok(Some((first, WaitStatus::Exited(0)))));
        say(&os, "done").await;
        0
    });
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["done"]);
}

#[test]
fn wait_tells_which_signal_killed_a_child() {
    let rig = Rig::after(async |os: SimOs| {
        let child = os.fork(async |os| os.sleep(secs(100)).await.map_or(1, |()| 0)).unwrap();
        os.kill(child, Signal::SIGKILL).await.unwrap();
        let (_, status) = os.wait().await.unwrap();
        assert_eq!(status.exit_status(), None);
        say(&os, status.term_signal().unwrap().name()).await;
        0
    });
    assert_eq!(rig.said(), ["SIGKILL"]);
}

#[test]
fn init_adopts_orphans_and_leaves_no_zombies() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        os.fork(async |_| 0).unwrap(); // dead before its parent
        os.fork(async |os: SimOs| {
            os.sleep(secs(2)).await.unwrap();
            say(&os, format!("my parent is {}", os.getppid())).await;
            0
        })
        .unwrap();
        os.sleep(secs(1)).await.unwrap();
        0
    });
    assert_eq!(rig.zombies(), 1);
    rig.pass(secs(1));
    assert_eq!(rig.zombies(), 0);
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["my parent is 1"]);
    assert!(rig.host.processes().is_empty());
}

#[test]
fn children_of_a_parent_that_ignores_sigchld_leave_no_zombies() {
    let rig = Rig::after(async |os: SimOs| {
        os.sigaction(Signal::SIGCHLD, Action::IGNORE).unwrap();
        os.fork(async |_| 0).unwrap();
        os.fork(async |_| 0).unwrap();
        // POSIX: blocks until all children have ended, and then has none to tell of.
        let waited = os.wait().await;
        say(&os, format!("{waited:?}")).await;
        os.sleep(secs(1)).await.map_or(1, |()| 0)
    });
    assert_eq!(rig.said(), ["Err(ECHILD)"]);
    assert_eq!(rig.zombies(), 0);
    assert_eq!(rig.host.processes().len(), 1);
}

#[test]
fn parent_runs_on_before_its_child_and_sleepers_wake_in_the_order_they_lay_down() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        for name in ["one", "two", "three"] {
            os.fork(move |os: SimOs| async move {
                os.sleep(secs(1)).await.unwrap();
                say(&os, name).await;
                0
            })
            .unwrap();
        }
        say(&os, "parent").await;
        0
    });
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["parent", "one", "two", "three"]);
}

#[test]
fn ten_thousand_zombies_are_waited_for_one_by_one() {
    const MANY: usize = 10_000;
    let mut rig = Rig::with_limits(Limits { processes: MANY + 1, ..Limits::default() });
    rig.start(async |os| {
        for _ in 0..MANY {
            os.fork(async |_| 0).unwrap();
        }
        let refused = os.fork(async |_| 0);
        os.sleep(secs(1)).await.unwrap();
        let mut reaped = 0;
        while let Ok(Some(_)) = os.waitpid(Child::Any, true).await {
            reaped += 1;
        }
        say(&os, format!("{refused:?} {reaped}")).await;
        0
    });
    assert_eq!(rig.zombies(), MANY);
    rig.pass(secs(1));
    assert_eq!(rig.said(), [format!("Err(EAGAIN) {MANY}")]);
}
