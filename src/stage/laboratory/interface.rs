//! Turns interfaces of the namespace of this process on and off, as `ip link set` does: rtnetlink(7).

use std::io;
use std::os::fd::AsRawFd;

use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// The interface that a host talks to itself on.
pub(super) const LOOPBACK: &str = "lo";
/// The interface of a host's link.
pub(super) const WIRE: &str = "wire";

/// Turns an interface on or off.
///
/// # Errors
///
/// What the kernel says, and a name that none has.
pub(super) fn set(name: &str, up: bool) -> io::Result<()> {
    let index = if_nametoindex(name)?;
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    send(netlink.as_raw_fd(), &request(index, up), MsgFlags::empty())?;
    let mut answer = [0; 512];
    let len = recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // `struct nlmsghdr`, then `struct nlmsgerr`, which begins with the error: 0 acknowledges.
    match answer[..len].get(16..20).and_then(|word| word.try_into().ok()).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::Error::other("the kernel's answer over rtnetlink is cut short")),
    }
}

/// `struct nlmsghdr`, then `struct ifinfomsg`.
fn request(index: u32, up: bool) -> Vec<u8> {
    const LEN: u32 = 32;
    let flags = if up { libc::IFF_UP as u32 } else { 0 };
    let mut request = Vec::with_capacity(LEN as usize);
    request.extend(LEN.to_ne_bytes());
    request.extend(libc::RTM_NEWLINK.to_ne_bytes());
    request.extend(((libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16).to_ne_bytes());
    // Number and port: there is one request.
    request.extend([0; 8]);
    // Any family, any type.
    request.extend([0; 4]);
    request.extend(index.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    // Which flags are meant.
    request.extend((libc::IFF_UP as u32).to_ne_bytes());
    request
}
