//! What the network between the hosts does to packets, besides what turmoil's links do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::packet::{self, Packet, Segment, Unreachable};
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

/// What a [`rule`](super::rule) does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The next rule is asked, or it goes its way.
    Pass,
    /// It is lost without a word.
    Drop,
    /// It leaves so much later; others overtake it.
    Delay(Duration),
    /// It is lost, and its sender is told by ICMP, a millisecond later.
    Reject(Unreachable),
    /// It is lost, and its sender gets a RST, as if from its destination, a millisecond later.
    Reset,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    Lost(LostReason),
    Refused(LostReason, Unreachable),
    Reset,
    Late(Duration),
}

#[derive(Default)]
pub(super) struct Faults {
    losses: Vec<Loss>,
    rules: Vec<RuleBetween>,
    unreachable: Vec<(String, String, Unreachable)>,
}

/// A rule for what goes from one host to another.
struct RuleBetween {
    from: String,
    to: String,
    ask: Box<dyn FnMut(&Segment) -> Rule + Send>,
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
        !(self.losses.is_empty() && self.unreachable.is_empty() && self.rules.is_empty())
    }

    /// Whether single segments may be lost, or treated otherwise than others.
    pub(super) fn lose_segments(&self) -> bool {
        !(self.losses.is_empty() && self.rules.is_empty())
    }

    /// Asks `ask` about every segment that `from` sends to `to`.
    pub(super) fn rule(&mut self, from: &str, to: &str, ask: Box<dyn FnMut(&Segment) -> Rule + Send>) {
        self.rules.push(RuleBetween { from: from.to_owned(), to: to.to_owned(), ask });
    }

    /// Takes away every rule between the two.
    pub(super) fn no_rule(&mut self, from: &str, to: &str) {
        self.rules.retain(|rule| !(rule.from == from && rule.to == to));
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

    pub(super) fn verdict(&mut self, from: &HostName, to: &HostName, bytes: &[u8]) -> Verdict {
        let refused = self.unreachable.iter().find(|(src, dst, _)| from.is(src) && to.is(dst));
        if let Some((_, _, what)) = refused {
            return Verdict::Refused(LostReason::Unreachable, *what);
        }
        if !self.rules.is_empty()
            && let Ok(Packet::Tcp(segment)) = packet::view(bytes)
        {
            for rule in self.rules.iter_mut().filter(|rule| from.is(&rule.from) && to.is(&rule.to)) {
                match (rule.ask)(&segment) {
                    Rule::Pass => {}
                    Rule::Drop => return Verdict::Lost(LostReason::Dropped),
                    Rule::Delay(by) => return Verdict::Late(by),
                    Rule::Reject(what) => return Verdict::Refused(LostReason::Rejected, what),
                    Rule::Reset => return Verdict::Reset,
                }
            }
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
