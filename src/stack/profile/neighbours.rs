//! How the hosts of one segment find each other.

use std::time::Duration;

/// How a host finds the others of its segment, and what it does when one does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourRules {
    /// Neighbor Unreachability Detection (RFC 4861, 7.3), for IPv4 too. What waits for a neighbour that does not answer is
    /// reported as unreachable.
    Kernel {
        /// Requests to everybody, and later to the neighbour itself, before it is given up.
        solicitations: u32,
        /// From one request to the next.
        retransmit: Duration,
        /// How long TCP has to get on before the neighbour is asked again.
        delay: Duration,
        /// How long an answer is believed, half as much more or less.
        reachable: Duration,
    },
    /// 4.4BSD's ARP: what is sent asks, once a second; of what waits the newest is kept. Nobody is told that no answer came.
    Berkeley {
        /// So many requests in vain …
        tries: u32,
        /// … and for so long nothing is sent nor asked.
        rejects: Duration,
        /// How long an answer is believed.
        keep: Duration,
    },
}
