//! `--set` on a real kernel: the sysctl behind each key. They are a namespace's own.

use std::fs;
use std::io;

use crate::stack::{Profile, System};

/// Octets that a kernel short of memory leaves a socket.
const LEAST: usize = 4_096;

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
    write(sysctl.name, &sysctl.native(value).ok_or_else(bad)?)
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
