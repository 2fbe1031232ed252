//! Timers that have fired.

use super::tcb::Tcb;
use crate::stack::transport::{Context, Death, Fired, Timer};
use crate::timeline::Probe;

impl Tcb {
    /// Lets every timer fire whose moment has come.
    pub(super) fn fire_timers(&mut self, cx: &mut Context<'_>) {
        let (timers, now) = (self.timers.table, cx.now);
        let is_due = |timer| timers.is_due(timer, now);
        if is_due(Timer::TimeWait) || is_due(Timer::FinWait2) {
            self.die(cx, Death::Closed);
            return;
        }
        if is_due(Timer::Autocork) {
            self.push(cx);
        }
        if is_due(Timer::DelayedAck) {
            self.timers.table.stop(Timer::DelayedAck);
            self.send_held_ack(cx);
        }
        if is_due(Timer::Retransmit) {
            self.fire_retransmit(cx);
        } else if is_due(Timer::Persist) {
            self.fire_persist(cx);
        } else if is_due(Timer::Keepalive) {
            self.fire_keepalive(cx);
        }
        self.settle(cx);
    }

    pub(super) fn fire_retransmit(&mut self, cx: &mut Context<'_>) {
        let (timers, on) = self.retransmission(cx);
        match timers.retransmit.fire(&mut timers.table, on) {
            Fired::Nothing | Fired::Probe => {}
            Fired::Retransmit => {
                self.send.on_timeout();
                self.retransmit(cx);
            }
            Fired::GiveUp => self.give_up(cx, cx.profile.reset_on_give_up),
        }
    }

    fn fire_persist(&mut self, cx: &mut Context<'_>) {
        let rto = self.send.rtt.timeout(&cx.profile.rto);
        match self.timers.persist.fire(cx, &mut self.timers.table, rto) {
            Fired::GiveUp => self.give_up(cx, false),
            _ => self.probe_window(cx),
        }
    }

    fn fire_keepalive(&mut self, cx: &mut Context<'_>) {
        let is_sending = self.send.is_in_flight() || self.timers.table.is_running(Timer::Persist);
        let keepalive = &mut self.timers.keepalive;
        match keepalive.fire(cx, &mut self.timers.table, &self.options, is_sending) {
            Fired::Nothing => {}
            Fired::GiveUp => self.give_up(cx, cx.profile.reset_on_keepalive_give_up),
            _ => self.send_probe(cx, Probe::Keepalive),
        }
    }

    /// R2 of RFC 1122 (4.2.3.5): the connection is closed and the process told, with the soft error if there
    /// was one (ch. 5.14).
    fn give_up(&mut self, cx: &mut Context<'_>, with_reset: bool) {
        if with_reset {
            self.send_reset(cx);
        }
        self.die(cx, Death::TimedOut { soft: self.soft });
    }
}
