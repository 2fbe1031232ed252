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
    let mut machine = Machine::new();
    let pid = machine.start(async |os| os.sleep(secs(1_000)).await.map_or(1, |()| 0));
    machine.host.shutdown(machine.now, secs(10));
    machine.pass(Duration::from_millis(999));
    assert!(machine.life(pid).contains(&ProcessChange::Killed { signal: "SIGTERM" }));
    assert!(!machine.host.is_off(), "TCP has a second to say goodbye");
    machine.pass(Duration::from_millis(1));
    assert!(machine.host.is_off());
    assert_eq!(machine.host.next_deadline(), None);
}

#[test]
fn a_shutdown_kills_after_the_grace_time_what_catches_sigterm() {
    let mut machine = Machine::new();
    let pid = machine.start(stubborn);
    machine.host.shutdown(machine.now, secs(10));
    machine.pass(Duration::from_millis(9_999));
    assert_eq!(machine.said(), ["caught SIGTERM"]);
    assert!(!machine.life(pid).contains(&ProcessChange::Killed { signal: "SIGKILL" }));
    machine.pass(Duration::from_millis(1));
    assert!(machine.life(pid).contains(&ProcessChange::Killed { signal: "SIGKILL" }));
    machine.pass(secs(1));
    assert!(machine.host.is_off());
}

#[test]
fn a_shutdown_reaches_parents_children_and_zombies() {
    let mut machine = Machine::new();
    machine.start(async |os| {
        os.fork(async |_| 0).unwrap();
        os.fork(stubborn).unwrap();
        os.sleep(secs(1_000)).await.map_or(1, |()| 0)
    });
    machine.host.shutdown(machine.now, secs(5));
    machine.pass(secs(4));
    assert_eq!(machine.host.processes().len(), 1, "the stubborn child, now init's");
    machine.pass(secs(2));
    assert!(machine.host.is_off());
    assert!(machine.host.processes().is_empty());
}
