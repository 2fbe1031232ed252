//! One connection's transmission control block (RFC 9293, 3.3.1), and the calls that a process makes.

use std::time::Duration;

use bytes::Bytes;

use super::acknowledgment::Acknowledgment;
use super::agreed::Agreed;
use super::congestion::Congestion;
use super::nagle::Nagle;
use super::receive_queue::ReceiveQueue;
use super::receive_window::ReceiveWindow;
use super::recovery::Recovery;
use super::retransmission::{Purpose, Retransmission};
use super::rtt::Rtt;
use super::send_queue::{Piece, SendQueue};
use crate::packet::{IcmpError, Segment, Seq};
use crate::stack::info::{SocketInfo, TimerInfo, TimerKind};
use crate::stack::options::{Options, SocketOption};
use crate::stack::profile::Profile;
use crate::stack::transport::{
    Context, Death, Path, Reader, Setup, SoftError, Status, Tcp, Timer, TimerTable,
};
use crate::time::SimTime;
use crate::timeline::{Kind, TcpState};

/// The send sequence space, as far as it is numbers.
#[derive(Debug, Default)]
pub(super) struct SendSpace {
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    /// The number after the last octet that was written, or the FIN.
    pub(super) written: Seq,
    /// SND.WND, SND.WL1, and the largest window there was.
    pub(super) window: u32,
    pub(super) wl1: Seq,
    pub(super) largest_window: u32,
    /// The number after the last octet that a write pushed.
    pub(super) pushed: Seq,
    /// The end of the last segment that was not full (Minshall).
    pub(super) small_end: Seq,
    /// When data were last sent.
    pub(super) sent_at: Option<SimTime>,
    /// Packets that have been delivered.
    pub(super) delivered: u32,
    /// A FIN is behind what was written.
    pub(super) is_finished: bool,
}

/// RFC 7323's timestamps.
#[derive(Debug, Default)]
pub(super) struct Timestamps {
    /// What is added to the milliseconds of the world's clock.
    pub(super) offset: u32,
    /// TS.Recent, and when it was noted.
    pub(super) recent: Option<(u32, SimTime)>,
    /// The peer's last echo that a round trip was measured by.
    pub(super) measured: Option<u32>,
}

impl Timestamps {
    pub(super) fn at(&self, now: SimTime) -> u32 {
        self.offset.wrapping_add((now.as_nanos() / 1_000_000) as u32)
    }
}

pub(crate) struct Tcb {
    pub(super) path: Path,
    pub(super) options: Options,
    /// Whether segments get their checksums here.
    pub(super) checksums: bool,
    pub(super) state: TcpState,
    /// The state that it has left, if that is not recorded yet.
    left: Option<TcpState>,
    pub(super) reader: Reader,
    /// The last ICMP error that was believed but did not end the connection.
    pub(super) soft: Option<SoftError>,
    pub(super) death: Option<Death>,
    pub(super) agreed: Agreed,
    pub(super) send: SendSpace,
    pub(super) queue: SendQueue,
    /// Octets that may be written and not be acknowledged, and what these may become.
    pub(super) send_buffer: usize,
    pub(super) send_buffer_may_become: Option<usize>,
    /// Something was to be written for which there was no room.
    pub(super) wants_room: bool,
    pub(super) received: ReceiveQueue,
    /// The number after the last octet that was read.
    pub(super) read_to: Seq,
    pub(super) fin_received: bool,
    pub(super) window: ReceiveWindow,
    pub(super) acks: Acknowledgment,
    pub(super) timestamps: Timestamps,
    /// The timestamp that the peer's last segment echoed.
    pub(super) last_echo: Option<u32>,
    pub(super) rtt: Rtt,
    pub(super) congestion: Congestion,
    pub(super) recovery: Recovery,
    pub(super) retransmission: Retransmission,
    pub(super) timers: TimerTable,
    /// The SYN-ACK has been acknowledged, and there is no connection yet: data are waited for (TCP_DEFER_ACCEPT), or room at
    /// the listener.
    pub(super) is_acknowledged: bool,
    /// When the last acknowledgment came, and when a segment out of the window was last answered.
    pub(super) heard_at: SimTime,
    pub(super) answered_at: Option<SimTime>,
}

/// A number that nobody can guess from `seed`, and that is the same in each run.
pub(super) fn scrambled(seed: u64) -> u64 {
    let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 29).wrapping_mul(0x94d0_49bb_1331_11eb)
}

impl Tcb {
    pub(super) fn new(cx: &Context<'_>, path: Path, reader: Reader, setup: Setup) -> Tcb {
        let profile = cx.profile;
        let random = scrambled(setup.seed);
        let first = Seq::new(random as u32);
        let set = profile.fixed_buffer(setup.options.receive_buffer);
        let window = ReceiveWindow::new(profile.receive_memory, set, path.mss);
        let set = profile.fixed_buffer(setup.options.send_buffer);
        Tcb {
            send: SendSpace { una: first, nxt: first, written: first, pushed: first, ..SendSpace::default() },
            queue: SendQueue::default(),
            send_buffer: set.map_or(profile.send_memory.default, |octets| octets * 2),
            send_buffer_may_become: set.is_none().then_some(profile.send_memory.most),
            wants_room: false,
            received: ReceiveQueue::default(),
            read_to: Seq::default(),
            fin_received: false,
            window,
            acks: Acknowledgment::default(),
            last_echo: None,
            timestamps: Timestamps { offset: (random >> 32) as u32, ..Timestamps::default() },
            rtt: Rtt::default(),
            congestion: Congestion::new(profile.congestion, profile.initial_window.packets(0)),
            recovery: Recovery::new(),
            retransmission: Retransmission { rto: profile.rto.initial, ..Retransmission::default() },
            timers: TimerTable::default(),
            heard_at: cx.now,
            answered_at: None,
            is_acknowledged: false,
            checksums: setup.checksums,
            options: setup.options,
            state: TcpState::Closed,
            left: None,
            soft: None,
            death: None,
            agreed: Agreed::default(),
            path,
            reader,
        }
    }

    /// Before anything is sent: the first sequence number, and what is added to the clock of timestamps.
    pub(super) fn begin_at(&mut self, first: Seq, timestamp_offset: u32) {
        let send = &mut self.send;
        (send.una, send.nxt, send.written, send.pushed) = (first, first, first, first);
        self.timestamps.offset = timestamp_offset;
    }

    pub(super) fn is_dead(&self) -> bool {
        self.death.is_some()
    }

    /// The process is gone.
    pub(super) fn is_orphan(&self) -> bool {
        self.reader == Reader::Gone
    }

    /// The connection's state is another one. It is recorded behind the segments that this leads to, and only if it
    /// lasts: what one segment passes through nobody sees.
    pub(super) fn enter(&mut self, to: TcpState) {
        if self.state != to {
            let from = std::mem::replace(&mut self.state, to);
            self.left.get_or_insert(from);
        }
    }

    pub(super) fn record_state(&mut self, cx: &Context<'_>) {
        if let Some(from) = self.left.take() {
            let (local, remote, to) = (self.path.local, self.path.remote, self.state);
            cx.recorder.record(cx.now, || Kind::State { local, remote, from, to });
        }
    }

    /// The end. Timers stop; what was received can still be read.
    pub(super) fn die(&mut self, death: Death) {
        self.death = Some(death);
        self.timers = TimerTable::default();
        self.retransmission.purpose = None;
        self.queue = SendQueue::default();
        self.enter(TcpState::Closed);
    }

    /// SMSS with the options that every segment has: octets of data of a full segment.
    pub(super) fn mss(&self) -> usize {
        bounded_by_half(self.path.passing_mss() - self.agreed.octets(), self.send.largest_window)
    }

    /// Whether the peer may still send data.
    pub(super) fn may_receive(&self) -> bool {
        matches!(self.state, TcpState::Established | TcpState::FinWait1 | TcpState::FinWait2)
    }

    /// Whether data may still be sent.
    pub(super) fn may_send(&self) -> bool {
        let is_open = matches!(self.state, TcpState::Established | TcpState::CloseWait);
        is_open && !self.send.is_finished
    }

    /// Whether the send buffer has room, and as much as may be is not yet waiting to be sent.
    fn has_room(&self) -> bool {
        self.queue.memory() < self.send_buffer && self.not_sent() < self.not_sent_lowat()
    }

    /// Octets that are written and not sent.
    pub(super) fn not_sent(&self) -> u64 {
        (self.send.written - self.send.nxt).into()
    }

    fn not_sent_lowat(&self) -> u64 {
        self.options.not_sent_lowat.unwrap_or(u32::MAX).into()
    }

    /// Whether there is enough room to wake a process for: a third of the buffer, and half of TCP_NOTSENT_LOWAT.
    pub(super) fn has_much_room(&self) -> bool {
        let used = self.queue.memory();
        let is_little = self.not_sent() * 2 < self.not_sent_lowat();
        self.send_buffer.saturating_sub(used) >= used / 2 && used < self.send_buffer && is_little
    }

    /// When the keepalive timer ends next, if nothing is heard.
    fn restart_keepalive(&mut self, cx: &Context<'_>, silent_for: Duration) {
        let idle = self.options.keep_idle.unwrap_or(cx.profile.keepalive.idle);
        self.timers.set(Timer::Keepalive, cx.after(idle.saturating_sub(silent_for)));
    }

    /// How long nothing has been heard.
    pub(super) fn silent_for(&self, cx: &Context<'_>) -> Duration {
        let heard = self.acks.last_data_in().map_or(self.heard_at, |came| came.max(self.heard_at));
        cx.profile.between(heard, cx.now)
    }

    pub(super) fn start_keepalive(&mut self, cx: &Context<'_>) {
        if self.options.keepalive {
            self.restart_keepalive(cx, Duration::ZERO);
        }
    }

    /// The process is gone and only the peer's FIN is missing: it is not waited for without end.
    pub(super) fn wait_for_fin(&mut self, cx: &Context<'_>) {
        self.timers.stop(Timer::Keepalive);
        let wait = self.options.linger2.unwrap_or(cx.profile.fin_wait_2);
        match wait.map(|wait| wait.max(self.retransmission.rto * 7 / 2)) {
            Some(wait) => self.timers.set(Timer::FinWait2, cx.after(wait)),
            None => self.die(Death::Closed),
        }
    }

    pub(super) fn enter_time_wait(&mut self, cx: &Context<'_>) {
        self.enter(TcpState::TimeWait);
        self.stop_retransmission();
        for timer in [Timer::FinWait2, Timer::Keepalive, Timer::DelayedAck] {
            self.timers.stop(timer);
        }
        self.timers.set(Timer::TimeWait, cx.now + cx.profile.time_wait);
    }
}

/// A segment is at most half of the largest window that the peer ever offered, so that two may be under way.
pub(super) fn bounded_by_half(octets: usize, largest_window: u32) -> usize {
    const SMALL: usize = 536;
    let window = largest_window as usize;
    let most = if window > SMALL { window / 2 } else { window };
    if most > 0 { octets.min(most.max(68 - 20)) } else { octets }
}

impl Tcp for Tcb {
    fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Option<usize> {
        if !self.may_send() {
            return None;
        }
        let mss = self.mss();
        let goal = self.piece_goal(mss);
        let mut queued = 0;
        while queued < data.len() {
            let rest = &data[queued..];
            let room = self.queue.tail().map_or(0, |tail| goal.saturating_sub(tail.data.len()));
            if room == 0 {
                if !self.has_room() {
                    self.wants_room = true;
                    break;
                }
                self.restart_after_idle(cx);
                let seq = self.send.written;
                let data = Vec::with_capacity(rest.len().min(goal));
                self.queue.push(Piece { seq, data, ..Piece::default() });
                continue;
            }
            let len = room.min(rest.len());
            if queued == 0 {
                self.queue.unpush();
            }
            self.queue.append(&rest[..len]);
            self.send.written += len as u32;
            queued += len;
            let half = self.send.largest_window / 2;
            let is_full = len == room;
            if queued < data.len() && is_full {
                if (self.send.pushed + half).before(self.send.written) {
                    self.mark_pushed();
                    self.push(cx, Nagle::Push);
                } else if self.queue.next_is_last() {
                    self.push_one(cx);
                }
            }
        }
        if queued > 0 {
            self.mark_pushed();
            let is_whole = queued == data.len();
            // While a packet of the same moment still waits to leave, what is written gathers behind it.
            if !cx.cuts_segments && self.send.sent_at == Some(cx.now) && self.queue.sent() > 0 {
                self.autocork(cx);
            } else {
                self.push(cx, if is_whole { self.nagle() } else { Nagle::Push });
            }
        }
        Some(queued)
    }

    fn receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8], peek: bool) -> usize {
        let read = self.received.read(buf, peek);
        if peek || read == 0 {
            return read;
        }
        self.read_to += read as u32;
        if !self.is_dead() {
            let beyond = (self.received.highest() - self.received.nxt) as usize;
            self.window.on_read(cx.now, self.read_to, beyond);
            self.acknowledge_read(cx);
        }
        read
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        let to = match self.state {
            TcpState::Established | TcpState::SynReceived => TcpState::FinWait1,
            TcpState::CloseWait => TcpState::LastAck,
            _ => return,
        };
        self.enter(to);
        self.send.is_finished = true;
        self.queue.finish(self.send.written);
        self.send.written += 1;
        self.push(cx, Nagle::Off);
        self.record_state(cx);
    }

    fn abort(&mut self, cx: &mut Context<'_>) {
        if !self.is_dead() {
            if self.state != TcpState::TimeWait {
                self.send_reset(cx);
            }
            self.die(Death::Closed);
            self.record_state(cx);
        }
    }

    fn forget(&mut self, cx: &mut Context<'_>) {
        if !self.is_dead() {
            self.die(Death::Closed);
            self.record_state(cx);
        }
    }

    fn set_reader(&mut self, cx: &mut Context<'_>, reader: Reader) {
        self.reader = reader;
        if reader == Reader::Gone && !self.is_dead() && self.state == TcpState::FinWait2 {
            if self.options.linger2 == Some(None) {
                self.send_reset(cx);
            }
            self.wait_for_fin(cx);
            self.record_state(cx);
        }
    }

    fn set_option(&mut self, cx: &mut Context<'_>, option: SocketOption) {
        use TcpState::{CloseWait, Established, FinWait1, FinWait2};
        let was_on = self.options.keepalive;
        self.options.set(option);
        let is_open = matches!(self.state, Established | CloseWait | FinWait1 | FinWait2);
        match option {
            SocketOption::KeepAlive(true) if !was_on && is_open => self.restart_keepalive(cx, Duration::ZERO),
            SocketOption::KeepAlive(false) => self.timers.stop(Timer::Keepalive),
            SocketOption::KeepIdle(_) if was_on && is_open => {
                self.restart_keepalive(cx, self.silent_for(cx));
            }
            SocketOption::NoDelay(true) if is_open => self.push(cx, Nagle::Push),
            SocketOption::Cork(false) if is_open => {
                let nagle = if self.options.no_delay { Nagle::Push } else { self.nagle() };
                self.push(cx, nagle);
            }
            SocketOption::SendBuffer(octets) => {
                (self.send_buffer, self.send_buffer_may_become) = (octets * 2, None);
            }
            _ => {}
        }
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn quick_ack(&self) -> bool {
        self.acks.is_quick()
    }

    fn set_quick_ack(&mut self, cx: &mut Context<'_>, quick: bool) {
        self.acks.set_quick(quick);
        if quick && self.acks.is_due() && self.received.unread() == 0 {
            self.send_ack(cx);
        }
    }

    fn on_segment(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes) {
        self.input(cx, segment, &packet);
        self.record_state(cx);
    }

    fn on_icmp(&mut self, cx: &mut Context<'_>, error: &IcmpError) {
        self.input_icmp(cx, error);
        self.record_state(cx);
    }

    fn take_soft_error(&mut self) -> Option<SoftError> {
        self.soft.take()
    }

    fn on_timeout(&mut self, cx: &mut Context<'_>) {
        self.fire_timers(cx);
        self.record_state(cx);
    }

    fn status(&self) -> Status {
        Status {
            state: self.state,
            death: self.death,
            unread: self.received.unread(),
            fin_received: self.fin_received,
            can_send: self.may_send() && self.has_much_room(),
            deadline: self.timers.next(),
        }
    }

    fn info(&self, now: SimTime, profile: &Profile) -> SocketInfo {
        let kind = match self.retransmission.purpose {
            Some(Purpose::Window) => TimerKind::Persist,
            _ => TimerKind::Retransmit,
        };
        let fired = match kind {
            TimerKind::Persist => self.retransmission.probes,
            _ => self.retransmission.count,
        };
        let shown = [
            (Timer::Retransmit, kind, fired),
            (Timer::Keepalive, TimerKind::Keepalive, self.retransmission.probes),
            (Timer::TimeWait, TimerKind::TimeWait, 0),
            (Timer::FinWait2, TimerKind::FinWait2, 0),
        ];
        let running = shown.into_iter().filter_map(|(timer, kind, fired)| {
            self.timers.at(timer).map(|at| TimerInfo { kind, left: at - now, fired })
        });
        SocketInfo {
            local: self.path.local,
            remote: Some(self.path.remote),
            state: self.state,
            recv_q: self.received.unread(),
            send_q: self.queue.octets(),
            timer: running.min_by_key(|timer| timer.left),
            rto: self.retransmission.rto,
            rtt: self.rtt.measured(),
            backoff: self.retransmission.backoff,
            retransmits: self.retransmission.count,
            tcp: Some(Box::new(self.tcp_info(profile))),
        }
    }
}
