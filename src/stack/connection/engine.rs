//! smoltcp's TCP for one connection, on a clock of its own.
//!
//! smoltcp knows RFC 6298's fixed constants and no others, so its clock follows the world's only until a timer
//! of its own is near; there it stands until the profile says that the timer [fires](Engine::fire). Sequence
//! numbers, windows, reassembly and the state machine are smoltcp's; when anything is sent again is the profile's, how
//! much may be in flight is `congestion.rs`'s, and bursts that come in order pass by (`bursts.rs`).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle};
use smoltcp::socket::tcp::{CongestionControl, Socket, State};
use smoltcp::time::{Duration as SmolDuration, Instant};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::buffered::Buffered;
use super::wire::{Sent, Wire};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// How far short of a timer the clock is held.
const HELD_SHORT: SmolDuration = SmolDuration::from_millis(10);

/// What an [`Engine`] is made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct EngineConfig {
    /// Seeds the initial sequence number.
    pub(super) seed: u64,
    /// Whether segments get their checksums here.
    pub(super) checksums: bool,
    /// Whether many segments are sent as one that is to be cut (TCP segmentation offload).
    pub(super) segmentation_offload: bool,
    /// Octets of the largest IP packet.
    pub(super) mtu: usize,
    /// Octets of each buffer.
    pub(super) buffer: usize,
    /// Nagle's algorithm (RFC 9293, 3.7.4) is off.
    pub(super) no_delay: bool,
    /// Time to live.
    pub(super) hop_limit: u8,
}

pub(super) struct Engine {
    interface: Interface,
    sockets: Buffered,
    handle: SocketHandle,
    wire: Wire,
    /// smoltcp's clock …
    clock: Instant,
    /// … and the world's when it was last looked at.
    seen: SimTime,
}

impl Engine {
    /// A socket that waits for the SYN of a connection to `local`.
    pub(super) fn listen(now: SimTime, local: SocketAddr, config: EngineConfig) -> Engine {
        let mut engine = Engine::new(now, local, config);
        let opened = engine.socket_mut(|socket| socket.listen(local));
        opened.expect("a new socket listens on a port that is not 0");
        engine
    }

    /// A socket that is about to send a SYN.
    pub(super) fn connect(
        now: SimTime,
        local: SocketAddr,
        remote: SocketAddr,
        config: EngineConfig,
    ) -> Engine {
        let mut engine = Engine::new(now, local, config);
        let Engine { interface, sockets, handle, .. } = &mut engine;
        let opened = sockets.with_dependent_mut(|_, sockets| {
            sockets.get_mut::<Socket<'_>>(*handle).connect(interface.context(), remote, local)
        });
        opened.expect("the stack checked both addresses");
        engine
    }

    fn new(now: SimTime, local: SocketAddr, config: EngineConfig) -> Engine {
        // smoltcp drops such packets over IPv6, whose payload length they could have, too.
        let cuts = config.segmentation_offload && local.is_ipv4();
        let mut wire = Wire::new(config.mtu, config.checksums, cuts);
        let mut smol = Config::new(HardwareAddress::Ip);
        smol.random_seed = config.seed;
        let clock = Instant::from_secs(0);
        let mut interface = Interface::new(smol, &mut wire, clock);
        interface.update_ip_addrs(|addrs| {
            // A prefix of no length: every destination is on the link.
            addrs.push(IpCidr::new(IpAddress::from(local.ip()), 0)).expect("room for one address");
        });
        let (sockets, handle) = Buffered::socket(config.buffer);
        let mut engine = Engine { interface, sockets, handle, wire, clock, seen: now };
        engine.socket_mut(|socket| {
            // Whether an acknowledgment waits is decided outside; so are keepalive, every timeout, and how much
            // may be in flight.
            socket.set_ack_delay(None);
            socket.set_congestion_control(CongestionControl::None);
            socket.set_nagle_enabled(!config.no_delay);
            socket.set_hop_limit(Some(config.hop_limit));
        });
        engine
    }

    /// Looks at the socket.
    pub(super) fn socket<R>(&self, look: impl FnOnce(&Socket<'_>) -> R) -> R {
        self.sockets.with_dependent(|_, sockets| look(sockets.get(self.handle)))
    }

    /// Works on the socket.
    pub(super) fn socket_mut<R>(&mut self, work: impl FnOnce(&mut Socket<'_>) -> R) -> R {
        self.sockets.with_dependent_mut(|_, sockets| work(sockets.get_mut(self.handle)))
    }

    pub(super) fn state(&self) -> TcpState {
        match self.socket(|socket| socket.state()) {
            State::Closed => TcpState::Closed,
            State::Listen => TcpState::Listen,
            State::SynSent => TcpState::SynSent,
            State::SynReceived => TcpState::SynReceived,
            State::Established => TcpState::Established,
            State::FinWait1 => TcpState::FinWait1,
            State::FinWait2 => TcpState::FinWait2,
            State::CloseWait => TcpState::CloseWait,
            State::Closing => TcpState::Closing,
            State::LastAck => TcpState::LastAck,
            State::TimeWait => TcpState::TimeWait,
        }
    }

    /// A packet for this connection; the answers smoltcp gives at once are put behind the others to be sent.
    pub(super) fn receive(&mut self, now: SimTime, packet: Bytes) {
        self.follow(now);
        self.wire.arrived = Some(self.wire.passed_by.before_receipt(packet));
        let Engine { interface, sockets, wire, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| interface.poll_ingress_single(*clock, wire, sockets));
    }

    /// So many octets have come that smoltcp is not told of.
    pub(super) fn pass_by(&mut self, octets: usize) {
        self.wire.passed_by.octets = self.wire.passed_by.octets.wrapping_add(octets as u32);
    }

    /// What has passed by takes so much of the window, in the units it is advertised in.
    pub(super) fn hold(&mut self, window: u16) {
        self.wire.passed_by.window = window;
    }

    /// By how many bits smoltcp shifts the windows that it advertises, if the peer shifts its own: so that all of the
    /// buffer can be said in 16.
    pub(super) fn window_scale(&self) -> u8 {
        let bits = usize::BITS - self.socket(|socket| socket.recv_capacity()).leading_zeros();
        bits.saturating_sub(u16::BITS) as u8
    }

    /// Reads what smoltcp has received in order.
    pub(super) fn read(&mut self, buf: &mut [u8], peek: bool) -> usize {
        self.socket_mut(|socket| match socket.can_recv() {
            false => 0,
            true if peek => socket.peek_slice(buf).expect("what can be received is there"),
            true => socket.recv_slice(buf).expect("what can be received is there"),
        })
    }

    /// Sends what may be sent now.
    pub(super) fn send(&mut self, now: SimTime) {
        self.follow(now);
        self.egress();
    }

    /// Lets the timer fire that the clock is held short of, if there is one, and sends the one packet it is for; says
    /// whether there was.
    pub(super) fn fire(&mut self, now: SimTime) -> bool {
        self.follow(now);
        let Some(at) = self.timer() else { return false };
        self.clock = at;
        let Engine { interface, sockets, wire, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| interface.poll_egress(*clock, wire, sockets));
        true
    }

    /// The next packet that was sent.
    pub(super) fn sent(&mut self) -> Option<Sent> {
        self.wire.sent.pop_front()
    }

    /// Whether a timer of smoltcp's runs: retransmission, window probe or TIME-WAIT.
    pub(super) fn has_timer(&mut self) -> bool {
        self.timer().is_some()
    }

    fn egress(&mut self) {
        let Engine { interface, sockets, wire, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| {
            while interface.poll_egress(*clock, wire, sockets) == PollResult::SocketStateChanged {}
        });
    }

    fn timer(&mut self) -> Option<Instant> {
        let Engine { interface, sockets, clock, .. } = self;
        let at = sockets.with_dependent(|_, sockets| interface.poll_at(*clock, sockets));
        at.filter(|at| *at > *clock)
    }

    fn follow(&mut self, now: SimTime) {
        let passed = now.since(std::mem::replace(&mut self.seen, now));
        if passed == Duration::ZERO {
            return;
        }
        let ahead = self.clock + SmolDuration::from_micros(passed.as_micros() as u64);
        self.clock = match self.timer() {
            Some(at) => ahead.min(at - HELD_SHORT).max(self.clock),
            None => ahead,
        };
    }
}
