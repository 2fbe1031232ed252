//! The concurrent server of fig. 5.12, grown up: it survives what `accept`, `fork` and its clients may say.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::log::{Level, Log};
use super::session::{Buffer, echo};
use crate::os::unix::{Parent, UnixOs};
use crate::os::{
    Action, Child, Disposition, Errno, Family, Fd, Handler, Os, Pid, PollEvents, PollFd, Signal,
    SocketOption, WaitStatus,
};

/// What the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Where it listens; port 0 asks for any that is free.
    pub listen: SocketAddr,
    /// How many connections may wait for `accept`.
    pub backlog: usize,
    /// How many children it has at most; more connections wait in the backlog.
    pub max_children: NonZeroUsize,
    /// After so long without a word a connection is closed; `None` waits for ever.
    pub idle_timeout: Option<Duration>,
    /// After a signal to end, children may go on for so long before they are ended; a second signal cuts it short.
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
            max_children: NonZeroUsize::new(4096).unwrap(),
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
/// How long a connection is kept that no child can be had for.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many of these are kept; more wait in the backlog.
const KEPT: usize = 64;
/// The greatest status that a child ends with by itself. It says how many lines of the log the child could not write; one
/// that panics ends with another.
const MOST_DROPPED: i32 = 100;
/// Signals that ask the server to end.
const ENDING: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// Serves until SIGTERM, SIGINT, SIGHUP or SIGQUIT: then it stops listening, waits for its children, and ends those that
/// take too long. Exit status 0; 1 if it cannot listen.
pub(super) async fn server(os: UnixOs, options: ServeOptions) -> i32 {
    let state = State {
        buffer: Buffer::new(),
        log: Log::new(options.log),
        children: RefCell::default(),
        child_ended: Cell::default(),
        told_to_end: Cell::default(),
    };
    let server = Server { os, options, state: Rc::new(state) };
    match server.listen() {
        Ok((listenfd, addr)) => {
            server.say(Level::Info, format_args!("listening on {addr}"));
            server.catch_signals();
            let status = server.accept_until_told(listenfd).await;
            _ = server.os.close(listenfd);
            server.end_children().await;
            server.say(Level::Info, format_args!("ended"));
            status
        }
        Err((call, errno)) => {
            let listen = server.options.listen;
            server.say(Level::Error, format_args!("{call} {listen}: {}", errno.message()));
            1
        }
    }
}

#[derive(Clone)]
struct Server {
    os: UnixOs,
    options: ServeOptions,
    state: Rc<State>,
}

/// What outlasts a call, and what the handlers change.
struct State {
    buffer: Buffer,
    log: Log,
    children: RefCell<BTreeMap<Pid, SocketAddr>>,
    child_ended: Cell<bool>,
    /// How often.
    told_to_end: Cell<u32>,
}

/// A connection that no child could be had for yet.
struct Kept {
    connfd: Fd,
    peer: SocketAddr,
    since: Instant,
}

impl Server {
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
            state.told_to_end.set(state.told_to_end.get() + 1);
            async {}
        });
        self.act(Signal::SIGCHLD, Action::handle(ended));
        // 5.13: a write to a client that is gone shall fail, not kill.
        self.act(Signal::SIGPIPE, Action::IGNORE);
        for signal in ENDING {
            let before = self.act(signal, Action::handle(end.clone()));
            if matches!(before.disposition, Disposition::Ignore) {
                self.act(signal, Action::IGNORE); // nohup
            }
        }
    }

    fn act(&self, signal: Signal, action: Action<UnixOs>) -> Action<UnixOs> {
        self.os.sigaction(signal, action).expect("these signals can be caught")
    }

    async fn accept_until_told(&self, listenfd: Fd) -> i32 {
        // Connections that have no child yet, and when the next attempt is made to get one.
        let mut kept: VecDeque<Kept> = VecDeque::new();
        let mut next_attempt = Instant::now();
        let mut back_off = BACK_OFF.0;
        let status = loop {
            if self.is_told() {
                break 0;
            }
            if self.state.child_ended.take() {
                self.reap().await;
                continue; // told meanwhile, perhaps, or another has ended
            }
            let max_children = self.options.max_children.get();
            if self.state.children.borrow().len() >= max_children {
                self.say(Level::Debug, format_args!("{max_children} children: waiting for one to end"));
                self.wait(BACK_OFF.1).await;
                continue;
            }
            if let Some(oldest) = kept.front()
                && Instant::now() >= next_attempt
            {
                match self.hand_over(listenfd, oldest) {
                    Ok(()) => back_off = BACK_OFF.0,
                    Err(errno) => {
                        let given_up = oldest.since.elapsed() >= PATIENCE;
                        self.say_no_child(oldest.peer, errno, (!given_up).then_some(back_off));
                        next_attempt = Instant::now() + back_off;
                        back_off = (back_off * 2).min(BACK_OFF.1);
                        if !given_up {
                            continue;
                        }
                    }
                }
                let done = kept.pop_front().expect("the oldest");
                _ = self.os.close(done.connfd);
                continue;
            }
            if !kept.is_empty() {
                let left = next_attempt.saturating_duration_since(Instant::now());
                if kept.len() >= KEPT {
                    self.wait(left).await;
                    continue;
                }
                let listener = &mut [PollFd::new(listenfd, PollEvents::IN)];
                if !matches!(self.os.poll(listener, Some(left)).await, Ok(1)) {
                    continue;
                }
            }
            match self.os.accept(listenfd).await {
                Ok((connfd, peer)) => {
                    if kept.is_empty() {
                        (next_attempt, back_off) = (Instant::now(), BACK_OFF.0);
                    }
                    kept.push_back(Kept { connfd, peer, since: Instant::now() });
                }
                Err(Errno::EINTR) => {}
                Err(errno) if is_about_one_connection(errno) => {
                    self.say(Level::Debug, format_args!("accept: {}", errno.message()));
                }
                Err(
                    errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM | Errno::EAGAIN),
                ) => {
                    self.say(Level::Warn, format_args!("accept: {}; again in {back_off:?}", errno.message()));
                    self.wait(back_off).await;
                    back_off = (back_off * 2).min(BACK_OFF.1);
                }
                Err(errno) => {
                    self.say(Level::Error, format_args!("accept: {}", errno.message()));
                    break 1;
                }
            }
        };
        for Kept { connfd, .. } in kept {
            _ = self.os.close(connfd);
        }
        status
    }

    fn is_told(&self) -> bool {
        self.state.told_to_end.get() > 0
    }

    fn say_no_child(&self, peer: SocketAddr, errno: Errno, again: Option<Duration>) {
        let errno = errno.message();
        match again {
            Some(span) => self.say(Level::Warn, format_args!("{peer}: fork: {errno}; again in {span:?}")),
            None => self.say(Level::Warn, format_args!("{peer}: fork: {errno}; given up")),
        }
    }

    /// Gives a connection to a child of its own.
    fn hand_over(&self, listenfd: Fd, connection: &Kept) -> Result<(), Errno> {
        let Kept { connfd, peer, .. } = *connection;
        let (server, parent) = (self.clone(), Parent::this());
        let pid = self.os.fork(move |os| async move {
            let server = Server { os, ..server };
            server.state.log.begin_anew();
            // A server that was killed ends no child: the kernel has to.
            if parent.takes_along(nix::sys::signal::SIGTERM).is_ok() {
                server.serve(listenfd, connfd, peer).await;
            }
            server.state.log.dropped().try_into().unwrap_or(i32::MAX).min(MOST_DROPPED)
        })?;
        self.state.children.borrow_mut().insert(pid, peer);
        self.say(Level::Debug, format_args!("{peer}: child {pid}"));
        Ok(())
    }

    /// The child. Of the signals to the terminal's whole process group none is for it: its parent decides when it ends.
    async fn serve(&self, listenfd: Fd, connfd: Fd, peer: SocketAddr) {
        for signal in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
            self.act(signal, Action::IGNORE);
        }
        for signal in [Signal::SIGCHLD, Signal::SIGTERM] {
            self.act(signal, Action::DEFAULT);
        }
        if self.is_told() {
            return; // told between the fork and here
        }
        _ = self.os.close(listenfd);
        let (octets, end) = echo(&self.os, connfd, self.options.idle_timeout, &self.state.buffer).await;
        self.say(Level::Info, format_args!("{peer}: {octets} octets, {end}"));
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
                    let Some(peer) = self.state.children.borrow_mut().remove(&pid) else { continue };
                    match status {
                        WaitStatus::Signaled(signal) => {
                            self.say(Level::Warn, format_args!("{peer}: child {pid} was killed by {signal}"));
                        }
                        WaitStatus::Exited(lines) if i32::from(lines) <= MOST_DROPPED => {
                            self.state.log.drop_lines(lines.into());
                        }
                        WaitStatus::Exited(status) => {
                            self.say(Level::Warn, format_args!("{peer}: child {pid} exited with {status}"));
                        }
                    }
                }
                Err(Errno::EINTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Grace, then SIGTERM, then SIGKILL. Another signal to end cuts each of them short.
    async fn end_children(&self) {
        if self.all_end_within(self.options.grace).await {
            return;
        }
        for (signal, span) in [(Signal::SIGTERM, LAST_WORDS), (Signal::SIGKILL, Duration::MAX)] {
            let pids: Vec<Pid> = self.state.children.borrow().keys().copied().collect();
            self.say(Level::Warn, format_args!("{signal} to {} children", pids.len()));
            for pid in pids {
                _ = self.os.kill(pid, signal).await; // ESRCH: it has just ended
            }
            if self.all_end_within(span).await {
                return;
            }
        }
    }

    /// Whether all have ended before `span` is over, or another signal has come.
    async fn all_end_within(&self, span: Duration) -> bool {
        let (start, told) = (Instant::now(), self.state.told_to_end.get());
        loop {
            self.state.child_ended.set(false);
            self.reap().await;
            if self.state.children.borrow().is_empty() {
                return true;
            }
            if start.elapsed() >= span || self.state.told_to_end.get() > told {
                return false;
            }
            // A signal ends this sooner.
            _ = self.os.sleep(TICK).await;
        }
    }

    fn say(&self, level: Level, message: fmt::Arguments<'_>) {
        self.state.log.say(level, message);
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
