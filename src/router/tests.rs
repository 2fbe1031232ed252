//! A client and a server, each on a link of its own, and what the router does to their packets.

mod accounts;
mod chance;
mod fault;
mod icmp;
mod middlebox;
mod rule;
mod timing;

use std::net::SocketAddr;

use bytes::Bytes;

use super::*;
use crate::packet::{self, Flags, Packet, Segment, Seq};
use crate::timeline::Kind;

/// The two ends of a connection, and the router's address between them, in one address family.
#[derive(Clone, Copy, Debug)]
struct Family {
    client: &'static str,
    server: &'static str,
    router: &'static str,
}

const V4: Family = Family { client: "192.0.2.1:40000", server: "198.51.100.2:7", router: "192.0.2.254" };
const V6: Family =
    Family { client: "[2001:db8:1::1]:40000", server: "[2001:db8:2::2]:7", router: "2001:db8:1::fe" };

const CLIENT: LinkId = LinkId(0);
const SERVER: LinkId = LinkId(1);

/// Octets of an IPv4 and a TCP header.
const HEADERS: usize = 40;

impl Family {
    fn header(self, seq: u32) -> Segment {
        let flags = Flags::PSH.with(Flags::ACK);
        let (src, dst) = (addr(self.client), addr(self.server));
        let (seq, ack) = (Seq::new(seq), Some(Seq::new(1)));
        Segment { src, dst, flags, seq, ack, win: 4096, len: 0, hop_limit: 64 }
    }

    /// A segment from the client to the server; `seq` tells it from others.
    fn request(self, seq: u32, payload: usize) -> Bytes {
        packet::emit_segment(&self.header(seq), &vec![b'x'; payload])
    }

    /// A segment from the server to the client.
    fn reply(self, seq: u32) -> Bytes {
        let header = self.header(seq);
        packet::emit_segment(&Segment { src: header.dst, dst: header.src, ..header }, b"")
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn us(micros: u64) -> SimTime {
    SimTime::from_nanos(micros * 1_000)
}

fn seq(packet: &[u8]) -> u32 {
    match packet::parse(packet) {
        Ok(Packet::Tcp(segment)) => segment.seq.get(),
        other => panic!("not a segment: {other:?}"),
    }
}

/// A packet that came out at a host.
#[derive(Clone, Debug, PartialEq)]
struct Arrived {
    at: SimTime,
    to: LinkId,
    packet: Bytes,
}

struct Net {
    router: Router,
    recorder: Recorder,
    arrived: Vec<Arrived>,
}

impl Net {
    /// Both links alike.
    fn new(config: LinkConfig) -> Net {
        Net::with(config.clone(), config, 1)
    }

    fn with(client: LinkConfig, server: LinkConfig, seed: u64) -> Net {
        let recorder = Recorder::new("test");
        let own = [V4, V6].map(|family| family.router.parse().unwrap());
        let mut router = Router::new(own.into(), seed, recorder.clone());
        router.attach("client", &[V4, V6].map(|family| addr(family.client).ip()), client);
        router.attach("server", &[V4, V6].map(|family| addr(family.server).ip()), server);
        Net { router, recorder, arrived: Vec::new() }
    }

    /// Runs what happens until `at`, then sends.
    fn send(&mut self, at: SimTime, from: LinkId, packet: Bytes) {
        self.until(at);
        self.router.receive(at, from, packet);
        self.collect(at);
    }

    fn until(&mut self, end: SimTime) {
        while let Some(due) = self.router.next_deadline().filter(|&due| due <= end) {
            self.router.handle_timeout(due);
            self.collect(due);
        }
    }

    fn collect(&mut self, at: SimTime) {
        while let Some((to, packet)) = self.router.transmit() {
            self.arrived.push(Arrived { at, to, packet });
        }
    }

    /// Runs until nothing is in flight; returns what has arrived since the start.
    fn finish(&mut self) -> &[Arrived] {
        while let Some(due) = self.router.next_deadline() {
            self.until(due);
        }
        &self.arrived
    }

    /// Runs to the end; returns which segments came to which host, and when, in microseconds.
    fn arrivals(&mut self) -> Vec<(LinkId, u32, u64)> {
        self.finish().iter().map(|a| (a.to, seq(&a.packet), a.at.as_micros())).collect()
    }

    /// Runs to the end; returns the segments in the order they came.
    fn order(&mut self) -> Vec<u32> {
        self.finish().iter().map(|a| seq(&a.packet)).collect()
    }

    /// What was lost and why, in microseconds.
    fn losses(&self) -> Vec<(u64, LostReason)> {
        let losses = self.recorder.events_from(0).into_iter().filter_map(|event| match event.kind {
            Kind::Lost { reason, .. } => {
                assert_eq!(&*event.host, "router");
                Some((event.t.as_micros(), reason))
            }
            _ => None,
        });
        losses.collect()
    }
}

#[test]
#[should_panic(expected = "server cannot have 192.0.2.1: it is taken")]
fn two_hosts_cannot_have_one_address() {
    let mut router = Router::new(vec![], 1, Recorder::off("test"));
    router.attach("client", &[addr(V4.client).ip()], LinkConfig::default());
    router.attach("server", &[addr(V4.client).ip()], LinkConfig::default());
}

#[test]
#[should_panic(expected = "client cannot have 192.0.2.254: it is taken")]
fn no_host_can_have_the_routers_address() {
    let own: IpAddr = V4.router.parse().unwrap();
    Router::new(vec![own], 1, Recorder::off("test")).attach("client", &[own], LinkConfig::default());
}
