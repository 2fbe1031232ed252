//! One list of claims about an operating system, each a small program that exits with 0 if its claim holds, run
//! on the simulated host and on this machine.

use std::cell::Cell;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use echosim::os::sim::{Machine, MachineConfig};
use echosim::os::unix::{UnixOs, block_on};
use echosim::os::{
    Action, Child, Errno, Family, Fd, Handler, MaskHow, Os, PollEvents, PollFd, Signal, SignalSet, WaitStatus,
};
use echosim::stack::{self, Profile, System};
use echosim::time::SimTime;
use echosim::timeline::{Kind, ProcessChange, Recorder};
use libtest_mimic::Trial;

use crate::programs::program;

macro_rules! claims_of_os {
    ($($name:ident),* $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        async fn claim<O: Os>(name: String, os: O) -> i32 {
            match name.as_str() {
                $(stringify!($name) => $name(os).await,)*
                _ => panic!("no claim {name}"),
            }
            0
        }
    };
}

claims_of_os! {
    a_child_has_its_own_descriptors,
    a_childs_status_is_told_once,
    a_closed_descriptor_is_no_descriptor,
    a_pipe_ends_with_its_last_writer,
    a_signal_to_oneself_is_delivered_before_kill_returns,
    blocked_signals_wait_and_do_not_queue,
    calls_want_a_socket_where_they_want_one,
    ignored_children_leave_no_zombies,
    poll_tells_what_is_ready_and_what_is_none,
    sa_restart_lets_a_read_go_on,
    sigpipe_kills_unless_it_is_ignored,
    sleep_is_interrupted_even_with_sa_restart,
    waitpid_with_wnohang_does_not_wait,
    without_sa_restart_a_read_fails_with_eintr,
}

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    NAMES.iter().flat_map(|name| {
        let simulated = Trial::test(format!("simulated::{name}"), move || {
            run_simulated(name);
            Ok(())
        });
        let real = Trial::test(format!("real::{name}"), move || {
            let output = program(&["claim", name]).stdin(Stdio::null()).output()?;
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(format!("{}\n{told}", output.status).into()) }
        });
        [simulated, real]
    })
}

pub(crate) fn run_for_real(name: &str) -> i32 {
    block_on(claim(name.to_owned(), UnixOs::new("claim", None)))
}

fn run_simulated(name: &str) {
    let recorder = Recorder::new("host");
    let addrs = vec!["192.0.2.1".parse().unwrap()];
    let stack = stack::Config {
        addrs,
        profile: Profile::of(System::Linux),
        mtu: 1_500,
        seed: 1,
        shares_segment: false,
    };
    let mut host = Machine::new(MachineConfig::new("host", stack), recorder.clone());
    let name = name.to_owned();
    let pid = host.spawn(SimTime::ZERO, "claim", move |os| claim(name, os));
    let mut now = SimTime::ZERO;
    host.run(now);
    while let Some(next) = host.next_deadline() {
        now = next;
        host.handle_timeout(now);
        host.run(now);
    }
    let ended = recorder.events_from(0).into_iter().find_map(|event| match event.kind {
        Kind::Process(process) if process.pid == pid.as_raw() => {
            (!matches!(process.what, ProcessChange::Start)).then_some(process.what)
        }
        _ => None,
    });
    assert_eq!(ended, Some(ProcessChange::Exit { status: 0 }));
}

/// Counts how often a signal's handler runs.
fn count<O: Os>(os: &O, signal: Signal, restart: bool) -> Rc<Cell<u32>> {
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    let handler = Handler::new(move |_, _| {
        counter.set(counter.get() + 1);
        async {}
    });
    let action = Action::handle(handler);
    os.sigaction(signal, if restart { action.restarting() } else { action }).unwrap();
    count
}

/// Forks a child that sends `signal` to its parent after a while, and a little later writes an octet.
fn interrupter<O: Os>(os: &O, signal: Signal, octet_to: Option<Fd>) {
    let parent = os.getpid();
    let child = os.fork(move |os: O| async move {
        os.sleep(Duration::from_millis(100)).await.unwrap();
        os.kill(parent, signal).await.unwrap();
        os.sleep(Duration::from_millis(100)).await.unwrap();
        if let Some(fd) = octet_to {
            os.write(fd, b"x").await.unwrap();
        }
        0
    });
    child.unwrap();
}

async fn a_child_has_its_own_descriptors<O: Os>(os: O) {
    let (reader, writer) = os.pipe().unwrap();
    let child = os
        .fork(move |os: O| async move {
            os.close(reader).unwrap();
            os.write(writer, b"from the child").await.unwrap();
            7
        })
        .unwrap();
    let mut buf = [0; 64];
    assert_eq!(os.read(reader, &mut buf).await, Ok(14));
    assert_eq!(os.wait().await, Ok((child, WaitStatus::Exited(7))));
}

async fn a_childs_status_is_told_once<O: Os>(os: O) {
    let killed =
        os.fork(|os: O| async move { os.sleep(Duration::from_secs(60)).await.map_or(1, |()| 0) }).unwrap();
    os.kill(killed, Signal::SIGKILL).await.unwrap();
    let status = os.waitpid(Child::Pid(killed), false).await;
    assert_eq!(status, Ok(Some((killed, WaitStatus::Signaled(Signal::SIGKILL)))));
    assert_eq!(os.waitpid(Child::Pid(killed), false).await, Err(Errno::ECHILD));
    assert_eq!(os.wait().await, Err(Errno::ECHILD));
}

async fn a_closed_descriptor_is_no_descriptor<O: Os>(os: O) {
    let fd = os.socket(Family::Inet).unwrap();
    let copy = os.dup(fd).unwrap();
    os.close(fd).unwrap();
    assert_eq!(os.close(fd), Err(Errno::EBADF));
    assert_eq!(os.read(fd, &mut [0; 1]).await, Err(Errno::EBADF));
    assert_eq!(os.socket(Family::Inet), Ok(fd), "the lowest that is free");
    os.close(copy).unwrap();
}

async fn a_pipe_ends_with_its_last_writer<O: Os>(os: O) {
    let (reader, writer) = os.pipe().unwrap();
    let second = os.dup(writer).unwrap();
    os.write(writer, b"a").await.unwrap();
    os.close(writer).unwrap();
    os.write(second, b"b").await.unwrap();
    os.close(second).unwrap();
    let mut buf = [0; 8];
    assert_eq!(os.read(reader, &mut buf).await, Ok(2));
    assert_eq!(os.read(reader, &mut buf).await, Ok(0));
}

async fn a_signal_to_oneself_is_delivered_before_kill_returns<O: Os>(os: O) {
    let count = count(&os, Signal::SIGUSR1, false);
    os.kill(os.getpid(), Signal::SIGUSR1).await.unwrap();
    assert_eq!(count.get(), 1);
}

async fn blocked_signals_wait_and_do_not_queue<O: Os>(os: O) {
    let count = count(&os, Signal::SIGUSR1, false);
    let set = SignalSet::of(Signal::SIGUSR1);
    assert_eq!(os.sigprocmask(MaskHow::Block, set).await, Ok(SignalSet::EMPTY));
    for _ in 0..3 {
        os.kill(os.getpid(), Signal::SIGUSR1).await.unwrap();
    }
    assert_eq!(count.get(), 0);
    assert_eq!(os.sigprocmask(MaskHow::Unblock, set).await, Ok(set));
    assert_eq!(count.get(), 1);
}

async fn calls_want_a_socket_where_they_want_one<O: Os>(os: O) {
    let (reader, _) = os.pipe().unwrap();
    assert_eq!(os.accept(reader).await, Err(Errno::ENOTSOCK));
    assert_eq!(os.listen(reader, 1), Err(Errno::ENOTSOCK));
    assert_eq!(os.getpeername(reader), Err(Errno::ENOTSOCK));
    let fresh = os.socket(Family::Inet).unwrap();
    assert_eq!(os.getpeername(fresh), Err(Errno::ENOTCONN));
    assert_eq!(os.accept(fresh).await, Err(Errno::EINVAL));
}

async fn ignored_children_leave_no_zombies<O: Os>(os: O) {
    os.sigaction(Signal::SIGCHLD, Action::IGNORE).unwrap();
    os.fork(|_| async { 3 }).unwrap();
    assert_eq!(os.wait().await, Err(Errno::ECHILD));
}

async fn poll_tells_what_is_ready_and_what_is_none<O: Os>(os: O) {
    let (reader, writer) = os.pipe().unwrap();
    let fds = [(reader, PollEvents::IN), (writer, PollEvents::OUT), (Fd::from_raw(-1), PollEvents::IN)];
    let mut fds = fds.map(|(fd, events)| PollFd::new(fd, events));
    assert_eq!(os.poll(&mut fds, None).await, Ok(1));
    assert_eq!(fds.map(|fd| fd.revents), [PollEvents::NONE, PollEvents::OUT, PollEvents::NONE]);
    os.close(writer).unwrap();
    assert_eq!(os.poll(&mut fds, None).await, Ok(2));
    assert_eq!(fds.map(|fd| fd.revents), [PollEvents::HUP, PollEvents::NVAL, PollEvents::NONE]);
    assert_eq!(os.poll(&mut [], Some(Duration::from_millis(5))).await, Ok(0));
}

async fn sa_restart_lets_a_read_go_on<O: Os>(os: O) {
    let count = count(&os, Signal::SIGUSR1, true);
    let (reader, writer) = os.pipe().unwrap();
    interrupter(&os, Signal::SIGUSR1, Some(writer));
    assert_eq!(os.read(reader, &mut [0; 8]).await, Ok(1));
    assert_eq!(count.get(), 1);
}

async fn without_sa_restart_a_read_fails_with_eintr<O: Os>(os: O) {
    let count = count(&os, Signal::SIGUSR1, false);
    let (reader, writer) = os.pipe().unwrap();
    interrupter(&os, Signal::SIGUSR1, Some(writer));
    assert_eq!(os.read(reader, &mut [0; 8]).await, Err(Errno::EINTR));
    assert_eq!(count.get(), 1);
    assert_eq!(os.read(reader, &mut [0; 8]).await, Ok(1));
}

async fn sigpipe_kills_unless_it_is_ignored<O: Os>(os: O) {
    let (reader, writer) = os.pipe().unwrap();
    os.close(reader).unwrap();
    let child = os.fork(move |os: O| async move { os.write(writer, b"x").await.map_or(1, |_| 0) }).unwrap();
    assert_eq!(os.wait().await, Ok((child, WaitStatus::Signaled(Signal::SIGPIPE))));
    os.sigaction(Signal::SIGPIPE, Action::IGNORE).unwrap();
    assert_eq!(os.write(writer, b"x").await, Err(Errno::EPIPE));
}

async fn sleep_is_interrupted_even_with_sa_restart<O: Os>(os: O) {
    let count = count(&os, Signal::SIGUSR1, true);
    interrupter(&os, Signal::SIGUSR1, None);
    assert_eq!(os.sleep(Duration::from_secs(60)).await, Err(Errno::EINTR));
    assert_eq!(count.get(), 1);
}

async fn waitpid_with_wnohang_does_not_wait<O: Os>(os: O) {
    let count = count(&os, Signal::SIGCHLD, true);
    let (reader, writer) = os.pipe().unwrap();
    let child = os
        .fork(move |os: O| async move {
            os.close(writer).unwrap();
            os.read(reader, &mut [0; 1]).await.map_or(1, |len| len as i32)
        })
        .unwrap();
    assert_eq!(os.waitpid(Child::Any, true).await, Ok(None));
    os.close(writer).unwrap();
    assert_eq!(os.waitpid(Child::Any, false).await, Ok(Some((child, WaitStatus::Exited(0)))));
    assert_eq!(count.get(), 1, "delivered before waitpid returned");
}
