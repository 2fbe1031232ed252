//! The concurrent server of fig. 5.12, grown up: it survives what `accept`, `fork` and its clients may say.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::log::{Level, log};
use super::session::{Buffer, echo};
use crate::os::{
    Action, Child, Errno, Family, Fd, Handler, MaskHow, Os, Pid, Signal, SignalSet, SocketOption, WaitStatus,
};

/// What the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Where it listens; port 0 asks for any that is free.
    pub listen: SocketAddr,
    /// How many connections may wait for `accept`.
    pub backlog: usize,
    /// How many children it has at most; more connections wait in the backlog.
    pub max_children: usize,
    /// After so long without a word a connection is closed; `None` waits for ever.
    pub idle_timeout: Option<Duration>,
    /// After SIGTERM children may go on for so long before they are killed.
    pub grace: Duration,
    /// How much is told on standard error.
    pub log: Level,
}

impl ServeOptions {
    /// A backlog of 1024 (LISTENQ), at most 4096 children, no idle timeout, ten seconds of grace.
    pub const fn new(listen: SocketAddr) -> ServeOptions {
        ServeOptions {
            listen,
            backlog: 1024,
            max_children: 4096,
            idle_timeout: None,
            grace: Duration::from_secs(10),
            log: Level::Info,
        }
    }
}

/// Between looks at whether the children have ended.
const TICK: Duration = Duration::from_millis(20);
/// Between SIGTERM and SIGKILL for children that outlived the grace.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long the server waits when the system has no descriptor or process to give; doubled each time.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// How often a child is asked for before its connection is given up.
const FORK_ATTEMPTS: u32 = 10;

/// Serves until SIGTERM or SIGINT: then it stops listening, waits for its children, and ends those that take too
/// long. Exit status 0; 1 if it cannot listen.
pub async fn server<O: Os>(os: O, options: ServeOptions) -> i32 {
    let server = Server { os, options, state: Rc::new(State { buffer: Buffer::new(), ..State::default() }) };
    match server.listen() {
        Ok((listenfd, addr)) => {
            server.say(Level::Info, format_args!("listening on {addr}")).await;
            server.catch_signals();
            let status = server.accept_until_told(listenfd).await;
            _ = server.os.close(listenfd);
            server.end_children().await;
            server.say(Level::Info, format_args!("ended")).await;
            status
        }
        Err((call, errno)) => {
            let listen = server.options.listen;
            server.say(Level::Error, format_args!("{call} {listen}: {}", errno.message())).await;
            1
        }
    }
}

#[derive(Clone)]
struct Server<O> {
    os: O,
    options: ServeOptions,
    state: Rc<State>,
}

/// What outlasts a call, and what the handlers change.
#[derive(Default)]
struct State {
    buffer: Buffer,
    children: RefCell<BTreeMap<Pid, SocketAddr>>,
    child_ended: Cell<bool>,
    told_to_end: Cell<bool>,
}

impl<O: Os> Server<O> {
    fn listen(&self) -> Result<(Fd, SocketAddr), (&'static str, Errno)> {
        let (os, addr) = (&self.os, self.options.listen);
        let named = |call| move |errno| (call, errno);
        let listenfd = os.socket(Family::of(addr)).map_err(named("socket"))?;
        os.setsockopt(listenfd, SocketOption::ReuseAddr(true)).map_err(named("setsockopt"))?;
        os.bind(listenfd, addr).map_err(named("bind"))?;
        os.listen(listenfd, self.options.backlog).map_err(named("listen"))?;
        Ok((listenfd, os.getsockname(listenfd).map_err(named("getsockname"))?))
    }

    /// The handlers only note what has come, and restart no call: after each the loop looks at what has changed. (Were
    /// the children waited for in there, every child would inherit the memory which that took.)
    fn catch_signals(&self) {
        let state = self.state.clone();
        let ended = Handler::new(move |_, _| {
            state.child_ended.set(true);
            async {}
        });
        let state = self.state.clone();
        let end = Handler::new(move |_, _| {
            state.told_to_end.set(true);
            async {}
        });
        let actions = [
            (Signal::SIGCHLD, Action::handle(ended)),
            (Signal::SIGTERM, Action::handle(end.clone())),
            (Signal::SIGINT, Action::handle(end)),
            // 5.13: a write to a client that is gone shall fail, not kill.
            (Signal::SIGPIPE, Action::IGNORE),
        ];
        for (signal, action) in actions {
            self.os.sigaction(signal, action).expect("these signals can be caught");
        }
    }

    async fn accept_until_told(&self, listenfd: Fd) -> i32 {
        let mut wait = BACK_OFF.0;
        while !self.state.told_to_end.get() {
            if self.state.child_ended.take() {
                self.reap().await;
                continue; // told meanwhile, perhaps, or another has ended
            }
            if self.state.children.borrow().len() >= self.options.max_children {
                self.say(
                    Level::Debug,
                    format_args!("{} children: waiting for one to end", self.options.max_children),
                )
                .await;
                self.wait(BACK_OFF.1).await;
                continue;
            }
            match self.os.accept(listenfd).await {
                Ok((connfd, peer)) => {
                    wait = BACK_OFF.0;
                    self.hand_over(listenfd, connfd, peer).await;
                }
                Err(Errno::EINTR) => {}
                Err(errno) if is_about_one_connection(errno) => {
                    self.say(Level::Debug, format_args!("accept: {}", errno.message())).await;
                }
                Err(
                    errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM | Errno::EAGAIN),
                ) => {
                    self.say(Level::Warn, format_args!("accept: {}; again in {wait:?}", errno.message()))
                        .await;
                    self.wait(wait).await;
                    wait = (wait * 2).min(BACK_OFF.1);
                }
                Err(errno) => {
                    self.say(Level::Error, format_args!("accept: {}", errno.message())).await;
                    return 1;
                }
            }
        }
        0
    }

    /// Gives a connection to a child of its own.
    async fn hand_over(&self, listenfd: Fd, connfd: Fd, peer: SocketAddr) {
        let mut wait = BACK_OFF.0;
        for attempt in 1..=FORK_ATTEMPTS {
            let server = self.clone();
            let child = self.os.fork(move |os| async move {
                Server { os, ..server }.serve(listenfd, connfd, peer).await;
                0
            });
            match child {
                Ok(pid) => {
                    self.state.children.borrow_mut().insert(pid, peer);
                    self.say(Level::Debug, format_args!("{peer}: child {pid}")).await;
                    break;
                }
                Err(errno) if attempt == FORK_ATTEMPTS || self.state.told_to_end.get() => {
                    self.say(Level::Warn, format_args!("{peer}: fork: {}; given up", errno.message())).await;
                    break;
                }
                Err(errno) => {
                    self.say(
                        Level::Warn,
                        format_args!("{peer}: fork: {}; again in {wait:?}", errno.message()),
                    )
                    .await;
                    self.wait(wait).await;
                    wait = (wait * 2).min(BACK_OFF.1);
                }
            }
        }
        _ = self.os.close(connfd);
    }

    /// The child.
    async fn serve(&self, listenfd: Fd, connfd: Fd, peer: SocketAddr) {
        for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT] {
            self.os.sigaction(signal, Action::DEFAULT).expect("these signals can be caught");
        }
        if self.state.told_to_end.get() {
            return; // told between the fork and here
        }
        _ = self.os.close(listenfd);
        let (octets, end) = echo(&self.os, connfd, self.options.idle_timeout, &self.state.buffer).await;
        self.say(Level::Info, format_args!("{peer}: {octets} octets, {end}")).await;
    }

    /// Lets time pass, but no longer than until a child has ended: there may be room again.
    async fn wait(&self, span: Duration) {
        if !self.state.child_ended.get() {
            _ = self.os.sleep(span).await;
        }
        if self.state.child_ended.take() {
            self.reap().await;
        }
    }

    /// Waits for every child that has ended: signals do not queue, so one SIGCHLD may stand for many (5.10).
    async fn reap(&self) {
        loop {
            match self.os.waitpid(Child::Any, true).await {
                Ok(Some((pid, status))) => {
                    let peer = self.state.children.borrow_mut().remove(&pid);
                    if let (Some(peer), WaitStatus::Signaled(signal)) = (peer, status) {
                        self.say(Level::Warn, format_args!("{peer}: child {pid} was killed by {signal}"))
                            .await;
                    }
                }
                Err(Errno::EINTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Grace, then SIGTERM, then SIGKILL.
    async fn end_children(&self) {
        let ours = SignalSet::of(Signal::SIGCHLD).with(Signal::SIGTERM).with(Signal::SIGINT);
        // From here on they are looked at by the clock, and no signal cuts a wait short.
        _ = self.os.sigprocmask(MaskHow::Block, ours).await;
        if self.all_end_within(self.options.grace).await {
            return;
        }
        for (signal, span) in [(Signal::SIGTERM, LAST_WORDS), (Signal::SIGKILL, Duration::MAX)] {
            let pids: Vec<Pid> = self.state.children.borrow().keys().copied().collect();
            self.say(Level::Warn, format_args!("{signal} to {} children", pids.len())).await;
            for pid in pids {
                _ = self.os.kill(pid, signal).await; // ESRCH: it has just ended
            }
            if self.all_end_within(span).await {
                return;
            }
        }
    }

    async fn all_end_within(&self, span: Duration) -> bool {
        let mut waited = Duration::ZERO;
        loop {
            self.reap().await;
            if self.state.children.borrow().is_empty() {
                return true;
            }
            if waited >= span {
                return false;
            }
            _ = self.os.sleep(TICK).await;
            waited += TICK;
        }
    }

    async fn say(&self, level: Level, message: std::fmt::Arguments<'_>) {
        log(&self.os, self.options.log, level, message).await;
    }
}

/// Errors of a connection that is already gone, which Linux's `accept` passes on (accept(2)).
fn is_about_one_connection(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ECONNABORTED
            | Errno::EPROTO
            | Errno::ECONNRESET
            | Errno::ENETDOWN
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH
            | Errno::ETIMEDOUT
    )
}
