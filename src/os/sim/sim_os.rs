//! How a program's call is made, waits, and returns.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use std::{panic, thread};

use super::kernel::{Entered, Kernel};
use super::signals::Delivery;
use super::wait_queue::{Blocked, Stop};
use crate::errno::Errno;
use crate::os::returned::Returned;
use crate::os::{Fd, Pid};
use crate::timeline::SystemCall;

/// A process of a simulated [`Machine`](super::Machine).
///
/// A call takes no simulated time of its own; only waiting does. Every call that returns stands in the timeline.
#[derive(Clone)]
pub struct SimOs {
    pub(super) kernel: Rc<RefCell<Kernel>>,
    pub(super) pid: Pid,
    pub(super) within: Option<&'static str>,
}

/// Which of a socket's two timeouts bounds a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    Receive,
    Send,
    Connect,
}

/// What unwinds a program that is stopped in the middle of its loop; the executor catches it.
pub(super) struct Stopped;

impl SimOs {
    /// Every call begins here.
    pub(super) fn enter(&self) -> Entered {
        let mut kernel = self.kernel.borrow_mut();
        let since = kernel.now;
        let may_go_on = kernel.count_step(self.pid);
        drop(kernel);
        if !may_go_on && !thread::panicking() {
            // There is no other way out of a loop that never awaits anything pending.
            panic::resume_unwind(Box::new(Stopped));
        }
        Entered { within: self.within, since, connection: None }
    }

    /// Makes attempts until one gives a result, sleeping in between.
    ///
    /// A handler that runs instead of a sleep ends the call with `EINTR`, unless the call can be restarted and
    /// the handler was set with SA_RESTART.
    pub(super) async fn block<T>(
        &self,
        restarts: bool,
        mut attempt: impl FnMut(&mut Kernel) -> Result<T, Stop>,
    ) -> Result<T, Errno> {
        loop {
            let result = poll_fn(|_| {
                let mut kernel = self.kernel.borrow_mut();
                let Ok(process) = kernel.process(self.pid) else { return Poll::Pending };
                let is_interrupted = process.signals.has_deliverable();
                match attempt(&mut kernel) {
                    Ok(value) => Poll::Ready(Some(Ok(value))),
                    Err(Stop::Failed(errno)) => Poll::Ready(Some(Err(errno))),
                    Err(Stop::Blocked(_)) if is_interrupted => Poll::Ready(None),
                    Err(Stop::Blocked(blocked)) => {
                        kernel.sleep(self.pid, blocked, self.within);
                        Poll::Pending
                    }
                }
            })
            .await;
            match result {
                Some(result) => return result,
                None if self.run_handlers().await && restarts => {}
                None => return Err(Errno::EINTR),
            }
        }
    }

    /// How long a call on this descriptor waits at the most: not at all with O_NONBLOCK, or as a socket option says.
    pub(super) fn timeout(&self, fd: Fd, way: Timed) -> Option<Duration> {
        let kernel = self.kernel.borrow();
        if kernel.is_nonblocking(self.pid, fd) {
            return Some(Duration::ZERO);
        }
        let options = kernel.stack.options(kernel.socket_id(self.pid, fd).ok()?).ok()?;
        match way {
            Timed::Receive => options.receive_timeout,
            Timed::Connect if !kernel.connect_times_out => None,
            Timed::Send | Timed::Connect => options.send_timeout,
        }
    }

    /// The same as [`block`](Self::block), but for so long at the most: then it fails with `EAGAIN`, and a handler ends it
    /// whatever its SA_RESTART says (signal(7)).
    pub(super) async fn block_for<T>(
        &self,
        call: &Entered,
        timeout: Option<Duration>,
        restarts: bool,
        mut attempt: impl FnMut(&mut Kernel) -> Result<T, Stop>,
    ) -> Result<T, Errno> {
        let Some(timeout) = timeout else { return self.block(restarts, attempt).await };
        let deadline = call.since + timeout;
        let timed = |kernel: &mut Kernel| match attempt(kernel) {
            Err(Stop::Blocked(_)) if deadline <= kernel.now => Err(Errno::EAGAIN.into()),
            Err(Stop::Blocked(blocked)) => Err(Blocked { until: Some(deadline), ..blocked }.into()),
            result => result,
        };
        self.block(false, timed).await
    }

    /// Every call that cannot have woken a handler ends here.
    pub(super) fn record<T: Returned>(
        &self,
        call: &Entered,
        result: Result<T, Errno>,
        args: impl FnOnce(&Result<T, Errno>) -> SystemCall,
    ) -> Result<T, Errno> {
        let value = result.as_ref().map(Returned::value).map_err(|errno| *errno);
        self.kernel.borrow().record_call(self.pid, call, value, || args(&result));
        self.kernel.borrow_mut().tell_changes();
        result
    }

    /// Every call during which a signal may have come ends here: its handler runs before the program's next step.
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

    /// Delivers what is pending; whether every handler that ran had SA_RESTART. Does not return to a dead process.
    pub(super) async fn run_handlers(&self) -> bool {
        let mut restart = true;
        loop {
            let delivery = self.kernel.borrow_mut().next_delivery(self.pid);
            match delivery {
                Delivery::None => return restart,
                Delivery::Dead => return pending().await,
                Delivery::Handler { signal, handler, restart: this_one, before } => {
                    handler.call(SimOs { within: None, ..self.clone() }, signal).await;
                    self.kernel.borrow_mut().restore_mask(self.pid, before);
                    restart &= this_one;
                }
            }
        }
    }
}
