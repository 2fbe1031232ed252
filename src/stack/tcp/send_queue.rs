//! What is to be sent and what is in flight: pieces of the stream, cut when they were written.
//!
//! A piece is sent again as it was cut. Pieces are counted in packets, of which one with more data than a segment has
//! several; so are the windows of congestion control.

use std::collections::VecDeque;

use crate::packet::{Flags, Seq};
use crate::time::SimTime;

/// Octets that a kernel's bookkeeping of a piece costs, besides its data (`SKB_TRUESIZE`).
const OVERHEAD: usize = 832;

/// What is sent as one.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) seq: Seq,
    pub(super) data: Vec<u8>,
    /// SYN, FIN and PSH.
    pub(super) flags: Flags,
    /// Segments that it is.
    pub(super) packets: u32,
    /// When it was last sent, and how many were sent before it, which tells the order of one moment.
    pub(super) sent: SimTime,
    pub(super) order: u64,
    /// How often it was sent again.
    pub(super) resent: u32,
    /// How much had been delivered when it was last sent.
    pub(super) delivered: u32,
    /// The receiver has it (RFC 2018).
    pub(super) is_sacked: bool,
    /// It is believed to be lost …
    pub(super) is_lost: bool,
    /// … and was sent again since.
    pub(super) is_repaired: bool,
}

impl Piece {
    /// The number after its last.
    pub(super) fn end(&self) -> Seq {
        let control = u32::from(self.flags.has(Flags::SYN)) + u32::from(self.flags.has(Flags::FIN));
        self.seq + (self.data.len() as u32 + control)
    }

    fn count(&mut self, mss: usize) {
        self.packets = self.data.len().div_ceil(mss).max(1) as u32;
    }
}

/// Packets of the pieces in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packets {
    /// All of them.
    pub(super) out: u32,
    /// The receiver has them.
    pub(super) sacked: u32,
    /// Believed to be lost …
    pub(super) lost: u32,
    /// … of which these were sent again.
    pub(super) repaired: u32,
}

impl Packets {
    /// Those believed to be on their way.
    pub(super) fn in_flight(self) -> u32 {
        (self.out + self.repaired).saturating_sub(self.sacked + self.lost)
    }

    /// Those believed to have left the network.
    pub(super) fn left(self) -> u32 {
        self.sacked + self.lost
    }
}

#[derive(Debug, Default)]
pub(super) struct SendQueue {
    pieces: VecDeque<Piece>,
    /// How many of them have been sent.
    sent: usize,
    pub(super) packets: Packets,
    octets: usize,
    /// How many pieces have been sent, again or for the first time.
    sendings: u64,
}

impl SendQueue {
    /// Octets of data that are not acknowledged.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// What it takes of the send buffer.
    pub(super) fn memory(&self) -> usize {
        self.octets + self.pieces.len() * OVERHEAD
    }

    /// How many pieces have been sent and are not acknowledged.
    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    pub(super) fn piece(&self, at: usize) -> &Piece {
        &self.pieces[at]
    }

    /// The pieces in flight, the oldest first.
    pub(super) fn in_flight(&self) -> impl DoubleEndedIterator<Item = &Piece> {
        self.pieces.range(..self.sent)
    }

    /// The oldest piece in flight.
    pub(super) fn oldest(&self) -> Option<&Piece> {
        self.pieces.front().filter(|_| self.sent > 0)
    }

    /// The piece to be sent next.
    pub(super) fn next(&self) -> Option<&Piece> {
        self.pieces.get(self.sent)
    }

    /// Whether the piece to be sent next is the last.
    pub(super) fn next_is_last(&self) -> bool {
        self.sent + 1 == self.pieces.len()
    }

    /// Whether everything has been sent.
    pub(super) fn is_all_sent(&self) -> bool {
        self.sent == self.pieces.len()
    }

    /// The last piece, if it has not been sent.
    pub(super) fn tail(&mut self) -> Option<&mut Piece> {
        if self.is_all_sent() { None } else { self.pieces.back_mut() }
    }

    /// The piece to be sent next is pushed (RFC 9293, 3.9.1.2).
    pub(super) fn push_next(&mut self) {
        if let Some(next) = self.pieces.get_mut(self.sent) {
            next.flags = next.flags.with(Flags::PSH);
        }
    }

    /// A duplicate acknowledgment has come: something has left the network, nobody knows what (RFC 6582).
    pub(super) fn note_duplicate(&mut self) {
        let most = self.packets.out.saturating_sub(self.packets.lost).saturating_sub(1);
        self.packets.sacked = (self.packets.sacked + 1).min(most);
    }

    /// So many packets were acknowledged: one filled the gap, the others had been told of by duplicates.
    pub(super) fn forget_duplicates(&mut self, acknowledged: u32) {
        self.packets.sacked = self.packets.sacked.saturating_sub(acknowledged.saturating_sub(1));
    }

    /// Puts a piece behind the others.
    pub(super) fn push(&mut self, piece: Piece) {
        self.octets += piece.data.len();
        self.pieces.push_back(piece);
    }

    /// More follows the last piece: it is not pushed yet.
    pub(super) fn unpush(&mut self) {
        if let Some(tail) = self.tail() {
            tail.flags = tail.flags.without(Flags::PSH);
        }
    }

    /// Appends to the last piece, which has not been sent.
    pub(super) fn append(&mut self, data: &[u8]) {
        self.octets += data.len();
        self.pieces.back_mut().expect("a piece that waits").data.extend_from_slice(data);
    }

    /// The next piece goes out, at `now`, in segments of `mss` octets.
    pub(super) fn send_next(&mut self, mss: usize, now: SimTime, delivered: u32) {
        let piece = &mut self.pieces[self.sent];
        piece.count(mss);
        (piece.sent, piece.order, piece.delivered) = (now, self.sendings, delivered);
        self.sendings += 1;
        self.packets.out += piece.packets;
        self.sent += 1;
    }

    /// A piece in flight goes out again.
    pub(super) fn send_again(&mut self, at: usize, now: SimTime, delivered: u32) {
        let piece = &mut self.pieces[at];
        (piece.sent, piece.order, piece.delivered) = (now, self.sendings, delivered);
        piece.resent += 1;
        self.sendings += 1;
    }

    /// It was lost, and what went out again is to repair that.
    pub(super) fn note_repaired(&mut self, at: usize) {
        let piece = &mut self.pieces[at];
        if !piece.is_repaired {
            piece.is_repaired = true;
            self.packets.repaired += piece.packets;
        }
    }

    /// The receiver has it.
    pub(super) fn note_sacked(&mut self, at: usize) {
        let piece = &mut self.pieces[at];
        self.packets.sacked += piece.packets;
        piece.is_sacked = true;
        if std::mem::take(&mut piece.is_lost) {
            self.packets.lost -= piece.packets;
            if std::mem::take(&mut piece.is_repaired) {
                self.packets.repaired -= piece.packets;
            }
        }
    }

    /// It was sent again in vain: the receiver had it.
    pub(super) fn note_needless(&mut self, at: usize) {
        let piece = &mut self.pieces[at];
        if std::mem::take(&mut piece.is_repaired) {
            self.packets.repaired -= piece.packets;
        }
    }

    /// It is believed to be lost, or lost again. Returns how many packets are lost by that.
    pub(super) fn note_lost(&mut self, at: usize) -> u32 {
        let piece = &mut self.pieces[at];
        if piece.is_sacked {
            return 0;
        }
        if !piece.is_lost {
            piece.is_lost = true;
            self.packets.lost += piece.packets;
        } else if std::mem::take(&mut piece.is_repaired) {
            self.packets.repaired -= piece.packets;
        } else {
            return 0;
        }
        piece.packets
    }

    /// Nothing is lost after all.
    pub(super) fn forget_losses(&mut self) {
        for piece in self.pieces.range_mut(..self.sent) {
            piece.is_lost = false;
        }
        self.packets.lost = 0;
    }

    /// The receiver has thrown away what it had beyond a gap (RFC 2018, 8).
    pub(super) fn forget_sacks(&mut self) {
        for piece in self.pieces.range_mut(..self.sent) {
            piece.is_sacked = false;
        }
        self.packets.sacked = 0;
    }

    /// Cuts a piece in two, of which the first has `len` octets of data.
    pub(super) fn split(&mut self, at: usize, len: usize, mss: usize) {
        let piece = &mut self.pieces[at];
        debug_assert!(0 < len && len < piece.data.len());
        let mut rest = Piece {
            seq: piece.seq + len as u32,
            data: piece.data.split_off(len),
            flags: piece.flags,
            packets: piece.packets,
            sent: piece.sent,
            order: piece.order,
            resent: piece.resent,
            delivered: piece.delivered,
            is_sacked: piece.is_sacked,
            is_lost: piece.is_lost,
            is_repaired: piece.is_repaired,
        };
        piece.flags = Flags::default();
        let before = piece.packets;
        if before > 0 {
            piece.count(mss);
            rest.count(mss);
            let more = (piece.packets + rest.packets).wrapping_sub(before);
            let add = |count: &mut u32, counts: bool| {
                if counts {
                    *count = count.wrapping_add(more);
                }
            };
            let is_sent = at < self.sent;
            add(&mut self.packets.out, is_sent);
            add(&mut self.packets.sacked, is_sent && rest.is_sacked);
            add(&mut self.packets.lost, is_sent && rest.is_lost);
            add(&mut self.packets.repaired, is_sent && rest.is_repaired);
        }
        if at < self.sent {
            self.sent += 1;
        }
        self.pieces.insert(at + 1, rest);
    }

    /// Appends the next piece to this one; both are in flight and of one packet.
    pub(super) fn collapse(&mut self, at: usize) {
        let next = self.pieces.remove(at + 1).expect("a piece behind it");
        self.sent -= 1;
        self.packets.out -= next.packets;
        if next.is_lost {
            self.packets.lost -= next.packets;
        }
        if next.is_repaired {
            self.packets.repaired -= next.packets;
        }
        let piece = &mut self.pieces[at];
        piece.data.extend_from_slice(&next.data);
        piece.flags = piece.flags.with(next.flags);
        piece.resent = piece.resent.max(next.resent);
    }

    /// All of the oldest piece is acknowledged.
    pub(super) fn pop(&mut self) -> Piece {
        let piece = self.pieces.pop_front().expect("a piece in flight");
        self.sent -= 1;
        self.octets -= piece.data.len();
        self.take_off(&piece, piece.packets);
        piece
    }

    /// The oldest piece is acknowledged up to `una`. Returns how many of its packets are.
    pub(super) fn trim(&mut self, una: Seq, mss: usize) -> u32 {
        let Some(mut piece) = self.pieces.pop_front() else { return 0 };
        let octets = ((una - piece.seq) as usize).min(piece.data.len());
        piece.data.drain(..octets);
        piece.seq = una;
        self.octets -= octets;
        let before = piece.packets;
        piece.count(mss);
        piece.packets = piece.packets.min(before);
        let acknowledged = before - piece.packets;
        self.take_off(&piece, acknowledged);
        self.pieces.push_front(piece);
        acknowledged
    }

    fn take_off(&mut self, piece: &Piece, packets: u32) {
        self.packets.out -= packets;
        if piece.is_sacked {
            self.packets.sacked -= packets;
        }
        if piece.is_lost {
            self.packets.lost -= packets;
        }
        if piece.is_repaired {
            self.packets.repaired -= packets;
        }
    }

    /// The place of the first piece in flight that ends after `seq`.
    pub(super) fn place(&self, seq: Seq) -> usize {
        let (mut low, mut high) = (0, self.sent);
        while low < high {
            let middle = (low + high) / 2;
            if seq.before(self.pieces[middle].end()) { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Puts a FIN, which has the number `seq`, behind everything: on data that wait, or alone.
    pub(super) fn finish(&mut self, seq: Seq) {
        match self.tail() {
            Some(tail) => tail.flags = tail.flags.with(Flags::FIN),
            None => self.push(Piece { seq, flags: Flags::FIN, ..Piece::default() }),
        }
    }
}
