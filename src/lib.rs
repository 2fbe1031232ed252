//! What will my TCP program see when the other machine dies?
//!
//! The echo server and client of UNIX Network Programming vol. 1, chapter 5, run on userspace TCP stacks over a
//! simulated network, in which hosts crash, reboot and lose each other. Nine minutes of retransmissions take a
//! millisecond, and every run of a seed is the same.
//!
//! ```
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
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The modules, each standing on those before it:
//!
//! - [`time`], [`errno`], [`packet`]: moments, errors, segments and ICMP errors as bytes.
//! - [`timeline`]: what happened; every module records here.
//! - [`stack`]: one host's TCP/IP, smoltcp under the timers and errors of four systems.
//! - [`router`]: links, losses, ICMP answers, and what goes wrong with them.
//! - [`os`]: what a program may ask of its operating system, and a simulated host that answers.
//! - [`sim`]: a world of such hosts on turmoil, with one clock that skips idle time.
//! - [`net`]: the same stack for anybody's turmoil test, in tokio's types.
//! - [`echo`]: the book's programs.
//! - [`scenario`]: a file that says who runs what and what goes wrong; its run; what was expected of it.
//! - [`report`]: ways to look at a run.
//! - `lab`, `real`: the same programs on the operating system, and the same faults on a real kernel.
//! - [`cli`]: the command `echosim`.

pub mod cli;
pub mod echo;
pub mod errno;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod net;
pub mod os;
pub mod packet;
#[cfg(unix)]
pub mod real;
pub mod report;
pub mod router;
pub mod scenario;
pub mod sim;
pub(crate) mod span;
pub mod stack;
pub mod step;
pub mod time;
pub mod timeline;
