//! What will my TCP program see when the other machine dies?
//!
//! echosim answers that in two ways: for your own programs, in a test; and for the programs of UNIX Network
//! Programming vol. 1, chapter 5, on the command line. Both run on userspace TCP stacks over a simulated network,
//! in which hosts crash, reboot and lose each other. A quarter of an hour of retransmissions takes milliseconds,
//! and every run of a seed is the same.
//!
//! # In your turmoil tests
//!
//! [`net`] has tokio's [`TcpListener`](net::TcpListener), [`TcpStream`](net::TcpStream) and
//! [`TcpSocket`](net::TcpSocket) for any host of a plain [`turmoil::Sim`]: change one `use` line. A test needs nothing
//! of the command, so it leaves the default feature out:
//!
//! ```toml
//! [dev-dependencies]
//! echosim = { version = "0.1", default-features = false }
//! ```
//!
//! ```
//! use std::io::ErrorKind;
//! use echosim::System;
//! use echosim::net::{TcpListener, TcpStream}; // instead of tokio::net or turmoil::net
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let mut sim = turmoil::Builder::new().build();
//! echosim::profile("client", System::Linux); // whose TCP it has: its timers, its errors
//! sim.host("server", || async {
//!     let _listener = TcpListener::bind("0.0.0.0:7").await?;
//!     std::future::pending().await
//! });
//! sim.client("client", async {
//!     let mut stream = TcpStream::connect("server:7").await?;
//!     turmoil::partition("client", "server"); // from now on no answer comes
//!     stream.write_all(b"hello").await?;
//!     let error = stream.read(&mut [0; 5]).await.unwrap_err();
//!     assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::TimedOut, Some(110)));
//!     Ok(())
//! });
//! echosim::net::only_sockets("client"); // so that `run` may leave out the time in which nothing happens
//! echosim::net::only_sockets("server");
//! echosim::run(&mut sim)?;
//! // Linux gives up at the first timeout after 924.6 s, and there is one every 120 s at most.
//! let seconds = echosim::timeline().last().unwrap().t.as_secs_f64();
//! assert!((924.6..1044.7).contains(&seconds));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | at the root | what |
//! | --- | --- |
//! | [`profile`](fn@profile), [`System`] | the system whose TCP a host has |
//! | [`unreachable()`], [`Unreachable`] | a router that answers with an ICMP error |
//! | [`timeline`](fn@timeline), [`netstat`] | what happened; how a host's sockets stand |
//! | [`pcapng`] | a capture for Wireshark |
//! | [`run`] | runs a simulation without its idle time |
//!
//! The rest is in [`net`], with what a [failed test](net#a-test-that-fails) leaves behind. `examples/pool.rs` is
//! a connection pool that hangs for fifteen minutes, and its fix.
//!
//! # The programs of the book
//!
//! ```
//! # #[cfg(feature = "cli")]
//! # {
//! use echosim::scenario;
//! use echosim::timeline::{Errno, Kind};
//!
//! let outcome = scenario::load("reboot")?.run()?;
//! let failed = outcome.events.iter().find_map(|event| match &event.kind {
//!     Kind::Call(call) => call.result.err().map(|errno| (call.name(), errno)),
//!     _ => None,
//! });
//! assert_eq!(failed, Some(("read", Errno::ECONNRESET)));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`net`] | TCP for the programs of a turmoil test, in tokio's types |
//! | [`scenario`] | a file that says who runs what and what goes wrong; its run; what was expected of it |
//! | [`timeline`](mod@timeline) | what happened, as typed events |
//! | [`profile`](mod@profile) | the four systems, as numbers that a host may have changed |
//! | [`report`] | ways to look at it: text, JSON, pictures, a page, a capture, an explanation |
//!
//! These five and the names at the root are the public interface. What they stand on (the stack, the router, simulated
//! and real hosts, the command) is described in `ARCHITECTURE.md`.
//!
//! # Features
//!
//! `cli`, on by default, is the command `echosim`, [`scenario`] and the programs of the book, on simulated hosts and on a
//! real kernel. Without it there are [`net`], the names at the root, [`timeline`](mod@timeline) and [`report`], and 55
//! packages to build instead of 126.
//!
//! # Versions
//!
//! The public interface follows [Semantic Versioning](https://semver.org): before 1.0 a change that breaks a
//! program raises the minor version. Enums and structs that will grow are `#[non_exhaustive]`. What a simulated system
//! does to the millisecond is no part of the interface: a profile may come closer to its system in a patch. Types of
//! tokio 1, turmoil 0.7, bytes 1 and anstyle 1 are part of it.
//!
//! Rust 1.91 is the oldest that will do, since smoltcp asks for it; a newer one is a minor change.

pub mod net;
pub mod report;
#[cfg(feature = "cli")]
pub mod scenario;
pub mod timeline;

pub use stack::profile;

#[doc(inline)]
pub use net::{System, Unreachable, netstat, pcapng, profile, run, timeline, unreachable};

// Public for the command, the integration tests and the benches, which are crates of their own. What other crates may
// use of it is re-exported above; the rest may change in any release, so it is hidden from the documentation.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(all(feature = "cli", unix))]
#[doc(hidden)]
pub mod compare;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod echo;
#[doc(hidden)]
pub mod errno;
#[doc(hidden)]
pub mod os;
#[doc(hidden)]
pub mod packet;
#[cfg(feature = "cli")]
pub(crate) mod packetdrill;
#[cfg(all(feature = "cli", unix))]
#[doc(hidden)]
pub mod real;
#[doc(hidden)]
pub mod router;
#[doc(hidden)]
pub mod sim;
#[doc(hidden)]
pub mod stack;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod stage;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod step;
mod story;
#[doc(hidden)]
pub mod time;

mod span;
