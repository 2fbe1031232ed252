//! A listening socket.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::info::SocketInfo;
use super::options::Options;
use super::profile::{Backlog, Profile};
use super::socket::SocketId;
use crate::time::SimTime;
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
    /// When a SYN was last answered by a cookie.
    pub(super) cookies_sent_at: Option<SimTime>,
}

/// What becomes of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// There is room for its connection.
    Queued,
    /// There is none for its handshake: it is answered by a cookie (RFC 4987).
    ByCookie,
    /// It is as if it had been lost.
    Ignored,
}

/// For how long cookies are believed after the last one was sent.
const COOKIES_LAST: Duration = Duration::from_secs(120);

impl Listener {
    /// What becomes of the next SYN.
    pub(super) fn admits(&self, profile: &Profile) -> Admission {
        let backlog = self.backlog.min(profile.somaxconn);
        let all = self.completed.len() + self.incomplete;
        let is_full = match profile.backlog {
            Backlog::Berkeley => all > backlog * 3 / 2,
            Backlog::Exact => all >= backlog.max(1),
            Backlog::Linux if self.has_no_room(profile) => true,
            Backlog::Linux if self.incomplete > backlog && profile.syn_cookies => return Admission::ByCookie,
            Backlog::Linux => self.incomplete > backlog,
        };
        if is_full { Admission::Ignored } else { Admission::Queued }
    }

    /// Whether one more completed connection is too many. Linux alone counts them apart: elsewhere one that has been admitted
    /// has its place.
    pub(super) fn has_no_room(&self, profile: &Profile) -> bool {
        profile.backlog == Backlog::Linux && self.completed.len() > self.backlog.min(profile.somaxconn)
    }

    pub(super) fn has_sent_cookies(&self, now: SimTime) -> bool {
        self.cookies_sent_at.is_some_and(|at| now - at <= COOKIES_LAST)
    }

    pub(super) fn info(&self) -> SocketInfo {
        SocketInfo {
            local: self.local,
            remote: None,
            state: TcpState::Listen,
            recv_q: self.completed.len(),
            send_q: self.backlog,
            timer: None,
            rto: Duration::ZERO,
            rtt: None,
            backoff: 0,
            retransmits: 0,
            tcp: None,
        }
    }
}
