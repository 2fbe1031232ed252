//! One host's TCP/IP, as the system of its [`Profile`] has it.
//!
//! A [`Stack`] does no input or output and has no clock: packets and `now` go in
//! ([`receive`](Stack::receive), [`handle_timeout`](Stack::handle_timeout), the calls), packets and the next
//! deadline come out ([`transmit`](Stack::transmit), [`next_deadline`](Stack::next_deadline)). Time never runs
//! backwards. No call blocks: EAGAIN says that the caller has to sleep until
//! [`poll_event`](Stack::poll_event) names its socket.
//!
//! | file | what |
//! | --- | --- |
//! | `profile/` | how systems differ, as data |
//! | `calls.rs` | `socket`, `bind`, `connect`, `accept` … |
//! | `ports.rs` | local ports: who uses each, and which is chosen next |
//! | `demux.rs` | which socket an incoming packet belongs to |
//! | `listener.rs` | the backlog |
//! | `neighbours.rs` | the other hosts of the segment |
//! | `connection.rs` | one connection as its process sees it: POSIX's calls and errors |
//! | `transport/` | the interface to a connection's TCP, and the rules that every TCP follows |
//! | `smoltcp/` | that interface on smoltcp |
//! | `tcp/` | that interface on a TCP of our own, a present-day kernel's |
//!
//! A segment goes from `demux.rs` through [`Stack`] to a TCP, whose `input.rs` it comes to; on smoltcp from `tcb.rs` by way of `input.rs` and
//! `engine.rs` to the device that smoltcp reads from.

mod backlog;
mod calls;
mod change_log;
mod connection;
mod demux;
mod info;
mod listener;
mod neighbours;
mod options;
mod ports;
pub mod profile;
mod smoltcp;
mod socket;
mod socket_table;
mod tcp;
mod transport;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use rand::RngCore;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub(crate) use change_log::ChangeLog;
use connection::{Connection, Owner};
pub use info::{CaState, SocketInfo, TcpInfo, TimerInfo, TimerKind};
use listener::Listener;
use neighbours::{Neighbours, Wire};
pub use options::{Options, SocketOption};
use ports::Ports;
pub use profile::{Profile, System};
pub use socket::{How, Readiness, SocketId};
use socket_table::SocketTable;
use transport::{AcceptQueue, Context, Interface, Setup};

use crate::time::SimTime;
use crate::timeline::{Recorder, TcpState};

/// What a [`Stack`] is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's addresses, one for each interface and family; the first of a family is the default source.
    pub addrs: Vec<IpAddr>,
    /// How its TCP behaves.
    pub profile: Profile,
    /// Octets of the largest IP packet on its link.
    pub mtu: usize,
    /// Seeds sequence numbers and ephemeral ports. A host that boots again needs another one, or it may take a
    /// new connection for an old one (RFC 9293, 3.4.1).
    pub seed: u64,
    /// Whether its link is a segment that it shares with others, whom it has to find before it can send to them (ARP,
    /// Neighbor Discovery). If not, there is only the router at the other end.
    pub shares_segment: bool,
}

impl Config {
    fn interface(&self) -> Interface {
        match self.shares_segment {
            true => Interface::Shared(Box::new(Neighbours::new(&self.addrs, &self.profile, self.seed))),
            false => Interface::PointToPoint,
        }
    }
}

enum Socket {
    /// Made, perhaps bound, nothing else yet.
    Fresh {
        local: Option<SocketAddr>,
        options: Options,
    },
    Listener(Listener),
    Connection(Box<Connection>),
}

/// One host's TCP/IP.
pub struct Stack {
    addrs: Vec<IpAddr>,
    shared: Shared,
    mtu: usize,
    rng: ChaCha8Rng,
    /// Whether the link vouches for what it carries.
    offloads_checksums: bool,
    sockets: SocketTable,
    /// Connections by local and remote end: looked up, never iterated.
    connections: HashMap<(SocketAddr, SocketAddr), SocketId>,
    /// The one looked up last: packets come in bursts.
    recent: Option<((SocketAddr, SocketAddr), SocketId)>,
    listeners: BTreeMap<u16, Vec<SocketId>>,
    ports: Ports,
    deadlines: BTreeSet<(SimTime, SocketId)>,
    /// The entry of each socket in `deadlines`, by id.
    deadline_of: Vec<Option<SimTime>>,
    events: VecDeque<SocketId>,
    cookies: tcp::Cookies,
}

/// What all connections of a host share.
struct Shared {
    profile: Profile,
    recorder: Recorder,
    /// Whether the link cuts what is larger than it carries.
    offloads_segmentation: bool,
    /// Of the listener whose connection a segment is for.
    accept_queue: AcceptQueue,
    interface: Interface,
    /// Whether it is on.
    is_up: bool,
    out: VecDeque<Bytes>,
}

impl Shared {
    fn context(&mut self, now: SimTime) -> Context<'_> {
        Context {
            now,
            profile: &self.profile,
            recorder: &self.recorder,
            cuts_segments: !self.offloads_segmentation,
            accept_queue: self.accept_queue,
            interface: &mut self.interface,
            is_up: self.is_up,
            sent: 0,
            out: &mut self.out,
        }
    }
}

impl Stack {
    /// A host that has just booted: no connection, no listener.
    pub fn new(config: Config, recorder: Recorder) -> Stack {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let ports = Ports::new(config.profile.ephemeral_ports.clone(), rng.next_u32());
        // Without drawing anything: few hosts ever need them.
        let cookies = tcp::Cookies::new(config.seed);
        let interface = config.interface();
        Stack {
            addrs: config.addrs,
            shared: Shared {
                profile: config.profile,
                recorder,
                offloads_segmentation: false,
                accept_queue: AcceptQueue::HasRoom,
                interface,
                is_up: true,
                out: VecDeque::new(),
            },
            mtu: config.mtu,
            rng,
            offloads_checksums: false,
            sockets: SocketTable::default(),
            connections: HashMap::new(),
            recent: None,
            listeners: BTreeMap::new(),
            ports,
            deadlines: BTreeSet::new(),
            deadline_of: Vec::new(),
            events: VecDeque::new(),
            cookies,
        }
    }

    /// The host's addresses.
    pub fn addrs(&self) -> &[IpAddr] {
        &self.addrs
    }

    /// Gives the host another address; known ones stay what they are.
    pub fn add_addr(&mut self, addr: IpAddr) {
        if !self.addrs.contains(&addr) {
            self.addrs.push(addr);
        }
    }

    /// Tells a stack that was made before its host was known whose it is. Sockets, bound or listening, stay;
    /// there may be no connection yet.
    pub fn configure(&mut self, config: Config, recorder: Recorder) {
        debug_assert!(self.connections.is_empty(), "a connection knows another host");
        let fresh = Stack::new(config, recorder);
        self.ports.follow(fresh.ports);
        self.addrs = fresh.addrs;
        self.shared.profile = fresh.shared.profile;
        self.mtu = fresh.mtu;
        self.rng = fresh.rng;
        self.cookies = fresh.cookies;
        self.shared.recorder = fresh.shared.recorder;
        self.shared.interface = fresh.shared.interface;
        if self.offloads_checksums {
            self.offload_checksums();
        }
    }

    /// Leaves TCP's checksums to the link, which changes nothing that it carries: they are not verified, and
    /// computed for the reader of the timeline alone.
    pub fn offload_checksums(&mut self) {
        self.offloads_checksums = true;
        self.shared.recorder.leave_out_checksums();
    }

    /// Whether segments of one burst leave as one packet of up to 65 535 octets, as tcpdump shows them on a Linux
    /// host whose card cuts them (TCP segmentation offload). IPv4 only; connections that were made without never do.
    pub fn set_segmentation_offload(&mut self, on: bool) {
        self.shared.offloads_segmentation = on;
    }

    /// Turns the interface on or off; false if it is so already. Off, the host has no route: nothing leaves, and of its
    /// neighbours it knows nothing any more.
    pub(crate) fn set_link(&mut self, up: bool) -> bool {
        let was_up = std::mem::replace(&mut self.shared.is_up, up);
        if let (true, Interface::Shared(neighbours)) = (was_up && !up, &mut self.shared.interface) {
            neighbours.forget();
        }
        was_up != up
    }

    /// How its TCP behaves.
    pub fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// The next packet to put on the link.
    pub fn transmit(&mut self) -> Option<Bytes> {
        self.shared.out.pop_front()
    }

    /// The moment at which [`handle_timeout`](Stack::handle_timeout) has something to do.
    pub fn next_deadline(&self) -> Option<SimTime> {
        let connections = self.deadlines.first().map(|(at, _)| *at);
        [connections, self.neighbours_deadline()].into_iter().flatten().min()
    }

    fn neighbours_deadline(&self) -> Option<SimTime> {
        match &self.shared.interface {
            Interface::PointToPoint => None,
            Interface::Shared(neighbours) => neighbours.next_deadline(&self.shared.profile),
        }
    }

    /// Lets every timer fire whose moment has come, the oldest first.
    pub fn handle_timeout(&mut self, now: SimTime) {
        while self.fire_next(now) {}
    }

    /// Lets the oldest timer fire whose moment has come; false if there is none.
    pub(crate) fn fire_next(&mut self, now: SimTime) -> bool {
        if self.neighbours_deadline().is_some_and(|at| at <= now) {
            self.on_neighbours(now, Neighbours::handle_timeout);
            return true;
        }
        let due = self.deadlines.first().filter(|(at, _)| *at <= now).copied();
        if let Some((_, id)) = due {
            self.with_connection(now, id, |connection, cx| connection.tcp.on_timeout(cx));
        }
        due.is_some()
    }

    /// Works on the neighbours, and hears what they say of packets that could not be sent.
    fn on_neighbours(&mut self, now: SimTime, work: impl FnOnce(&mut Neighbours, &mut Wire<'_>)) {
        let Shared { profile, recorder, interface: Interface::Shared(neighbours), out, .. } =
            &mut self.shared
        else {
            return;
        };
        work(neighbours, &mut Wire { now, profile, recorder, out });
        while let Interface::Shared(neighbours) = &mut self.shared.interface
            && let Some(error) = neighbours.poll_error()
        {
            self.receive(now, error);
        }
    }

    /// A socket whose [`readiness`](Stack::readiness) has changed, or a listener with one more connection to
    /// accept. Each is named as often as it changed; an id may be gone by the time it is read.
    pub fn poll_event(&mut self) -> Option<SocketId> {
        self.events.pop_front()
    }

    /// Every socket with a state: listeners first, then connections, each in the order they were made.
    pub fn sockets(&self, now: SimTime) -> Vec<SocketInfo> {
        let infos = self.sockets.iter().filter_map(|(id, _)| self.socket_info(now, id));
        let (listeners, connections): (Vec<_>, Vec<_>) = infos.partition(|info| info.remote.is_none());
        listeners.into_iter().chain(connections).collect()
    }

    /// Whether a connection that its process has closed is still to be ended: its peer has not yet acknowledged all, or not
    /// closed. One in TIME_WAIT has ended.
    pub(crate) fn has_open_orphans(&self) -> bool {
        self.sockets.iter().any(|(_, socket)| match socket {
            Socket::Connection(connection) => {
                connection.owner == Owner::Orphan
                    && !matches!(connection.state(), TcpState::Closed | TcpState::TimeWait)
            }
            _ => false,
        })
    }

    /// One of them; `None` if it has no state, or is none.
    pub(crate) fn socket_info(&self, now: SimTime, id: SocketId) -> Option<SocketInfo> {
        match self.sockets.get(id)? {
            Socket::Listener(listener) => Some(listener.info()),
            Socket::Connection(connection) if connection.state() != TcpState::Closed => {
                Some(connection.tcp.info(now, &self.shared.profile))
            }
            Socket::Fresh { .. } | Socket::Connection(_) => None,
        }
    }

    /// From now on [`take_changes`](Stack::take_changes) knows what changed.
    pub(crate) fn log_changes(&mut self) {
        self.sockets.log_changes();
    }

    /// The sockets that may have changed since the last time, by id.
    pub(crate) fn take_changes(&mut self) -> BTreeSet<SocketId> {
        self.sockets.take_changes()
    }

    /// Works on a connection and then does the housekeeping that its new state asks for.
    fn with_connection<R>(
        &mut self,
        now: SimTime,
        id: SocketId,
        work: impl FnOnce(&mut Connection, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let Some(Socket::Connection(connection)) = self.sockets.get_mut(id) else { return None };
        let mut cx = self.shared.context(now);
        let before = connection.tcp.status();
        let ready_before = connection.readiness(&before);
        let result = work(connection, &mut cx);
        let status = connection.update(cx.profile);
        let (owner, ready) = (connection.owner, connection.readiness(&status));
        self.set_deadline(id, status.deadline);
        let is_dead = status.death.is_some();
        if is_dead && before.state != TcpState::Closed {
            self.forget_addresses(id);
        }
        match owner {
            Owner::Process if ready != ready_before => self.changed(id),
            Owner::Process => {}
            Owner::Listener(listener) => self.handshake_went_on(id, listener, before.state, status.state),
            Owner::Orphan if is_dead => self.remove(id),
            Owner::Orphan => {}
        }
        Some(result)
    }

    fn changed(&mut self, id: SocketId) {
        if self.events.back() != Some(&id) {
            self.events.push_back(id);
        }
    }

    fn set_deadline(&mut self, id: SocketId, deadline: Option<SimTime>) {
        if self.deadline_of.len() <= id.0 {
            self.deadline_of.resize(id.0 + 1, None);
        }
        let known = std::mem::replace(&mut self.deadline_of[id.0], deadline);
        if known != deadline {
            if let Some(at) = known {
                self.deadlines.remove(&(at, id));
            }
            if let Some(at) = deadline {
                self.deadlines.insert((at, id));
            }
        }
    }

    /// The connection is over: its addresses are free for another.
    fn forget_addresses(&mut self, id: SocketId) {
        let Some(Socket::Connection(connection)) = self.sockets.get(id) else { return };
        let (local, remote) = (connection.local, connection.remote);
        let port_was_chosen = connection.port_was_chosen;
        if self.connections.get(&(local, remote)) == Some(&id) {
            self.connections.remove(&(local, remote));
            self.recent = None;
            self.ports.release(local.port(), port_was_chosen);
        }
    }

    fn remove(&mut self, id: SocketId) {
        self.set_deadline(id, None);
        self.sockets.remove(id);
    }

    fn setup(&mut self, options: Options) -> Setup {
        let checksums = !self.offloads_checksums;
        let segmentation_offload = self.shared.offloads_segmentation;
        Setup { options, mtu: self.mtu, seed: self.rng.next_u64(), checksums, segmentation_offload }
    }
}

#[cfg(test)]
mod tests;
