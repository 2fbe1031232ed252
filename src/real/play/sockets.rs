//! The sockets of a host, from the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use super::performance::Performance;
use super::view::Found;
use crate::stack::SocketInfo;

impl Performance<'_> {
    /// In a laboratory all of its namespace; on a loopback those at its addresses or held by its processes, as far as
    /// they are about the play.
    pub(super) fn sockets(&mut self, host: usize) -> io::Result<Vec<SocketInfo>> {
        let all = if self.ground.has_wires() {
            self.ground.enter(host)?;
            every_socket()?
        } else {
            let held = self.held(host)?;
            let mut all = every_socket()?;
            all.retain(|found| self.is_about_the_play(found) && self.is_of(host, found, &held));
            all
        };
        let mut infos: Vec<SocketInfo> = all.into_iter().map(|found| found.info).collect();
        // Listeners first, as netstat -a has them.
        infos.sort_by_key(|info| (info.remote.is_some(), info.local, info.remote));
        Ok(infos)
    }

    fn is_about_the_play(&self, found: &Found) -> bool {
        let ports = [Some(found.info.local.port()), found.info.remote.map(|remote| remote.port())];
        ports.into_iter().flatten().any(|port| self.play.ports.contains(&port))
    }

    fn is_of(&self, host: usize, found: &Found, held: &BTreeSet<u32>) -> bool {
        let (hosts, addr) = (&self.play.hosts, found.info.local.ip());
        let has_it: Vec<usize> = (0..hosts.len()).filter(|n| hosts[*n].addrs.contains(&addr)).collect();
        match has_it[..] {
            [only] => only == host,
            // The host's addresses are others' as well (::1). Of a connection that nobody holds any more only its
            // port tells whose it was.
            _ if found.inode == 0 => {
                let serves = |n: usize| hosts[n].runs.iter().any(|run| run.serves);
                let side = self.play.ports.contains(&found.info.local.port());
                (0..hosts.len()).find(|n| serves(*n) == side) == Some(host)
            }
            _ => held.contains(&found.inode),
        }
    }

    /// The inodes of the sockets that the host's processes have open.
    fn held(&self, host: usize) -> io::Result<BTreeSet<u32>> {
        let mut held = BTreeSet::new();
        for process in self.processes(host)? {
            // A zombie has nothing open, and others may have ended by now.
            let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", process.pid)) else { continue };
            let inode = |entry: io::Result<fs::DirEntry>| {
                let path = fs::read_link(entry.ok()?.path()).ok()?;
                path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u32>().ok()
            };
            held.extend(entries.filter_map(inode));
        }
        Ok(held)
    }
}

#[cfg(target_os = "linux")]
fn every_socket() -> io::Result<Vec<Found>> {
    super::sock_diag::sockets()
}

#[cfg(not(target_os = "linux"))]
fn every_socket() -> io::Result<Vec<Found>> {
    Err(io::Error::other("--netstat --real needs Linux: its sock_diag"))
}
