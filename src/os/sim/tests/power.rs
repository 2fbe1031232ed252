use super::*;
use crate::os::{Action, Handler, Signal};

/// Notes SIGTERM and goes on.
async fn stubborn(os: SimOs) -> i32 {
    let handler = Handler::new(async |os: SimOs, signal: Signal| say(&os, format!("caught {signal}")).await);
    os.sigaction(Signal::SIGTERM, Action::handle(handler)).unwrap();
    while os.sleep(secs(1_000)).await.is_err() {}
    0
}

#[test]
fn a_shutdown_ends_at_once_where_nobody_minds_sigterm() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| os.sleep(secs(1_000)).await.map_or(1, |()| 0));
    rig.host.shutdown(rig.now, secs(10));
    rig.pass(Duration::from_millis(999));
    assert!(rig.life(pid).contains(&ProcessChange::Killed { signal: "SIGTERM" }));
    assert!(!rig.host.is_off(), "TCP has a second to say goodbye");
    rig.pass(Duration::from_millis(1));
    assert!(rig.host.is_off());
    assert_eq!(rig.host.next_deadline(), None);
}

#[test]
fn a_shutdown_kills_after_the_grace_time_what_catches_sigterm() {
    let mut rig = Rig::new();
    let pid = rig.start(stubborn);
    rig.host.shutdown(rig.now, secs(10));
    rig.pass(Duration::from_millis(9_999));
    assert_eq!(rig.said(), ["caught SIGTERM"]);
    assert!(!rig.life(pid).contains(&ProcessChange::Killed { signal: "SIGKILL" }));
    rig.pass(Duration::from_millis(1));
    assert!(rig.life(pid).contains(&ProcessChange::Killed { signal: "SIGKILL" }));
    rig.pass(secs(1));
    assert!(rig.host.is_off());
}

#[test]
fn a_shutdown_reaches_parents_children_and_zombies() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        os.fork(async |_| 0).unwrap();
        os.fork(stubborn).unwrap();
        os.sleep(secs(1_000)).await.map_or(1, |()| 0)
    });
    rig.host.shutdown(rig.now, secs(5));
    rig.pass(secs(4));
    assert_eq!(rig.host.processes().len(), 1, "the stubborn child, now init's");
    rig.pass(secs(2));
    assert!(rig.host.is_off());
    assert!(rig.host.processes().is_empty());
}
