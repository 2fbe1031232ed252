//! The laboratory: real kernels' TCP, our network between them (Linux).
//!
//! ```text
//! namespace "client"          this process           namespace "server"
//! echo-client ─ TCP ─ TUN ══▶ Router, in real time ══▶ TUN ─ TCP ─ echo-server
//! ```
//!
//! Each host is a network namespace whose only link is a TUN device, and behind all of them lies the very
//! [`Router`](crate::router::Router) of the simulation. So a kernel meets the same partition, loss and ICMP errors as
//! a simulated stack, and what it makes of them is recorded in the same words. A crash is a wire that says nothing
//! more; after a boot the host is a fresh namespace, which knows nothing of the connections of the old one.
//!
//! Needs `/dev/net/tun`, and root or unprivileged user namespaces. Where it may, it works with the priority of real
//! time, so that a busy machine does not make the wire longer.

mod laboratory;
mod namespace;
mod sysctl;
mod timers;
mod wire;

pub(crate) use laboratory::Laboratory;
pub use sysctl::KEYS;
