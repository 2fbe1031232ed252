//! A listening socket.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::info::SocketInfo;
use super::options::Options;
use super::socket::SocketId;
use crate::timeline::TcpState;

pub(super) struct Listener {
    /// The address may be unspecified: then it is every address of the host.
    pub(super) local: SocketAddr,
    pub(super) options: Options,
    pub(super) backlog: usize,
    /// Connections in their handshake.
    pub(super) incomplete: usize,
    /// Connections that wait for `accept`.
    pub(super) completed: VecDeque<SocketId>,
}

impl Listener {
    pub(super) fn info(&self) -> SocketInfo {
        SocketInfo {
            local: self.local,
            remote: None,
            state: TcpState::Listen,
            recv_q: self.completed.len(),
            send_q: self.backlog,
            timer: None,
            rto: std::time::Duration::ZERO,
            rtt: None,
            backoff: 0,
            retransmits: 0,
        }
    }
}
