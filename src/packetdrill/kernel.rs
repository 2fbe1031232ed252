//! A script against this machine's kernel: a network namespace whose only link is a TUN device, and we at its other end.
//!
//! The calls are made by a thread of their own, for they may block. Both it and the namespace are gone with this process.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};

use super::assertion::Assertion;
use super::call::{Answer, Call, Fd, Flags, O_NONBLOCK, O_RDWR, Watched};
use super::host::{Host, local, local_addr, remote_addr};
use super::run::{Run, Trouble};
use super::script::Script;
use crate::errno::Errno;
use crate::os::unix::{Parent, be_prompt, io_errno, set_socket_option};
use crate::packet;
use crate::scenario::IpVersion;
use crate::stack::{How, Profile, System};
use crate::stage::laboratory::{LARGEST, Namespace, become_root};
use crate::stage::{FoundSocket, sockets};
use crate::time::SimTime;

/// Runs a script against this machine's kernel; `slack` is what the machine may be late, besides what the script allows.
/// How long it took.
pub(crate) fn run(script: &Script, slack: Duration, trace: &mut dyn Write) -> Result<Duration, Trouble> {
    become_root(Parent::of_this())?;
    // The kernel may wake us up to 50 µs late to save power: not here.
    nix::sys::prctl::set_timerslack(1).map_err(io::Error::from)?;
    _ = be_prompt();
    let settings = script.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let namespace = Namespace::new(&[local(script.ip)], script.mtu, false, settings)?;
    Run::new(script, slack, Kernel::new(namespace, script.ip)?, trace).finish()
}

struct Kernel {
    namespace: Namespace,
    start: Instant,
    calls: Sender<Call>,
    results: Receiver<(Instant, Result<Answer, Errno>)>,
    /// Can be read when there is a result.
    woken: UnixStream,
    returned: Option<(SimTime, Result<Answer, Errno>)>,
    sent: VecDeque<(SimTime, Bytes)>,
    buffer: Vec<u8>,
}

impl Kernel {
    fn new(namespace: Namespace, ip: IpVersion) -> io::Result<Kernel> {
        let (calls, to_make) = channel();
        let (made, results) = channel();
        let (woken, mut wake) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        // The thread is in the namespace of the one that makes it.
        thread::spawn(move || {
            let mut program = Program { ip, files: BTreeMap::new() };
            while let Ok(call) = to_make.recv() {
                let result = program.make(&call);
                // If nobody listens any more, the script has ended.
                if made.send((Instant::now(), result)).is_err() || wake.write_all(&[0]).is_err() {
                    break;
                }
            }
        });
        let buffer = vec![0; LARGEST];
        let start = Instant::now();
        Ok(Kernel { namespace, start, calls, results, woken, returned: None, sent: VecDeque::new(), buffer })
    }

    fn since_start(&self, at: Instant) -> SimTime {
        SimTime::ZERO + at.saturating_duration_since(self.start)
    }

    /// What has come of it.
    fn collect(&mut self) -> io::Result<()> {
        loop {
            match self.namespace.device.recv(&mut self.buffer) {
                Ok(len) => {
                    let packet = Bytes::copy_from_slice(&self.buffer[..len]);
                    // A kernel says other things as well.
                    if packet::parse(&packet).is_ok() {
                        self.sent.push_back((self.now(), packet));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // One octet for each result, and there is one at a time.
        if matches!(self.woken.read(&mut [0]), Ok(1)) {
            let (at, result) = self.results.recv().map_err(io::Error::other)?;
            self.returned = Some((self.since_start(at), result));
        }
        Ok(())
    }
}

impl Host for Kernel {
    fn now(&self) -> SimTime {
        self.since_start(Instant::now())
    }

    fn call(&mut self, call: Call) -> io::Result<()> {
        self.calls.send(call).map_err(io::Error::other)
    }

    fn returned(&mut self) -> Option<(SimTime, Result<Answer, Errno>)> {
        self.returned.take()
    }

    fn inject(&mut self, packet: Bytes) -> io::Result<()> {
        self.namespace.device.send(&packet).map(drop)
    }

    fn sent(&mut self) -> Option<(SimTime, Bytes)> {
        self.sent.pop_front()
    }

    fn wait(&mut self, until: SimTime) -> io::Result<()> {
        self.collect()?;
        if self.returned.is_none() && self.sent.is_empty() {
            let timeout = TimeSpec::from_duration(until.since(self.now()));
            let device = PollFd::new(self.namespace.device.as_fd(), PollFlags::POLLIN);
            let woken = PollFd::new(self.woken.as_fd(), PollFlags::POLLIN);
            match ppoll(&mut [device, woken], Some(timeout), None) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            self.collect()?;
        }
        Ok(())
    }
}

/// The process that makes the calls.
struct Program {
    ip: IpVersion,
    files: BTreeMap<Fd, Socket>,
}

/// Descriptors below are those that every process starts with.
const FIRST_FD: Fd = 3;

impl Program {
    fn make(&mut self, call: &Call) -> Result<Answer, Errno> {
        let zero = |()| Answer::of(0);
        let count = |octets: usize| Answer::of(octets as i64);
        let of_io = |error: io::Error| io_errno(&error);
        match call {
            Call::Socket => {
                let domain = if self.ip == IpVersion::V4 { Domain::IPV4 } else { Domain::IPV6 };
                let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map_err(of_io)?;
                // A machine may have another default than Linux has.
                _ = socket.set_tcp_congestion(Profile::of(System::REAL).congestion.name().as_bytes());
                Ok(self.open(socket))
            }
            Call::Bind(fd) => self.file(*fd)?.bind(&local_addr(self.ip).into()).map(zero).map_err(of_io),
            Call::Listen(fd, backlog) => {
                let backlog = i32::try_from(*backlog).unwrap_or(i32::MAX);
                self.file(*fd)?.listen(backlog).map(zero).map_err(of_io)
            }
            Call::Accept(fd) => {
                let (socket, _) = self.file(*fd)?.accept().map_err(of_io)?;
                Ok(self.open(socket))
            }
            Call::Connect(fd) => {
                self.file(*fd)?.connect(&remote_addr(self.ip).into()).map(zero).map_err(of_io)
            }
            Call::Read(fd, len, flags) => {
                let mut buffer = vec![MaybeUninit::uninit(); *len];
                self.file(*fd)?.recv_with_flags(&mut buffer, native(*flags)).map(count).map_err(of_io)
            }
            Call::Write(fd, len, flags) => {
                let flags = native(*flags) | libc::MSG_NOSIGNAL;
                self.file(*fd)?.send_with_flags(&vec![0; *len], flags).map(count).map_err(of_io)
            }
            Call::Shutdown(fd, how) => {
                let how = match how {
                    How::Read => std::net::Shutdown::Read,
                    How::Write => std::net::Shutdown::Write,
                    How::Both => std::net::Shutdown::Both,
                };
                self.file(*fd)?.shutdown(how).map(zero).map_err(of_io)
            }
            Call::Close(fd) => self.files.remove(fd).map(|_| Answer::of(0)).ok_or(Errno::EBADF),
            Call::SetOption(fd, option) => set_socket_option(self.file(*fd)?, *option).map(zero),
            Call::SetQuickAck(fd, on) => self.file(*fd)?.set_tcp_quickack(*on).map(zero).map_err(of_io),
            Call::Error(fd, _) => {
                let error = self.file(*fd)?.take_error().map_err(of_io)?;
                let number = error.map_or(0, |error| io_errno(&error) as i64);
                Ok(Answer { value: 0, written: vec![number] })
            }
            Call::Flags(fd) => {
                let is_nonblocking = self.file(*fd)?.nonblocking().map_err(of_io)?;
                Ok(Answer::of(O_RDWR | if is_nonblocking { O_NONBLOCK } else { 0 }))
            }
            Call::SetNonblocking(fd, on) => self.file(*fd)?.set_nonblocking(*on).map(zero).map_err(of_io),
            Call::Unread(fd, _) => {
                let octets =
                    rustix::io::ioctl_fionread(self.file(*fd)?).map_err(|error| io_errno(&error.into()))?;
                Ok(Answer { value: 0, written: vec![octets as i64] })
            }
            Call::Info(fd, asked) => self.info(*fd, asked),
            Call::Poll(watched, timeout) => self.poll(watched, *timeout),
        }
    }

    fn file(&self, fd: Fd) -> Result<&Socket, Errno> {
        self.files.get(&fd).ok_or(Errno::EBADF)
    }

    fn open(&mut self, socket: Socket) -> Answer {
        let fd = (FIRST_FD..).find(|fd| !self.files.contains_key(fd)).expect("a free number");
        self.files.insert(fd, socket);
        Answer::of(fd)
    }

    /// As `ss` asks for it.
    fn info(&self, fd: Fd, asked: &[Assertion]) -> Result<Answer, Errno> {
        let of_io = |error: io::Error| io_errno(&error);
        let socket = self.file(fd)?;
        let local = socket.local_addr().map_err(of_io)?.as_socket();
        let remote = socket.peer_addr().map_err(of_io)?.as_socket();
        let all = sockets().map_err(of_io)?;
        let is_it = |found: &&FoundSocket| Some(found.info.local) == local && found.info.remote == remote;
        let found = all.iter().find(is_it).ok_or(Errno::ENOTCONN)?;
        Ok(Answer::of_info(&found.info, asked))
    }

    fn poll(&self, watched: &[Watched], timeout: Option<Duration>) -> Result<Answer, Errno> {
        let mut all = Vec::with_capacity(watched.len());
        for Watched { fd, events, .. } in watched {
            let events = PollFlags::from_bits_truncate(*events as i16);
            all.push(PollFd::new(self.file(*fd)?.as_fd(), events));
        }
        let ready = ppoll(&mut all, timeout.map(TimeSpec::from_duration), None);
        let ready = ready.map_err(|errno| io_errno(&errno.into()))?;
        let revents = |file: &PollFd<'_>| file.revents().map_or(0, |flags| flags.bits().into());
        Ok(Answer { value: ready.into(), written: all.iter().map(revents).collect() })
    }
}

fn native(flags: Flags) -> i32 {
    let bit = |is: bool, bit: i32| if is { bit } else { 0 };
    bit(flags.dont_wait, libc::MSG_DONTWAIT) | bit(flags.peek, libc::MSG_PEEK)
}
