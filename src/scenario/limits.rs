//! How large a scenario may be. What is larger is refused before anything of it is made.

/// Octets in a scenario's file: 1 MiB.
pub const FILE: u64 = 1 << 20;
/// Lines typed at all terminals together.
pub const TYPED_LINES: u64 = 100_000;
/// Hosts.
pub const HOSTS: usize = 1_000;
/// Programs started by the scenario, on all hosts together.
pub const PROCESSES: u64 = 10_000;
/// Faults.
pub const FAULTS: usize = 10_000;
/// Addresses of one host.
pub const ADDRESSES: u8 = 16;
