//! The link between a host and the router, as a scenario describes it.

use std::time::Duration;

use super::IpVersion;
use crate::packet::Flags;

/// Properties of one link, each direction by itself. Shares are probabilities a packet, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// How long a packet travels in one direction.
    pub latency: Duration,
    /// How much longer or shorter than `latency` a packet may travel.
    pub jitter: Duration,
    /// Bits per second; `None` is without limit.
    pub bandwidth: Option<u64>,
    /// Share of packets that vanish.
    pub loss: f64,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Share of packets that later ones overtake.
    pub reorder: f64,
    /// Share of packets that arrive with a bit flipped.
    pub corrupt: f64,
    /// The longest IP packet, in octets.
    pub mtu: usize,
    /// How many packets may wait for the wire.
    pub queue: usize,
    /// Packets singled out to be lost.
    pub drops: Vec<DropRule>,
}

impl Default for Link {
    /// 2.5 ms, so that client – router – server and back is 10 ms; Ethernet's MTU; no limit and no harm besides.
    fn default() -> Link {
        Link {
            latency: Duration::from_micros(2_500),
            jitter: Duration::ZERO,
            bandwidth: None,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            mtu: 1500,
            queue: 1000,
            drops: Vec::new(),
        }
    }
}

/// Loses chosen packets: `drop = { from = "client", flags = "P.", nth = 2 }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRule {
    /// The host that sends them.
    pub from: String,
    /// The host they are for; `None` is any.
    pub to: Option<String>,
    /// A segment with exactly these control bits; `None` is any packet.
    pub flags: Option<Flags>,
    /// The first match that is lost, counted from 1.
    pub nth: u64,
    /// How many matches are lost from there on.
    pub count: u64,
}

/// Whether IP can use a link with this MTU, in octets.
///
/// # Errors
///
/// A sentence that says what was expected.
pub(super) fn mtu_fits(mtu: usize, ip: IpVersion) -> Result<(), String> {
    // RFC 791, 3.2: every module must be able to forward 68 octets; RFC 8200, 5: every link carries 1280.
    let (least, version) = match ip {
        IpVersion::V4 => (68, 4),
        IpVersion::V6 => (1280, 6),
    };
    if (least..=65_535).contains(&mtu) {
        Ok(())
    } else {
        Err(format!("expected an MTU from {least} to 65535 octets, as IPv{version} needs it"))
    }
}
