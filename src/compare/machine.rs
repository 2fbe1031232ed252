//! What this machine is called.

use std::fs;
use std::thread;

use nix::sys::utsname::uname;

/// The kernel's name and version: `Linux 6.18.44`.
pub fn kernel() -> String {
    let Ok(names) = uname() else { return "kernel".to_owned() };
    // What a distribution adds to the number says nothing about TCP.
    let release = names.release().to_string_lossy();
    let version = release.split('-').next().unwrap_or_default();
    format!("{} {version}", names.sysname().to_string_lossy())
}

/// The kernel with its architecture and processors: `Linux 6.18.44 on x86_64, 2 × AMD EPYC 7763`.
pub fn machine() -> String {
    let architecture =
        uname().map_or_else(|_| "unknown".to_owned(), |names| names.machine().to_string_lossy().into_owned());
    let count = thread::available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("processors", |(_, model)| model.trim());
    format!("{} on {architecture}, {count} × {model}", kernel())
}
