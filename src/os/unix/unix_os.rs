//! [`UnixOs`]: how a call is made and recorded.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;

use super::errors::io_errno;
use super::event_pipe::EventPipe;
use super::io::address;
use super::persona::Persona;
use super::process::Process;
use super::raw;
use crate::os::returned::Returned;
use crate::os::{Errno, Fd, SignalSet};
use crate::time::SimTime;
use crate::timeline::{Call, ConnectionId, Kind, SystemCall, Waiting};

/// This process, on the machine's own kernel.
#[derive(Clone)]
pub struct UnixOs {
    pub(super) process: Rc<Process>,
    pub(super) within: Option<&'static str>,
}

/// A call that has been made.
pub(super) struct Entered {
    pub(super) since: SimTime,
    /// The connection it is about, where its descriptor will no longer tell.
    pub(super) connection: Option<ConnectionId>,
}

impl UnixOs {
    /// This process as a program called `name`, with its standard streams and nothing else; what it does is
    /// written to `events` if there is such a pipe.
    ///
    /// Signals do from here on what they do to a C program: the standard library's SIGPIPE is default again.
    pub fn new(name: &str, events: Option<EventPipe>) -> UnixOs {
        UnixOs::on(Persona::default(), name, events)
    }

    /// The same on a host that differs from this machine.
    pub fn on(persona: Persona, name: &str, events: Option<EventPipe>) -> UnixOs {
        raw::be_ordinary();
        UnixOs { process: Rc::new(Process::new(name, events, persona)), within: None }
    }

    pub(super) fn without_label(&self) -> UnixOs {
        UnixOs { within: None, ..self.clone() }
    }

    pub(super) fn enter(&self) -> Entered {
        let since = self.process.events.as_ref().map_or(SimTime::ZERO, EventPipe::now);
        Entered { since, connection: None }
    }

    /// The same for a call that may wait, and for how long at the most.
    pub(super) fn enter_slow(&self, name: &'static str, timeout: Option<Duration>) -> Entered {
        if let Some(events) = &self.process.events {
            let (pid, process) = (self.process.pid.get().as_raw(), self.process.name.clone());
            let waiting = Waiting { host: events.host(), pid, process, call: name, within: self.within };
            events.enters(waiting, timeout.is_some());
        }
        self.enter()
    }

    /// Every call that cannot have woken a handler ends here.
    pub(super) fn record<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> SystemCall,
    ) -> Result<T, Errno> {
        self.process.record(|| {
            let what = args(&result);
            let value = result.as_ref().map(Returned::value).map_err(|errno| *errno);
            let fd = match (&what, value) {
                (SystemCall::Accept { .. }, Ok(accepted)) => Some(accepted as i32),
                _ => what.fd(),
            };
            let connection = fd.and_then(|fd| self.connection(Fd::from_raw(fd)));
            Kind::Call(Box::new(Call {
                pid: self.process.pid.get().as_raw(),
                process: self.process.name.clone(),
                within: self.within,
                what,
                connection: call.connection.or(connection),
                result: value,
                since: call.since,
            }))
        });
        result
    }

    /// Every call during which a signal may have come ends here.
    pub(super) async fn leave<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> SystemCall,
    ) -> Result<T, Errno> {
        let result = self.record(call, result, args);
        self.run_handlers().await;
        result
    }

    /// The connection that a descriptor stands for.
    pub(super) fn connection(&self, fd: Fd) -> Option<ConnectionId> {
        self.process.files.borrow().get(fd).ok().and_then(|file| file.connection.get())
    }

    /// Keeps which connection a descriptor stands for, for the timeline: a kernel forgets it with the connection.
    pub(super) fn note_connection(&self, fd: Fd, remote: SocketAddr) {
        if self.process.events.is_none() {
            return;
        }
        if let Ok(file) = self.process.files.borrow().socket(fd)
            && let Ok(local) = SockRef::from(file).local_addr().and_then(address)
        {
            file.connection.set(Some(ConnectionId::new(local, remote)));
        }
    }

    pub(super) fn on_socket<T>(
        &self,
        fd: Fd,
        work: impl FnOnce(SockRef<'_>) -> io::Result<T>,
    ) -> Result<T, Errno> {
        let files = self.process.files.borrow();
        work(SockRef::from(files.socket(fd)?)).map_err(|error| io_errno(&error))
    }

    pub(super) fn is_catching(&self) -> bool {
        self.process.signals.borrow().caught() != SignalSet::EMPTY
    }
}
