//! How a connection comes to be: SYN and SYN-ACK, what they agree on, and what begins with their end.

use std::net::SocketAddr;
use std::time::Duration;

use super::agreed::Agreed;
use super::packet_memory::PacketMemory;
use super::retransmission::{Purpose, modelled_time};
use super::send_queue::Piece;
use super::tcb::Tcb;
use super::timeouts::LEAST;
use crate::packet::{Flags, Segment, TcpOptions};
use crate::stack::profile::SynWaits;
use crate::stack::transport::{AcceptQueue, Context, DEFAULT_MSS, Death, Path, Reader, Setup, Timer};
use crate::timeline::TcpState;

/// The first wait after a SYN (TCP_TIMEOUT_INIT), and how many are as long (`tcp_syn_linear_timeouts`).
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LINEAR_SYNS: u32 = 4;

/// What a kernel's send buffer has for each packet in flight besides its data, which come first, and together are a power of
/// two: the room for headers, and what a packet's pages are described by; and the packet's own description. A kernel that was
/// built with tunnels has more room for headers, and with it twice the buffer.
const MEMORY_BESIDE_DATA: (usize, usize) = (256 + 320, 256);

/// The wait after the SYN that was sent again so often.
fn syn_wait(count: u32, most: Duration) -> Duration {
    (FIRST_WAIT * (1 << count.saturating_sub(LINEAR_SYNS).min(16))).min(most)
}

/// The path, with segments no larger than the process wants them (TCP_MAXSEG).
fn path(local: SocketAddr, remote: SocketAddr, setup: &Setup) -> Path {
    let mut path = Path::new(local, remote, setup.mtu);
    path.mss = setup.options.max_segment.map_or(path.mss, |most| path.mss.min(most.into()));
    path
}

impl Tcb {
    /// A connection that sends its SYN now.
    pub(crate) fn open(cx: &mut Context<'_>, local: SocketAddr, remote: SocketAddr, setup: Setup) -> Tcb {
        let path = path(local, remote, &setup);
        let mut tcb = Tcb::new(cx, path, Reader::Reading, setup);
        tcb.enter(TcpState::SynSent);
        // Linux counts from the first SYN, not from the second.
        tcb.retransmission.since = Some(cx.now);
        tcb.send_syn(cx);
        tcb.record_state(cx);
        tcb
    }

    /// A connection that waits for `syn`, which it is to be given next.
    pub(crate) fn listen(cx: &Context<'_>, syn: &Segment, setup: Setup) -> Tcb {
        let path = path(syn.dst, syn.src, &setup);
        let mut tcb = Tcb::new(cx, path, Reader::Awaited, setup);
        tcb.state = TcpState::Listen;
        tcb
    }

    /// Sends the SYN, or SYN-ACK, for the first time.
    fn send_syn(&mut self, cx: &mut Context<'_>) {
        self.queue_syn(cx, 0);
        self.set_handshake_timer(cx);
        self.transmit(cx, 0, None, None);
    }

    /// The SYN, or SYN-ACK, is in flight; how often it was sent again.
    fn queue_syn(&mut self, cx: &Context<'_>, resent: u32) {
        self.queue.push(Piece { seq: self.send.nxt, flags: Flags::SYN, resent, ..Piece::default() });
        self.send.written += 1;
        self.send.nxt = self.send.written;
        self.send.pushed = self.send.written;
        self.queue.send_next(1, cx.now, 0);
    }

    /// The SYN-ACK was sent, nobody knows when, in answer to `syn`.
    /// Its window is of segments as the cookie knows them.
    pub(super) fn resume_handshake(&mut self, cx: &Context<'_>, syn: &Segment, options: &TcpOptions) {
        let segment = options.max_segment_size.map_or(DEFAULT_MSS, usize::from);
        self.note_syn(cx, syn, options, segment);
        self.queue_syn(cx, 1);
    }

    /// The wait after a SYN, or SYN-ACK: SYNs begin at an even pace, and only they are bound by the longest timeout.
    fn set_handshake_timer(&mut self, cx: &Context<'_>) {
        let count = self.retransmission.count;
        if self.state == TcpState::SynSent {
            self.retransmission.rto = syn_wait(count, cx.profile.rto.max);
            let wait = self.retransmission.clamped(cx.now, self.options.user_timeout);
            self.set_retransmission(cx, Purpose::Retransmit, wait);
        } else {
            let waits = &cx.profile.syn_ack;
            self.retransmission.rto = waits[(count as usize).min(waits.len() - 1)];
            self.retransmission.purpose = Some(Purpose::Retransmit);
            self.timers.set(Timer::Retransmit, cx.after(cx.profile.kept(self.retransmission.rto)));
        }
    }

    /// `tcp_syn_retries`, or TCP_SYNCNT.
    fn syn_retries(&self, cx: &Context<'_>) -> u32 {
        match cx.profile.syn {
            SynWaits::Linear { retries } => self.options.syn_count.map_or(retries, u32::from),
            SynWaits::Each(ref waits) => (waits.len() as u32).saturating_sub(1),
        }
    }

    /// How often a SYN, or SYN-ACK, is sent again at the most.
    fn most_retransmissions(&self, cx: &Context<'_>) -> u32 {
        match self.state {
            TcpState::SynSent => self.syn_retries(cx) + LINEAR_SYNS,
            _ => (cx.profile.syn_ack.len() as u32).saturating_sub(1),
        }
    }

    /// Which retransmission of a SYN is the last, if none is answered.
    fn last_syn(&self, cx: &Context<'_>) -> u32 {
        let modelled = modelled_time(self.syn_retries(cx), FIRST_WAIT, cx.profile.rto.max);
        let limit = self.options.user_timeout.unwrap_or(modelled);
        let mut lasted = Duration::ZERO;
        let is_before = |count: &u32| {
            lasted += syn_wait(*count, cx.profile.rto.max);
            lasted < limit
        };
        (0..).take_while(is_before).count() as u32
    }

    /// Whether `connect` has lasted as long as so many doublings take, or the user's timeout, which goes before it.
    fn is_over_for_connect(&self, cx: &Context<'_>) -> bool {
        let modelled = modelled_time(self.syn_retries(cx), FIRST_WAIT, cx.profile.rto.max);
        self.retransmission.has_lasted(cx.now, self.options.user_timeout.unwrap_or(modelled))
    }

    /// The timer of a SYN, or SYN-ACK, has fired.
    pub(super) fn fire_handshake(&mut self, cx: &mut Context<'_>) {
        let limit = self.most_retransmissions(cx);
        let is_over = self.state == TcpState::SynSent && self.is_over_for_connect(cx);
        let waits_for_data = self.is_acknowledged && self.retransmission.count < self.defers_accept();
        if (is_over || self.retransmission.count >= limit) && !waits_for_data {
            self.die(Death::TimedOut { soft: self.soft });
            return;
        }
        // With its last acknowledgments missing the peer would think that all is well: it is asked once more before the end
        // of the wait for its data.
        let defers = self.defers_accept();
        let resends = !self.is_acknowledged || self.retransmission.count + 1 >= defers;
        self.retransmission.count += 1;
        self.set_handshake_timer(cx);
        if resends {
            let last = if self.state == TcpState::SynSent { self.last_syn(cx).min(limit) } else { limit };
            self.resend_piece(cx, 0, Some(last), None);
        }
    }

    /// TCP_DEFER_ACCEPT, as a kernel counts it: the timeouts of a SYN-ACK after which data are not waited for any more.
    fn defers_accept(&self) -> u32 {
        const FIRST: Duration = Duration::from_secs(1);
        const LONGEST: Duration = Duration::from_secs(120);
        const MOST: u32 = 255;
        let Some(wait) = self.options.defer_accept else { return 0 };
        let (mut timeouts, mut timeout, mut period) = (1, FIRST, FIRST);
        while wait > period && timeouts < MOST {
            timeouts += 1;
            timeout = (timeout * 2).min(LONGEST);
            period += timeout;
        }
        timeouts
    }

    /// A segment has come while the connection waits for its SYN.
    pub(super) fn input_listen(&mut self, cx: &mut Context<'_>, segment: &Segment, options: &TcpOptions) {
        self.enter(TcpState::SynReceived);
        let timestamps = options.timestamps.is_some() && cx.profile.timestamps;
        let full = self.path.mss - if timestamps { 12 } else { 0 };
        self.note_syn(cx, segment, options, full);
        self.send_syn(cx);
    }

    /// A segment has come in answer to the SYN (RFC 9293, 3.10.7.3).
    pub(super) fn input_syn_sent(&mut self, cx: &mut Context<'_>, segment: &Segment, options: &TcpOptions) {
        let acknowledges =
            segment.ack.map(|ack| self.send.una.before(ack) && ack.at_or_before(self.send.nxt));
        if acknowledges == Some(false) {
            // The peer knows an old connection, and forgets it now: the SYN is worth another try at once.
            if self.retransmission.count == 0 {
                self.set_retransmission(cx, Purpose::Retransmit, LEAST);
            }
            self.refuse(cx, segment);
            return;
        }
        if segment.flags.has(Flags::RST) {
            if acknowledges == Some(true) {
                self.die(Death::Reset { state: TcpState::SynSent });
            }
            return;
        }
        if !segment.flags.has(Flags::SYN) {
            return;
        }
        self.note_syn(cx, segment, options, self.path.mss);
        if let Some(ack) = segment.ack {
            self.send.una = ack;
            self.end_handshake(cx, segment, options);
            cx.gets_on(segment);
            self.start_keepalive(cx);
            self.send_ack(cx);
        } else {
            // Both ends have sent a SYN: a simultaneous open.
            self.enter(TcpState::SynReceived);
            self.resend_piece(cx, 0, None, None);
        }
    }

    /// A segment has come for a connection whose SYN-ACK is not acknowledged. Says whether it is done with.
    pub(super) fn input_syn_received(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment,
        options: &TcpOptions,
    ) -> bool {
        let is_syn_again = segment.flags.has(Flags::SYN)
            && segment.ack.is_none()
            && !segment.flags.has(Flags::RST)
            && segment.seq + 1 == self.received.nxt;
        if is_syn_again {
            // RFC 9293, 3.5.1: its answer may have been lost.
            if !self.answered_lately(cx) {
                self.set_handshake_timer(cx);
                self.resend_piece(cx, 0, None, None);
            }
            return true;
        }
        if segment.ack.is_some_and(|ack| ack != self.send.nxt) {
            self.refuse(cx, segment);
            return true;
        }
        let is_acceptable = segment.seq.at_or_before(self.window.edge())
            && self.window.offered_at().at_or_before(segment.seq_end());
        let is_reset = segment.flags.has(Flags::RST);
        if !is_acceptable {
            if !is_reset && !self.answered_lately(cx) {
                self.send_ack(cx);
            }
            return true;
        }
        if is_reset || segment.flags.has(Flags::SYN) {
            self.refuse(cx, segment);
            self.die(Death::Reset { state: TcpState::SynReceived });
            return true;
        }
        let waits_for_data = self.retransmission.count < self.defers_accept();
        if waits_for_data && segment.seq_end() == self.received.nxt && self.reader == Reader::Awaited {
            self.is_acknowledged = true;
            return true;
        }
        let Some(ack) = segment.ack else { return true };
        match cx.accept_queue {
            AcceptQueue::HasRoom => {}
            AcceptQueue::IsFull => {
                self.is_acknowledged = true;
                return true;
            }
            AcceptQueue::Resets => {
                self.refuse(cx, segment);
                self.die(Death::Reset { state: TcpState::SynReceived });
                return true;
            }
        }
        self.send.una = ack;
        self.end_handshake(cx, segment, options);
        self.start_keepalive(cx);
        false
    }

    /// The reset that answers a segment, if one does.
    pub(super) fn refuse(&mut self, cx: &mut Context<'_>, segment: &Segment) {
        if let Some(reset) = segment.reset() {
            cx.send_bare(&reset, None);
        }
    }

    /// What the peer's SYN tells. What is offered in answer to it is a multiple of `full`.
    fn note_syn(&mut self, cx: &Context<'_>, segment: &Segment, options: &TcpOptions, full: usize) {
        self.path.peer_mss = options.max_segment_size.map_or(DEFAULT_MSS, usize::from).max(88);
        let timestamps = options.timestamps.is_some() && cx.profile.timestamps;
        self.agreed =
            Agreed { sack: options.sack_permitted, timestamps, scale: options.window_scale.unwrap_or(0) };
        if options.window_scale.is_none() {
            self.window.do_not_scale();
        }
        if let (true, Some((value, _))) = (timestamps, options.timestamps) {
            self.timestamps.recent = Some((value, cx.now));
        }
        self.received.nxt = segment.seq + 1;
        self.read_to = segment.seq + 1;
        if self.state == TcpState::SynReceived {
            self.window.begin_in_segments(full);
        }
        let segment_octets = self.path.mss - self.agreed.octets();
        // A kernel that answers a SYN sets its window up before it counts with timestamps.
        let is_answer = self.state == TcpState::SynReceived;
        let reserved = if is_answer { self.path.mss } else { segment_octets };
        let headers = self.path.headers() + self.agreed.octets();
        self.received.packets = PacketMemory::new(headers, segment_octets);
        self.window.begin(cx.now, self.received.nxt, reserved, self.received.packets);
        (self.send.window, self.send.wl1) = (segment.win.into(), segment.seq);
        self.send.largest_window = self.send.window;
    }

    /// Both ends know each other's numbers.
    fn end_handshake(&mut self, cx: &mut Context<'_>, segment: &Segment, options: &TcpOptions) {
        let syn = self.queue.pop();
        let echo = options.timestamps.filter(|_| self.agreed.timestamps).map(|(_, echo)| echo);
        let rtt = match (syn.resent, echo) {
            (0, _) => Some(cx.now - syn.sent),
            (_, Some(echo)) => Some(self.since_timestamp(cx.now, echo)),
            (_, None) => None,
        };
        if let Some(rtt) = rtt {
            self.rtt.measure_least(rtt, cx.now);
            self.rtt.measure(cx.profile, rtt, self.send.una, self.send.nxt);
        }
        self.rtt.assume_nothing();
        let retransmissions = self.retransmission.count;
        self.stop_retransmission();
        self.retransmission.rto = self.rtt.timeout(cx.profile);
        (self.retransmission.count, self.retransmission.backoff, self.retransmission.since) = (0, 0, None);
        let scale = if segment.flags.has(Flags::SYN) { 0 } else { self.agreed.scale };
        (self.send.window, self.send.wl1) = (u32::from(segment.win) << scale, segment.seq);
        self.send.largest_window = self.send.largest_window.max(self.send.window);
        self.send.pushed = self.send.written;
        self.send.small_end = self.send.una;
        self.heard_at = cx.now;
        let window = cx.profile.initial_window.packets(retransmissions);
        self.congestion.begin(cx.now, window, self.send.nxt);
        self.acks.begin(self.path.mss, self.window.offered() as usize);
        self.grow_send_buffer();
        self.timers.stop(Timer::DelayedAck);
        self.enter(TcpState::Established);
    }

    /// Room for what may be in flight, and as much again (`tcp_sndbuf_expand`).
    pub(super) fn grow_send_buffer(&mut self) {
        if let Some(most) = self.send_buffer_may_become {
            let packets = 10.max(self.congestion.window).max(self.recovery.reordering + 1) as usize;
            let (beside, description) = MEMORY_BESIDE_DATA;
            let per_packet = (self.path.smss() + beside).next_power_of_two() + description;
            let wanted = 2 * packets * per_packet;
            self.send_buffer = self.send_buffer.max(wanted.min(most));
        }
    }
}
