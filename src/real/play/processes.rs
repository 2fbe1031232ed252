//! The processes of a host, from `/proc` (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::io;

use nix::libc;

use super::performance::Performance;
use super::stat::Stat;
use crate::os::Pid;
use crate::os::sim::{ProcessInfo, ProcessState, Wchan};
use crate::timeline::Waiting;

impl Performance<'_> {
    /// Those the host has started and what they have forked: their process groups.
    pub(super) fn processes(&self, host: usize) -> io::Result<Vec<ProcessInfo>> {
        let actors = self.cast.iter().filter(|actor| actor.host == host);
        let groups: BTreeMap<u32, _> = actors.map(|actor| (actor.pid.as_raw(), &actor.name)).collect();
        let calls: BTreeMap<u32, &Waiting> = self.asleep().map(|call| (call.pid, call)).collect();
        let mut found = Vec::new();
        for pid in pids()? {
            // It may have ended since the list was read.
            let Some(stat) = Stat::of(pid) else { continue };
            let Some(name) = groups.get(&stat.group) else { continue };
            let state = match stat.state {
                'Z' => ProcessState::Zombie,
                'R' => ProcessState::Running,
                _ => ProcessState::Sleeping,
            };
            let call = calls.get(&pid).filter(|_| state == ProcessState::Sleeping);
            found.push(ProcessInfo {
                pid: Pid::from_raw(pid),
                ppid: Pid::from_raw(stat.ppid),
                name: (*name).clone(),
                state,
                sleeping_on: call.and_then(|call| sleeps_on(pid, call)),
                kernel: Some(kernel_function(pid).unwrap_or_else(|| "-".to_owned())),
                within: call.and_then(|call| call.within),
            });
        }
        Ok(found)
    }
}

/// Every process of this machine, in order.
fn pids() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    Ok(pids)
}

/// The kernel's own word; it has none where it is built without, or does not trust us.
fn kernel_function(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/wchan")).ok()?;
    (!matches!(name.as_str(), "" | "0")).then_some(name)
}

/// What the call that the program was last heard to make waits for. One that catches signals waits in `ppoll` whatever
/// it has called, so the kernel's word alone would not do.
fn sleeps_on(pid: u32, call: &Waiting) -> Option<Wchan> {
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
