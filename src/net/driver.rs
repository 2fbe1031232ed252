//! The task that carries a host's packets: a stack on one side, a turmoil UDP socket on the other.
//!
//! All packets that leave for one host at one moment ride in one datagram, one behind the other, each saying by
//! its own header where it ends. So what turmoil draws for a datagram (its latency, its end in a partition)
//! strikes the burst as a whole, a burst stays in order, and turmoil's queue of 64 datagrams holds as many
//! bursts.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use turmoil::net::UdpSocket;

use super::announce::Announcement;
use super::faults::{self, Fate};
use super::host::{Host, State};
use crate::packet::{self, Unreachable};
use crate::time::SimTime;
use crate::timeline::LostReason;

/// IANA's number of the protocol TCP, as a UDP port: nobody else's.
pub(super) const PORT: u16 = 6;

/// A packet from a host to itself takes one step of tokio's clock: in no time at all, two programs that talk
/// without end would never let the tick end.
const LOOPBACK_DELAY: Duration = Duration::from_millis(1);

/// Octets of the largest datagram.
const LARGEST: usize = 65_535;

/// Binds the host's UDP socket and spawns its driver.
///
/// # Errors
///
/// [`io::ErrorKind::AddrInUse`] if the program has bound UDP port 6 itself.
pub(super) fn start(host: Arc<Host>, hint: IpAddr) -> io::Result<()> {
    let any: IpAddr = match is_ipv4(hint) {
        true => Ipv4Addr::UNSPECIFIED.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let udp = at_once(UdpSocket::bind(SocketAddr::new(any, PORT)))?;
    let announcement = Announcement::make(&udp, any)?;
    tokio::spawn(drive(Power(host), udp, announcement));
    Ok(())
}

/// turmoil's UDP sockets are of their host's IP version, which is the simulation's unless every host was named
/// by a literal address.
fn is_ipv4(hint: IpAddr) -> bool {
    let first_v4 = turmoil::reverse_lookup(Ipv4Addr::new(192, 168, 0, 1).into()).is_some();
    let first_v6 = turmoil::reverse_lookup(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into()).is_some();
    if first_v4 == first_v6 { hint.is_ipv4() } else { first_v4 }
}

/// turmoil binds without waiting.
fn at_once<T>(bind: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match pin!(bind).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(bound) => bound,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// The host has power as long as its runtime lives.
struct Power(Arc<Host>);

impl Drop for Power {
    fn drop(&mut self) {
        self.0.go_down();
        // turmoil crashes hosts from inside the simulation; outside it, the simulation itself is going.
        if !turmoil::in_simulation() {
            self.0.network.end();
        }
    }
}

async fn drive(power: Power, udp: UdpSocket, mut announcement: Announcement) {
    let host = &power.0;
    let mut buf = vec![0; LARGEST];
    let mut spare = Spare::default();
    let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
    loop {
        while let Ok((len, from)) = udp.try_recv_from(&mut buf) {
            if let Some(own) = announcement.answered(&udp, &buf[..len], from.ip()) {
                host.identify(own);
            }
            host.receive(Bytes::copy_from_slice(&buf[..len]));
        }
        let (departures, deadline) = host.turn(&mut spare);
        for (to, datagrams) in departures {
            for datagram in datagrams {
                if udp.try_send_to(&datagram, (to, PORT)).is_err() {
                    host.nobody_there(&datagram);
                }
                spare.give(datagram);
            }
        }
        host.leave_out_idle_time().await;
        let deadline = deadline.map(|at| host.clock.instant(at));
        if let Some(at) = deadline.filter(|at| *at != timer.deadline()) {
            timer.as_mut().reset(at);
        }
        let timeout = async {
            match deadline {
                Some(_) => timer.as_mut().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = host.stirred.notified() => {}
            _ = udp.readable() => {}
            () = timeout => {}
        }
    }
}

/// Datagrams by the host they go to.
type Departures = BTreeMap<IpAddr, Vec<Vec<u8>>>;

/// Buffers to be filled again.
#[derive(Default)]
struct Spare(Vec<Vec<u8>>);

impl Spare {
    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    fn give(&mut self, mut datagram: Vec<u8>) {
        const MOST: usize = 8;
        if self.0.len() < MOST {
            datagram.clear();
            self.0.push(datagram);
        }
    }

    /// Puts a packet behind those that leave with it.
    fn put(&mut self, datagrams: &mut Vec<Vec<u8>>, packet: &[u8]) {
        match datagrams.last_mut() {
            Some(last) if last.len() + packet.len() <= LARGEST => last.extend_from_slice(packet),
            _ => {
                let mut datagram = self.take();
                datagram.extend_from_slice(packet);
                datagrams.push(datagram);
            }
        }
    }
}

impl Host {
    /// A datagram has come.
    fn receive(&self, datagram: Bytes) {
        self.work(|state, now| {
            for packet in packet::split(datagram) {
                state.stack.receive(now, packet);
            }
        });
    }

    /// Lets what is due happen; answers what is to be sent, and when to come back.
    fn turn(&self, spare: &mut Spare) -> (Departures, Option<SimTime>) {
        self.work(|state, now| {
            while state.loopback.front().is_some_and(|(at, _)| *at <= now) {
                let arrived = state.loopback.pop_front();
                arrived.into_iter().for_each(|(_, packet)| state.stack.receive(now, packet));
            }
            state.stack.handle_timeout(now);
        });
        let mut state = self.lock();
        let now = state.latest;
        let departures = self.depart(&mut state, now, spare);
        let looped = state.loopback.front().map(|(at, _)| *at);
        let deadline = state.stack.next_deadline().into_iter().chain(looped).min();
        (departures, deadline)
    }

    fn depart(&self, state: &mut State, now: SimTime, spare: &mut Spare) -> Departures {
        let mut departures = Departures::new();
        let mut network = self.network.lock();
        network.latest = network.latest.max(now);
        let Some(own) = state.own.clone() else { return departures };
        let recorder = network.recorder.for_host(&own.name);
        while let Some(bytes) = state.outgoing.pop_front() {
            let Ok((_, to)) = packet::addresses(&bytes) else { continue };
            if to.is_loopback() || to == own.addr {
                state.loopback.push_back((now + LOOPBACK_DELAY, bytes));
                continue;
            }
            match network.fate(&own, to) {
                Fate::Passes => spare.put(departures.entry(to).or_default(), &bytes),
                Fate::Lost(reason) => recorder.lost(now, &bytes, reason),
                Fate::Refused(what) => {
                    recorder.lost(now, &bytes, LostReason::Unreachable);
                    state.refuse(now, what, &bytes);
                }
            }
        }
        departures
    }

    /// turmoil knows no host of this address.
    fn nobody_there(&self, datagram: &[u8]) {
        let mut state = self.lock();
        let now = state.latest;
        for packet in packet::split(Bytes::copy_from_slice(datagram)) {
            state.refuse(now, Unreachable::Host, &packet);
        }
        self.stirred.notify_one();
    }
}

impl State {
    /// A router's answer to a packet of this host's.
    fn refuse(&mut self, now: SimTime, what: Unreachable, offending: &[u8]) {
        let Ok((src, _)) = packet::addresses(offending) else { return };
        if let Ok(icmp) = packet::emit_icmp(faults::router(src), what, offending) {
            self.loopback.push_back((now + LOOPBACK_DELAY, icmp));
        }
    }
}
