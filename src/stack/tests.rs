//! Two stacks on one wire: what the profiles promise, to the millisecond.

mod acceptance;
mod acknowledging;
mod bursts;
mod calls;
mod closing;
mod congestion;
mod connecting;
mod conversations;
mod neighbours;
mod properties;
mod sending;
mod silence;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::profile::Engine;
use super::*;
use crate::errno::Errno;
use crate::packet::{Flags, Unreachable};
use crate::timeline::{Direction, Kind};

const CLIENT: &str = "192.0.2.1";
const SERVER: &str = "192.0.2.2";
const PORT: u16 = 9877;
/// One way.
const LATENCY: Duration = Duration::from_millis(5);

/// What the wire does with a packet.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Deliver,
    Lose,
    /// A router half way answers.
    Refuse(Unreachable),
}

/// A client and a server on one wire.
struct Wire {
    now: SimTime,
    client: Stack,
    server: Stack,
    recorder: Recorder,
    fate: Box<dyn FnMut(&Bytes) -> Fate>,
    in_flight: BTreeMap<(SimTime, u64), (bool, Bytes)>,
    sequence: u64,
}

fn stack(addr: &str, profile: Profile, seed: u64, recorder: &Recorder) -> Stack {
    Stack::new(config(addr, profile, seed), recorder.clone())
}

fn config(addr: &str, profile: Profile, seed: u64) -> Config {
    Config { addrs: vec![addr.parse().unwrap()], profile, mtu: 1_500, seed, shares_segment: false }
}

impl Wire {
    fn new(profile: Profile) -> Wire {
        let recorder = Recorder::new("client");
        Wire {
            now: SimTime::ZERO,
            client: stack(CLIENT, profile.clone(), 1, &recorder),
            server: stack(SERVER, profile, 2, &recorder.for_host("server")),
            recorder,
            fate: Box::new(|_| Fate::Deliver),
            in_flight: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn put(&mut self, after: Duration, to_client: bool, packet: Bytes) {
        self.sequence += 1;
        self.in_flight.insert((self.now + after, self.sequence), (to_client, packet));
    }

    fn collect(&mut self) {
        while let Some(packet) = self.client.transmit() {
            match (self.fate)(&packet) {
                Fate::Deliver => self.put(LATENCY, false, packet),
                Fate::Lose => {}
                Fate::Refuse(what) => {
                    let answer = crate::packet::emit_icmp("192.0.2.254".parse().unwrap(), what, &packet);
                    self.put(LATENCY, true, answer.unwrap());
                }
            }
        }
        while let Some(packet) = self.server.transmit() {
            if (self.fate)(&packet) == Fate::Deliver {
                self.put(LATENCY, true, packet);
            }
        }
    }

    /// Goes on to the next thing that happens, if it is not after `until`.
    fn step(&mut self, until: SimTime) -> bool {
        self.collect();
        let arrival = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let next = [arrival, self.client.next_deadline(), self.server.next_deadline()];
        let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to_client, packet) = entry.remove();
            let stack = if to_client { &mut self.client } else { &mut self.server };
            stack.receive(self.now, packet);
        }
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        true
    }

    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while self.step(until) {}
    }

    fn server_addr(&self) -> SocketAddr {
        SocketAddr::new(self.server.addrs()[0], PORT)
    }

    fn listen(&mut self, backlog: usize) -> SocketId {
        let listener = self.server.socket();
        let any = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), PORT);
        self.server.bind(listener, any).unwrap();
        self.server.listen(listener, backlog).unwrap();
        listener
    }

    fn connect(&mut self) -> SocketId {
        let id = self.client.socket();
        assert_eq!(self.client.connect(self.now, id, self.server_addr()), Err(Errno::EINPROGRESS));
        id
    }

    /// A connection with its listener, accepted; a line has gone to and fro.
    fn connected(profile: Profile) -> (Wire, SocketId, SocketId) {
        Wire::connected_with(profile, false)
    }

    /// As [`connected`](Wire::connected), with or without segmentation offload at both ends.
    fn connected_with(profile: Profile, segmentation_offload: bool) -> (Wire, SocketId, SocketId) {
        let mut wire = Wire::new(profile);
        wire.client.set_segmentation_offload(segmentation_offload);
        wire.server.set_segmentation_offload(segmentation_offload);
        let listener = wire.listen(5);
        let client = wire.connect();
        wire.run(Duration::from_millis(100));
        assert_eq!(wire.client.connect(wire.now, client, wire.server_addr()), Ok(()));
        let (server, _) = wire.server.accept(wire.now, listener).unwrap();
        (wire, client, server)
    }

    fn read(&mut self, id: SocketId) -> Result<usize, Errno> {
        self.client.read(self.now, id, &mut [0; 65_536])
    }

    fn write(&mut self, id: SocketId) -> Result<usize, Errno> {
        self.client.write(self.now, id, b"world\n")
    }

    fn server_dies(&mut self) {
        self.in_flight.clear();
        self.fate = Box::new(|_| Fate::Lose);
    }

    /// Runs until the connection dies, and returns how long that took.
    fn run_until_dead(&mut self, id: SocketId) -> Duration {
        let start = self.now;
        let end = start + Duration::from_secs(100_000);
        while !self.client.readiness(id).hangup {
            assert!(self.step(end), "it never died");
        }
        self.now - start
    }

    /// When the client sent a segment like this, in milliseconds since `start`.
    fn sent(&self, start: SimTime, wanted: impl Fn(&crate::timeline::SegmentEvent) -> bool) -> Vec<u64> {
        let events = self.recorder.events_from(0);
        events
            .iter()
            .filter(|event| &*event.host == "client" && event.t >= start)
            .filter_map(|event| match &event.kind {
                Kind::Segment(segment) if segment.dir == Direction::Out && wanted(segment) => {
                    Some((event.t - start).as_millis() as u64)
                }
                _ => None,
            })
            .collect()
    }

    fn state(stack: &Stack) -> Vec<TcpState> {
        stack.sockets(SimTime::ZERO).into_iter().map(|socket| socket.state).collect()
    }
}

fn book() -> Profile {
    Profile::of(System::Book)
}

fn linux() -> Profile {
    Profile::of(System::Linux)
}

/// smoltcp's TCP, with a first flight of ten segments, a short timeout, and acknowledgments that do not wait.
fn reno() -> Profile {
    let mut profile = Profile::of(System::Rfc);
    for (key, value) in [("initial_window", "10"), ("rto_min", "200ms")] {
        profile.set(key, value).unwrap();
    }
    profile.ack.delay = Duration::ZERO;
    profile
}
