//! The simulated arm: a [`Machine`] with a kernel of its own, in one thread and without any I/O.
//!
//! Processes are futures in a process table. One is polled only when something it sleeps on has happened, in the order
//! in which they were woken, so a run is the same every time and a sleeping process costs nothing.
//!
//! [`Machine`] is what the world drives; [`SimOs`] is what a program sees of it.

mod calls;
mod config;
mod descriptors;
mod executor;
mod io;
mod kernel;
mod machine;
mod observer;
mod open_file;
mod pipe;
mod power;
mod process;
mod process_table;
mod processes;
mod signal_state;
mod signals;
mod sim_os;
mod terminal;
mod wait_queue;
mod wchan;

pub use config::{Limits, MachineConfig};
pub use machine::Machine;
pub use observer::{Change, Observer};
#[cfg(feature = "cli")]
pub(crate) use power::Power;
pub use process::{ProcessInfo, ProcessState};
pub use sim_os::SimOs;
pub use wchan::Wchan;

#[cfg(test)]
mod tests;
