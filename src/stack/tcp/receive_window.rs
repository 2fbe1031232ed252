//! The window that is offered (RFC 9293, 3.8.6), and the buffer behind it, which grows with what is read
//! (`net.ipv4.tcp_rmem`).

use std::time::Duration;

use super::packet_memory::PacketMemory;
use crate::packet::Seq;
use crate::stack::profile::SocketMemory;
use crate::time::SimTime;

/// Half of a buffer is for data, half for the kernel's bookkeeping.
const SHARE: usize = 2;

/// How much of a buffer is for data before any have come, and in what it is measured (`scaling_ratio`).
const RATIO: (usize, usize) = (128, 256);

/// Octets of a segment from which its arrival lets the window grow.
const WORTH_GROWING: usize = 128;

#[derive(Debug, Default)]
pub(super) struct ReceiveWindow {
    /// By how many bits it is shifted in headers.
    pub(super) scale: u8,
    /// Whether both ends shift them.
    pub(super) scales: bool,
    /// RCV.WND and RCV.NXT when it was last offered.
    offered: u32,
    offered_at: Seq,
    /// The most that is offered (`rcv_ssthresh`): it grows with what comes.
    most: usize,
    /// The most that `most` may become (`window_clamp`).
    clamp: usize,
    /// Octets of memory that unread data may take, and how many these may become.
    buffer: usize,
    may_become: Option<usize>,
    /// How much of the buffer is for data, as full segments have shown.
    ratio: usize,
    /// What the peer's packets take of the buffer.
    packets: PacketMemory,
    /// Octets that were read in a round trip, and the one that is under way: when and where it began.
    read_per_rtt: usize,
    read_from: Seq,
    read_since: SimTime,
    /// The peer's round trip, by its timestamps.
    rtt: Option<Duration>,
}

impl ReceiveWindow {
    /// The window of a socket of which SO_RCVBUF may be set, in segments of so many octets of data.
    pub(super) fn new(memory: SocketMemory, set: Option<usize>, segment: usize) -> ReceiveWindow {
        let (buffer, may_become) = match set {
            Some(octets) => (octets * SHARE, None),
            None => (memory.default, Some(memory.most)),
        };
        let space = buffer / SHARE;
        let most = if space > segment { space - space % segment } else { space };
        // What SYNs agree on lasts: so the scale is that of the largest window there may be.
        let largest = space.max(may_become.unwrap_or(0));
        let scale = (largest.max(1).ilog2() as u8).saturating_sub(15).min(14);
        ReceiveWindow {
            scale,
            scales: true,
            offered: u32::try_from(most).unwrap_or(u32::MAX),
            most,
            clamp: space,
            buffer,
            may_become,
            ratio: RATIO.0,
            packets: PacketMemory::default(),
            read_per_rtt: most.min(10 * segment),
            ..ReceiveWindow::default()
        }
    }

    /// The peer's SYN has come: the next number is `nxt`. Room for a segment of `reserved` octets is kept back until a larger one
    /// than any before shows what it takes.
    pub(super) fn begin(&mut self, now: SimTime, nxt: Seq, reserved: usize, packets: PacketMemory) {
        (self.offered_at, self.read_from, self.read_since) = (nxt, nxt, now);
        self.packets = packets;
        let space = self.space(self.buffer);
        if space > 2 * reserved {
            self.clamp = (space - reserved).max(2 * reserved);
        }
        self.most = self.most.min(self.clamp);
    }

    /// The peer's segments have at most so many octets of data: the first window is whole ones.
    pub(super) fn begin_in_segments(&mut self, segment: usize) {
        let space = self.buffer / SHARE;
        if space > segment {
            self.most = space - space % segment;
            self.offered = u32::try_from(self.most).unwrap_or(u32::MAX);
        }
    }

    /// The peer does not scale windows, and so neither does this end.
    pub(super) fn do_not_scale(&mut self) {
        (self.scale, self.scales) = (0, false);
        self.offered = self.offered.min(u16::MAX.into());
    }

    /// What is still offered: never less than the peer was told.
    pub(super) fn left(&self, nxt: Seq) -> u32 {
        let edge = self.offered_at + self.offered;
        if nxt.before(edge) { edge - nxt } else { 0 }
    }

    /// The first number that no window has offered.
    pub(super) fn edge(&self) -> Seq {
        self.offered_at + self.offered
    }

    /// RCV.NXT when the window was last offered.
    pub(super) fn offered_at(&self) -> Seq {
        self.offered_at
    }

    /// What was last offered.
    pub(super) fn offered(&self) -> u32 {
        self.offered
    }

    /// Whether a window that opens may be worth a segment.
    pub(super) fn may_open(&self, nxt: Seq) -> bool {
        2 * self.left(nxt) as usize <= self.space(self.buffer)
    }

    /// Octets of data for which so much of the buffer is enough.
    fn space(&self, memory: usize) -> usize {
        memory * self.ratio / RATIO.1
    }

    /// Whether less than half of the buffer is left, where so much of it is used.
    pub(super) fn is_scarce(&self, used: usize) -> bool {
        self.space(self.buffer.saturating_sub(used)) < self.space(self.buffer) / 2
    }

    /// What could be offered, where what is not read takes so much of the buffer, and the peer's segments have `full` octets of data. It is
    /// nothing rather than little (RFC 9293, 3.8.6.2.2).
    pub(super) fn room(&self, used: usize, full: usize) -> u32 {
        let space = self.space(self.buffer);
        let full = full.min(space.min(self.clamp));
        let mut free = self.space(self.buffer.saturating_sub(used));
        if free < space.min(self.clamp) / 2 {
            free = free >> self.scale << self.scale;
            if free < space / 16 || free < full {
                return 0;
            }
        }
        free = free.min(self.most);
        let window = if self.scale > 0 {
            free.next_multiple_of(1 << self.scale)
        } else {
            let offered = self.offered as usize;
            if offered + full <= free || offered > free { free - free % full.max(1) } else { offered }
        };
        u32::try_from(window).unwrap_or(u32::MAX)
    }

    /// The header's window field of a segment that is sent now; the window is offered by that.
    pub(super) fn offer(&mut self, nxt: Seq, used: usize, full: usize) -> u16 {
        let left = self.left(nxt);
        let mut window = self.room(used, full);
        if window < left {
            // RFC 9293, 3.8.6: what was offered is not taken back, nor by rounding (RFC 7323, 2.4).
            window = left.next_multiple_of(1 << self.scale);
        }
        window = window.min(u32::from(u16::MAX) << self.scale);
        (self.offered, self.offered_at) = (window, nxt);
        (window >> self.scale) as u16
    }

    /// A larger segment than any before has come: what it takes of the buffer shows how much of that is for data.
    pub(super) fn on_larger_segment(&mut self, octets: usize) {
        // A burst is as good as the segments that it is of.
        let one = octets.min(self.packets.segment());
        self.ratio = (one * RATIO.1 / self.packets.of(one)).max(1);
        let clamp = self.space(self.buffer);
        self.most = if clamp < self.clamp {
            self.most.min(clamp)
        } else {
            self.most.max(clamp.min(self.offered as usize))
        };
        self.clamp = clamp;
    }

    /// Data have come; the window grows as long as their sender fills it. Says whether it did.
    pub(super) fn on_data(&mut self, octets: usize, used: usize, full: usize) -> bool {
        let memory = self.packets.of(octets);
        let room = self.space(self.buffer.saturating_sub(used)).min(self.clamp).saturating_sub(self.most);
        if octets >= WORTH_GROWING && room > 0 {
            let growth = if self.space(memory) <= octets {
                2 * self.packets.segment()
            } else {
                self.slow_growth(memory, octets, full)
            };
            if growth > 0 {
                self.most += room.min(growth.max(2 * octets));
                return true;
            }
        }
        false
    }

    /// By how much the window grows with segments that take more of the buffer than their data's share: not at all, once it
    /// is so large that many of them would not fit (`__tcp_grow_window`).
    fn slow_growth(&self, memory: usize, octets: usize, full: usize) -> usize {
        let largest = self.may_become.unwrap_or(self.buffer);
        let halved = (1..usize::BITS).map(|n| (self.space(memory) >> n, self.space(largest) >> n));
        let mut fitting = halved.take_while(|(_, window)| self.most <= *window);
        if fitting.any(|(memory, _)| memory <= octets) { 2 * full } else { 0 }
    }

    /// The peer's timestamp echoes one of `ago`.
    pub(super) fn on_rtt(&mut self, ago: Duration) {
        self.rtt = Some(self.rtt.map_or(ago, |rtt| (rtt * 7 + ago) / 8));
    }

    /// The peer's round trip.
    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// The program has read up to `read_to`, `beyond` octets lie beyond gaps. If it read more in a round trip than ever
    /// before, the buffer becomes large enough for twice as much in the next one.
    pub(super) fn on_read(&mut self, now: SimTime, read_to: Seq, beyond: usize) {
        let Some(rtt) = self.rtt else { return };
        if now - self.read_since < rtt {
            return;
        }
        let read = (read_to - self.read_from) as usize;
        let before = self.read_per_rtt;
        if read > before {
            self.read_per_rtt = read;
            if let Some(most) = self.may_become {
                let doubled = 2 * read;
                let window = doubled + 2 * (doubled * (read - before) / before.max(1)) + beyond;
                let buffer = (window * RATIO.1 / self.ratio).min(most);
                if buffer > self.buffer {
                    self.buffer = buffer;
                    self.clamp = self.space(buffer);
                }
            }
        }
        (self.read_from, self.read_since) = (read_to, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: SocketMemory = SocketMemory { default: 131_072, most: 6_291_456 };

    /// What every Linux host offers in its SYN, and in the first segment after it: 64 240 and 64 256 octets.
    #[test]
    fn a_new_window_is_whole_segments_and_then_scaled() {
        let mut window = ReceiveWindow::new(MEMORY, None, 1_460);
        assert_eq!((window.offered(), window.scale), (64_240, 7));
        let nxt = Seq::new(1);
        window.begin(SimTime::ZERO, nxt, 1_460, PacketMemory::default());
        assert_eq!(window.offer(nxt, 0, 536), 502);
    }

    /// RFC 9293, 3.8.6: the right edge of the window never moves back, whatever its scale.
    #[test]
    fn what_was_offered_is_not_taken_back() {
        let mut window = ReceiveWindow::new(MEMORY, None, 1_460);
        let mut nxt = Seq::new(u32::MAX - 10_000);
        window.begin(SimTime::ZERO, nxt, 1_460, PacketMemory::default());
        let mut edge = window.edge();
        let mut used = 0;
        for octets in [1, 700, 1_460, 5_000, 20_000, 30_000, 10_000, 20_000] {
            let octets = octets.min(window.left(nxt) as usize);
            nxt += octets as u32;
            used += PacketMemory::default().of(octets);
            window.offer(nxt, used, 1_460);
            assert!(edge.at_or_before(window.edge()), "after {used}");
            edge = window.edge();
        }
        assert!(window.left(nxt) < 1_460);
        window.offer(nxt, 0, 1_460);
        assert!(window.left(nxt) > 60_000);
    }
}
