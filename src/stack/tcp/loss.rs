//! What follows when something may be lost: RACK's verdict, the phases of recovery, and what undoes them.

use std::time::Duration;

use super::ack::Told;
use super::nagle::Nagle;
use super::recovery::{Phase, REORDERING, Resend};
use super::retransmission::Purpose;
use super::tcb::Tcb;
use crate::packet::Seq;
use crate::stack::transport::Context;

/// RACK's patience lasts for so many recoveries.
const PERSISTS: u32 = 16;

impl Tcb {
    /// Something is amiss: goes on in recovery, begins it, or ends it.
    pub(super) fn on_suspicion(
        &mut self,
        cx: &mut Context<'_>,
        prior_una: Seq,
        is_duplicate: bool,
        told: &mut Told,
    ) -> Resend {
        if is_duplicate && !self.agreed.sack {
            self.queue.note_duplicate();
        }
        if self.queue.oldest().is_some_and(|oldest| oldest.is_sacked) {
            // RFC 2018, 8: the peer has forgotten what it had beyond a gap.
            self.queue.forget_sacks();
        }
        let is_over = !self.send.una.before(self.recovery.end);
        match self.recovery.phase {
            Phase::Open => self.retransmission.since = None,
            Phase::Reducing if is_over && self.send.una != self.recovery.end => {
                self.end_reduction();
                self.recovery.phase = Phase::Open;
            }
            Phase::Recovery if is_over => {
                self.undo_recovery();
                self.end_reduction_of(Phase::Recovery);
            }
            _ => {}
        }
        match self.recovery.phase {
            Phase::Recovery => {
                if told.advanced && self.undo_partial(prior_una) {
                    return Resend::Nothing;
                }
                if self.recovery.all_was_needless() {
                    self.undo_reduction(false);
                    self.try_to_open();
                }
                self.find_losses(cx, told);
                if self.recovery.phase != Phase::Recovery {
                    if self.queue.packets.lost == 0 {
                        return Resend::Nothing;
                    }
                    self.enter_recovery();
                }
            }
            Phase::Loss => {
                let resend = self.go_on_after_timeout(is_duplicate, told);
                self.find_losses(cx, told);
                if !(self.recovery.phase == Phase::Open || told.lost_again) {
                    return resend;
                }
                return self.look_for_recovery(cx, told, resend);
            }
            _ => return self.look_for_recovery(cx, told, Resend::Nothing),
        }
        Resend::Lost
    }

    fn look_for_recovery(&mut self, cx: &mut Context<'_>, told: &mut Told, otherwise: Resend) -> Resend {
        if self.recovery.phase <= Phase::Disorder && self.recovery.all_was_needless() {
            self.undo_reduction(false);
        }
        self.find_losses(cx, told);
        if self.queue.packets.lost == 0 {
            self.try_to_open();
            return otherwise;
        }
        self.enter_recovery();
        Resend::Lost
    }

    /// RACK (RFC 8985, 6.2): marks what is lost. What may only be late is looked at again when the timer fires.
    fn find_losses(&mut self, cx: &Context<'_>, told: &mut Told) {
        if !self.agreed.sack {
            self.find_loss_by_duplicates(told);
            return;
        }
        if self.queue.sent() == 0 || !std::mem::take(&mut self.recovery.rack.has_advanced) {
            return;
        }
        let repaired = self.queue.packets.repaired;
        if self.detect_losses(cx) {
            told.rearms = false;
        }
        told.lost_again |= repaired > self.queue.packets.repaired;
    }

    /// RFC 6582: the oldest is lost after three duplicates, and after each acknowledgment that recovery gets of less than all.
    fn find_loss_by_duplicates(&mut self, told: &Told) {
        let is_recovering = self.recovery.phase == Phase::Recovery;
        let is_lost = match self.recovery.phase < Phase::Recovery {
            true => self.queue.packets.sacked >= self.recovery.reordering,
            false => is_recovering && told.advanced,
        };
        if is_lost && self.queue.oldest().is_some_and(|oldest| !oldest.is_lost) {
            let mss = self.mss();
            if self.queue.piece(0).data.len() > mss {
                self.queue.split(0, mss, mss);
            }
            self.queue.note_lost(0);
        }
    }

    /// Says whether something is waited for.
    fn detect_losses(&mut self, cx: &Context<'_>) -> bool {
        let patience = self.patience();
        let newest = self.recovery.rack.order;
        let mut longest = Duration::ZERO;
        for at in 0..self.queue.sent() {
            let piece = self.queue.piece(at);
            let is_known = piece.is_sacked || piece.is_lost && !piece.is_repaired;
            if is_known || piece.order >= newest {
                continue;
            }
            let left = self.recovery.rack.left(cx.now, piece.sent, patience);
            if left.is_zero() {
                self.queue.note_lost(at);
            } else {
                longest = longest.max(left);
            }
        }
        if longest.is_zero() {
            return false;
        }
        self.set_retransmission(cx, Purpose::Reordering, longest + Duration::from_millis(2));
        true
    }

    /// By how much segments may come late.
    fn patience(&self) -> Duration {
        let recovery = &self.recovery;
        let is_evident =
            recovery.phase >= Phase::Recovery || self.queue.packets.sacked >= recovery.reordering;
        if !recovery.has_seen_reordering && is_evident {
            return Duration::ZERO;
        }
        let least = self.rtt.least().unwrap_or_default();
        let srtt = self.rtt.smoothed().unwrap_or_default();
        (least / 4 * recovery.rack.steps).min(srtt)
    }

    /// RFC 8985, 6.2, step 4: what comes twice tells that patience was too short.
    pub(super) fn update_patience(&mut self, delivered_when_sent: Option<u32>) {
        let Some(before) = delivered_when_sent.filter(|before| *before > 0) else { return };
        let delivered = self.send.delivered;
        let rack = &mut self.recovery.rack;
        if before < rack.last_delivered {
            rack.has_seen_needless = false;
        }
        if std::mem::take(&mut rack.has_seen_needless) {
            rack.steps = (rack.steps + 1).min(255);
            (rack.last_delivered, rack.persists) = (delivered, PERSISTS);
        } else if rack.persists == 0 {
            rack.steps = 1;
        }
    }

    /// What may have come late has had its time.
    pub(super) fn fire_reordering(&mut self, cx: &mut Context<'_>) {
        let in_flight = self.queue.packets.in_flight();
        let lost = self.queue.packets.lost;
        self.detect_losses(cx);
        if self.queue.packets.in_flight() != in_flight {
            if self.recovery.phase != Phase::Recovery {
                self.enter_recovery();
                self.reduce(1, self.queue.packets.lost > lost, false);
            }
            self.resend_lost(cx);
        }
        if !self.waits_for(Purpose::Retransmit) {
            self.rearm(cx);
        }
    }

    /// The retransmission timer has fired: all that was sent long enough ago is lost.
    pub(super) fn enter_loss(&mut self, cx: &Context<'_>) {
        let is_new = self.recovery.phase < Phase::Recovery;
        for at in 0..self.queue.sent() {
            let sent = self.queue.piece(at).sent;
            let is_recent = at > 0 && !self.recovery.rack.left(cx.now, sent, Duration::ZERO).is_zero();
            if !is_recent {
                self.queue.note_lost(at);
            }
        }
        let is_first = self.retransmission.kernel_count() == 0;
        if self.recovery.phase <= Phase::Disorder
            || !self.send.una.before(self.recovery.end)
            || self.recovery.phase == Phase::Loss && is_first
        {
            self.recovery.prior_threshold = self.congestion.current_threshold(self.recovery.is_reducing());
            self.recovery.prior_window = self.congestion.window;
            self.congestion.threshold = self.congestion.reduced();
            self.begin_undo();
        }
        self.congestion.on_timeout(cx.now, self.send.nxt);
        self.congestion.window = self.queue.packets.in_flight() + 1;
        if self.recovery.phase <= Phase::Disorder && self.queue.packets.sacked >= REORDERING {
            self.recovery.reordering = self.recovery.reordering.min(REORDERING);
        }
        self.recovery.phase = Phase::Loss;
        self.recovery.end = self.send.nxt;
        self.recovery.doubts_timeout = is_new || self.retransmission.kernel_count() > 0;
    }

    /// After a timeout: was it spurious (RFC 5682, 3.1), is it over, what is sent next?
    fn go_on_after_timeout(&mut self, is_duplicate: bool, told: &Told) -> Resend {
        let is_over = !self.send.una.before(self.recovery.end);
        if told.advanced && self.undo_loss(false) {
            return Resend::Nothing;
        }
        if self.recovery.doubts_timeout {
            if told.original && self.undo_loss(true) {
                return Resend::Nothing;
            }
            if self.recovery.end.before(self.send.nxt) {
                if told.sacked || is_duplicate {
                    self.recovery.doubts_timeout = false;
                }
            } else if told.advanced && !is_over {
                self.recovery.end = self.send.nxt;
                if !self.queue.is_all_sent() && self.send.nxt.before(self.window_end()) {
                    return Resend::New;
                }
                self.recovery.doubts_timeout = false;
            }
        }
        if is_over {
            self.undo_recovery();
            return Resend::Nothing;
        }
        Resend::Lost
    }

    /// Sends what an acknowledgment let be sent again.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>, resend: Resend) {
        if resend == Resend::Nothing {
            return;
        }
        if resend == Resend::New {
            self.push(cx, Nagle::Off);
            if self.recovery.end.before(self.send.nxt) {
                return;
            }
            self.recovery.doubts_timeout = false;
        }
        self.resend_lost(cx);
    }

    /// The window after an acknowledgment of so many packets.
    pub(super) fn control_congestion(
        &mut self,
        cx: &Context<'_>,
        delivered: u32,
        told: Told,
        has_lost: bool,
    ) {
        if self.recovery.is_reducing() {
            self.reduce(delivered, has_lost, told.advanced);
            return;
        }
        let is_progress =
            if self.recovery.reordering > REORDERING { told.acked || told.sacked } else { told.acked };
        if is_progress {
            self.congestion.on_ack(cx.now, delivered);
        }
    }

    /// Only smaller packets get through (RFC 1191, 6.3): what was too big goes out again at once, in smaller pieces.
    pub(super) fn repair_for_smaller_path(&mut self, cx: &mut Context<'_>) {
        let mss = self.mss();
        let lost = self.queue.packets.lost;
        for at in 0..self.queue.sent() {
            if self.queue.piece(at).data.len() > mss {
                self.queue.note_lost(at);
            }
        }
        if self.queue.packets.lost == lost {
            return;
        }
        if self.recovery.phase != Phase::Loss {
            self.recovery.end = self.send.nxt;
            self.congestion.threshold = self.congestion.current_threshold(self.recovery.is_reducing());
            (self.recovery.prior_threshold, self.recovery.undo) = (0, None);
            self.recovery.phase = Phase::Loss;
        }
        self.resend_lost(cx);
    }

    fn enter_recovery(&mut self) {
        self.recovery.prior_threshold = 0;
        self.begin_undo();
        if !self.recovery.is_reducing() {
            self.recovery.prior_threshold = self.congestion.current_threshold(false);
            self.begin_reduction();
        }
        self.recovery.phase = Phase::Recovery;
    }

    pub(super) fn begin_reduction(&mut self) {
        self.recovery.end = self.send.nxt;
        self.recovery.probe = None;
        self.recovery.prior_window = self.congestion.window;
        (self.recovery.delivered, self.recovery.sent) = (0, 0);
        self.congestion.on_recovery();
        self.congestion.threshold = self.congestion.reduced();
    }

    /// Proportional rate reduction (RFC 6937).
    fn reduce(&mut self, delivered: u32, has_lost: bool, advanced: bool) {
        if delivered == 0 || self.recovery.prior_window == 0 {
            return;
        }
        let recovery = &mut self.recovery;
        recovery.delivered += delivered;
        let in_flight = self.queue.packets.in_flight();
        let threshold = self.congestion.threshold;
        let mut send = if in_flight > threshold {
            let share = u64::from(threshold) * u64::from(recovery.delivered);
            (share.div_ceil(u64::from(recovery.prior_window)) as u32).saturating_sub(recovery.sent)
        } else {
            let owed = recovery.delivered.saturating_sub(recovery.sent).max(delivered);
            let more = owed + u32::from(advanced && !has_lost);
            more.min(threshold - in_flight)
        };
        if recovery.sent == 0 {
            // What began the recovery is sent again at once.
            send = send.max(1);
        }
        self.congestion.window = in_flight + send;
    }

    pub(super) fn end_reduction(&mut self) {
        self.end_reduction_of(self.recovery.phase);
    }

    fn end_reduction_of(&mut self, phase: Phase) {
        if self.congestion.knows_threshold() && (phase == Phase::Reducing || self.recovery.undo.is_some()) {
            self.congestion.window = self.congestion.threshold;
        }
    }

    fn begin_undo(&mut self) {
        let probed = self.recovery.probe.is_some_and(|(_, was_old)| was_old);
        let resent = self.queue.packets.repaired + u32::from(probed);
        self.recovery.undo = Some(self.send.una);
        // Nothing that was sent again: nothing can be told of as needless yet.
        self.recovery.needless_left = (resent > 0).then_some(resent);
    }

    /// Whether what was acknowledged was sent before anything was sent again, as its timestamp tells (RFC 3522).
    fn may_undo(&self) -> bool {
        self.recovery.undo.is_some() && (self.recovery.needless_left == Some(0) || self.was_first_sending())
    }

    fn was_first_sending(&self) -> bool {
        let (Some(since), Some(echo)) = (self.retransmission.since, self.last_echo) else { return false };
        (echo.wrapping_sub(self.timestamps.at(since)) as i32) < 0
    }

    fn undo_reduction(&mut self, nothing_is_lost: bool) {
        if nothing_is_lost {
            self.queue.forget_losses();
        }
        if self.recovery.prior_threshold > 0 {
            self.congestion.window = self.congestion.window.max(self.recovery.prior_window);
            self.congestion.threshold = self.congestion.threshold.max(self.recovery.prior_threshold);
        }
        self.recovery.undo = None;
        self.recovery.rack.has_advanced = true;
    }

    fn undo_recovery(&mut self) {
        if self.may_undo() {
            self.undo_reduction(false);
        } else {
            self.recovery.rack.persists = self.recovery.rack.persists.saturating_sub(1);
        }
        self.recovery.phase = Phase::Open;
    }

    fn undo_loss(&mut self, is_spurious: bool) -> bool {
        if !is_spurious && !self.may_undo() {
            return false;
        }
        self.undo_reduction(true);
        self.retransmission.count = 0;
        self.recovery.phase = Phase::Open;
        true
    }

    /// A gap was filled by what was late, not by what was sent again. Says whether nothing more is to be sent again for now.
    fn undo_partial(&mut self, prior_una: Seq) -> bool {
        if self.recovery.undo.is_none() || !self.was_first_sending() {
            return false;
        }
        let (highest, mss) = (self.highest_sacked(), self.mss());
        self.recovery.note_reordering(prior_una, highest, mss);
        if self.queue.packets.repaired > 0 {
            return true;
        }
        if !self.has_resent() {
            self.retransmission.since = None;
        }
        self.undo_reduction(true);
        self.keep_open();
        false
    }

    fn has_resent(&self) -> bool {
        self.queue.packets.repaired > 0 || self.queue.oldest().is_some_and(|oldest| oldest.resent > 0)
    }

    fn try_to_open(&mut self) {
        if !self.has_resent() {
            self.retransmission.since = None;
        }
        if self.recovery.phase != Phase::Reducing {
            self.keep_open();
        }
    }

    pub(super) fn keep_open(&mut self) {
        let is_amiss = self.queue.packets.left() > 0 || self.has_resent();
        let phase = if is_amiss { Phase::Disorder } else { Phase::Open };
        if self.recovery.phase != phase {
            self.recovery.phase = phase;
            self.recovery.end = self.send.nxt;
        }
    }
}
