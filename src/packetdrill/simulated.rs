//! A script against our own stack, in no time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;

use super::call::{self, Answer, Call, Fd, Flags, O_NONBLOCK, O_RDWR, Watched};
use super::host::{Host, local, local_addr, remote_addr};
use super::run::{Run, Trouble};
use super::script::Script;
use crate::errno::Errno;
use crate::scenario::IpVersion;
use crate::stack::{Config, Profile, Readiness, SocketId, Stack};
use crate::time::SimTime;
use crate::timeline::Recorder;

/// Runs a script against the TCP of a profile; how long it took, in its own time.
pub(crate) fn run(
    script: &Script,
    profile: &Profile,
    seed: u64,
    trace: &mut dyn Write,
) -> Result<Duration, Trouble> {
    let mut profile = profile.clone();
    for (key, value) in &script.settings {
        profile.set(key, value).map_err(|expected| {
            Trouble::Setting(format!("{key}: {value:?} will not do: expected {expected}"))
        })?;
    }
    let config =
        Config { addrs: vec![local(script.ip)], profile, mtu: script.mtu, seed, shares_segment: false };
    let host = Simulated {
        ip: script.ip,
        stack: Stack::new(config, Recorder::off("host")),
        now: SimTime::ZERO,
        files: BTreeMap::new(),
        blocked: None,
        returned: None,
        sent: VecDeque::new(),
    };
    Run::new(script, Duration::ZERO, host, trace).finish()
}

struct Simulated {
    ip: IpVersion,
    stack: Stack,
    now: SimTime,
    files: BTreeMap<Fd, File>,
    blocked: Option<Blocked>,
    returned: Option<(SimTime, Result<Answer, Errno>)>,
    sent: VecDeque<(SimTime, Bytes)>,
}

/// An open descriptor.
#[derive(Clone, Copy)]
struct File {
    socket: SocketId,
    is_nonblocking: bool,
}

/// A call that waits.
struct Blocked {
    call: Call,
    /// When it stops waiting.
    until: Option<SimTime>,
    /// Octets that have been written.
    done: usize,
}

/// Descriptors below are those that every process starts with.
const FIRST_FD: Fd = 3;

impl Host for Simulated {
    fn now(&self) -> SimTime {
        self.now
    }

    fn call(&mut self, call: Call) -> io::Result<()> {
        let until = match &call {
            Call::Poll(_, Some(span)) => Some(self.now + *span),
            _ => None,
        };
        self.blocked = Some(Blocked { call, until, done: 0 });
        self.look();
        Ok(())
    }

    fn returned(&mut self) -> Option<(SimTime, Result<Answer, Errno>)> {
        self.returned.take()
    }

    fn inject(&mut self, packet: Bytes) -> io::Result<()> {
        self.stack.receive(self.now, packet);
        self.look();
        Ok(())
    }

    fn sent(&mut self) -> Option<(SimTime, Bytes)> {
        self.sent.pop_front()
    }

    fn wait(&mut self, until: SimTime) -> io::Result<()> {
        while self.returned.is_none() && self.sent.is_empty() {
            let ends = self.blocked.as_ref().and_then(|blocked| blocked.until);
            let deadline = [self.stack.next_deadline(), ends].into_iter().flatten().min();
            let Some(at) = deadline.filter(|at| *at <= until) else {
                self.now = self.now.max(until);
                break;
            };
            self.now = self.now.max(at);
            self.stack.fire_next(self.now);
            self.look();
        }
        Ok(())
    }
}

impl Simulated {
    /// Something has happened: a call may return, packets may leave.
    fn look(&mut self) {
        while self.stack.poll_event().is_some() {}
        if let Some(mut blocked) = self.blocked.take() {
            match self.attempt(&mut blocked) {
                Some(result) => self.returned = Some((self.now, result)),
                None => self.blocked = Some(blocked),
            }
        }
        while let Some(packet) = self.stack.transmit() {
            self.sent.push_back((self.now, packet));
        }
    }

    /// Tries the call; `None` if it waits.
    fn attempt(&mut self, blocked: &mut Blocked) -> Option<Result<Answer, Errno>> {
        let Blocked { call, until, done } = blocked;
        let has_waited = until.is_some_and(|until| until <= self.now);
        let result = self.answer(call, has_waited, done);
        if matches!(result, Err(Errno::EAGAIN)) && self.waits(call) { None } else { Some(result) }
    }

    /// Whether the call waits where another would fail with EAGAIN.
    fn waits(&self, call: &Call) -> bool {
        match call {
            Call::Read(_, _, flags) | Call::Write(_, _, flags) if flags.dont_wait => false,
            Call::Read(fd, ..) | Call::Write(fd, ..) | Call::Accept(fd) | Call::Connect(fd) => {
                self.files.get(fd).is_some_and(|file| !file.is_nonblocking)
            }
            Call::Poll(..) => true,
            _ => false,
        }
    }

    /// What the call says; EAGAIN if it has to wait.
    fn answer(&mut self, call: &Call, has_waited: bool, done: &mut usize) -> Result<Answer, Errno> {
        let now = self.now;
        let socket = |fd: &Fd| self.files.get(fd).map(|file| file.socket).ok_or(Errno::EBADF);
        let zero = |()| Answer::of(0);
        match call {
            Call::Socket => {
                let socket = self.stack.socket();
                Ok(Answer::of(self.open(socket)))
            }
            Call::Bind(fd) => self.stack.bind(socket(fd)?, local_addr(self.ip)).map(zero),
            Call::Listen(fd, backlog) => self.stack.listen(socket(fd)?, *backlog).map(zero),
            Call::Accept(fd) => {
                let (socket, _) = self.stack.accept(now, socket(fd)?)?;
                Ok(Answer::of(self.open(socket)))
            }
            Call::Connect(fd) => {
                let is_nonblocking = self.files.get(fd).is_some_and(|file| file.is_nonblocking);
                match self.stack.connect(now, socket(fd)?, remote_addr(self.ip)) {
                    Err(Errno::EINPROGRESS | Errno::EALREADY) if !is_nonblocking => Err(Errno::EAGAIN),
                    result => result.map(zero),
                }
            }
            Call::Read(fd, len, Flags { peek, .. }) => {
                let socket = socket(fd)?;
                let mut buffer = vec![0; *len];
                let read = match peek {
                    true => self.stack.peek(now, socket, &mut buffer),
                    false => self.stack.read(now, socket, &mut buffer),
                }?;
                Ok(Answer::of(read as i64))
            }
            Call::Write(fd, len, _) => {
                let written = self.stack.write(now, socket(fd)?, &vec![0; *len - *done]);
                match written {
                    Ok(octets) => *done += octets,
                    // What has been written counts more than why no more can be.
                    Err(errno) if errno != Errno::EAGAIN && *done == 0 => return Err(errno),
                    Err(errno) if errno != Errno::EAGAIN => return Ok(Answer::of(*done as i64)),
                    Err(_) => {}
                }
                if *done == *len || *done > 0 && !self.waits(call) {
                    return Ok(Answer::of(*done as i64));
                }
                Err(Errno::EAGAIN)
            }
            Call::Shutdown(fd, how) => self.stack.shutdown(now, socket(fd)?, *how).map(zero),
            Call::Close(fd) => {
                let socket = socket(fd)?;
                self.files.remove(fd);
                self.stack.close(now, socket);
                Ok(Answer::of(0))
            }
            Call::SetOption(fd, option) => self.stack.set_option(now, socket(fd)?, *option).map(zero),
            Call::SetQuickAck(fd, on) => self.stack.set_quick_ack(now, socket(fd)?, *on).map(zero),
            Call::Error(fd, _) => {
                let errno = self.stack.take_error(socket(fd)?);
                Ok(Answer { value: 0, written: vec![errno.map_or(0, |errno| errno as i64)] })
            }
            Call::Flags(fd) => {
                let file = self.files.get(fd).ok_or(Errno::EBADF)?;
                Ok(Answer::of(O_RDWR | if file.is_nonblocking { O_NONBLOCK } else { 0 }))
            }
            Call::SetNonblocking(fd, on) => {
                self.files.get_mut(fd).ok_or(Errno::EBADF)?.is_nonblocking = *on;
                Ok(Answer::of(0))
            }
            Call::Unread(fd, _) => {
                let unread = self.stack.socket_info(now, socket(fd)?).map_or(0, |info| info.recv_q);
                Ok(Answer { value: 0, written: vec![unread as i64] })
            }
            Call::Info(fd, asked) => {
                let info = self.stack.socket_info(now, socket(fd)?).ok_or(Errno::ENOTCONN)?;
                Ok(Answer::of_info(&info, asked))
            }
            Call::Poll(watched, _) => {
                let written: Vec<i64> = watched.iter().map(|watched| self.revents(watched)).collect();
                let ready = written.iter().filter(|revents| **revents != 0).count();
                if ready == 0 && !has_waited {
                    return Err(Errno::EAGAIN);
                }
                Ok(Answer { value: ready as i64, written })
            }
        }
    }

    fn open(&mut self, socket: SocketId) -> Fd {
        let fd = (FIRST_FD..).find(|fd| !self.files.contains_key(fd)).expect("a free number");
        self.files.insert(fd, File { socket, is_nonblocking: false });
        fd
    }

    fn revents(&self, watched: &Watched) -> i64 {
        const POLLNVAL: i64 = 0x20;
        let Some(file) = self.files.get(&watched.fd) else { return POLLNVAL };
        let Readiness { readable, writable, error, hangup, read_hangup } = self.stack.readiness(file.socket);
        let asked = [(readable, call::POLLIN), (writable, call::POLLOUT), (read_hangup, call::POLLRDHUP)];
        let always = [(error, call::POLLERR), (hangup, call::POLLHUP)];
        let bits =
            |all: &[(bool, i64)]| all.iter().filter(|(is, _)| *is).fold(0, |bits, (_, bit)| bits | bit);
        bits(&asked) & watched.events | bits(&always)
    }
}
