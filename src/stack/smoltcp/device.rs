//! The network device that smoltcp sees: at most one packet in, a queue of packets out.

use std::collections::VecDeque;
use std::num::{NonZeroU16, NonZeroUsize};

use bytes::Bytes;
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, PacketMeta, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{IPV4_HEADER_LEN, TCP_HEADER_LEN};

use super::memory::Block;

/// Octets of a packet that is worth a block of memory.
const BURST: usize = 4_096;

/// Where a packet begins in its block, so that its data begin with a cache line: IPv4's and TCP's headers have 40
/// octets.
const DATA_ALIGNED: usize = 24;

/// Octets of the largest IPv4 packet that is cut into segments without a rest.
fn whole_segments(mtu: usize) -> NonZeroUsize {
    const HEADERS: usize = IPV4_HEADER_LEN + TCP_HEADER_LEN;
    let segment = mtu - HEADERS;
    let segments = (usize::from(u16::MAX) - HEADERS) / segment;
    NonZeroUsize::new(HEADERS + segments * segment).expect("headers are not empty")
}

/// What the peer has sent and smoltcp does not know of (`bursts.rs`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PassedBy {
    pub(super) octets: u32,
    /// What it takes of the window.
    pub(super) window: u16,
}

impl PassedBy {
    /// A packet of the peer's, as smoltcp is to see it.
    pub(super) fn before_receipt(self, packet: Bytes) -> Bytes {
        if self.octets == 0 { packet } else { crate::packet::moved_back(&packet, self.octets) }
    }

    /// A packet of smoltcp's, as the peer is to see it.
    fn before_sending(self, packet: &mut [u8]) {
        if self.octets != 0 {
            crate::packet::acknowledge_more(packet, self.octets, self.window);
        }
    }
}

/// A packet that smoltcp has sent.
pub(super) struct SentPacket {
    pub(super) packet: Bytes,
    /// Octets of data of the segments it is to be cut into, if it is to be.
    pub(super) segment: Option<NonZeroU16>,
}

pub(super) struct PacketDevice {
    mtu: usize,
    checksums: bool,
    /// The largest packet that is cut on its way, if any is.
    largest: Option<NonZeroUsize>,
    pub(super) arrived: Option<Bytes>,
    pub(super) sent: VecDeque<SentPacket>,
    pub(super) passed_by: PassedBy,
}

impl PacketDevice {
    /// A device for packets of up to `mtu` octets, or one that `cuts` what is larger. With `checksums` packets have TCP's.
    pub(super) fn new(mtu: usize, checksums: bool, cuts: bool) -> PacketDevice {
        let largest = cuts.then(|| whole_segments(mtu));
        PacketDevice {
            mtu,
            checksums,
            largest,
            arrived: None,
            sent: VecDeque::new(),
            passed_by: PassedBy::default(),
        }
    }

    fn sending(&mut self) -> Sending<'_> {
        Sending { checksum: self.checksums, passed_by: self.passed_by, segment: None, sent: &mut self.sent }
    }
}

pub(super) struct Arrived(Bytes);

pub(super) struct Sending<'a> {
    checksum: bool,
    passed_by: PassedBy,
    segment: Option<NonZeroU16>,
    sent: &'a mut VecDeque<SentPacket>,
}

impl Device for PacketDevice {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Sending<'_>)> {
        Some((Arrived(self.arrived.take()?), self.sending()))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(self.sending())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities.segmentation.tcpv4 = self.largest;
        // The stack has checked what arrives before it looked for the connection.
        capabilities.checksum.ipv4 = Checksum::Tx;
        // Who offloads segmentation offloads checksums, smoltcp says; and a header may yet change (`PassedBy`).
        capabilities.checksum.tcp = Checksum::None;
        capabilities
    }
}

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let Sending { checksum, passed_by, .. } = self;
        let fill = |packet: &mut [u8]| {
            let result = f(packet);
            passed_by.before_sending(packet);
            if checksum {
                crate::packet::fill_checksum(packet);
            }
            result
        };
        let (packet, result) = if len < BURST {
            let mut packet = vec![0; len];
            let result = fill(&mut packet);
            (packet.into(), result)
        } else {
            let mut packet = Block::new(DATA_ALIGNED + len);
            let result = fill(&mut packet[DATA_ALIGNED..]);
            (Bytes::from_owner(packet).slice(DATA_ALIGNED..), result)
        };
        self.sent.push_back(SentPacket { packet, segment: self.segment });
        result
    }

    fn set_meta(&mut self, meta: PacketMeta) {
        self.segment = meta.segmentation_offload_size;
    }
}
