//! What a link is like, both ways.

use std::time::Duration;

/// The properties of the link between a host and the router; each direction has them by itself.
///
/// A packet first waits for the wire, then takes it for as long as the bandwidth says, then travels for
/// `latency` give or take `jitter`. Rates are probabilities a packet, from 0 (never) to 1 (always).
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// From the last bit put on the wire to its arrival.
    pub latency: Duration,
    /// How much longer or shorter a packet may travel. Packets stay in order all the same.
    pub jitter: Duration,
    /// Bits per second; `None` takes no time for a packet of any length. At 0 nothing ever arrives.
    pub bandwidth: Option<u64>,
    /// Rate of packets that vanish on the wire.
    pub loss: f64,
    /// Rate of packets that arrive twice.
    pub duplicate: f64,
    /// Rate of packets kept back for one to two latencies (at least for 1 ms), so that later ones overtake.
    pub reorder: f64,
    /// Rate of packets that arrive with one bit flipped.
    pub corrupt: f64,
    /// The longest IP packet, in octets.
    pub mtu: usize,
    /// Whether the sender of a longer one is told (RFC 1191, RFC 8201). If not, the link is a black hole for it (RFC 2923, 2.1).
    pub tells_too_big: bool,
    /// How many packets may wait for the wire; one more is lost. Without a bandwidth none ever waits.
    pub queue: usize,
}

impl Default for LinkConfig {
    /// 2.5 ms, so that client – router – server and back is 10 ms; an Ethernet's MTU and Linux's `txqueuelen`;
    /// no limit and no harm besides.
    fn default() -> LinkConfig {
        LinkConfig {
            latency: Duration::from_micros(2_500),
            jitter: Duration::ZERO,
            bandwidth: None,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            mtu: 1500,
            tells_too_big: true,
            queue: 1000,
        }
    }
}

impl LinkConfig {
    /// Whether chance has any say in what becomes of a packet.
    pub(super) fn is_random(&self) -> bool {
        self.jitter > Duration::ZERO
            || [self.loss, self.duplicate, self.reorder, self.corrupt].iter().any(|&rate| rate > 0.0)
    }
}
