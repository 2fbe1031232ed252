//! One socket of one host, owned: dropping it closes it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{Interest, Ready};

use super::host::{AttachedHost, Deferred};
use super::waits::Side;
use crate::errno::Errno;
use crate::stack::{Options, Profile, Readiness, SocketId, SocketOption, Stack};
use crate::time::SimTime;

pub(super) struct Socket {
    pub(super) host: Arc<AttachedHost>,
    pub(super) id: SocketId,
}

impl Socket {
    /// A new one, neither bound nor connected.
    pub(super) fn new(host: Arc<AttachedHost>) -> io::Result<Socket> {
        let id = host.call(|state, _| state.stack.socket())?;
        Ok(Socket { host, id })
    }

    /// A call that does not wait: what would is [`io::ErrorKind::WouldBlock`].
    pub(super) fn call<R>(
        &self,
        call: impl FnOnce(&mut Stack, SimTime, SocketId) -> Result<R, Errno>,
    ) -> io::Result<R> {
        Ok(self.host.call(|state, now| call(&mut state.stack, now, self.id))??)
    }

    /// A call that waits for its side of the socket as long as it says EAGAIN or EALREADY.
    pub(super) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        side: Side,
        call: impl FnOnce(&mut Stack, SimTime, SocketId) -> Result<R, Errno>,
    ) -> Poll<io::Result<R>> {
        let called = self.host.call(|state, now| {
            let result = call(&mut state.stack, now, self.id);
            if let Err(Errno::EAGAIN | Errno::EALREADY) = result {
                state.waits(self.id).add(side, cx.waker());
            }
            result
        });
        match called {
            Ok(Err(Errno::EAGAIN | Errno::EALREADY)) => Poll::Pending,
            Ok(result) => Poll::Ready(result.map_err(io::Error::from)),
            Err(down) => Poll::Ready(Err(down)),
        }
    }

    /// What of `interest` is ready; waits while nothing is.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<Ready>> {
        let called = self.host.call(|state, _| {
            let ready = ready_of(state.stack.readiness(self.id), interest);
            if ready.is_empty() {
                let waits = state.waits(self.id);
                if interest.is_readable() || interest.is_error() {
                    waits.add(Side::Read, cx.waker());
                }
                if interest.is_writable() {
                    waits.add(Side::Write, cx.waker());
                }
            }
            ready
        });
        match called {
            Ok(ready) if ready.is_empty() => Poll::Pending,
            other => Poll::Ready(other),
        }
    }

    /// What of `interest` is ready now.
    pub(super) fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.host.call(|state, _| ready_of(state.stack.readiness(self.id), interest))
    }

    pub(super) fn set(&self, option: SocketOption) -> io::Result<()> {
        self.call(|stack, now, id| stack.set_option(now, id, option))
    }

    pub(super) fn option<R>(&self, option: impl FnOnce(&Options, &Profile) -> R) -> io::Result<R> {
        self.call(|stack, _, id| stack.options(id).map(|options| option(options, stack.profile())))
    }

    pub(super) fn linger(&self) -> io::Result<Option<Duration>> {
        self.option(|options, _| options.linger)
    }

    /// IP_TTL; `hops` is checked as Linux does.
    pub(super) fn set_ttl(&self, hops: u32) -> io::Result<()> {
        let hops = u8::try_from(hops).ok().filter(|hops| *hops > 0).ok_or(Errno::EINVAL)?;
        self.set(SocketOption::HopLimit(hops))
    }

    pub(super) fn ttl(&self) -> io::Result<u32> {
        self.option(|options, _| options.hop_limit.into())
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.call(|stack, _, id| stack.local_addr(id))
    }

    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.call(|stack, _, id| Ok(stack.take_error(id).map(io::Error::from)))
    }
}

fn ready_of(readiness: Readiness, interest: Interest) -> Ready {
    let mut ready = Ready::EMPTY;
    let mut add = |is: bool, what: Ready| {
        if is {
            ready |= what;
        }
    };
    if interest.is_readable() {
        add(readiness.readable, Ready::READABLE);
        add(readiness.read_hangup, Ready::READ_CLOSED);
    }
    if interest.is_writable() {
        add(readiness.writable, Ready::WRITABLE);
        add(readiness.hangup, Ready::WRITE_CLOSED);
    }
    if interest.is_error() {
        add(readiness.error, Ready::ERROR);
    }
    ready
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.host.defer(Deferred::Close(self.id));
    }
}
