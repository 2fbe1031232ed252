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
//!     turmoil::partition("client", "server"); // from now on nobody answers
//!     stream.write_all(b"hello").await?;
//!     let error = stream.read(&mut [0; 5]).await.unwrap_err();
//!     assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::TimedOut, Some(110)));
//!     Ok(())
//! });
//! echosim::net::only_sockets("client"); // so that `run` may leave out the time in which nothing happens
//! echosim::net::only_sockets("server");
//! echosim::run(&mut sim)?;
//! let minutes = echosim::timeline().last().unwrap().t.as_secs_f64() / 60.0;
//! assert!((15.0..17.0).contains(&minutes));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | at the root | what |
//! | --- | --- |
//! | [`profile`], [`System`] | the system whose TCP a host has |
//! | [`unreachable()`], [`Code`] | a router that answers with an ICMP error |
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
//! use echosim::errno::Errno;
//! use echosim::scenario;
//! use echosim::timeline::Kind;
//!
//! let outcome = scenario::run(&scenario::load("reboot")?)?;
//! let failed = outcome.events.iter().find_map(|event| match &event.kind {
//!     Kind::Call(call) => call.result.err().map(|errno| (call.call, errno)),
//!     _ => None,
//! });
//! assert_eq!(failed, Some(("read", Errno::ECONNRESET)));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules
//!
//! Each stands on those before it:
//!
//! - [`time`], [`errno`], [`packet`]: moments, errors, segments and ICMP errors as bytes.
//! - [`timeline`](mod@timeline): what happened; every module records here.
//! - [`stack`]: one host's TCP/IP, smoltcp under the timers and errors of four systems.
//! - [`router`]: links, losses, ICMP answers, and what goes wrong with them.
//! - [`os`]: what a program may ask of its operating system, and a simulated host that answers.
//! - [`sim`]: a world of such hosts on turmoil, with one clock that skips idle time.
//! - [`echo`]: the book's programs.
//! - [`scenario`]: a file that says who runs what and what goes wrong; its run; what was expected of it.
//! - [`report`]: ways to look at a run.
//! - `lab`, `real`: the same programs on the operating system, and the same faults on a real kernel.
//! - [`net`]: the same stack for anybody's turmoil test, in tokio's types.
//! - [`cli`], [`step`]: the command `echosim`, and its debugger.
//!
//! # Features
//!
//! `cli`, on by default, is the command: [`cli`], [`step`], [`scenario`], [`echo`], `real` and `lab`, and the crates that
//! only they use. Without it there are [`net`], the names at the root, and every [`report`] on their timeline: 55
//! packages to build instead of 126.
//!
//! # Versions
//!
//! The public interface follows [Semantic Versioning](https://semver.org): before 1.0 a change that breaks a
//! program raises the minor version. [`net`] and the names at the root are what is kept stable first. What a
//! simulated system does to the millisecond is no part of it: a profile may come closer to its system in a
//! patch. Types of tokio 1, turmoil 0.7 and bytes 1 are part of the interface.
//!
//! Rust 1.91 is the oldest that will do, since smoltcp asks for it; a newer one is a minor change.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod echo;
pub mod errno;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub mod lab;
pub mod net;
pub mod os;
pub mod packet;
#[cfg(all(feature = "cli", unix))]
pub mod real;
pub mod report;
pub mod router;
#[cfg(feature = "cli")]
pub mod scenario;
pub mod sim;
pub(crate) mod span;
pub mod stack;
#[cfg(feature = "cli")]
pub mod step;
pub mod time;
pub mod timeline;

#[doc(inline)]
pub use net::{Code, System, netstat, pcapng, profile, run, timeline, unreachable};
