//! The segments that leave: their headers, their options, and acknowledgments without data.

use std::num::NonZeroUsize;

use super::output::LEAST_DATA;
use super::tcb::Tcb;
use crate::packet::{Flags, Segment, Seq, TcpOptions, emit_with};
use crate::stack::transport::{Context, Timer};
use crate::time::SimTime;
use crate::timeline::{Probe, Retransmission, TcpState};

impl Tcb {
    /// Puts a piece on the link, in segments or as one packet that the link cuts.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        at: usize,
        again: Option<Retransmission>,
        probe: Option<Probe>,
    ) {
        let (is_syn, has_data) = {
            let piece = self.queue.piece(at);
            (piece.flags.has(Flags::SYN), !piece.data.is_empty())
        };
        let options = if is_syn { self.syn_options(cx) } else { self.options_now(cx) };
        let has_ack = self.state != TcpState::SynSent;
        let win = if is_syn { self.syn_window() } else { self.offer() };
        let mss = self.mss_with(&options);
        let piece = self.queue.piece(at);
        let most =
            if cx.cuts_segments { NonZeroUsize::new(mss) } else { NonZeroUsize::new(piece.data.len()) };
        let most = most.map_or(1, NonZeroUsize::get);
        let count = piece.data.len().div_ceil(most).max(1);
        // What is cut on its way is passed on as soon as it is there.
        let pushed = if piece.packets > 1 { Flags::PSH } else { Flags::default() };
        for nth in 0..count {
            let from = nth * most;
            let data = &piece.data[from..piece.data.len().min(from + most)];
            let control = if nth + 1 == count { piece.flags.with(pushed) } else { Flags::default() };
            let segment = Segment {
                src: self.path.local,
                dst: self.path.remote,
                flags: if has_ack { control.with(Flags::ACK) } else { control },
                seq: piece.seq + from as u32,
                ack: has_ack.then_some(self.received.nxt),
                win,
                len: data.len(),
                hop_limit: self.options.hop_limit,
            };
            let packet = emit_with(&segment, &options, &[data], self.checksums);
            cx.send(&segment, packet, again, probe);
        }
        if has_ack {
            self.note_acknowledged(cx);
        }
        if has_data {
            self.acks.on_data_out(cx.now);
        }
        if has_data || !is_syn {
            self.send.sent_at = Some(cx.now);
        }
    }

    /// An acknowledgment without data.
    pub(super) fn send_ack(&mut self, cx: &mut Context<'_>) {
        let seq = self.acceptable_seq();
        self.send_bare(cx, seq, None);
        self.timers.stop(Timer::DelayedAck);
    }

    /// SND.NXT, but no number that the peer's window has no room for.
    fn acceptable_seq(&self) -> Seq {
        let edge = self.window_end();
        let unit = 1 << self.agreed.scale;
        if !edge.before(self.send.nxt) || self.send.nxt - edge < unit { self.send.nxt } else { edge }
    }

    /// A segment that says no more than an acknowledgment and a window.
    pub(super) fn send_bare(&mut self, cx: &mut Context<'_>, seq: Seq, probe: Option<Probe>) {
        let options = self.options_now(cx);
        let win = self.offer();
        let segment = self.bare(Flags::ACK, seq, win);
        let packet = emit_with(&segment, &options, &[], self.checksums);
        cx.send(&segment, packet, None, probe);
        self.note_acknowledged(cx);
    }

    /// RST with ACK, after everything that was ever sent; nothing if the peer is not known to exist.
    pub(super) fn send_reset(&mut self, cx: &mut Context<'_>) {
        if self.state != TcpState::SynSent {
            let seq = self.acceptable_seq();
            let win = self.offer();
            let segment = self.bare(Flags::RST.with(Flags::ACK), seq, win);
            let options = self.options_now(cx);
            let packet = emit_with(&segment, &options, &[], self.checksums);
            cx.send(&segment, packet, None, None);
        }
    }

    fn bare(&self, flags: Flags, seq: Seq, win: u16) -> Segment {
        Segment {
            src: self.path.local,
            dst: self.path.remote,
            flags,
            seq,
            ack: Some(self.received.nxt),
            win,
            len: 0,
            hop_limit: self.options.hop_limit,
        }
    }

    /// Something has been sent that acknowledges all that came.
    fn note_acknowledged(&mut self, cx: &Context<'_>) {
        self.acks.on_sent(cx.profile);
        self.timers.stop(Timer::DelayedAck);
    }

    fn offer(&mut self) -> u16 {
        let used = self.received.memory();
        if self.window.is_scarce(used) {
            self.acks.on_scarcity();
        }
        self.window.offer(self.received.nxt, used, self.acks.full())
    }

    fn syn_window(&self) -> u16 {
        u16::try_from(self.window.offered()).unwrap_or(u16::MAX)
    }

    fn syn_options(&self, cx: &Context<'_>) -> TcpOptions {
        // A SYN offers everything, a SYN-ACK what the SYN offered.
        let is_answer = self.state != TcpState::SynSent;
        let timestamps = if is_answer { self.agreed.timestamps } else { cx.profile.timestamps };
        TcpOptions {
            max_segment_size: Some(u16::try_from(self.path.mss).unwrap_or(u16::MAX)),
            window_scale: (!is_answer || self.window.scales).then_some(self.window.scale),
            sack_permitted: !is_answer || self.agreed.sack,
            timestamps: timestamps.then(|| self.timestamp(cx.now)),
            ..TcpOptions::default()
        }
    }

    fn options_now(&mut self, cx: &Context<'_>) -> TcpOptions {
        let timestamps = self.agreed.timestamps.then(|| self.timestamp(cx.now));
        let mut options = TcpOptions { timestamps, ..TcpOptions::default() };
        if self.agreed.sack && self.received.has_blocks() {
            // Where packets are tiny, data go before blocks.
            let room = self.mss().saturating_sub(LEAST_DATA + 4) / 8;
            for block in self.received.blocks().take(room) {
                if !options.push_block(block) {
                    break;
                }
            }
        }
        options
    }

    fn timestamp(&self, now: SimTime) -> (u32, u32) {
        (self.timestamps.at(now), self.timestamps.recent.map_or(0, |(recent, _)| recent))
    }

    fn mss_with(&self, options: &TcpOptions) -> usize {
        (self.mss() + self.agreed.octets()).saturating_sub(options.len()).max(1)
    }
}
