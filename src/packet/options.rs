//! TCP's options (RFC 9293, 3.2): what SYNs agree on, timestamps (RFC 7323) and selective acknowledgments (RFC 2018).

use smoltcp::wire::{TcpOption, TcpPacket};

use super::{Ip, Seq};

/// How many blocks of octets beyond a gap one segment can name.
const BLOCKS: usize = 4;

/// The kind of the option that names them.
const SACK: u8 = 5;

/// The options of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TcpOptions {
    /// Octets of data of the largest segment that the sender takes.
    pub(crate) max_segment_size: Option<u16>,
    /// By how many bits the sender's windows are to be shifted.
    pub(crate) window_scale: Option<u8>,
    /// SACK-permitted.
    pub(crate) sack_permitted: bool,
    /// TSval and TSecr.
    pub(crate) timestamps: Option<(u32, u32)>,
    /// What has arrived beyond a gap.
    pub(crate) blocks: [Option<(Seq, Seq)>; BLOCKS],
}

impl TcpOptions {
    /// The options of a packet that is a TCP segment; what cannot be read is not there.
    pub(crate) fn read(packet: &[u8]) -> TcpOptions {
        let mut read = TcpOptions::default();
        let Ok(ip) = Ip::read(packet) else { return read };
        let Ok(tcp) = TcpPacket::new_checked(ip.payload) else { return read };
        let mut left = tcp.options();
        while !left.is_empty() {
            let Ok((rest, option)) = TcpOption::parse(left) else { return read };
            match option {
                TcpOption::EndOfList => return read,
                TcpOption::MaxSegmentSize(octets) => read.max_segment_size = Some(octets),
                TcpOption::WindowScale(shift) => read.window_scale = Some(shift.min(14)),
                TcpOption::SackPermitted => read.sack_permitted = true,
                TcpOption::TimeStamp { tsval, tsecr } => read.timestamps = Some((tsval, tsecr)),
                TcpOption::SackRange(ranges) => {
                    let block = |(from, to)| (Seq::new(from), Seq::new(to));
                    for range in ranges.into_iter().flatten() {
                        read.push_block(block(range));
                    }
                }
                TcpOption::NoOperation | TcpOption::Unknown { .. } => {}
            }
            left = rest;
        }
        read
    }

    /// The blocks beyond a gap, the latest first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Seq, Seq)> {
        self.blocks.into_iter().flatten()
    }

    /// Adds a block, if there is room for it beside the timestamps (RFC 2018, 3). Says whether there was.
    pub(crate) fn push_block(&mut self, block: (Seq, Seq)) -> bool {
        let room = if self.timestamps.is_some() { BLOCKS - 1 } else { BLOCKS };
        let free = self.blocks[..room].iter_mut().find(|block| block.is_none());
        let has_room = free.is_some();
        if let Some(free) = free {
            *free = Some(block);
        }
        has_room
    }

    /// Octets that they take in the header, with what fills it up.
    pub(crate) fn len(&self) -> usize {
        let mut len = self.max_segment_size.map_or(0, |_| 4);
        len += self.timestamps.map_or(0, |_| 12);
        if self.sack_permitted && self.timestamps.is_none() {
            len += 4;
        }
        len += self.window_scale.map_or(0, |_| 4);
        let blocks = self.blocks().count();
        len + if blocks > 0 { 4 + 8 * blocks } else { 0 }
    }

    /// Writes them into a header, in the order in which Linux has them.
    pub(super) fn emit(&self, mut buffer: &mut [u8]) {
        let mut put = |option: TcpOption<'_>| {
            let rest = option.emit(std::mem::take(&mut buffer));
            buffer = rest;
        };
        let nop = || TcpOption::NoOperation;
        if let Some(octets) = self.max_segment_size {
            put(TcpOption::MaxSegmentSize(octets));
        }
        if self.sack_permitted {
            if self.timestamps.is_none() {
                put(nop());
                put(nop());
            }
            put(TcpOption::SackPermitted);
        } else if self.timestamps.is_some() {
            put(nop());
            put(nop());
        }
        if let Some((tsval, tsecr)) = self.timestamps {
            put(TcpOption::TimeStamp { tsval, tsecr });
        }
        if let Some(shift) = self.window_scale {
            put(nop());
            put(TcpOption::WindowScale(shift));
        }
        if self.blocks[0].is_some() {
            put(nop());
            put(nop());
            let mut data = [0; 8 * BLOCKS];
            let mut len = 0;
            for octets in self.blocks().flat_map(|(from, to)| [from, to]).map(|seq| seq.get().to_be_bytes()) {
                data[len..][..octets.len()].copy_from_slice(&octets);
                len += octets.len();
            }
            put(TcpOption::Unknown { kind: SACK, data: &data[..len] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Flags, Segment, emit_with};

    fn segment() -> Segment {
        Segment {
            src: "192.0.2.1:1000".parse().unwrap(),
            dst: "192.0.2.2:9877".parse().unwrap(),
            flags: Flags::ACK,
            seq: Seq::new(7),
            ack: Some(Seq::new(9)),
            win: 100,
            len: 3,
            hop_limit: 64,
        }
    }

    #[test]
    fn options_that_are_written_are_read() {
        let syn = TcpOptions {
            max_segment_size: Some(1_460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 2)),
            ..TcpOptions::default()
        };
        let mut ack = TcpOptions { timestamps: Some((u32::MAX, 0)), ..TcpOptions::default() };
        let blocks = [(1, 2), (3, 4), (5, 6)].map(|(from, to)| (Seq::new(from), Seq::new(to)));
        assert!(blocks.into_iter().all(|block| ack.push_block(block)));
        assert!(!ack.push_block(blocks[0]), "timestamps leave room for three");
        for options in [syn, ack, TcpOptions { timestamps: None, ..syn }, TcpOptions::default()] {
            let packet = emit_with(&segment(), &options, &[b"ab", b"c"], true);
            assert_eq!(TcpOptions::read(&packet), options);
            assert_eq!(packet.len(), 40 + options.len() + 3);
            assert!(
                matches!(crate::packet::parse(&packet), Ok(crate::packet::Packet::Tcp(read)) if read == segment())
            );
        }
        assert_eq!((syn.len(), ack.len()), (20, 40));
    }
}
