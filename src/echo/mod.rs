//! The echo server and client of UNIX Network Programming, chapter 5, written once against [`Os`].
//!
//! The same code runs on a simulated host and on a real one. Functions have the book's names and do what they do
//! there; where the book's C would lose bytes (NUL in a line, a line longer than its buffer, a last line without a
//! newline) this does not.
//!
//! | file | the book |
//! | --- | --- |
//! | [`command`] | what the command line says |
//! | [`server`](mod@server), [`str_echo`](mod@str_echo) | fig. 5.2, 5.3 |
//! | `signals` | the server's `sig_chld`: fig. 5.7, 5.11 |
//! | [`client`](mod@client), [`str_cli`](mod@str_cli) | fig. 5.4, 5.5, 5.9 |
//! | [`str_cli_poll`](mod@str_cli_poll) | ch. 6.4, with `poll` for `select` |
//! | [`str_push`](mod@str_push), [`proxy`] | a server that speaks unasked; one that passes on |
//! | `addresses` | `getsockname`, `getpeername`: fig. 5.15, 5.16 |
//! | `sum` | two numbers as text and as structures: fig. 5.17, 5.19, 5.20 |
//! | [`lines`] | `readline`, `readn`, `writen`, `fgets`, `fputs` (ch. 3.9) |
//! | [`error`] | `err_sys`, `err_quit` (app. D.3) |
//!
//! [`Os`]: crate::os::Os

mod addresses;
pub mod client;
pub mod command;
pub mod error;
pub mod lines;
pub mod proxy;
pub mod server;
mod signals;
pub mod str_cli;
pub mod str_cli_poll;
pub mod str_echo;
pub mod str_push;
mod sum;

pub use client::{Client, client};
pub use command::{BadCommand, Command};
pub use server::{Server, server};
pub use str_cli::str_cli;
pub use str_cli_poll::str_cli_poll;
pub use str_echo::str_echo;
pub use str_push::str_push;

/// SERV_PORT: where the book's server listens.
pub const SERV_PORT: u16 = 9877;

/// MAXLINE: octets of the book's buffers.
pub const MAXLINE: usize = 4096;

#[cfg(test)]
mod tests;
