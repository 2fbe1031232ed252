//! What `/proc` tells of processes (proc(5)).

use std::collections::BTreeSet;
use std::fs;
use std::io;

use nix::libc;

use crate::os::sim::Wchan;
use crate::timeline::{ProcessChange, Waiting};

/// What `/proc/PID/stat` tells.
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) ppid: u32,
    pub(super) group: u32,
}

impl Stat {
    /// `None` if there is no such process.
    pub(super) fn of(pid: u32) -> Option<Stat> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command's name stands in parentheses and may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Stat { state, ppid: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    }
}

/// How a process has ended: `Zombie` until its parent has waited for it, then `Reaped`; `None` if it has not.
pub(super) fn end_of(pid: u32) -> Option<ProcessChange> {
    match Stat::of(pid) {
        None => Some(ProcessChange::Reaped),
        Some(stat) => (stat.state == 'Z').then_some(ProcessChange::Zombie),
    }
}

/// Every process of this machine, in order.
pub(super) fn pids() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    Ok(pids)
}

/// The inodes of the sockets that a process has open. A zombie has none, and it may have ended by now.
pub(super) fn sockets_of(pid: u32) -> BTreeSet<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return BTreeSet::new() };
    let inode = |entry: io::Result<fs::DirEntry>| {
        let path = fs::read_link(entry.ok()?.path()).ok()?;
        path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u32>().ok()
    };
    entries.filter_map(inode).collect()
}

/// The function of the kernel that a process sleeps in; there is none where the kernel is built without, or does not
/// trust us.
pub(super) fn kernel_function(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/wchan")).ok()?;
    (!matches!(name.as_str(), "" | "0")).then_some(name)
}

/// What the call waits for that a program was last heard to make. A program that catches signals waits in `ppoll`
/// whatever it has called, so the kernel's function alone would not do.
pub(super) fn sleeps_on(pid: u32, call: &Waiting) -> Option<Wchan> {
    Some(match call.call {
        "accept" => Wchan::Accept,
        "connect" => Wchan::Connect,
        "poll" => Wchan::Poll,
        "wait" | "waitpid" => Wchan::Wait,
        "sleep" => Wchan::Sleep,
        "read" | "write" => match (target(pid).as_deref(), call.call) {
            (Some(path), "read") if path.starts_with("pipe:") => Wchan::PipeRead,
            (Some(path), _) if path.starts_with("pipe:") => Wchan::PipeWrite,
            (Some(path), _) if path.starts_with("socket:") => Wchan::Socket,
            (Some(_), _) => Wchan::Terminal,
            (None, _) if call.within == Some("fgets") => Wchan::Terminal,
            (None, _) => Wchan::Socket,
        },
        _ => return None,
    })
}

/// What the descriptor of the read or write that it is in stands for, as `/proc/PID/fd` has it.
fn target(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    let (number, args) = text.split_once(' ')?;
    let number: libc::c_long = number.parse().ok()?;
    if ![libc::SYS_read, libc::SYS_write, libc::SYS_recvfrom, libc::SYS_sendto].contains(&number) {
        return None;
    }
    let fd = args.split(' ').next()?.strip_prefix("0x")?;
    let fd = u32::from_str_radix(fd, 16).ok()?;
    let path = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
    Some(path.to_string_lossy().into_owned())
}
