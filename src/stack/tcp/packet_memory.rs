//! What packets that have come take of the receive buffer: more than their octets, as in a kernel.

/// What a kernel has for a packet besides its octets: room in front of them and a trailer behind, with which they get a power of
/// two, and a description. Small packets get memory of one size, whatever they are.
const ROOM: usize = 64;
const TRAILER: usize = 320;
const SMALL: usize = 576;
const DESCRIPTION: usize = 256;

/// What the peer's packets have besides data, and how many octets of these at the most.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketMemory {
    headers: usize,
    segment: usize,
}

impl Default for PacketMemory {
    /// The headers of IPv4 and of TCP with timestamps, on Ethernet.
    fn default() -> PacketMemory {
        PacketMemory { headers: 52, segment: 1_448 }
    }
}

impl PacketMemory {
    pub(super) fn new(headers: usize, segment: usize) -> PacketMemory {
        PacketMemory { headers, segment: segment.max(1) }
    }

    /// Octets of data of the largest segment.
    pub(super) fn segment(self) -> usize {
        self.segment
    }

    /// What a packet with so many octets of data takes (its `truesize`); a burst is many packets.
    pub(super) fn of(self, octets: usize) -> usize {
        let one = |octets: usize| self.block_of(octets) + DESCRIPTION;
        let (full, rest) = (octets / self.segment, octets % self.segment);
        full * one(self.segment) + if rest > 0 { one(rest) } else { 0 }
    }

    /// How many octets more have room behind those of a packet: what comes next is put there if all of it fits.
    pub(super) fn room_behind(self, octets: usize) -> usize {
        let last = match octets % self.segment {
            0 => self.segment,
            rest => rest,
        };
        self.block_of(last) - self.needed(last)
    }

    /// What the packet itself is kept in.
    fn block_of(self, octets: usize) -> usize {
        match self.needed(octets) {
            0..=SMALL => SMALL,
            more => more.next_power_of_two(),
        }
    }

    fn needed(self, octets: usize) -> usize {
        ROOM + self.headers + octets + TRAILER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `SO_MEMINFO` of Linux 6.18 tells it of packets that come through a TUN.
    #[test]
    fn a_packet_takes_what_it_takes_on_linux() {
        let plain = PacketMemory::new(40, 1_460);
        let stamped = PacketMemory::new(52, 1_448);
        for (octets, plain_takes, stamped_takes) in
            [(1, 832, 832), (128, 832, 832), (200, 1_280, 1_280), (600, 1_280, 2_304), (1_240, 2_304, 2_304)]
        {
            assert_eq!((plain.of(octets), stamped.of(octets)), (plain_takes, stamped_takes), "{octets}");
        }
        assert_eq!((plain.of(1_460), stamped.of(1_448), stamped.of(2 * 1_448)), (2_304, 2_304, 4_608));
        // A second one of 69 octets is put behind the first, a third is not; of 200, two are.
        assert_eq!((plain.room_behind(69) / 69, plain.room_behind(200) / 200), (1, 2));
    }
}
