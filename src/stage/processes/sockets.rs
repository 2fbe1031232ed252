//! The sockets of this machine's kernel.

use std::io;

use crate::stack::SocketInfo;

/// A socket, and the inode by which a process has it open; 0 if none has.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::stage) struct FoundSocket {
    pub(in crate::stage) info: SocketInfo,
    pub(in crate::stage) inode: u32,
}

/// Every TCP socket of this process's network namespace, in no order.
#[cfg(target_os = "linux")]
pub(super) fn every_socket() -> io::Result<Vec<FoundSocket>> {
    super::sock_diag::sockets()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn every_socket() -> io::Result<Vec<FoundSocket>> {
    Err(io::Error::other("--netstat --real needs Linux: its sock_diag"))
}
