//! SYN cookies (RFC 4987, 3.6): a SYN is answered and forgotten, and the acknowledgment of the answer has all that is
//! needed to know of it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::tcb::Tcb;
use crate::packet::{Flags, Segment, Seq, TcpOptions};
use crate::stack::options::Options;
use crate::stack::transport::{Context, DEFAULT_MSS, Setup};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// How often the secret changes, and how many of them are good.
const PERIOD: Duration = Duration::from_secs(60);
const GOOD: u64 = 2;

/// What a peer's MSS is taken for: the largest of these that is no larger.
const MSS_V4: [u16; 4] = [536, 1_300, 1_440, 1_460];
const MSS_V6: [u16; 4] = [1_280 - 60, 1_480 - 60, 1_500 - 60, 9_000 - 60];

/// The bits of a cookie beside its hash: the period, and the MSS.
const PERIOD_BITS: u32 = 3;
const MSS_BITS: u32 = 2;

/// The bits of a timestamp that say what the SYN offered: the window scale, and whether SACK.
const SCALE: u32 = 0xf;
const SACK: u32 = 1 << 4;
const OFFER_BITS: u32 = 6;

/// What a host's cookies are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    secret: u64,
}

impl Cookies {
    pub(crate) fn new(secret: u64) -> Cookies {
        Cookies { secret }
    }

    /// Answers a SYN, of which nothing is kept. Without timestamps there is no room for what it offers but its MSS.
    pub(crate) fn answer(&self, cx: &mut Context<'_>, syn: &Segment, options: &TcpOptions, setup: Setup) {
        let uses_timestamps = options.timestamps.is_some() && cx.profile.timestamps;
        let kept = match uses_timestamps {
            true => *options,
            false => TcpOptions { max_segment_size: options.max_segment_size, ..TcpOptions::default() },
        };
        let mss = options.max_segment_size.map_or(DEFAULT_MSS, usize::from);
        let table = table(syn.dst);
        let nth = table.iter().rposition(|known| usize::from(*known) <= mss).unwrap_or(0);
        let period = period(cx.now);
        let seq = self.number(syn.dst, syn.src, syn.seq, period) | (nth as u32);
        let mut tcb = Tcb::listen(cx, syn, setup);
        let offset = self.timestamp_offset(syn.dst, syn.src);
        tcb.begin_at(Seq::new(seq), offset);
        if uses_timestamps {
            let scale = options.window_scale.map_or(SCALE, u32::from);
            let offer = scale | if options.sack_permitted { SACK } else { 0 };
            let clock = tcb.timestamps.at(cx.now);
            let value = clock >> OFFER_BITS << OFFER_BITS | offer;
            let value = if value > clock { value.wrapping_sub(1 << OFFER_BITS) } else { value };
            tcb.begin_at(Seq::new(seq), offset.wrapping_sub(clock.wrapping_sub(value)));
        }
        tcb.input_listen(cx, syn, &kept);
    }

    /// The connection that a segment acknowledges the SYN-ACK of, to which it is to be given; `None` if it acknowledges no
    /// cookie of ours.
    pub(crate) fn open(
        &self,
        cx: &Context<'_>,
        ack: &Segment,
        options: &TcpOptions,
        setup: Setup,
    ) -> Option<Tcb> {
        let (first, theirs) = (ack.ack? - 1, ack.seq - 1);
        // Whoever acknowledges a cookie is there: nothing is waited for.
        let setup = Setup { options: Options { defer_accept: None, ..setup.options }, ..setup };
        let periods = (0..GOOD).filter_map(|ago| period(cx.now).checked_sub(ago));
        let mask = (1 << MSS_BITS) - 1;
        let is_ours = |at: u64| self.number(ack.dst, ack.src, theirs, at) == first.get() & !mask;
        periods.into_iter().find(|at| is_ours(*at))?;
        let mss = table(ack.dst)[(first.get() & mask) as usize];
        let mut offered = TcpOptions { max_segment_size: Some(mss), ..TcpOptions::default() };
        if let Some((value, echo)) = options.timestamps.filter(|_| cx.profile.timestamps) {
            offered.timestamps = Some((value, echo));
            offered.window_scale = Some((echo & SCALE) as u8).filter(|scale| u32::from(*scale) != SCALE);
            offered.sack_permitted = echo & SACK != 0;
        }
        let syn = Segment { flags: Flags::SYN, seq: theirs, ack: None, len: 0, ..ack.clone() };
        let mut tcb = Tcb::listen(cx, &syn, setup);
        tcb.begin_at(first, self.timestamp_offset(ack.dst, ack.src));
        tcb.enter(TcpState::SynReceived);
        tcb.resume_handshake(cx, &syn, &offered);
        Some(tcb)
    }

    /// A cookie without its MSS.
    fn number(&self, local: SocketAddr, remote: SocketAddr, theirs: Seq, period: u64) -> u32 {
        let hash = self.hash(local, remote, u64::from(theirs.get()) << 32 | period);
        let count = (period as u32) & ((1 << PERIOD_BITS) - 1);
        (hash as u32) << (PERIOD_BITS + MSS_BITS) | count << MSS_BITS
    }

    fn timestamp_offset(&self, local: SocketAddr, remote: SocketAddr) -> u32 {
        self.hash(local, remote, u64::MAX) as u32
    }

    /// FNV-1a over all that a cookie depends on, mixed.
    fn hash(&self, local: SocketAddr, remote: SocketAddr, more: u64) -> u64 {
        let octets = |addr: SocketAddr| {
            let ip = match addr.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            ip.into_iter().chain(addr.port().to_be_bytes())
        };
        let all =
            octets(local).chain(octets(remote)).chain(more.to_be_bytes()).chain(self.secret.to_be_bytes());
        let hash = all.fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)
        });
        super::tcb::scrambled(hash)
    }
}

fn period(now: SimTime) -> u64 {
    now.since(SimTime::ZERO).as_secs() / PERIOD.as_secs()
}

fn table(local: SocketAddr) -> [u16; 4] {
    if local.is_ipv4() { MSS_V4 } else { MSS_V6 }
}
