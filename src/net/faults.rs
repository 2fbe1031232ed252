//! What the network between the hosts does to packets, besides what turmoil's links do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::packet::Unreachable;
use crate::timeline::LostReason;

/// One end of a packet's way.
#[derive(Clone, Debug)]
pub(super) struct HostName {
    pub(super) addr: IpAddr,
    pub(super) name: Arc<str>,
}

impl HostName {
    /// Whether it is the host that was named, by its name or its address.
    fn is(&self, host: &str) -> bool {
        &*self.name == host || host.parse() == Ok(self.addr)
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    Lost(LostReason),
    Refused(Unreachable),
}

#[derive(Default)]
pub(super) struct Faults {
    losses: Vec<Loss>,
    unreachable: Vec<(String, String, Unreachable)>,
}

/// Loss on one way between two hosts.
struct Loss {
    from: String,
    to: String,
    rate: f64,
    rng: ChaCha8Rng,
}

impl Faults {
    pub(super) fn any(&self) -> bool {
        !(self.losses.is_empty() && self.unreachable.is_empty())
    }

    /// Whether any link loses single segments.
    pub(super) fn lose_segments(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Loses packets at `rate` each way; each way has a random generator of its own, so that one host's sending does not
    /// change the other's luck.
    pub(super) fn lose(&mut self, a: &str, b: &str, rate: f64, seed: u64) {
        for (stream, from, to) in [(0, a, b), (1, b, a)] {
            self.losses.retain(|loss| !(loss.from == from && loss.to == to));
            if rate > 0.0 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(stream);
                self.losses.push(Loss { from: from.to_owned(), to: to.to_owned(), rate: rate.min(1.0), rng });
            }
        }
    }

    pub(super) fn refuse(&mut self, from: &str, to: &str, what: Option<Unreachable>) {
        self.unreachable.retain(|(src, dst, _)| !(src == from && dst == to));
        if let Some(what) = what {
            self.unreachable.push((from.to_owned(), to.to_owned(), what));
        }
    }

    pub(super) fn verdict(&mut self, from: &HostName, to: &HostName) -> Verdict {
        let refused = self.unreachable.iter().find(|(src, dst, _)| from.is(src) && to.is(dst));
        if let Some((_, _, what)) = refused {
            return Verdict::Refused(*what);
        }
        let mut losses = self.losses.iter_mut();
        let loss = losses.find(|loss| from.is(&loss.from) && to.is(&loss.to));
        match loss.is_some_and(|loss| loss.rng.random_bool(loss.rate)) {
            true => Verdict::Lost(LostReason::Loss),
            false => Verdict::Passes,
        }
    }
}

/// Who says that a host cannot be reached: the last address of turmoil's subnet, which it gives to no host
/// before 65 000 hosts.
pub(super) fn router(version_of: IpAddr) -> IpAddr {
    match version_of {
        IpAddr::V4(_) => Ipv4Addr::new(192, 168, 255, 254).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0xfe80, 0, 0, 0, 0xffff, 0xffff, 0xffff, 0xfffe).into(),
    }
}
