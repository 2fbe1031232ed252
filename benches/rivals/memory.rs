//! What a connection costs in memory, from `/proc`.

use std::fs;
use std::io;
use std::ops::AddAssign;

/// What a server's processes have together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Octets in proportion: a page that n processes have counts an nth for each (PSS).
    pub(crate) proportional: u64,
    /// Octets that no other process shares (USS).
    pub(crate) private: u64,
    /// Octets of page tables, which are the kernel's and in neither of the above.
    pub(crate) page_tables: u64,
    /// How many processes these are.
    pub(crate) processes: u64,
}

impl AddAssign for Memory {
    fn add_assign(&mut self, other: Memory) {
        self.proportional += other.proportional;
        self.private += other.private;
        self.page_tables += other.page_tables;
        self.processes += other.processes;
    }
}

/// The process and everything that descends from it.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let mut pids = vec![root];
    let mut next = 0;
    while let Some(&pid) = pids.get(next) {
        // Nothing to be read: it has ended just now.
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        pids.extend(children.split_whitespace().map_while(|pid| pid.parse::<u32>().ok()));
        next += 1;
    }
    pids
}

/// What the whole tree has.
pub(crate) fn of_tree(root: u32) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for pid in tree(root) {
        sum += of(pid)?;
    }
    Ok(sum)
}

fn of(pid: u32) -> io::Result<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(Memory {
        proportional: octets(&rollup, "Pss:")?,
        private: octets(&rollup, "Private_Clean:")? + octets(&rollup, "Private_Dirty:")?,
        page_tables: octets(&status, "VmPTE:")?,
        processes: 1,
    })
}

/// The value behind `key`, which the kernel gives in kibibytes.
fn octets(text: &str, key: &str) -> io::Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes = value.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|number| number << 10).ok_or_else(|| io::Error::other(format!("/proc tells no {key}")))
}
