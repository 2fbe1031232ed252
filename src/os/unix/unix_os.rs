//! [`UnixOs`]: how a call is made and recorded.

use std::io;
use std::rc::Rc;

use socket2::SockRef;

use super::errors::io_errno;
use super::event_pipe::EventPipe;
use super::machine::Machine;
use super::process::Process;
use super::raw;
use crate::os::strace::Returned;
use crate::os::{Errno, Fd, SignalSet};
use crate::time::SimTime;
use crate::timeline::{Call, Kind};

/// This process, on the machine's own kernel.
#[derive(Clone)]
pub struct UnixOs {
    pub(super) process: Rc<Process>,
    pub(super) within: Option<&'static str>,
}

/// A call that has been made.
pub(super) struct Entered {
    name: &'static str,
    since: SimTime,
}

impl UnixOs {
    /// This process as a program called `name`, with its standard streams and nothing else; what it does is
    /// written to `events` if there is such a pipe.
    ///
    /// Signals do from here on what they do to a C program: the standard library's SIGPIPE is default again.
    pub fn new(name: &str, events: Option<EventPipe>) -> UnixOs {
        UnixOs::on(Machine::default(), name, events)
    }

    /// The same on a machine that differs from this one.
    pub fn on(machine: Machine, name: &str, events: Option<EventPipe>) -> UnixOs {
        raw::be_ordinary();
        UnixOs { process: Rc::new(Process::new(name, events, machine)), within: None }
    }

    pub(super) fn without_label(&self) -> UnixOs {
        UnixOs { within: None, ..self.clone() }
    }

    pub(super) fn enter(&self, name: &'static str) -> Entered {
        Entered { name, since: self.process.events.as_ref().map_or(SimTime::ZERO, EventPipe::now) }
    }

    /// The same for a call that may wait.
    pub(super) fn enter_slow(&self, name: &'static str) -> Entered {
        if let Some(events) = &self.process.events {
            events.enters(self.process.pid.get().as_raw(), &self.process.name, name, self.within);
        }
        self.enter(name)
    }

    /// Every call that cannot have woken a handler ends here.
    pub(super) fn record<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> String,
    ) -> Result<T, Errno> {
        self.process.record(|| {
            Kind::Call(Call {
                pid: self.process.pid.get().as_raw(),
                process: self.process.name.clone(),
                call: call.name,
                within: self.within,
                args: args(&result),
                result: result.as_ref().map(Returned::value).map_err(|errno| *errno),
                since: call.since,
            })
        });
        result
    }

    /// Every call during which a signal may have come ends here.
    pub(super) async fn leave<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> String,
    ) -> Result<T, Errno> {
        let result = self.record(call, result, args);
        self.run_handlers().await;
        result
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
