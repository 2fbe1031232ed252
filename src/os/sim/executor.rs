//! Who has a turn, and what comes of it.

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::task::{Context, Poll, Waker};

use super::Machine;
use super::process::State;
use super::sim_os::Stopped;
use crate::os::{Pid, WaitStatus};

impl Machine {
    /// The process whose turn it is: the one that has been able to run the longest.
    pub(super) fn next_ready(&mut self) -> Option<Pid> {
        self.drop_dead();
        let mut kernel = self.kernel.borrow_mut();
        kernel.wake_for_sockets();
        while let Some(pid) = kernel.ready.pop_front() {
            // The dead may still stand in the line.
            if let Ok(process) = kernel.process_mut(pid) {
                if process.is_stopped {
                    process.is_due = true;
                    continue;
                }
                process.state = State::Running;
                return Some(pid);
            }
        }
        None
    }

    /// Takes over what was forked and drops what has died, with the kernel out of the way: a destructor may make
    /// calls.
    pub(super) fn drop_dead(&mut self) {
        loop {
            let mut kernel = self.kernel.borrow_mut();
            self.tasks.extend(kernel.newborn.drain(..));
            let (dead, buried) = (mem::take(&mut kernel.dead), mem::take(&mut kernel.buried));
            drop(kernel);
            if dead.is_empty() && buried.is_empty() {
                return;
            }
            for pid in dead {
                drop(self.tasks.remove(&pid));
            }
            drop(buried);
        }
    }

    /// One turn: the process goes on until it sleeps or dies.
    pub(super) fn resume(&mut self, pid: Pid) {
        let Some(mut task) = self.tasks.remove(&pid) else { return };
        let may_go_on = self.kernel.borrow_mut().count_step(pid);
        if !may_go_on {
            return;
        }
        let mut context = Context::from_waker(Waker::noop());
        // The kernel's own state is whole whenever a program runs, so a panic in one leaves it so.
        let turn = panic::catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut context)));
        let mut kernel = self.kernel.borrow_mut();
        match turn {
            Ok(Poll::Ready(status)) => kernel.terminate(pid, WaitStatus::Exited(status as u8)),
            Ok(Poll::Pending) => {
                match kernel.process(pid).map(|process| &process.state) {
                    Ok(State::Running) => {
                        let name = kernel.processes[pid].name.clone();
                        kernel.stop(pid, format!(
                        "{name} (pid {pid}) was killed: it waits for something that is no call of its \
                         operating system and so would never wake"
                    ));
                    }
                    Ok(_) => {
                        self.tasks.insert(pid, task);
                        return;
                    }
                    Err(_) => {}
                }
            }
            Err(payload) if payload.is::<Stopped>() => {}
            Err(payload) => {
                drop(kernel);
                panic::resume_unwind(payload);
            }
        }
        drop(kernel);
        drop(task);
    }
}
