//! A present-day kernel's TCP: what Linux does, in code of our own. It does no input or output and has no clock.
//!
//! - `tcb.rs`: the connection's parts, and the calls; `handshake.rs`: how it comes to be;
//!   `agreed.rs`: what SYNs agree on; `cookie.rs`: how it does where there is no room for a handshake.
//! - `input.rs`: whether a segment is accepted, and what its data and its FIN do; `icmp.rs`: ICMP errors.
//! - `ack.rs`: what an acknowledgment tells; `loss.rs`: what follows from that for what was lost.
//! - `output.rs`: what is sent, and when; `resend.rs`: what is sent again; `segments.rs`: headers and options.
//! - `timeouts.rs`: timers that have fired; `info.rs`: what TCP_INFO says.
//! - `send_queue.rs`, `receive_queue.rs`, `receive_window.rs`: the two sequence spaces; `packet_memory.rs`: what unread packets
//!   take.
//! - `acknowledgment.rs`, `retransmission.rs`, `rtt.rs`, `recovery.rs`, `congestion.rs`, `cubic.rs`: what is counted and
//!   measured for them.

mod ack;
mod acknowledgment;
mod agreed;
mod congestion;
mod cookie;
mod cubic;
mod handshake;
mod icmp;
mod info;
mod input;
mod loss;
mod nagle;
mod output;
mod packet_memory;
mod receive_queue;
mod receive_window;
mod recovery;
mod resend;
mod retransmission;
mod rtt;
mod segments;
mod send_queue;
mod tcb;
mod timeouts;

pub(super) use cookie::Cookies;
pub(super) use tcb::Tcb;
