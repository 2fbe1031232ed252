//! TCP by smoltcp, under the timers and the congestion control of a [`Profile`](super::Profile).
//!
//! smoltcp has the buffers, reassembly and the state machine. It knows RFC 6298's constants and no others, and its Reno
//! cannot be set; so this folder keeps from it what a profile decides, and nothing outside knows how:
//!
//! - `tcb.rs`: the connection's parts, and the calls; `timeouts.rs`: its timers that have fired.
//! - `input.rs`: a segment's way to smoltcp, with no more of the peer's window than the congestion window.
//! - `output.rs`: what smoltcp sends: counted, held back, cut to the path's MTU, recorded; and what it does not send.
//! - `send.rs`, `receive.rs`: the two sequence spaces; `bursts.rs`: received data that smoltcp never sees.
//! - `engine.rs`: smoltcp on a clock of its own; `device.rs`, `socket.rs`, `memory.rs`: what it runs on.

mod bursts;
mod device;
mod engine;
mod input;
mod memory;
mod output;
mod receive;
mod send;
mod socket;
mod tcb;
mod timeouts;

pub(super) use tcb::Tcb;
