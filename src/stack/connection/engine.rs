//! smoltcp's TCP for one connection, on a clock of its own.
//!
//! smoltcp knows RFC 6298's fixed constants and no others, so its clock follows the world's only until a timer
//! of its own is near; there it stands until the profile says that the timer [fires](Engine::fire). Sequence
//! numbers, windows, reassembly, congestion control and the state machine are smoltcp's; when anything is sent
//! again is the profile's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::time::Duration;

use bytes::Bytes;
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, PacketMeta, RxToken, TxToken};
use smoltcp::socket::tcp::{CongestionControl, Socket, State};
use smoltcp::time::{Duration as SmolDuration, Instant};
use smoltcp::wire::{HardwareAddress, IPV4_HEADER_LEN, IpAddress, IpCidr, TCP_HEADER_LEN};

use super::buffered::Buffered;
use super::memory::Block;
use crate::time::SimTime;
use crate::timeline::TcpState;

/// How far short of a timer the clock is held.
const HELD_SHORT: SmolDuration = SmolDuration::from_millis(10);

/// Octets of a packet that is worth a block of memory.
const BURST: usize = 4_096;

/// Where a packet begins in its block, so that its data begin with a cache line: IPv4's and TCP's headers have 40
/// octets.
const DATA_ALIGNED: usize = 24;

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
        let mut wire = Wire {
            mtu: config.mtu,
            checksums: config.checksums,
            // smoltcp drops such segments over IPv6, whose payload length they could have, too.
            largest: (config.segmentation_offload && local.is_ipv4()).then(|| whole_segments(config.mtu)),
            arrived: None,
            sent: VecDeque::new(),
        };
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
            // Whether an acknowledgment waits is decided outside; so are keepalive and every timeout.
            socket.set_ack_delay(None);
            socket.set_congestion_control(CongestionControl::Reno);
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
        self.wire.arrived = Some(packet);
        let Engine { interface, sockets, wire, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| interface.poll_ingress_single(*clock, wire, sockets));
    }

    /// Sends what may be sent now.
    pub(super) fn send(&mut self, now: SimTime) {
        self.follow(now);
        self.egress();
    }

    /// Lets the timer fire that the clock is held short of, if there is one; says whether there was.
    pub(super) fn fire(&mut self, now: SimTime) -> bool {
        self.follow(now);
        let Some(at) = self.timer() else { return false };
        self.clock = at;
        self.egress();
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

/// Octets of the largest IPv4 packet that is cut into segments without a rest.
fn whole_segments(mtu: usize) -> NonZeroUsize {
    const HEADERS: usize = IPV4_HEADER_LEN + TCP_HEADER_LEN;
    let segment = mtu - HEADERS;
    let segments = (usize::from(u16::MAX) - HEADERS) / segment;
    NonZeroUsize::new(HEADERS + segments * segment).expect("headers are not empty")
}

/// A packet that smoltcp has sent.
pub(super) struct Sent {
    pub(super) packet: Bytes,
    /// Octets of data of the segments it is to be cut into, if it is to be.
    pub(super) segment: Option<NonZeroU16>,
}

/// The wire as smoltcp sees it: at most one packet in, a queue of packets out.
struct Wire {
    mtu: usize,
    checksums: bool,
    /// The largest packet that is cut on its way, if any is.
    largest: Option<NonZeroUsize>,
    arrived: Option<Bytes>,
    sent: VecDeque<Sent>,
}

impl Wire {
    fn sending(&mut self) -> Sending<'_> {
        let fill_checksum = self.checksums && self.largest.is_some();
        Sending { fill_checksum, segment: None, sent: &mut self.sent }
    }
}

struct Arrived(Bytes);

struct Sending<'a> {
    fill_checksum: bool,
    segment: Option<NonZeroU16>,
    sent: &'a mut VecDeque<Sent>,
}

impl Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Sending<'_>)> {
        Some((Arrived(self.arrived.take()?), self.sending()))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(self.sending())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities.segmentation.tcpv4 = self.largest;
        // The stack has checked what arrives before it looked for the connection.
        capabilities.checksum.ipv4 = Checksum::Tx;
        // Who offloads segmentation offloads checksums, smoltcp says.
        let checksums = self.checksums && self.largest.is_none();
        capabilities.checksum.tcp = if checksums { Checksum::Tx } else { Checksum::None };
        capabilities
    }
}

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let fill_checksum = self.fill_checksum;
        let fill = |packet: &mut [u8]| {
            let result = f(packet);
            if fill_checksum {
                crate::packet::fill_checksum(packet);
            }
            result
        };
        let (packet, result) = if len < BURST {
            let mut packet = vec![0; len];
            let result = fill(&mut packet);
            (packet.into(), result)
        } else {
            let mut packet = Block::new(DATA_ALIGNED + len);
            let result = fill(&mut packet[DATA_ALIGNED..]);
            (Bytes::from_owner(packet).slice(DATA_ALIGNED..), result)
        };
        self.sent.push_back(Sent { packet, segment: self.segment });
        result
    }

    fn set_meta(&mut self, meta: PacketMeta) {
        self.segment = meta.segmentation_offload_size;
    }
}
