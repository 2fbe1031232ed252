//! One TCP connection: smoltcp's engine inside, the profile's policy around it.
//!
//! Every method takes the moment and the surroundings as a [`Cx`], changes the connection, puts the packets it
//! sends into `cx.out`, and leaves [`Connection::deadline`] as the next moment that it wants to hear from.

mod ack;
mod buffered;
mod bursts;
mod calls;
mod congestion;
mod cork;
mod death;
mod emit;
mod engine;
mod keepalive;
mod memory;
mod persist;
mod receive;
mod retransmit;
mod rtt;
mod shown;
mod timeout;
mod wire;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use smoltcp::wire::{IPV4_HEADER_LEN, IPV6_HEADER_LEN, TCP_HEADER_LEN};

use ack::DelayedAck;
use bursts::Bursts;
use congestion::Congestion;
pub(crate) use death::Death;
use emit::Acks;
use engine::{Engine, EngineConfig};
use keepalive::KeepaliveTimer;
use persist::PersistTimer;
use receive::DEFAULT_MSS;
use retransmit::RetransmitTimer;
use rtt::RttEstimator;

use super::SocketId;
use super::info::{SocketInfo, TimerInfo, TimerKind};
use super::options::Options;
use super::profile::{InitialWindow, Profile};
use crate::errno::Errno;
use crate::packet::{Segment, Seq, Unreachable};
use crate::time::SimTime;
use crate::timeline::{Kind, Recorder, TcpState};

/// What a connection needs of its surroundings.
pub(super) struct Cx<'a> {
    pub(super) now: SimTime,
    pub(super) profile: &'a Profile,
    pub(super) recorder: &'a Recorder,
    /// Whether what is to be cut into segments is cut here, and not by the link.
    pub(super) cuts_segments: bool,
    /// Packets to be sent.
    pub(super) out: &'a mut VecDeque<Bytes>,
}

/// Who would be told of what happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It waits for its handshake, or for `accept`, at this listener.
    Listener(SocketId),
    /// A process has a descriptor of it.
    Process,
    /// The last descriptor is closed.
    Nobody,
}

pub(super) struct Connection {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) owner: Owner,
    pub(super) options: Options,
    engine: Engine,
    /// The state last seen.
    state: TcpState,
    /// SND.UNA, and the number after the last one ever sent: SND.NXT without its rewinding. Both are 0 until
    /// the SYN is sent.
    una: Seq,
    nxt: Seq,
    /// The number after the last one that was read.
    read_to: Seq,
    /// What has come of it in bursts that the engine does not know of.
    bursts: Bursts,
    /// The number after the last one of the peer's that has come, in order or not.
    highest: Seq,
    /// The last acknowledgment and window that were sent, or that wait to be.
    acked: Seq,
    window: u16,
    /// The window that the peer last advertised, and how much of it the engine was last shown.
    peer_window: u32,
    shown: u32,
    congestion: Congestion,
    /// Octets of data of the largest segment that the peer takes.
    peer_mss: usize,
    /// By how many bits the peer's windows are shifted, and this end's.
    peer_scale: u8,
    scale: u8,
    rtt: RttEstimator,
    retransmit: RetransmitTimer,
    persist: PersistTimer,
    keepalive: KeepaliveTimer,
    delayed_ack: DelayedAck,
    /// When what was held back at this moment is to be sent.
    corked_until: Option<SimTime>,
    time_wait: Option<SimTime>,
    fin_wait_2: Option<SimTime>,
    /// Octets of data of the largest segment on this host's link.
    mss: usize,
    /// Octets of data of the segments that bursts are cut into, if they leave as one packet.
    segment_size: Option<usize>,
    /// The number after the last one that the engine has sent, or sent again.
    sent_to: Seq,
    /// When data were last sent.
    sent_at: Option<SimTime>,
    /// SND.NXT when a loss was last noticed, until that is acknowledged (RFC 6582, 3.2).
    recover: Option<Seq>,
    /// The largest IP packet the path lets through, if a router said so (RFC 1191).
    path_mtu: Option<usize>,
    /// How often each segment in flight has been sent again, by first sequence number.
    resent: Vec<(Seq, u32)>,
    /// The newest segment, for the tail loss probe.
    tail: Option<(Segment, Bytes)>,
    /// The same while a burst goes out: where it is among the packets to be sent.
    newest: Option<(Segment, usize)>,
    /// The last ICMP error believed but not final.
    soft: Option<Unreachable>,
    fin_received: bool,
    /// Nobody has asked yet how `connect` went.
    connecting: bool,
    /// The process said that it reads, or writes, no more.
    read_shut: bool,
    write_shut: bool,
    death: Option<Death>,
    /// SO_ERROR: to be reported once.
    error: Option<Errno>,
}

impl Connection {
    /// A connection that sends its SYN now.
    pub(super) fn open(cx: &mut Cx<'_>, local: SocketAddr, remote: SocketAddr, setup: Setup) -> Connection {
        let engine = Engine::connect(cx.now, local, remote, setup.engine(cx.profile));
        let mut connection = Connection::new(local, remote, Owner::Process, setup, engine);
        connection.push(cx);
        connection
    }

    /// A connection for a SYN that came to `listener`; it is to [`receive`](Connection::receive) it next.
    pub(super) fn passive(cx: &mut Cx<'_>, listener: SocketId, syn: &Segment, setup: Setup) -> Connection {
        let engine = Engine::listen(cx.now, syn.dst, setup.engine(cx.profile));
        let mut connection = Connection::new(syn.dst, syn.src, Owner::Listener(listener), setup, engine);
        connection.state = TcpState::Listen;
        connection
    }

    fn new(local: SocketAddr, remote: SocketAddr, owner: Owner, setup: Setup, engine: Engine) -> Connection {
        let ip_header = if local.is_ipv4() { IPV4_HEADER_LEN } else { IPV6_HEADER_LEN };
        Connection {
            local,
            remote,
            owner,
            options: setup.options,
            engine,
            state: TcpState::Closed,
            una: Seq::default(),
            nxt: Seq::default(),
            acked: Seq::default(),
            window: 0,
            peer_window: 0,
            shown: 0,
            congestion: Congestion::new(DEFAULT_MSS, InitialWindow::ONE, 0),
            read_to: Seq::default(),
            bursts: Bursts::default(),
            highest: Seq::default(),
            peer_mss: DEFAULT_MSS,
            peer_scale: 0,
            scale: 0,
            rtt: RttEstimator::default(),
            retransmit: RetransmitTimer::default(),
            persist: PersistTimer::default(),
            keepalive: KeepaliveTimer::default(),
            delayed_ack: DelayedAck::default(),
            corked_until: None,
            time_wait: None,
            fin_wait_2: None,
            mss: setup.mtu - ip_header - TCP_HEADER_LEN,
            segment_size: None,
            sent_to: Seq::default(),
            sent_at: None,
            recover: None,
            path_mtu: None,
            resent: Vec::new(),
            tail: None,
            newest: None,
            soft: None,
            fin_received: false,
            connecting: owner == Owner::Process,
            read_shut: false,
            write_shut: false,
            death: None,
            error: None,
        }
    }

    pub(super) fn state(&self) -> TcpState {
        self.state
    }

    /// Whether the connection is over: no packet belongs to it any more.
    pub(super) fn is_dead(&self) -> bool {
        self.death.is_some()
    }

    /// Whether it was reset by the peer.
    pub(super) fn was_reset(&self) -> bool {
        matches!(self.death, Some(Death::Reset { .. }))
    }

    /// The moment of the timer that fires next.
    pub(super) fn deadline(&self) -> Option<SimTime> {
        self.timers().map(|(at, ..)| at).chain(self.corked_until).min()
    }

    fn timers(&self) -> impl Iterator<Item = (SimTime, TimerKind, u32)> {
        let timers = [
            (self.retransmit.at(), TimerKind::Retransmit, self.retransmit.retransmits()),
            (self.persist.at(), TimerKind::Persist, self.persist.fired()),
            (self.keepalive.at(), TimerKind::Keepalive, self.keepalive.probes()),
            (self.time_wait, TimerKind::TimeWait, 0),
            (self.fin_wait_2, TimerKind::FinWait2, 0),
            (self.delayed_ack.deadline(), TimerKind::DelayedAck, 0),
        ];
        timers.into_iter().filter_map(|(at, kind, fired)| Some((at?, kind, fired)))
    }

    /// RCV.NXT: the next number that is expected of the peer.
    fn expected(&self) -> Seq {
        self.read_to + (self.unread() as u32 + u32::from(self.fin_received))
    }

    /// Octets that have come in order and are not read.
    fn unread(&self) -> usize {
        self.bursts.len() + self.engine.socket(|socket| socket.recv_queue())
    }

    /// Whether something sent is not yet acknowledged.
    fn in_flight(&self) -> bool {
        self.una != self.nxt
    }

    /// Sends what can be sent, then brings the policy's timers in line with the state.
    fn push(&mut self, cx: &mut Cx<'_>) {
        self.corked_until = None;
        self.show_limit(cx);
        self.engine.send(cx.now);
        self.emit(cx, Acks::AtOnce);
        self.acknowledge_bursts(cx);
        self.settle(cx);
    }

    /// The end. Timers stop; what was received can still be read.
    fn die(&mut self, cx: &mut Cx<'_>, death: Death) {
        self.death = Some(death);
        self.error = death.errno(cx.profile);
        self.retransmit = RetransmitTimer::default();
        self.persist = PersistTimer::default();
        self.keepalive = KeepaliveTimer::default();
        self.delayed_ack = DelayedAck::default();
        self.corked_until = None;
        self.time_wait = None;
        self.fin_wait_2 = None;
        self.tail = None;
        self.note_state(cx, TcpState::Closed);
    }

    fn settle(&mut self, cx: &mut Cx<'_>) {
        if self.is_dead() {
            return;
        }
        let state = self.engine.state();
        if state != self.state {
            self.note_state(cx, state);
            self.enter(cx, state);
        }
        let window_shut = !self.in_flight()
            && self.engine.socket(|socket| socket.send_queue()) > 0
            && self.engine.has_timer();
        self.persist.set(window_shut, cx, self.rtt.timeout(&cx.profile.rto));
    }

    fn enter(&mut self, cx: &mut Cx<'_>, state: TcpState) {
        match state {
            TcpState::Established => self.keepalive.restart(cx, &self.options),
            TcpState::FinWait2 => self.wait_for_fin(cx),
            TcpState::TimeWait => self.restart_time_wait(cx),
            // The last acknowledgment of an orderly close, or a reset the engine sent by itself.
            TcpState::Closed => self.die(cx, Death::Closed),
            _ => {}
        }
    }

    fn restart_time_wait(&mut self, cx: &Cx<'_>) {
        self.fin_wait_2 = None;
        self.keepalive = KeepaliveTimer::default();
        self.time_wait = Some(cx.now + cx.profile.time_wait);
    }

    /// Nobody can close a connection for a process that is gone but its peer, or this timer.
    fn wait_for_fin(&mut self, cx: &Cx<'_>) {
        if self.state == TcpState::FinWait2 && self.owner == Owner::Nobody {
            self.fin_wait_2 = cx.profile.fin_wait_2.map(|wait| cx.profile.rounded(cx.now, cx.now + wait));
        }
    }

    fn note_state(&mut self, cx: &Cx<'_>, to: TcpState) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            let (local, remote) = (self.local, self.remote);
            cx.recorder.record(cx.now, || Kind::State { local, remote, from, to });
        }
    }

    /// What `ss -tino` shows.
    pub(super) fn info(&self, now: SimTime, profile: &Profile) -> SocketInfo {
        let timer = self.timers().filter(|(_, kind, _)| *kind != TimerKind::DelayedAck).min_by_key(|t| t.0);
        SocketInfo {
            local: self.local,
            remote: Some(self.remote),
            state: self.state,
            recv_q: self.unread(),
            send_q: self.engine.socket(|socket| socket.send_queue()),
            timer: timer.map(|(at, kind, fired)| TimerInfo { kind, left: at - now, fired }),
            rto: self.rto(profile),
            rtt: self.rtt.measured(),
            backoff: self.retransmit.backoff(),
            retransmits: self.retransmit.retransmits(),
        }
    }

    /// The retransmission timeout with its back-off.
    fn rto(&self, profile: &Profile) -> Duration {
        let doubled = profile
            .kept(self.rtt.timeout(&profile.rto))
            .saturating_mul(1 << self.retransmit.backoff().min(16));
        doubled.min(profile.rto.max)
    }
}

/// What a new connection is made with.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) options: Options,
    pub(super) mtu: usize,
    pub(super) seed: u64,
    pub(super) checksums: bool,
    pub(super) segmentation_offload: bool,
}

impl Setup {
    fn engine(&self, profile: &Profile) -> EngineConfig {
        EngineConfig {
            seed: self.seed,
            checksums: self.checksums,
            segmentation_offload: self.segmentation_offload,
            mtu: self.mtu,
            buffer: self.options.buffer.unwrap_or(profile.buffer),
            no_delay: self.options.no_delay,
            hop_limit: self.options.hop_limit,
        }
    }
}
