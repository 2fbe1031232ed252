//! What `/proc` tells of one process (proc(5)).

use std::fs;

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
