//! How a simulated host is set up.

use crate::os::Abi;
use crate::stack;

/// A host: its name, its TCP/IP and the limits of its kernel.
#[derive(Clone, Debug)]
pub struct MachineConfig {
    /// The name it goes by in the timeline.
    pub name: String,
    /// Its TCP/IP.
    pub stack: stack::Config,
    /// How much of everything there is.
    pub limits: Limits,
    /// Whether a `connect` interrupted by a handler with SA_RESTART goes on, as on Linux, or fails with `EINTR`
    /// all the same, as on Berkeley's systems (UNP 5.9).
    pub connect_restarts: bool,
    /// Whether SO_SNDTIMEO bounds `connect`.
    pub connect_times_out: bool,
    /// How its compiler lays out a `long`.
    pub abi: Abi,
}

impl MachineConfig {
    /// A host with default limits and the manners of the stack's system.
    pub fn new(name: &str, stack: stack::Config) -> MachineConfig {
        let connect_restarts = stack.profile.connect_restarts;
        let connect_times_out = stack.profile.connect_times_out;
        MachineConfig {
            name: name.to_owned(),
            stack,
            limits: Limits::default(),
            connect_restarts,
            connect_times_out,
            abi: Abi::TODAY,
        }
    }
}

/// What a host runs out of, and with which error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Descriptors of one process (RLIMIT_NOFILE): `EMFILE`.
    pub descriptors: usize,
    /// Open files of the whole host: `ENFILE`.
    pub files: usize,
    /// Processes, zombies among them: `fork` fails with `EAGAIN`.
    pub processes: usize,
    /// Calls that the host's processes may make, and turns they may take, at one instant. Neither takes simulated
    /// time, so a program that reaches this loops without end: it is killed, and
    /// [`Machine::stuck`](super::Machine::stuck) says so.
    pub steps_per_instant: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { descriptors: 1024, files: 1 << 20, processes: 4096, steps_per_instant: 1_000_000 }
    }
}
