//! How a host differs from this machine, so that one kernel can stand for several hosts.

use std::net::IpAddr;

use crate::os::Abi;

/// A host on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// How its compiler lays out a `long`.
    pub abi: Abi,
    /// Where its connections come from; `None` leaves that to the kernel.
    pub addr: Option<IpAddr>,
    /// Octets that its programs ask for as each socket's SO_SNDBUF and SO_RCVBUF; `None` leaves them to
    /// the kernel.
    pub buffer: Option<usize>,
    /// How the congestion windows of its sockets grow (TCP_CONGESTION): `cubic`, `reno`. A machine may have another default
    /// than Linux has; one that knows no such congestion control keeps its own.
    pub congestion: Option<&'static str>,
}

impl Default for Persona {
    /// This machine.
    fn default() -> Persona {
        Persona { abi: Abi::NATIVE, addr: None, buffer: None, congestion: None }
    }
}
