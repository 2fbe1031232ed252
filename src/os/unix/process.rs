//! What one process has besides its memory.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::event_pipe::EventPipe;
use super::file::Files;
use super::persona::Persona;
use super::signals::Signals;
use crate::os::line_buffer::LineBuffer;
use crate::os::{Pid, Signal};
use crate::timeline::{Kind, Line, ProcessChange, SignalChange, Stream};

/// A process. `fork` copies it with all the rest of the memory.
pub(super) struct Process {
    pub(super) name: Arc<str>,
    pub(super) pid: Cell<Pid>,
    pub(super) files: RefCell<Files>,
    pub(super) signals: RefCell<Signals>,
    pub(super) events: Option<EventPipe>,
    pub(super) persona: Persona,
    stdout: RefCell<LineBuffer>,
    stderr: RefCell<LineBuffer>,
}

impl Process {
    pub(super) fn new(name: &str, events: Option<EventPipe>, persona: Persona) -> Process {
        Process {
            name: name.into(),
            pid: Cell::new(super::names::pid(nix::unistd::getpid())),
            files: RefCell::new(Files::standard()),
            signals: RefCell::default(),
            events,
            persona,
            stdout: RefCell::default(),
            stderr: RefCell::default(),
        }
    }

    /// In the child: what was not inherited.
    pub(super) fn forked(&self) {
        self.pid.set(super::names::pid(nix::unistd::getpid()));
        if self.events.is_some() {
            *self.stdout.borrow_mut() = LineBuffer::default();
            *self.stderr.borrow_mut() = LineBuffer::default();
        }
    }

    /// Notes the lines that become whole with what was printed.
    pub(super) fn printed(&self, stream: Stream, octets: &[u8]) {
        if self.events.is_some() {
            let buffer = if stream == Stream::Stderr { &self.stderr } else { &self.stdout };
            let lines = buffer.borrow_mut().push(octets);
            for text in lines {
                self.record_line(stream, text);
            }
        }
    }

    /// Notes the end: lines that have none, then the status.
    pub(super) fn ended(&self, status: i32) {
        for (stream, buffer) in [(Stream::Stdout, &self.stdout), (Stream::Stderr, &self.stderr)] {
            let rest = buffer.borrow_mut().finish();
            if let Some(text) = rest {
                self.record_line(stream, text);
            }
        }
        self.record_change(self.pid.get(), ProcessChange::Exit { status: status & 0xff });
    }

    /// Notes what happened to this process or a child of its.
    pub(super) fn record_change(&self, pid: Pid, what: ProcessChange) {
        self.record(|| {
            Kind::Process(crate::timeline::Process { pid: pid.as_raw(), process: self.name.clone(), what })
        });
    }

    pub(super) fn record_signal(&self, pid: Pid, signal: Signal, what: SignalChange) {
        self.record(|| Kind::Signal {
            pid: pid.as_raw(),
            process: self.name.clone(),
            signal: signal.name(),
            what,
        });
    }

    fn record_line(&self, stream: Stream, text: String) {
        self.record(|| {
            Kind::Line(Line { pid: self.pid.get().as_raw(), process: self.name.clone(), stream, text })
        });
    }

    pub(super) fn record(&self, kind: impl FnOnce() -> Kind) {
        if let Some(events) = &self.events {
            events.record(kind());
        }
    }
}
