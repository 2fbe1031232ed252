//! The world: hosts and a router on turmoil's simulated network, and one clock for all of them.
//!
//! IP packets ride in turmoil's UDP datagrams between the hosts and the router. turmoil's link between the two is a cable
//! without length: what a host's link does to a packet is the [`Router`](crate::router::Router)'s, which gives every loss
//! its reason.
//!
//! turmoil's own clock ticks on at a fixed pace, so it is not the world's. The world goes from one moment at which
//! something happens to the next, and runs turmoil's steps as rounds of that one moment until nothing moves: idle
//! time costs nothing, whatever its length, and every deadline is exact.
//!
//! | file | what |
//! | --- | --- |
//! | `world.rs` | the [`World`]: its hosts, its clock, its next moment |
//! | `faults.rs` | crash, boot, shutdown, partition … |
//! | `hosts.rs` | the simulated hosts, in one turmoil host |
//! | `router.rs` | the router, in the other |
//! | `clock.rs` | the clock that all of them read |
//! | `budget.rs` | how much a run may come to |
//! | `history.rs` | what every host looked like after every step: the [`History`] |
//! | `cable.rs` | IP in UDP |
//! | `addresses.rs` | who has which address |

mod addresses;
mod budget;
mod cable;
mod clock;
mod faults;
mod history;
mod host_clock;
mod hosts;
mod router;
mod world;

pub use addresses::{IpVersion, host_addrs, router_addr, wildcard};
pub use budget::Limit;
pub use history::{History, HistoryWriter, HostHistory, Snapshot, SocketRecord, Track};
pub use hosts::MachineBuilder;
pub use world::{HostSetup, World, WorldError};

#[cfg(test)]
mod tests;
