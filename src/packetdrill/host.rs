//! What a script is run against.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::call::{Answer, Call};
use crate::errno::Errno;
use crate::scenario::IpVersion;
use crate::time::SimTime;

/// A host under test, with one process and one link. The script is the rest of the world.
pub(super) trait Host {
    /// The time since the start.
    fn now(&self) -> SimTime;

    /// The process makes a call; there is none under way.
    ///
    /// # Errors
    ///
    /// The machine is in trouble.
    fn call(&mut self, call: Call) -> io::Result<()>;

    /// The call has returned, then.
    fn returned(&mut self) -> Option<(SimTime, Result<Answer, Errno>)>;

    /// A packet comes to it.
    ///
    /// # Errors
    ///
    /// The machine is in trouble.
    fn inject(&mut self, packet: Bytes) -> io::Result<()>;

    /// The next packet that it has sent, and when.
    fn sent(&mut self) -> Option<(SimTime, Bytes)>;

    /// Lets time pass until `until`, or until a call returns or a packet is sent.
    ///
    /// # Errors
    ///
    /// The machine is in trouble.
    fn wait(&mut self, until: SimTime) -> io::Result<()>;
}

/// The host's own address.
pub(super) fn local(ip: IpVersion) -> IpAddr {
    match ip {
        IpVersion::V4 => IpAddr::from([192, 168, 0, 1]),
        IpVersion::V6 => IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, 1]),
    }
}

/// The only address that it speaks to.
pub(super) fn remote(ip: IpVersion) -> IpAddr {
    match ip {
        IpVersion::V4 => IpAddr::from([192, 0, 2, 1]),
        IpVersion::V6 => IpAddr::from([0x2001, 0xdb8, 2, 0, 0, 0, 0, 1]),
    }
}

/// The port that is bound to, and the port that is connected to.
pub(super) const PORT: u16 = 8080;
/// Where what connects to the host comes from.
pub(super) const REMOTE_PORT: u16 = 45_678;

/// What `bind` is given for `...`.
pub(super) fn local_addr(ip: IpVersion) -> SocketAddr {
    SocketAddr::new(local(ip), PORT)
}

/// What `connect` is given for `...`.
pub(super) fn remote_addr(ip: IpVersion) -> SocketAddr {
    SocketAddr::new(remote(ip), PORT)
}
