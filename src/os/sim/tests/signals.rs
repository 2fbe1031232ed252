use super::*;
use crate::os::{Action, Child, Disposition, Handler, MaskHow, Signal, SignalSet};

/// Says the signal's name.
fn say_it() -> Handler<SimOs> {
    Handler::new(async |os: SimOs, signal: Signal| say(&os, signal.name()).await)
}

#[test]
fn sigterm_kills_by_default_and_sigchld_does_nothing() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| os.sleep(secs(10)).await.map_or(1, |()| 0));
    rig.host.kill(rig.now, pid, Signal::SIGCHLD).unwrap();
    rig.host.run(rig.now);
    assert_eq!(rig.host.processes().len(), 1);
    rig.host.kill(rig.now, pid, Signal::SIGTERM).unwrap();
    rig.host.run(rig.now);
    assert!(rig.host.processes().is_empty());
    assert_eq!(rig.signal("SIGCHLD"), [SignalChange::Ignored]);
    assert_eq!(rig.signal("SIGTERM"), [SignalChange::Killed]);
    assert_eq!(rig.host.kill(rig.now, pid, Signal::SIGTERM), Err(Errno::ESRCH));
}

#[test]
fn sigkill_cannot_be_caught_blocked_or_ignored() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        let caught = os.sigaction(Signal::SIGKILL, Action::handle(say_it())).map(|_| ());
        let ignored = os.sigaction(Signal::SIGKILL, Action::IGNORE).map(|_| ());
        os.sigprocmask(MaskHow::SetMask, SignalSet::FULL).await.unwrap();
        say(&os, format!("{caught:?} {ignored:?}")).await;
        os.sleep(secs(10)).await.map_or(1, |()| 0)
    });
    rig.host.kill(rig.now, pid, Signal::SIGKILL).unwrap();
    assert_eq!(rig.said(), ["Err(EINVAL) Err(EINVAL)"]);
    assert!(rig.host.processes().is_empty());
}

#[test]
fn an_ignored_signal_does_nothing_and_wakes_nobody() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGTERM, Action::IGNORE).unwrap();
        let slept = os.sleep(secs(10)).await;
        say(&os, format!("{slept:?}")).await;
        0
    });
    rig.host.kill(rig.now, pid, Signal::SIGTERM).unwrap();
    rig.pass(secs(10));
    assert_eq!(rig.said(), ["Ok(())"]);
    assert_eq!(rig.signal("SIGTERM"), [SignalChange::Ignored]);
}

#[test]
fn a_handler_runs_before_the_interrupted_call_fails_with_eintr() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        let read = os.read(Fd::STDIN, &mut [0; 8]).await;
        say(&os, format!("{read:?}")).await;
        0
    });
    rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
    rig.host.run(rig.now);
    assert_eq!(rig.said(), ["SIGUSR1", "Err(EINTR)"]);
}

#[test]
fn sa_restart_restarts_a_read_but_neither_sleep_nor_poll() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it()).restarting()).unwrap();
        let read = os.read(Fd::STDIN, &mut [0; 8]).await;
        let slept = os.sleep(secs(100)).await;
        let polled = os.poll(&mut [], None).await;
        say(&os, format!("{read:?} {slept:?} {polled:?}")).await;
        0
    });
    rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
    rig.host.run(rig.now);
    assert!(rig.calls("read").is_empty(), "it has not returned");
    rig.type_line(pid, "x");
    for _ in 0..2 {
        rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
        rig.host.run(rig.now);
    }
    assert_eq!(rig.said(), ["SIGUSR1", "SIGUSR1", "SIGUSR1", "Ok(2) Err(EINTR) Err(EINTR)"]);
}

#[test]
fn a_call_that_has_its_answer_returns_it_after_the_handler() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        let read = os.read(Fd::STDIN, &mut [0; 8]).await;
        say(&os, format!("{read:?}")).await;
        0
    });
    assert!(rig.host.type_line(rig.now, pid, "x"));
    rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
    rig.host.run(rig.now);
    assert_eq!(rig.said(), ["SIGUSR1", "Ok(2)"]);
}

#[test]
fn a_signal_to_oneself_is_delivered_before_kill_returns() {
    let rig = Rig::after(async |os: SimOs| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        os.kill(os.getpid(), Signal::SIGUSR1).await.unwrap();
        say(&os, "and on").await;
        os.kill(os.getpid(), Signal::SIGTERM).await.unwrap();
        say(&os, "not reached").await;
        0
    });
    assert_eq!(rig.said(), ["SIGUSR1", "and on"]);
    assert!(rig.host.processes().is_empty());
}

#[test]
fn blocked_signals_wait_and_do_not_queue() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        let before = os.sigprocmask(MaskHow::Block, SignalSet::of(Signal::SIGUSR1)).await.unwrap();
        assert_eq!(before, SignalSet::EMPTY);
        os.sleep(secs(1)).await.unwrap();
        say(&os, "unblocking").await;
        os.sigprocmask(MaskHow::Unblock, SignalSet::of(Signal::SIGUSR1)).await.unwrap();
        say(&os, "unblocked").await;
        0
    });
    for _ in 0..3 {
        rig.host.kill(rig.now, pid, Signal::SIGUSR1).unwrap();
    }
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["unblocking", "SIGUSR1", "unblocked"]);
    use SignalChange::{Delivered, Merged, Pending};
    assert_eq!(rig.signal("SIGUSR1"), [Pending, Merged, Merged, Delivered]);
}

#[test]
fn a_blocked_signal_without_a_handler_acts_when_it_is_let_through() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigprocmask(MaskHow::Block, SignalSet::of(Signal::SIGTERM)).await.unwrap();
        os.sleep(secs(1)).await.unwrap();
        say(&os, "alive").await;
        os.sigprocmask(MaskHow::SetMask, SignalSet::EMPTY).await.unwrap();
        say(&os, "not reached").await;
        0
    });
    rig.host.kill(rig.now, pid, Signal::SIGTERM).unwrap();
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["alive"]);
    assert_eq!(rig.signal("SIGTERM"), [SignalChange::Pending, SignalChange::Killed]);
}

#[test]
fn ignoring_a_pending_signal_discards_it() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigprocmask(MaskHow::Block, SignalSet::of(Signal::SIGTERM)).await.unwrap();
        os.sleep(secs(1)).await.unwrap();
        os.sigaction(Signal::SIGTERM, Action::IGNORE).unwrap();
        os.sigaction(Signal::SIGTERM, Action::DEFAULT).unwrap();
        os.sigprocmask(MaskHow::SetMask, SignalSet::EMPTY).await.unwrap();
        say(&os, "alive").await;
        0
    });
    rig.host.kill(rig.now, pid, Signal::SIGTERM).unwrap();
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["alive"]);
}

#[test]
fn a_signal_is_blocked_while_its_handler_runs_and_another_is_not() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        let slow = Handler::new(async |os: SimOs, signal: Signal| {
            say(&os, format!("{signal} begins")).await;
            while os.sleep(secs(1)).await.is_err() {}
            say(&os, format!("{signal} ends")).await;
        });
        os.sigaction(Signal::SIGUSR1, Action::handle(slow)).unwrap();
        os.sigaction(Signal::SIGUSR2, Action::handle(say_it())).unwrap();
        while os.sleep(secs(10)).await.is_err() {}
        0
    });
    for signal in [Signal::SIGUSR1, Signal::SIGUSR1, Signal::SIGUSR2] {
        rig.host.kill(rig.now, pid, signal).unwrap();
        rig.host.run(rig.now);
    }
    rig.pass(secs(3));
    let expected = ["SIGUSR1 begins", "SIGUSR2", "SIGUSR1 ends", "SIGUSR1 begins", "SIGUSR1 ends"];
    assert_eq!(rig.said(), expected);
}

#[test]
fn sa_mask_blocks_other_signals_while_the_handler_runs() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        let slow = Handler::new(async |os: SimOs, _| {
            os.sleep(secs(1)).await.unwrap();
            say(&os, "SIGUSR1 ends").await;
        });
        let mask = SignalSet::of(Signal::SIGUSR2);
        os.sigaction(Signal::SIGUSR1, Action { mask, ..Action::handle(slow) }).unwrap();
        os.sigaction(Signal::SIGUSR2, Action::handle(say_it())).unwrap();
        while os.sleep(secs(10)).await.is_err() {}
        0
    });
    for signal in [Signal::SIGUSR1, Signal::SIGUSR2] {
        rig.host.kill(rig.now, pid, signal).unwrap();
        rig.host.run(rig.now);
    }
    rig.pass(secs(2));
    assert_eq!(rig.said(), ["SIGUSR1 ends", "SIGUSR2"]);
}

#[test]
fn a_child_inherits_actions_and_mask_but_nothing_pending() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        os.sigprocmask(MaskHow::Block, SignalSet::of(Signal::SIGUSR1)).await.unwrap();
        os.kill(os.getpid(), Signal::SIGUSR1).await.unwrap();
        os.fork(async |os: SimOs| {
            let before = os.sigprocmask(MaskHow::SetMask, SignalSet::EMPTY).await.unwrap();
            say(&os, format!("child blocked {:?}", before == SignalSet::of(Signal::SIGUSR1))).await;
            os.kill(os.getpid(), Signal::SIGUSR1).await.unwrap();
            0
        })
        .unwrap();
        os.sleep(secs(1)).await.map_or(1, |()| 0)
    });
    assert_eq!(rig.said(), ["child blocked true", "SIGUSR1"]);
}

#[test]
fn a_handler_runs_before_the_first_step_of_a_child_that_was_signalled_at_birth() {
    let rig = Rig::after(async |os: SimOs| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        let child = os.fork(async |os: SimOs| {
            say(&os, "first step").await;
            0
        });
        os.kill(child.unwrap(), Signal::SIGUSR1).await.unwrap();
        0
    });
    assert_eq!(rig.said(), ["SIGUSR1", "first step"]);
}

#[test]
fn sigaction_tells_what_was_before() {
    let rig = Rig::after(async |os: SimOs| {
        let first = os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
        let second = os.sigaction(Signal::SIGPIPE, Action::handle(say_it())).unwrap();
        let third = os.sigaction(Signal::SIGPIPE, Action::DEFAULT).unwrap();
        assert!(matches!(first.disposition, Disposition::Default));
        assert!(matches!(second.disposition, Disposition::Ignore));
        assert!(matches!(third.disposition, Disposition::Handle(_)));
        say(&os, "done").await;
        0
    });
    assert_eq!(rig.said(), ["done"]);
}

#[test]
fn an_ignored_sigpipe_leaves_epipe() {
    let rig = Rig::after(async |os: SimOs| {
        os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
        let (reader, writer) = os.pipe().unwrap();
        os.close(reader).unwrap();
        let written = os.write(writer, b"x").await;
        say(&os, format!("{written:?}")).await;
        0
    });
    assert_eq!(rig.said(), ["Err(EPIPE)"]);
}

/// Five children end at once: the handler of UNP 5.8 (`wait` once) or of 5.10 (`waitpid` in a loop).
fn five_children_end_at_once(handler: Handler<SimOs>) -> Rig {
    let mut rig = Rig::new();
    rig.start(move |os| async move {
        os.sigaction(Signal::SIGCHLD, Action::handle(handler).restarting()).unwrap();
        for _ in 0..5 {
            os.fork(async |os| os.sleep(secs(1)).await.map_or(1, |()| 0)).unwrap();
        }
        _ = os.read(Fd::STDIN, &mut [0]).await;
        0
    });
    rig.pass(secs(2));
    rig
}

#[test]
fn wait_in_the_handler_leaves_four_zombies_of_five() {
    let rig = five_children_end_at_once(Handler::new(async |os: SimOs, _| {
        let (pid, _) = os.wait().await.unwrap();
        say(&os, format!("child {pid} terminated")).await;
    }));
    assert_eq!(rig.zombies(), 4);
    assert_eq!(rig.said().len(), 1);
}

#[test]
fn waitpid_in_a_loop_leaves_none() {
    let rig = five_children_end_at_once(Handler::new(async |os: SimOs, _| {
        while let Ok(Some((pid, _))) = os.waitpid(Child::Any, true).await {
            say(&os, format!("child {pid} terminated")).await;
        }
    }));
    assert_eq!(rig.zombies(), 0);
    assert_eq!(rig.said().len(), 5);
}

#[test]
fn a_handler_runs_once_for_signals_that_came_before_its_turn() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGCHLD, Action::handle(say_it())).unwrap();
        _ = os.sleep(secs(1)).await;
        0
    });
    for _ in 0..5 {
        rig.host.kill(rig.now, pid, Signal::SIGCHLD).unwrap();
    }
    rig.pass(secs(1));
    assert_eq!(rig.said(), ["SIGCHLD"]);
    use SignalChange::{Delivered, Merged};
    assert_eq!(rig.signal("SIGCHLD"), [Merged, Merged, Merged, Merged, Delivered]);
}

/// POSIX, 2.4.3: a stopped process does nothing until SIGCONT, and then what became due meanwhile; other signals wait.
#[test]
fn a_stopped_process_does_what_became_due_once_it_goes_on() {
    let mut rig = Rig::new();
    let pid = rig.start(async |os| {
        os.sigaction(Signal::SIGUSR1, Action::handle(say_it())).unwrap();
        _ = os.sleep(secs(10)).await;
        say(&os, "slept").await;
        _ = os.sleep(secs(100)).await;
        0
    });
    let kill = |rig: &mut Rig, signal| {
        rig.host.kill(rig.now, pid, signal).unwrap();
        rig.host.run(rig.now);
    };
    kill(&mut rig, Signal::SIGSTOP);
    kill(&mut rig, Signal::SIGSTOP);
    rig.pass(secs(20));
    assert_eq!(rig.host.processes()[0].state, ProcessState::Stopped);
    assert_eq!(rig.said(), [""; 0]);
    kill(&mut rig, Signal::SIGCONT);
    assert_eq!(rig.said(), ["slept"]);
    kill(&mut rig, Signal::SIGSTOP);
    kill(&mut rig, Signal::SIGUSR1);
    assert_eq!(rig.said(), ["slept"], "it waits");
    kill(&mut rig, Signal::SIGCONT);
    assert_eq!(rig.said(), ["slept", "SIGUSR1"]);
    assert_eq!(rig.signal("SIGSTOP"), [SignalChange::Stopped; 2]);
    assert_eq!(rig.signal("SIGCONT"), [SignalChange::Continued; 2], "its default is to do nothing else");
}

#[test]
fn a_stopped_process_can_be_killed_and_asked_to_end_when_it_goes_on() {
    for (signal, ends_at_once) in [(Signal::SIGKILL, true), (Signal::SIGTERM, false)] {
        let mut rig = Rig::new();
        let pid = rig.start(async |os| os.sleep(secs(10)).await.map_or(1, |()| 0));
        for signal in [Signal::SIGSTOP, signal] {
            rig.host.kill(rig.now, pid, signal).unwrap();
        }
        rig.host.run(rig.now);
        assert_eq!(rig.host.processes().is_empty(), ends_at_once, "{signal}");
        let is_stopped = |info: &ProcessInfo| info.state == ProcessState::Stopped;
        assert!(rig.host.processes().iter().all(is_stopped), "{signal}");
        _ = rig.host.kill(rig.now, pid, Signal::SIGCONT);
        rig.host.run(rig.now);
        assert!(rig.host.processes().is_empty(), "{signal}");
    }
}

/// POSIX, `sigaction`: without SA_NOCLDSTOP the parent hears of a child that stops, and of one that goes on.
#[test]
fn sigchld_tells_of_a_child_that_is_stopped() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        os.sigaction(Signal::SIGCHLD, Action::handle(say_it())).unwrap();
        let child = os.fork(async |os: SimOs| os.sleep(secs(10)).await.map_or(1, |()| 0)).unwrap();
        os.kill(child, Signal::SIGSTOP).await.unwrap();
        _ = os.sleep(secs(1)).await;
        os.kill(child, Signal::SIGCONT).await.unwrap();
        _ = os.sleep(secs(1)).await;
        0
    });
    rig.pass(secs(3));
    assert_eq!(rig.said(), ["SIGCHLD", "SIGCHLD"]);
}

/// A zombie is no longer stopped.
#[test]
fn a_stopped_child_that_is_killed_is_a_zombie() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        let child = os.fork(async |os: SimOs| os.sleep(secs(10)).await.map_or(1, |()| 0)).unwrap();
        os.kill(child, Signal::SIGSTOP).await.unwrap();
        os.kill(child, Signal::SIGKILL).await.unwrap();
        os.sleep(secs(10)).await.map_or(1, |()| 0)
    });
    assert_eq!(rig.zombies(), 1);
}
