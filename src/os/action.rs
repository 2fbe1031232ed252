//! What a process does about signals: `struct sigaction` and the mask.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::{Signal, SignalSet};

/// What `sigprocmask` does with its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskHow {
    /// SIG_BLOCK: blocks these as well.
    Block,
    /// SIG_UNBLOCK: lets these through.
    Unblock,
    /// SIG_SETMASK: blocks these and no others.
    SetMask,
}

impl MaskHow {
    /// The POSIX name.
    pub const fn name(self) -> &'static str {
        match self {
            MaskHow::Block => "SIG_BLOCK",
            MaskHow::Unblock => "SIG_UNBLOCK",
            MaskHow::SetMask => "SIG_SETMASK",
        }
    }
}

/// A function that a signal calls. It is given the process it runs in, so a forked child may share it.
pub struct Handler<O>(Rc<HandlerFn<O>>);

type HandlerFn<O> = dyn Fn(O, Signal) -> Pin<Box<dyn Future<Output = ()>>>;

impl<O> Handler<O> {
    /// Wraps a function.
    pub fn new<F, Fut>(function: F) -> Handler<O>
    where
        F: Fn(O, Signal) -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        Handler(Rc::new(move |os, signal| Box::pin(function(os, signal))))
    }

    /// Runs it in the process `os`.
    pub async fn call(&self, os: O, signal: Signal) {
        (self.0)(os, signal).await;
    }
}

impl<O> Clone for Handler<O> {
    fn clone(&self) -> Handler<O> {
        Handler(self.0.clone())
    }
}

impl<O> fmt::Debug for Handler<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}

/// What a signal does to a process: `sa_handler`.
#[derive(Debug)]
pub enum Disposition<O> {
    /// SIG_DFL.
    Default,
    /// SIG_IGN. Of SIGCHLD it says besides that children shall not become zombies.
    Ignore,
    /// Calls this function.
    Handle(Handler<O>),
}

impl<O> Clone for Disposition<O> {
    fn clone(&self) -> Disposition<O> {
        match self {
            Disposition::Default => Disposition::Default,
            Disposition::Ignore => Disposition::Ignore,
            Disposition::Handle(handler) => Disposition::Handle(handler.clone()),
        }
    }
}

/// `struct sigaction`.
#[derive(Debug)]
pub struct Action<O> {
    /// What is done.
    pub disposition: Disposition<O>,
    /// Blocked while the handler runs, besides the signal itself: `sa_mask`.
    pub mask: SignalSet,
    /// SA_RESTART: a call that the handler interrupted goes on instead of failing with `EINTR`.
    pub restart: bool,
}

impl<O> Action<O> {
    /// The default action.
    pub const DEFAULT: Action<O> =
        Action { disposition: Disposition::Default, mask: SignalSet::EMPTY, restart: false };
    /// Nothing.
    pub const IGNORE: Action<O> = Action { disposition: Disposition::Ignore, ..Action::DEFAULT };

    /// Calls `handler`, and interrupts slow calls for it: no SA_RESTART, nothing else blocked.
    pub const fn handle(handler: Handler<O>) -> Action<O> {
        Action { disposition: Disposition::Handle(handler), mask: SignalSet::EMPTY, restart: false }
    }

    /// With SA_RESTART.
    pub fn restarting(self) -> Action<O> {
        Action { restart: true, ..self }
    }
}

impl<O> Clone for Action<O> {
    fn clone(&self) -> Action<O> {
        Action { disposition: self.disposition.clone(), ..*self }
    }
}
