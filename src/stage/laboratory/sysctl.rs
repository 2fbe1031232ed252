//! `--set` on a real kernel: the sysctl behind each key. They are a namespace's own.

use std::fs;
use std::io;

use super::interface;
use crate::stack::{Profile, System};

/// Octets that a kernel short of memory leaves a socket.
const LEAST: usize = 4_096;

/// The sysctls of an interface that is yet to come.
const NEIGHBOURS: &str = "net.ipv4.neigh.default.";

/// Whether a key is one of the interface, and so set once there is one.
pub(super) fn is_of_interface(key: &str) -> bool {
    let sysctl = Profile::key(key).and_then(|key| key.sysctl);
    sysctl.is_some_and(|sysctl| sysctl.name.starts_with(NEIGHBOURS))
}

/// Sets a key of `--set` in the namespace of this process.
///
/// # Errors
///
/// A key that is none of a kernel's, a value that it does not take, or a kernel too old for it.
pub(super) fn set(key: &str, value: &str) -> io::Result<()> {
    let Some(sysctl) = Profile::key(key).and_then(|key| key.sysctl) else {
        return Err(io::Error::other(format!("a real kernel has no {key} to set")));
    };
    let bad = || io::Error::other(format!("{key}={value}: the kernel takes no such value"));
    let value = sysctl.native(value).ok_or_else(bad)?;
    // Neighbours are kept for each interface and each family by itself; all else of IPv4 is TCP's, and for both.
    match sysctl.name.strip_prefix(NEIGHBOURS) {
        Some(rest) => {
            let of = |family: u32| format!("net.ipv{family}.neigh.{}.{rest}", interface::WIRE);
            write(&of(4), &value)?;
            write(&of(6), &value)
        }
        None => write(sysctl.name, &value),
    }
}

/// Gives sockets the memory that the profile has: a machine's own may be another, and with it the scale of its windows.
pub(super) fn set_memory() -> io::Result<()> {
    let profile = Profile::of(System::REAL);
    for (key, memory) in [("tcp_rmem", profile.receive_memory), ("tcp_wmem", profile.send_memory)] {
        set(key, &format!("{LEAST},{},{}", memory.default, memory.most))?;
    }
    Ok(())
}

/// Writes a sysctl of the namespace of this process.
pub(super) fn write(name: &str, value: &str) -> io::Result<()> {
    fs::write(format!("/proc/sys/{}", name.replace('.', "/")), value)
        .map_err(|error| io::Error::other(format!("sysctl {name}={value}: {error}")))
}
