//! TCP segments: read from a packet, and written from scratch (resets, probes).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, IpRepr, TcpOption, TcpPacket, TcpSeqNumber};

use super::options::TcpOptions;
use super::{Ip, Malformed, Seq};

/// The control bits of a segment (RFC 9293, 3.1), shown in tcpdump's letters: `S`, `S.`, `P.`, `F.`, `R`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flags(u8);

impl Flags {
    /// FIN: no more data from the sender.
    pub const FIN: Flags = Flags(0x01);
    /// SYN: synchronize sequence numbers.
    pub const SYN: Flags = Flags(0x02);
    /// RST: reset the connection.
    pub const RST: Flags = Flags(0x04);
    /// PSH: push function.
    pub const PSH: Flags = Flags(0x08);
    /// ACK: the acknowledgment field is significant.
    pub const ACK: Flags = Flags(0x10);

    const LETTERS: [(Flags, char); 5] =
        [(Flags::FIN, 'F'), (Flags::SYN, 'S'), (Flags::RST, 'R'), (Flags::PSH, 'P'), (Flags::ACK, '.')];

    /// These bits and those of `other`.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// These bits without those of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether every bit of `other` is set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads tcpdump's letters; `None` if one of them is none.
    pub fn from_letters(letters: &str) -> Option<Flags> {
        letters.chars().try_fold(Flags::default(), |flags, letter| {
            let (bit, _) = Flags::LETTERS.iter().find(|(_, l)| *l == letter)?;
            Some(flags.with(*bit))
        })
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String =
            Flags::LETTERS.iter().filter(|(bit, _)| self.has(*bit)).map(|(_, letter)| letter).collect();
        f.pad(&letters)
    }
}

/// The header of a TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source address and port.
    pub src: SocketAddr,
    /// Destination address and port.
    pub dst: SocketAddr,
    /// Control bits.
    pub flags: Flags,
    /// SEG.SEQ: of the first octet, or of SYN.
    pub seq: Seq,
    /// SEG.ACK, if ACK is set.
    pub ack: Option<Seq>,
    /// SEG.WND as it stands in the header, not scaled.
    pub win: u16,
    /// Octets of data.
    pub len: usize,
    /// Time to live or hop limit.
    pub hop_limit: u8,
}

impl Segment {
    /// SEG.LEN: the data, and one each for SYN and FIN.
    pub fn seq_len(&self) -> u32 {
        self.len as u32 + u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN))
    }

    /// The sequence number after the last one this segment takes.
    pub fn seq_end(&self) -> Seq {
        self.seq + self.seq_len()
    }

    /// The reset that answers a segment which belongs to no connection; none answers a reset
    /// (RFC 9293, 3.10.7.1).
    pub fn reset(&self) -> Option<Segment> {
        if self.flags.has(Flags::RST) {
            return None;
        }
        let (flags, seq, ack) = match self.ack {
            Some(ack) => (Flags::RST, ack, None),
            None => (Flags::RST.with(Flags::ACK), Seq::new(0), Some(self.seq_end())),
        };
        Some(Segment { src: self.dst, dst: self.src, flags, seq, ack, win: 0, len: 0, hop_limit: 64 })
    }
}

pub(super) fn parse(ip: &Ip<'_>) -> Result<Segment, Malformed> {
    let segment = read(ip)?;
    if !TcpPacket::new_unchecked(ip.payload).verify_checksum(&ip.src.into(), &ip.dst.into()) {
        return Err(Malformed("TCP checksum"));
    }
    Ok(segment)
}

fn read_seq(field: TcpSeqNumber) -> Seq {
    Seq::new(field.0 as u32)
}

fn written_seq(seq: Seq) -> TcpSeqNumber {
    TcpSeqNumber(seq.get() as i32)
}

/// The segment without a look at its checksum.
pub(super) fn read(ip: &Ip<'_>) -> Result<Segment, Malformed> {
    let tcp = TcpPacket::new_checked(ip.payload).map_err(|_| Malformed("TCP header"))?;
    if tcp.src_port() == 0 || tcp.dst_port() == 0 {
        return Err(Malformed("TCP port 0"));
    }
    let bits = [
        (tcp.fin(), Flags::FIN),
        (tcp.syn(), Flags::SYN),
        (tcp.rst(), Flags::RST),
        (tcp.psh(), Flags::PSH),
        (tcp.ack(), Flags::ACK),
    ];
    let flags =
        bits.into_iter().filter(|(set, _)| *set).fold(Flags::default(), |flags, (_, bit)| flags.with(bit));
    Ok(Segment {
        src: SocketAddr::new(ip.src, tcp.src_port()),
        dst: SocketAddr::new(ip.dst, tcp.dst_port()),
        flags,
        seq: read_seq(tcp.seq_number()),
        ack: tcp.ack().then(|| read_seq(tcp.ack_number())),
        win: tcp.window_len(),
        len: tcp.payload().len(),
        hop_limit: ip.hop_limit,
    })
}

/// Writes a segment with `payload` as an IP packet, without options. `segment.len` is not looked at.
///
/// # Panics
///
/// If source and destination are not of one address family.
pub fn emit(segment: &Segment, payload: &[u8]) -> Bytes {
    emit_with(segment, &TcpOptions::default(), &[payload], true)
}

/// Writes a segment with options; its data are `payload`, one piece after the other. Without `checksum` that of TCP is
/// left out.
pub(crate) fn emit_with(segment: &Segment, options: &TcpOptions, payload: &[&[u8]], checksum: bool) -> Bytes {
    emit_filled(segment, options.len(), |room| options.emit(room), payload, checksum)
}

/// Writes a segment with options that are octets already, a multiple of four.
#[cfg(feature = "cli")]
pub(crate) fn emit_with_octets(segment: &Segment, options: &[u8], payload: &[u8]) -> Bytes {
    emit_filled(segment, options.len(), |room| room.copy_from_slice(options), &[payload], true)
}

/// Writes a segment that has room for octets of options, which `fill` writes.
fn emit_filled(
    segment: &Segment,
    options: usize,
    fill: impl FnOnce(&mut [u8]),
    payload: &[&[u8]],
    checksum: bool,
) -> Bytes {
    let header_len = smoltcp::wire::TCP_HEADER_LEN + options;
    let payload_len: usize = payload.iter().map(|piece| piece.len()).sum();
    let tcp_len = header_len + payload_len;
    let ip = ip_repr(segment.src.ip(), segment.dst.ip(), IpProtocol::Tcp, tcp_len, segment.hop_limit);
    let headers = ip.header_len() + header_len;
    let mut bytes = Vec::with_capacity(headers + payload_len);
    bytes.resize(headers, 0);
    for piece in payload {
        bytes.extend_from_slice(piece);
    }
    ip.emit(&mut bytes, &ChecksumCapabilities::default());
    let mut tcp = TcpPacket::new_unchecked(&mut bytes[ip.header_len()..]);
    tcp.set_src_port(segment.src.port());
    tcp.set_dst_port(segment.dst.port());
    tcp.set_seq_number(written_seq(segment.seq));
    tcp.set_ack_number(written_seq(segment.ack.unwrap_or_default()));
    tcp.clear_flags();
    tcp.set_header_len(header_len as u8);
    tcp.set_fin(segment.flags.has(Flags::FIN));
    tcp.set_syn(segment.flags.has(Flags::SYN));
    tcp.set_rst(segment.flags.has(Flags::RST));
    tcp.set_psh(segment.flags.has(Flags::PSH));
    tcp.set_ack(segment.ack.is_some());
    tcp.set_window_len(segment.win);
    fill(tcp.options_mut());
    if checksum {
        tcp.fill_checksum(&segment.src.ip().into(), &segment.dst.ip().into());
    }
    bytes.into()
}

/// The octets of the options of a packet that is a TCP segment; none if it is none.
#[cfg(feature = "cli")]
pub(crate) fn tcp_options(packet: &[u8]) -> Vec<u8> {
    let Ok(ip) = Ip::read(packet) else { return Vec::new() };
    TcpPacket::new_checked(ip.payload).map_or_else(|_| Vec::new(), |tcp| tcp.options().to_vec())
}

/// Cuts a segment into pieces whose IP packets are no larger than `mtu`: what a network card's segmentation
/// offload does. FIN and PSH stay with the last piece.
///
/// The packet comes back whole if it is no TCP segment, or if `mtu` leaves no room for data.
pub(crate) fn split(packet: &Bytes, mtu: usize) -> Vec<Bytes> {
    let Ok(ip) = Ip::read(packet) else { return vec![packet.clone()] };
    let Ok(segment) = read(&ip) else { return vec![packet.clone()] };
    let headers = packet.len() - segment.len;
    if packet.len() <= mtu || mtu <= headers {
        return vec![packet.clone()];
    }
    let room = mtu - headers;
    let tcp_at = packet.len() - ip.payload.len();
    let pieces = segment.len.div_ceil(room);
    (0..pieces)
        .map(|n| {
            let data = &packet[headers + n * room..][..room.min(segment.len - n * room)];
            let mut piece = packet[..headers].to_vec();
            piece.extend_from_slice(data);
            let ip_repr = ip_repr(ip.src, ip.dst, IpProtocol::Tcp, piece.len() - tcp_at, segment.hop_limit);
            ip_repr.emit(&mut piece, &ChecksumCapabilities::default());
            let mut tcp = TcpPacket::new_unchecked(&mut piece[tcp_at..]);
            tcp.set_seq_number(written_seq(segment.seq + (n * room) as u32));
            let last = n + 1 == pieces;
            tcp.set_fin(last && segment.flags.has(Flags::FIN));
            tcp.set_psh(last && segment.flags.has(Flags::PSH));
            tcp.fill_checksum(&ip.src.into(), &ip.dst.into());
            piece.into()
        })
        .collect()
}

/// Computes the checksum of a TCP segment.
pub(crate) fn fill_checksum(packet: &mut [u8]) {
    let Ok(ip) = Ip::read(packet) else { return };
    let (src, dst, tcp_at) = (ip.src.into(), ip.dst.into(), packet.len() - ip.payload.len());
    TcpPacket::new_unchecked(&mut packet[tcp_at..]).fill_checksum(&src, &dst);
}

/// The same packet with another sequence number.
pub(crate) fn renumbered(packet: &Bytes, seq: Seq) -> Bytes {
    rewritten(packet, |tcp| tcp.set_seq_number(written_seq(seq)))
}

/// The same packet so many octets further back, without its checksum.
pub(crate) fn moved_back(packet: &Bytes, octets: u32) -> Bytes {
    edited(packet, |tcp, _| {
        let seq = read_seq(tcp.seq_number());
        tcp.set_seq_number(written_seq(seq - octets));
    })
}

/// Lets a segment acknowledge so many octets more, selectively too (RFC 2018), and takes as much as `held` off its window.
/// Its checksum is to be filled in after that.
pub(crate) fn acknowledge_more(packet: &mut [u8], octets: u32, held: u16) {
    let Ok(ip) = Ip::read(packet) else { return };
    let tcp_at = packet.len() - ip.payload.len();
    let mut tcp = TcpPacket::new_unchecked(&mut packet[tcp_at..]);
    if !tcp.ack() {
        return;
    }
    let ack = read_seq(tcp.ack_number());
    tcp.set_ack_number(written_seq(ack + octets));
    tcp.set_window_len(tcp.window_len().saturating_sub(held));
    let mut options = tcp.options_mut();
    while let Ok((rest, option)) = TcpOption::parse(options) {
        let rest = rest.len();
        if let TcpOption::SackRange(ranges) = option {
            let moved = ranges
                .map(|range| range.map(|(from, to)| (from.wrapping_add(octets), to.wrapping_add(octets))));
            TcpOption::SackRange(moved).emit(options);
        }
        if rest == 0 {
            return;
        }
        let at = options.len() - rest;
        options = &mut options[at..];
    }
}

/// The same packet with another window.
pub(crate) fn with_window(packet: &Bytes, win: u16) -> Bytes {
    rewritten(packet, |tcp| tcp.set_window_len(win))
}

/// The same packet with FIN cleared.
pub(crate) fn without_fin(packet: &Bytes) -> Bytes {
    rewritten(packet, |tcp| tcp.set_fin(false))
}

/// The same packet with TCP's checksum, if it has one.
pub(crate) fn with_checksum(packet: &Bytes) -> Bytes {
    match Ip::read(packet) {
        Ok(ip) if ip.protocol == IpProtocol::Tcp => rewritten(packet, |_| ()),
        _ => packet.clone(),
    }
}

/// The same packet with PSH set.
pub(crate) fn pushed(packet: &Bytes) -> Bytes {
    rewritten(packet, |tcp| tcp.set_psh(true))
}

fn rewritten(packet: &Bytes, rewrite: impl FnOnce(&mut TcpPacket<&mut [u8]>)) -> Bytes {
    edited(packet, |tcp, ip| {
        rewrite(tcp);
        tcp.fill_checksum(&ip.src.into(), &ip.dst.into());
    })
}

fn edited(packet: &Bytes, edit: impl FnOnce(&mut TcpPacket<&mut [u8]>, &Ip<'_>)) -> Bytes {
    let Ok(ip) = Ip::read(packet) else { return packet.clone() };
    let mut edited = packet.to_vec();
    let tcp_at = packet.len() - ip.payload.len();
    edit(&mut TcpPacket::new_unchecked(&mut edited[tcp_at..]), &ip);
    edited.into()
}

pub(super) fn ip_repr(
    src: IpAddr,
    dst: IpAddr,
    protocol: IpProtocol,
    payload_len: usize,
    hop_limit: u8,
) -> IpRepr {
    assert_eq!(src.is_ipv4(), dst.is_ipv4(), "one address family a packet");
    IpRepr::new(src.into(), dst.into(), protocol, payload_len, hop_limit)
}
