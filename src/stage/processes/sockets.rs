//! The sockets of this machine's kernel.

use std::io;

use super::network::FoundSocket;

/// Every TCP socket of this process's network namespace, in no order.
#[cfg(target_os = "linux")]
pub(super) fn every_socket() -> io::Result<Vec<FoundSocket>> {
    super::sock_diag::sockets()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn every_socket() -> io::Result<Vec<FoundSocket>> {
    Err(io::Error::other("--netstat --real needs Linux: its sock_diag"))
}
