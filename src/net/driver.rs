//! The task that carries a host's packets: a stack on one side, a turmoil UDP socket on the other.
//!
//! All packets that leave for one host at one moment ride on one datagram. So what turmoil draws for a datagram (its
//! latency, its end in a partition) strikes them as a whole, they stay in order, and turmoil's queue of 64 datagrams
//! holds as many moments.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use turmoil::net::UdpSocket;

use super::announce::{Announcement, PORT};
use super::faults::{self, Verdict};
use super::host::{AttachedHost, State};
use super::in_flight::DatagramId;
use super::udp;
use crate::packet::{self, Unreachable};
use crate::time::SimTime;
use crate::timeline::LostReason;

/// A packet from a host to itself takes one step of tokio's clock: in no time at all, two programs that talk
/// without end would never let the tick end.
const LOOPBACK_DELAY: Duration = Duration::from_millis(1);

/// Binds the host's UDP socket and spawns its driver.
///
/// # Errors
///
/// [`io::ErrorKind::AddrInUse`] if the program has bound UDP port 6 itself.
pub(super) fn start(host: Arc<AttachedHost>, hint: IpAddr) -> io::Result<()> {
    let any: IpAddr = match is_ipv4(hint) {
        true => Ipv4Addr::UNSPECIFIED.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let knows_ports = host.network.lock().overrides.ports.is_some();
    if !knows_ports {
        let named = udp::named_ports(any)?;
        host.network.lock().overrides.ports = Some(named);
    }
    let udp = udp::bind(any, PORT)?;
    let announcement = Announcement::make(&udp, any)?;
    tokio::spawn(drive(RuntimeGuard(host), udp, announcement));
    Ok(())
}

/// turmoil's UDP sockets are of their host's IP version, which is the simulation's unless every host was named
/// by a literal address.
fn is_ipv4(hint: IpAddr) -> bool {
    let first_v4 = turmoil::reverse_lookup(Ipv4Addr::new(192, 168, 0, 1).into()).is_some();
    let first_v6 = turmoil::reverse_lookup(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into()).is_some();
    if first_v4 == first_v6 { hint.is_ipv4() } else { first_v4 }
}

/// The host is up as long as its runtime lives.
struct RuntimeGuard(Arc<AttachedHost>);

impl Drop for RuntimeGuard {
    fn drop(&mut self) {
        self.0.go_down();
        // turmoil crashes hosts from inside the simulation; outside it, the simulation itself is going.
        if !turmoil::in_simulation() {
            self.0.network.end();
        }
    }
}

async fn drive(guard: RuntimeGuard, udp: UdpSocket, mut announcement: Announcement) {
    let host = &guard.0;
    // One octet more than an id has shows what is none.
    let mut datagram = [0; size_of::<DatagramId>() + 1];
    let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
    loop {
        let mut has_received = false;
        while let Ok((len, from)) = udp.try_recv_from(&mut datagram) {
            let packets = host.network.lock().in_flight.take(&datagram[..len]);
            let first = packets.as_ref().and_then(|packets| packets.first());
            if let Some(own) = announcement.answered(&udp, len == 0, first, from.ip()) {
                host.identify(own);
            }
            if let Some(packets) = packets {
                host.receive(packets);
                has_received = true;
            }
        }
        if has_received {
            // The programs first: what they answer carries the acknowledgments.
            tokio::task::yield_now().await;
        }
        let (departures, deadline) = host.turn();
        for (to, id) in departures {
            if udp.try_send_to(&id, (to, PORT)).is_err() {
                host.no_such_host(&id);
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
            () = host.wakeup.notified() => {}
            _ = udp.readable() => {}
            () = timeout => {}
        }
    }
}

impl AttachedHost {
    /// A datagram has come.
    fn receive(&self, packets: Vec<Bytes>) {
        self.work(|state, now| {
            for packet in packets {
                state.stack.receive(now, packet);
            }
        });
    }

    /// Lets what is due happen; returns what is to be sent, and when to come back.
    fn turn(&self) -> (Vec<(IpAddr, DatagramId)>, Option<SimTime>) {
        self.work(|state, now| {
            while state.loopback.front().is_some_and(|(at, _)| *at <= now) {
                let arrived = state.loopback.pop_front();
                arrived.into_iter().for_each(|(_, packet)| state.stack.receive(now, packet));
            }
            state.stack.handle_timeout(now);
        });
        let mut state = self.lock();
        let now = state.latest;
        let departures = self.depart(&mut state, now);
        let deadline = state.stack.next_deadline().into_iter().chain(state.next_arrival()).min();
        (departures, deadline)
    }

    /// Hands packets over; returns the datagrams that stand for them.
    fn depart(&self, state: &mut State, now: SimTime) -> Vec<(IpAddr, DatagramId)> {
        let mut departures = BTreeMap::<IpAddr, Vec<Bytes>>::new();
        let mut network = self.network.lock();
        network.latest = network.latest.max(now);
        let Some(own) = state.own.clone() else { return Vec::new() };
        let recorder = network.recorder.for_host(&own.name);
        while let Some(entry) = state.late.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, bytes) = entry.remove();
            departures.entry(to).or_default().push(bytes);
        }
        // Without faults a burst fares as its first packet does.
        let mut burst: Option<(IpAddr, Verdict)> = None;
        while let Some(bytes) = state.outgoing.pop_front() {
            let Ok(to) = packet::destination(&bytes) else { continue };
            if to.is_loopback() || to == own.addr {
                state.loopback.push_back((now + LOOPBACK_DELAY, bytes));
                continue;
            }
            let verdict = match burst {
                Some((known, verdict)) if known == to && !network.faults.any() => verdict,
                _ => network.verdict(&own, to, &bytes),
            };
            burst = Some((to, verdict));
            match verdict {
                Verdict::Passes => departures.entry(to).or_default().push(bytes),
                Verdict::Lost(reason) => recorder.lost(now, &bytes, reason),
                Verdict::Refused(reason, what) => {
                    recorder.lost(now, &bytes, reason);
                    state.refuse(now, what, &bytes);
                }
                Verdict::Reset => {
                    recorder.lost(now, &bytes, LostReason::Rejected);
                    state.reset(now, &bytes);
                }
                Verdict::Late(by) => {
                    let nth = state.late.last_key_value().map_or(0, |((_, nth), _)| nth + 1);
                    state.late.insert((now + by, nth), (to, bytes));
                }
            }
        }
        departures.into_iter().map(|(to, packets)| (to, network.in_flight.put(packets))).collect()
    }

    /// turmoil knows no host of this address.
    fn no_such_host(&self, id: &DatagramId) {
        let packets = self.network.lock().in_flight.take(id).unwrap_or_default();
        let mut state = self.lock();
        let now = state.latest;
        for packet in packets {
            state.refuse(now, Unreachable::Host, &packet);
        }
        self.wakeup.notify_one();
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

    /// A RST in the name of the host that a segment of this host's was for.
    fn reset(&mut self, now: SimTime, offending: &[u8]) {
        if let Ok(packet::Packet::Tcp(segment)) = packet::view(offending)
            && let Some(reset) = segment.reset()
        {
            self.loopback.push_back((now + LOOPBACK_DELAY, packet::emit_segment(&reset, &[])));
        }
    }

    /// When something arrives here from this host, or leaves that was kept back.
    pub(super) fn next_arrival(&self) -> Option<SimTime> {
        let looped = self.loopback.front().map(|(at, _)| *at);
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        looped.into_iter().chain(late).min()
    }
}
