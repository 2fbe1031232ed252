//! Real TCP for any program on a host of a plain [`turmoil::Sim`]: change one `use` line.
//!
//! turmoil's own TCP moves messages: its `crash` says FIN, a partitioned read waits for ever, nothing that is
//! lost is sent again. With [`TcpStream`], [`TcpListener`] and [`TcpSocket`] of this module, which have tokio's
//! names, signatures and traits, every host has a TCP/IP [stack](crate::stack) of its own and a program is told
//! what a kernel would tell it, when it would, by kind and by errno. (The numbers are Linux's under every profile:
//! [`raw_os_error`](std::io::Error::raw_os_error) and kind agree on Linux.)
//!
//! ```
//! use std::io::ErrorKind;
//! use echosim::net::{self, TcpListener, TcpStream}; // instead of turmoil::net or tokio::net
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let mut sim = turmoil::Builder::new().build();
//! sim.host("server", || async {
//!     let listener = TcpListener::bind("0.0.0.0:7").await?;
//!     let (mut stream, _) = listener.accept().await?;
//!     stream.read_exact(&mut [0; 5]).await?;
//!     std::future::pending().await
//! });
//! sim.client("client", async {
//!     let mut stream = TcpStream::connect("server:7").await?;
//!     stream.write_all(b"hello").await?;
//!     let error = stream.read(&mut [0; 5]).await.unwrap_err();
//!     assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::ConnectionReset, Some(104)));
//!     Ok(())
//! });
//! while net::netstat("server").len() < 2 {
//!     sim.step()?; // until the connection is there
//! }
//! sim.bounce("server"); // a reboot: the new kernel knows nothing of the old connection
//! sim.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! turmoil's verbs do to packets what they say: `crash` is silent, `bounce` is a reboot, `partition`, `hold` and
//! `repair` lose, keep and let through what travels. What this module adds: [`profile`], the system whose TCP a
//! host has; [`loss`] of single packets; [`rule()`], what becomes of chosen ones; [`unreachable()`], a router's ICMP error; [`mtu`] and [`segmentation_offload`];
//! [`timeline`] and [`netstat`], what happened and how things stand; [`pcapng`], a capture; [`SockRef`] for keepalive
//! and TCP_USER_TIMEOUT; [`run`], which leaves out idle time.
//!
//! # A test that fails
//!
//! A simulation that is dropped while its thread panics, or for which [`run`] has answered an error, leaves
//! `target/echosim/PACKAGE/BINARY/TEST.txt`, and beside it `.pcapng`: the trace, which begins with the command
//! that runs the test again, and the packets. libtest shows a line that says so with the test's output.
//!
//! - `target` is the directory of cargo's that the test's binary lies in. If it lies in none, and there is none in
//!   the working directory, nothing is left.
//! - `TEST` is the thread's name, as libtest has it, with `.` for `::`; what fails on a `main` or unnamed thread
//!   shares the name `main`. The files are replaced when the test fails again, and stay when it passes.
//! - Of more than 20 000 events the last 20 000 are left. With [`recording`] off, nothing is; [`recording_limit`] says
//!   how many events a simulation keeps.
//! - A test that ends with turmoil's own `sim.run()?` does not panic when it fails, nor does a test whose `Sim` is
//!   gone before it asserts: the first leaves its trace with [`run`], the second as long as it keeps its `Sim`.
//! - The run is the same again if the test sets turmoil's `rng_seed`; turmoil draws another one each time if not.
//!
//! # How it works, and what follows
//!
//! - A host's stack attaches when its program first uses a socket, and is lost with the runtime at `crash`.
//!   Until then the host has no TCP, and answers a SYN as a machine that is off: not at all. With [`boot()`] it has, from
//!   the start.
//! - Packets ride on turmoil's UDP, port 6 (which is TCP's number); a program must leave that port alone.
//!   Everything that a host sends to another at one moment is one datagram: turmoil's latency and losses strike
//!   it as a whole. turmoil's default latency is drawn for each datagram up to 100 ms, and so reorders; with
//!   equal minimum and maximum it does not.
//! - A burst of segments is one packet of up to 65 535 octets, cut nowhere, as on a link whose cards do both
//!   segmentation and receive offload. The first write of a moment leaves at once; what is written behind it in that
//!   moment gathers until the programs have had their turn, as with Linux's `tcp_autocorking`, and so do
//!   acknowledgments. [`segmentation_offload`] turns all of it off; under [`loss`], and over IPv6 under smoltcp
//!   (`book`, `bsd`, `rfc`), segments travel one by one.
//! - A socket's buffers under [`System::Linux`] begin small and grow to megabytes. A size that is set, at the socket or in
//!   a profile of one's own, is kept.
//! - turmoil holds `udp_capacity` datagrams (64) for a host between two ticks and drops the rest without a word:
//!   more than 64 hosts that talk to one in the same tick need more. Otherwise it is loss, which TCP mends.
//! - Ephemeral ports are those of the host's system, unless turmoil's builder or the host's profile names others.
//! - A host learns its address one tick after its first use of a socket; the first `connect` waits for it.
//! - Clocks are tokio's, with 1 ms: a timer fires up to that much late. A packet from a host to itself takes
//!   1 ms. With a longer `tick_duration` packets wait for the next tick, timers keep their millisecond.
//! - A host whose future has ended is no longer run by turmoil: it answers nothing any more, as if it were off, and
//!   sends nothing, so of what it wrote only what the windows had room for has left. [`boot()`] runs it on until all is
//!   delivered.
//! - A simulation stays on its thread, and so does what is set here; it ends when turmoil's `Sim` is dropped.
//!   Drop one before the next is set up on the same thread.
//!
//! | file | what |
//! | --- | --- |
//! | `tcp/` | tokio's types |
//! | `socket.rs`, `waits.rs` | one socket, and the tasks that wait for it |
//! | `host.rs`, `clock.rs` | one host's stack and time |
//! | `driver.rs`, `in_flight.rs` | the task that carries packets; what is under way |
//! | `attach.rs`, `announce.rs`, `udp.rs` | a host's first use of a socket; how it learns its address, and its ports |
//! | `boot.rs` | a host that is attached before and after its program |
//! | `network.rs`, `faults.rs`, `settings.rs` | what a simulation's hosts share |
//! | `config.rs` | how a host is configured, unless its test says otherwise |
//! | `capture.rs`, `artifacts.rs`, `origin.rs` | what is written when a simulation ends, and of which test |
//! | `idle.rs`, `alarm.rs` | leaving out idle time |

mod alarm;
mod announce;
mod artifacts;
mod attach;
mod boot;
mod capture;
mod clock;
mod config;
mod driver;
mod faults;
mod host;
mod idle;
mod in_flight;
mod late_timer;
mod network;
mod origin;
mod settings;
mod socket;
pub mod tcp;
mod udp;
mod waits;

use std::io;
use std::net::SocketAddr;

#[doc(inline)]
pub use tcp::{SockRef, TcpKeepalive, TcpListener, TcpSocket, TcpStream};
pub use turmoil::ToSocketAddrs;
pub use turmoil::net::{UdpSocket, lookup_host};

pub use alarm::{sleep, timeout};
pub use boot::boot;
pub use faults::Rule;
pub use idle::run;
pub use late_timer::LateTimer;
pub use settings::{
    loss, mtu, netstat, no_rule, only_sockets, pcapng, pcapng_host, profile, reachable, recording,
    recording_limit, rule, segmentation_offload, timeline, unreachable,
};

pub use crate::packet::{Segment, Unreachable};
pub use crate::stack::{CaState, SocketInfo, System, TcpInfo, TimerInfo, TimerKind};

async fn resolve(addr: impl ToSocketAddrs) -> io::Result<SocketAddr> {
    if !turmoil::in_simulation() {
        return Err(host::outside());
    }
    lookup_host(addr).await?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}
