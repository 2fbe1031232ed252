//! Timers that have come due.

use super::{Connection, Cx, Death};
use crate::timeline::TcpState;

impl Connection {
    /// Lets every timer fire whose moment has come.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        let due = |at: Option<crate::time::SimTime>| at.is_some_and(|at| at <= cx.now);
        let time_is_up = due(self.time_wait) || due(self.fin_wait_2);
        let (ack, retransmit) = (due(self.delayed_ack.deadline()), due(self.retransmit.at()));
        let (persist, keepalive) = (due(self.persist.at()), due(self.keepalive.at()));
        if time_is_up {
            self.die(cx, Death::Closed);
            return;
        }
        if due(self.corked_until) {
            self.push(cx);
        }
        if ack {
            self.send_held_ack(cx);
        }
        if retransmit {
            self.on_retransmit_timeout(cx);
        } else if persist {
            self.on_persist_timeout(cx);
        } else if keepalive {
            self.on_keepalive_timeout(cx);
        }
        self.settle(cx);
    }

    /// R2 of RFC 1122 (4.2.3.5): the connection is closed and the process told, with the soft error if there
    /// was one (ch. 5.14).
    pub(super) fn give_up_retransmitting(&mut self, cx: &mut Cx<'_>) {
        if cx.profile.reset_on_give_up && self.state != TcpState::SynSent {
            self.send_reset(cx);
        }
        self.die(cx, Death::TimedOut { soft: self.soft });
    }
}
