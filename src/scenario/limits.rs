//! How large a scenario may be. What is larger is refused before anything of it is made.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Octets in a scenario's file: 4 MiB, enough for the hosts and what each has to see.
pub(super) const FILE: u64 = 4 << 20;
/// Lines typed at all terminals together.
pub(super) const TYPED_LINES: u64 = 100_000;
/// Octets of all these lines, and of all files that are a standard input, for each process that has them: 64 MiB.
pub(super) const TYPED_OCTETS: u64 = 64 << 20;
/// Hosts.
pub(super) const HOSTS: usize = 10_000;
/// Programs started by the scenario, on all hosts together.
pub(super) const PROCESSES: u64 = 10_000;
/// Faults.
pub(super) const FAULTS: usize = 10_000;
/// Rules for chosen packets, besides those of links.
pub(super) const RULES: usize = 1_000;
/// Between SIGTERM and SIGKILL when a host is shut down (UNP 5.16).
pub(super) const GRACE: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(20);
/// Addresses of one host.
pub(super) const ADDRESSES: u8 = 16;
