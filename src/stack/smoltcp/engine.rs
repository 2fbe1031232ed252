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

use super::device::{PacketDevice, SentPacket};
use super::socket::BufferedSocket;
use crate::stack::options::Options;
use crate::stack::transport::{Context, Setup};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// How far short of a timer the clock is held.
const HELD_SHORT: SmolDuration = SmolDuration::from_millis(10);

/// Octets of a buffer that would grow elsewhere.
const BUFFER: usize = 65_535;

pub(super) struct Engine {
    interface: Interface,
    sockets: BufferedSocket,
    handle: SocketHandle,
    device: PacketDevice,
    /// The program has closed; smoltcp's socket is still in CLOSE_WAIT.
    is_closing: bool,
    /// smoltcp's clock …
    clock: Instant,
    /// … and the world's when it was last looked at.
    seen: SimTime,
}

impl Engine {
    /// A socket that waits for the SYN of a connection to `local`.
    pub(super) fn listen(cx: &Context<'_>, local: SocketAddr, setup: &Setup) -> Engine {
        let mut engine = Engine::new(cx, local, setup);
        let opened = engine.socket_mut(|socket| socket.listen(local));
        opened.expect("a new socket listens on a port that is not 0");
        engine
    }

    /// A socket that is about to send a SYN.
    pub(super) fn connect(cx: &Context<'_>, local: SocketAddr, remote: SocketAddr, setup: &Setup) -> Engine {
        let mut engine = Engine::new(cx, local, setup);
        let Engine { interface, sockets, handle, .. } = &mut engine;
        let opened = sockets.with_dependent_mut(|_, sockets| {
            sockets.get_mut::<Socket<'_>>(*handle).connect(interface.context(), remote, local)
        });
        opened.expect("the stack checked both addresses");
        engine
    }

    fn new(cx: &Context<'_>, local: SocketAddr, setup: &Setup) -> Engine {
        // smoltcp drops such packets over IPv6, whose payload length they could have, too.
        let cuts = setup.segmentation_offload && local.is_ipv4();
        let mut device = PacketDevice::new(setup.mtu, setup.checksums, cuts);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = setup.seed;
        let clock = Instant::from_secs(0);
        let mut interface = Interface::new(config, &mut device, clock);
        interface.update_ip_addrs(|addrs| {
            // A prefix of no length: every destination is on the link.
            addrs.push(IpCidr::new(IpAddress::from(local.ip()), 0)).expect("room for one address");
        });
        let (sockets, handle) = BufferedSocket::closed(
            cx.profile.fixed_buffer(setup.options.receive_buffer).unwrap_or(BUFFER),
            cx.profile.fixed_buffer(setup.options.send_buffer).unwrap_or(BUFFER),
        );
        let mut engine =
            Engine { interface, sockets, handle, device, is_closing: false, clock, seen: cx.now };
        engine.socket_mut(|socket| {
            // Whether an acknowledgment waits is decided outside; so are keepalive, every timeout, and how much
            // may be in flight.
            socket.set_ack_delay(None);
            socket.set_congestion_control(CongestionControl::None);
        });
        engine.set_options(&setup.options);
        engine
    }

    pub(super) fn set_options(&mut self, options: &Options) {
        self.socket_mut(|socket| {
            socket.set_nagle_enabled(!options.no_delay);
            socket.set_hop_limit(Some(options.hop_limit));
        });
    }

    fn socket<R>(&self, look: impl FnOnce(&Socket<'_>) -> R) -> R {
        self.sockets.with_dependent(|_, sockets| look(sockets.get(self.handle)))
    }

    fn socket_mut<R>(&mut self, work: impl FnOnce(&mut Socket<'_>) -> R) -> R {
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
            State::CloseWait if self.is_closing => TcpState::LastAck,
            State::CloseWait => TcpState::CloseWait,
            State::Closing => TcpState::Closing,
            State::LastAck => TcpState::LastAck,
            State::TimeWait => TcpState::TimeWait,
        }
    }

    /// A packet for this connection; the answers smoltcp gives at once are put behind the others to be sent.
    pub(super) fn receive(&mut self, now: SimTime, packet: Bytes) {
        self.follow(now);
        self.device.arrived = Some(self.device.passed_by.before_receipt(packet));
        let Engine { interface, sockets, device, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| interface.poll_ingress_single(*clock, device, sockets));
    }

    /// So many octets have come that smoltcp is not told of.
    pub(super) fn pass_by(&mut self, octets: usize) {
        self.device.passed_by.octets = self.device.passed_by.octets.wrapping_add(octets as u32);
    }

    /// What has passed by takes so much of the window, in the units it is advertised in.
    pub(super) fn hold(&mut self, window: u16) {
        self.device.passed_by.window = window;
    }

    /// By how many bits smoltcp shifts the windows that it advertises, if the peer shifts its own: so that all of the
    /// buffer can be said in 16.
    pub(super) fn window_scale(&self) -> u8 {
        let bits = usize::BITS - self.recv_capacity().leading_zeros();
        bits.saturating_sub(u16::BITS) as u8
    }

    /// Octets that smoltcp has received in order and that are not read.
    pub(super) fn recv_queue(&self) -> usize {
        self.socket(|socket| socket.recv_queue())
    }

    /// Octets of the receive buffer.
    pub(super) fn recv_capacity(&self) -> usize {
        self.socket(|socket| socket.recv_capacity())
    }

    /// Octets that were written and are not acknowledged.
    pub(super) fn send_queue(&self) -> usize {
        self.socket(|socket| socket.send_queue())
    }

    /// Whether the send buffer has room, and what it takes may still be sent.
    pub(super) fn can_send(&self) -> bool {
        self.socket(|socket| socket.can_send())
    }

    /// Queues as much as there is room for; `None` if nothing can be sent any more.
    pub(super) fn write(&mut self, data: &[u8]) -> Option<usize> {
        self.socket_mut(|socket| socket.send_slice(data)).ok()
    }

    /// Whether data may still be queued.
    pub(super) fn may_send(&self) -> bool {
        self.socket(|socket| socket.may_send())
    }

    /// A FIN is to follow what is queued. From CLOSE_WAIT smoltcp's socket goes on only
    /// [when](Engine::close_if_all_fits) its FIN can be sent: in LAST_ACK it heeds no window that opens.
    pub(super) fn close(&mut self) {
        if self.socket(|socket| socket.state()) == State::CloseWait {
            self.is_closing = true;
        } else {
            self.socket_mut(|socket| socket.close());
        }
    }

    /// Lets the FIN of a closed socket follow its data, if a window of so many octets has room for all of them.
    pub(super) fn close_if_all_fits(&mut self, window: u32) {
        if self.is_closing && self.send_queue() <= window as usize {
            self.socket_mut(|socket| socket.close());
        }
    }

    /// Whether smoltcp takes a window from an acknowledgment of nothing new.
    pub(super) fn heeds_windows(&self) -> bool {
        use State::{CloseWait, Closing, Established, FinWait1};
        self.socket(|socket| matches!(socket.state(), Established | CloseWait | FinWait1 | Closing))
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
        let Engine { interface, sockets, device, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| interface.poll_egress(*clock, device, sockets));
        true
    }

    /// The next packet that was sent.
    pub(super) fn sent(&mut self) -> Option<SentPacket> {
        self.device.sent.pop_front()
    }

    /// Whether a timer of smoltcp's runs: retransmission, window probe or TIME-WAIT.
    pub(super) fn has_timer(&mut self) -> bool {
        self.timer().is_some()
    }

    fn egress(&mut self) {
        let Engine { interface, sockets, device, clock, .. } = self;
        sockets.with_dependent_mut(|_, sockets| {
            while interface.poll_egress(*clock, device, sockets) == PollResult::SocketStateChanged {}
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
