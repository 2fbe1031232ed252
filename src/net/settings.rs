//! What a test may ask of the network and tell it, on the thread its simulation runs on.
//!
//! Everything here is about the simulation that lives on the calling thread, from outside it (between two
//! steps) or from a program inside. Before the first socket is used it is about the simulation to come, and so it is
//! after turmoil's `Sim` was dropped.

use std::io;
use std::path::Path;

use super::capture::Capture;
use super::faults::Rule;
use super::network::{Network, recorder};
use crate::packet::{Segment, Unreachable};
use crate::stack::{Profile, SocketInfo};
use crate::timeline::{Event, Recorder};

/// The system whose TCP a host has from its next boot on, its timers and its errors: [`System::Linux`] if nothing is
/// said. `host` is a name or an address. A host boots when it first uses a socket.
///
/// A [`Profile`], which is a system's numbers as data, will do as well:
///
/// ```
/// use echosim::System;
/// use echosim::profile::Profile;
///
/// let mut short_keepalive = Profile::of(System::Linux);
/// short_keepalive.keepalive.idle = std::time::Duration::from_secs(60); // net.ipv4.tcp_keepalive_time
/// echosim::profile("client", short_keepalive);
/// ```
///
/// [`System::Linux`]: super::System::Linux
pub fn profile(host: impl ToString, profile: impl Into<Profile>) {
    Network::current().lock().overrides.of(host).profile = Some(profile.into());
}

/// The largest IP packet that a host sends, from its next boot on, in octets: 1 500 if nothing is said, 576 to
/// 65 535 (others are taken for the nearest of these). Where segments travel one by one, bulk data costs as much as it
/// has segments, and what is lost at once is one of them.
pub fn mtu(host: impl ToString, octets: usize) {
    Network::current().lock().overrides.of(host).mtu = Some(octets.clamp(576, 65_535));
}

/// Whether a host's bursts leave as one packet of up to 65 535 octets, from its next boot on: they do if nothing is
/// said, as on a Linux host whose card cuts them (`ethtool -K eth0 tso on`), and so the
/// [`timeline`] and the [`pcapng`] show them as tcpdump would. Acknowledgments, windows and congestion control go by
/// segments all the same. Where there is [`loss`], and over IPv6, segments travel one by one.
pub fn segmentation_offload(host: impl ToString, on: bool) {
    Network::current().lock().overrides.of(host).segmentation_offload = Some(on);
}

/// Loses packets between two hosts, each way, at `rate` (0 to 1): single packets, chosen by `seed`, unlike
/// turmoil's `fail_rate`, which breaks the link. A rate of 0 ends it. Hosts are named by name or address.
pub fn loss(a: impl ToString, b: impl ToString, rate: f64, seed: u64) {
    Network::current().lock().faults.lose(&a.to_string(), &b.to_string(), rate, seed);
}

/// Asks `rule` about every segment that `from` sends to `to`, as it leaves: a firewall, a bad path, the one packet that a bug
/// needs. Rules are asked in the order in which they were given, until one does not let the segment [pass](Rule::Pass). What a
/// rule delays is asked about once, and is lost with its host if that crashes before it leaves.
///
/// While there is a rule, segments travel one by one and not in bursts. Numbers in a [`Segment`] are those on the wire.
///
/// ```
/// use echosim::net::{self, Rule};
///
/// // The third segment with data that the client sends is lost.
/// let mut nth = 0;
/// net::rule("client", "server", move |segment| {
///     nth += u32::from(segment.len > 0);
///     if nth == 3 && segment.len > 0 { Rule::Drop } else { Rule::Pass }
/// });
/// ```
pub fn rule(from: impl ToString, to: impl ToString, rule: impl FnMut(&Segment) -> Rule + Send + 'static) {
    Network::current().lock().faults.rule(&from.to_string(), &to.to_string(), Box::new(rule));
}

/// Takes away every [`rule`] for what `from` sends to `to`.
pub fn no_rule(from: impl ToString, to: impl ToString) {
    Network::current().lock().faults.no_rule(&from.to_string(), &to.to_string());
}

/// From now on a router answers whatever `from` sends to `to` with an ICMP error (RFC 792, RFC 4443), a millisecond
/// later; what `to` sends to `from` passes.
///
/// What a program makes of it is its profile's: Linux ends a `connect` at once, and keeps it in mind for a
/// connection until its retransmissions run out (RFC 1122, 4.2.3.9; UNP 5.14).
pub fn unreachable(from: impl ToString, to: impl ToString, code: Unreachable) {
    Network::current().lock().faults.refuse(&from.to_string(), &to.to_string(), Some(code));
}

/// Ends what [`unreachable()`] began.
pub fn reachable(from: impl ToString, to: impl ToString) {
    Network::current().lock().faults.refuse(&from.to_string(), &to.to_string(), None);
}

/// Says that the programs on `host` wait for nothing but sockets, [`sleep`](super::sleep) and
/// [`timeout`](super::timeout) of this module, so that [`run`](super::run) may leave out idle time. If it is
/// not true, their other timers fire late.
pub fn only_sockets(host: impl ToString) {
    Network::current().lock().sockets_only.push(host.to_string());
}

/// Whether hosts that boot from now on write to the [`timeline`]: they do if nothing is said. What is kept is freed when
/// it is turned off.
pub fn recording(on: bool) {
    let network = Network::current();
    let mut network = network.lock();
    if network.recorder.is_on() != on {
        let limit = network.recording_limit;
        network.recorder = if on { recorder(limit) } else { Recorder::off("network") };
        if !network.artifacts.captures.is_empty() {
            network.recorder.keep_data(None);
        }
    }
}

/// How many events the [`timeline`] keeps at the most, the newest: a million if nothing is said. Of a simulation that
/// goes on, the oldest are let go an eighth of them at a time.
///
/// An event takes some 300 octets, and every packet is two: as it left and as it came. With its packet's data it takes
/// as much more as that is long; so the data is kept only for the last 20 000 events, which is what a failed test leaves,
/// unless there is a [`pcapng`].
pub fn recording_limit(events: usize) {
    let network = Network::current();
    let mut network = network.lock();
    network.recording_limit = events;
    network.recorder.limit(events);
}

/// Everything that happened so far, in the order it happened: segments, ICMP errors, losses, states. Of more events than
/// the [`recording_limit`] it is the last of them.
///
/// When turmoil's `Sim` is dropped the timeline is, too: then this is empty.
///
/// turmoil's own partitions, holds and queues are not seen: what they take leaves a host and does not arrive.
pub fn timeline() -> Vec<Event> {
    let recorder = Network::latest().lock().recorder.clone();
    recorder.events_from(0)
}

/// Writes every packet of the simulation to `path` as a pcapng file, its times in nanoseconds from the start. Each is
/// in it once, on its sender's interface, when it left; a packet that was lost by [`loss`] or at a dead
/// host says so in a comment, and an ICMP error is there when it came.
///
/// It may be asked for before the simulation or while it runs, and is about the whole of it. The file is there
/// at once and without packets; it is replaced by the whole capture when the simulation ends, which is when
/// turmoil's `Sim` is dropped, be it by a test that panics. What was not [recorded](recording) is not in it, nor what is
/// more than the [`recording_limit`]; and of what had happened 20 000 events before it was asked for there are headers
/// only, as with tcpdump's `-s`.
///
/// # Errors
///
/// What the file system says of `path` now. If it cannot be written at the end, that is said on standard error.
pub fn pcapng(path: impl AsRef<Path>) -> io::Result<()> {
    order(Capture::begin(path.as_ref(), None)?);
    Ok(())
}

/// As [`pcapng`], of the packets that one host sends and receives, which is named as turmoil names it.
///
/// # Errors
///
/// As [`pcapng`].
pub fn pcapng_host(host: impl ToString, path: impl AsRef<Path>) -> io::Result<()> {
    order(Capture::begin(path.as_ref(), Some(host.to_string()))?);
    Ok(())
}

fn order(capture: Capture) {
    let network = Network::current();
    let mut network = network.lock();
    // A capture shows data.
    network.recorder.keep_data(None);
    let captures = &mut network.artifacts.captures;
    captures.retain(|other| !capture.replaces(other));
    captures.push(capture);
}

/// A host's sockets as `ss -tino` shows them; none if it is down or has never used one. Asked from outside the
/// host, they are as they were when it last did anything.
pub fn netstat(host: impl ToString) -> Vec<SocketInfo> {
    let network = Network::latest();
    let host = network.lock().entry(&host.to_string()).and_then(|entry| entry.host());
    host.map(|host| host.sockets()).unwrap_or_default()
}
