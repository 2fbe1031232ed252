//! One connection's transmission control block (RFC 9293, 3.3.1), and the calls that a process makes.

use std::net::SocketAddr;

use bytes::Bytes;

use super::engine::Engine;
use super::receive::ReceiveSpace;
use super::send::SendSpace;
use crate::packet::{IcmpError, Segment};
use crate::stack::info::SocketInfo;
use crate::stack::options::{Options, SocketOption};
use crate::stack::profile::Profile;
use crate::stack::transport::{
    Conditions, Context, Death, Path, Reader, Setup, SoftError, Status, Tcp, Timers,
};
use crate::time::SimTime;
use crate::timeline::{Kind, TcpState};

/// smoltcp's TCP, and around it what the profile decides.
pub(crate) struct Tcb {
    pub(super) path: Path,
    pub(super) send: SendSpace,
    pub(super) receive: ReceiveSpace,
    pub(super) timers: Timers,
    pub(super) options: Options,
    pub(super) engine: Engine,
    /// The state last seen.
    pub(super) state: TcpState,
    /// The last ICMP error that was believed but did not end the connection.
    pub(super) soft: Option<SoftError>,
    death: Option<Death>,
}

impl Tcb {
    /// A connection that sends its SYN now.
    pub(crate) fn open(cx: &mut Context<'_>, local: SocketAddr, remote: SocketAddr, setup: Setup) -> Tcb {
        let engine = Engine::connect(cx, local, remote, &setup);
        let path = Path::new(local, remote, setup.mtu);
        let mut tcb = Tcb::new(path, Reader::Reading, setup.options, engine, TcpState::Closed);
        tcb.push(cx);
        tcb
    }

    /// A connection that waits for `syn`, which it is to be given next.
    pub(crate) fn listen(cx: &Context<'_>, syn: &Segment, setup: Setup) -> Tcb {
        let engine = Engine::listen(cx, syn.dst, &setup);
        let path = Path::new(syn.dst, syn.src, setup.mtu);
        Tcb::new(path, Reader::Awaited, setup.options, engine, TcpState::Listen)
    }

    fn new(path: Path, reader: Reader, options: Options, engine: Engine, state: TcpState) -> Tcb {
        Tcb {
            send: SendSpace::new(path.peer_mss),
            receive: ReceiveSpace::new(reader),
            path,
            timers: Timers::default(),
            options,
            engine,
            state,
            soft: None,
            death: None,
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.death.is_some()
    }

    /// Brings the state and what depends on it in line with smoltcp's.
    pub(super) fn settle(&mut self, cx: &Context<'_>) {
        if self.is_dead() {
            return;
        }
        let state = self.engine.state();
        if state != self.state {
            self.note_state(cx, state);
            self.enter(cx, state);
        }
        let is_shut = !self.send.is_in_flight() && self.engine.send_queue() > 0 && self.engine.has_timer();
        let rto = self.send.rtt.timeout(&cx.profile.rto);
        self.timers.persist.update(cx, &mut self.timers.table, is_shut, rto);
    }

    fn enter(&mut self, cx: &Context<'_>, state: TcpState) {
        match state {
            TcpState::Established => {
                self.timers.keepalive.restart(cx, &mut self.timers.table, &self.options);
            }
            TcpState::FinWait2 if self.receive.reader == Reader::Gone => self.timers.enter_fin_wait_2(cx),
            TcpState::TimeWait => self.timers.enter_time_wait(cx),
            // The last acknowledgment of an orderly close, or a reset that smoltcp sent by itself.
            TcpState::Closed => self.die(cx, Death::Closed),
            _ => {}
        }
    }

    /// The end. Timers stop; what was received can still be read.
    pub(super) fn die(&mut self, cx: &Context<'_>, death: Death) {
        self.death = Some(death);
        self.timers.clear();
        self.receive.held_ack = None;
        self.note_state(cx, TcpState::Closed);
    }

    fn note_state(&mut self, cx: &Context<'_>, to: TcpState) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            let (local, remote) = (self.path.local, self.path.remote);
            cx.recorder.record(cx.now, || Kind::State { local, remote, from, to });
        }
    }

    /// What the retransmission timer depends on, and the timer.
    pub(super) fn retransmission<'a>(&'a mut self, cx: &'a Context<'_>) -> (&'a mut Timers, Conditions<'a>) {
        let conditions = Conditions {
            cx,
            state: self.engine.state(),
            user_timeout: self.options.user_timeout,
            rtt: &self.send.rtt,
        };
        (&mut self.timers, conditions)
    }
}

impl Tcp for Tcb {
    fn send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Option<usize> {
        if !self.engine.may_send() {
            return None;
        }
        let rto = self.timers.retransmit.rto(cx.profile, &self.send.rtt);
        self.send.restart_after_idle(cx, rto);
        let queued = self.engine.write(data)?;
        if queued > 0 {
            // While a packet of the same moment still waits to leave, what is written gathers behind it.
            if !cx.cuts_segments && self.send.sent_at == Some(cx.now) {
                self.autocork(cx);
            } else {
                self.push(cx);
            }
        }
        Some(queued)
    }

    fn receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8], peek: bool) -> usize {
        let read = self.receive.read(&mut self.engine, buf, peek);
        if !self.is_dead() && !peek {
            // Room in the buffer may be worth a window update.
            if cx.cuts_segments { self.push(cx) } else { self.autocork(cx) }
        }
        read
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.engine.close();
        self.push(cx);
    }

    fn abort(&mut self, cx: &mut Context<'_>) {
        if !self.is_dead() {
            if self.state != TcpState::TimeWait {
                self.send_reset(cx);
            }
            self.die(cx, Death::Closed);
        }
    }

    fn forget(&mut self, cx: &mut Context<'_>) {
        if !self.is_dead() {
            self.die(cx, Death::Closed);
        }
    }

    fn set_reader(&mut self, cx: &mut Context<'_>, reader: Reader) {
        self.receive.reader = reader;
        if reader == Reader::Gone && !self.is_dead() {
            self.timers.keepalive.stop(&mut self.timers.table);
            if self.state == TcpState::FinWait2 {
                self.timers.enter_fin_wait_2(cx);
            }
        }
    }

    fn set_option(&mut self, cx: &mut Context<'_>, option: SocketOption) {
        use SocketOption::{KeepAlive, KeepCount, KeepIdle, KeepInterval};
        use TcpState::{CloseWait, Established, FinWait2};
        self.options.set(option);
        self.engine.set_options(&self.options);
        if matches!(option, KeepAlive(_) | KeepIdle(_) | KeepInterval(_) | KeepCount(_))
            && matches!(self.state, Established | CloseWait | FinWait2)
        {
            self.timers.keepalive.restart(cx, &mut self.timers.table, &self.options);
        }
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn quick_ack(&self) -> bool {
        false
    }

    fn set_quick_ack(&mut self, _: &mut Context<'_>, _: bool) {}

    fn on_segment(&mut self, cx: &mut Context<'_>, segment: &Segment, packet: Bytes) {
        self.input(cx, segment, packet);
    }

    fn on_icmp(&mut self, cx: &mut Context<'_>, error: &IcmpError) {
        self.input_icmp(cx, error);
    }

    /// A BSD keeps it to itself until the connection ends.
    fn take_soft_error(&mut self) -> Option<SoftError> {
        None
    }

    fn on_timeout(&mut self, cx: &mut Context<'_>) {
        self.fire_timers(cx);
    }

    fn status(&self) -> Status {
        Status {
            state: self.state,
            death: self.death,
            unread: self.receive.unread(&self.engine),
            fin_received: self.receive.fin_received,
            can_send: self.engine.can_send(),
            deadline: self.timers.table.next(),
        }
    }

    fn info(&self, now: SimTime, profile: &Profile) -> SocketInfo {
        SocketInfo {
            local: self.path.local,
            remote: Some(self.path.remote),
            state: self.state,
            recv_q: self.receive.unread(&self.engine),
            send_q: self.engine.send_queue(),
            timer: self.timers.info(now),
            rto: self.timers.retransmit.rto(profile, &self.send.rtt),
            rtt: self.send.rtt.measured(),
            backoff: self.timers.retransmit.backoff(),
            retransmits: self.timers.retransmit.count(),
            tcp: None,
        }
    }
}
