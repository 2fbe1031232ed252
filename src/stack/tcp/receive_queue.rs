//! What has come: in order, or beyond a gap. Data stay in the packets that brought them until they are read.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::packet_memory::PacketMemory;
use crate::packet::Seq;

/// How many blocks beyond a gap are remembered in the order they came (RFC 2018, 4).
const BLOCKS: usize = 4;

/// Data that came before what goes before them.
#[derive(Debug)]
struct Early {
    seq: Seq,
    data: Bytes,
    is_fin: bool,
}

impl Early {
    fn end(&self) -> Seq {
        self.seq + (self.data.len() as u32 + u32::from(self.is_fin))
    }
}

/// Data in order, and what they take of the buffer until all of them are read.
#[derive(Debug)]
struct Ready {
    data: Bytes,
    memory: usize,
    /// How many octets of what comes next take no more of it.
    room: usize,
}

#[derive(Debug, Default)]
pub(super) struct ReceiveQueue {
    ready: VecDeque<Ready>,
    unread: usize,
    /// What everything in order takes of the buffer.
    memory: usize,
    /// What packets take.
    pub(super) packets: PacketMemory,
    /// By sequence number; they do not overlap.
    early: VecDeque<Early>,
    /// The blocks that they make, the latest first.
    blocks: Vec<(Seq, Seq)>,
    /// RCV.NXT.
    pub(super) nxt: Seq,
    /// What has come twice, to be told of once (RFC 2883).
    pub(super) twice: Option<(Seq, Seq)>,
}

impl ReceiveQueue {
    /// Octets that have come in order and are not read.
    pub(super) fn unread(&self) -> usize {
        self.unread
    }

    /// What has come and is not read takes so much of the buffer.
    pub(super) fn memory(&self) -> usize {
        self.memory + self.early.iter().map(|early| self.packets.of(early.data.len())).sum::<usize>()
    }

    /// Whether something has come beyond a gap.
    pub(super) fn has_gap(&self) -> bool {
        !self.early.is_empty()
    }

    /// The number after the last one that has come.
    pub(super) fn highest(&self) -> Seq {
        self.early.back().map_or(self.nxt, Early::end)
    }

    /// The blocks to tell the peer of: first what came twice, then what lies beyond gaps, the latest first.
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = (Seq, Seq)> {
        self.twice.take().into_iter().chain(self.blocks.iter().copied())
    }

    /// Whether there is any of them.
    pub(super) fn has_blocks(&self) -> bool {
        self.twice.is_some() || !self.blocks.is_empty()
    }

    /// The end of the last block beyond a gap.
    pub(super) fn last_block_end(&self) -> Option<Seq> {
        self.early.back().map(Early::end)
    }

    /// Data that are expected next.
    pub(super) fn push(&mut self, data: Bytes) {
        self.nxt += data.len() as u32;
        self.unread += data.len();
        if !data.is_empty() {
            let len = data.len();
            let (memory, room) = match self.ready.back_mut() {
                // The memory of both is free when both are read.
                Some(last) if len <= last.room => (std::mem::take(&mut last.memory), last.room - len),
                _ => {
                    self.memory += self.packets.of(len);
                    (self.packets.of(len), self.packets.room_behind(len))
                }
            };
            self.ready.push_back(Ready { data, memory, room });
        }
    }

    /// Moves what no gap is before any more. Says whether the peer's FIN is among it.
    pub(super) fn join(&mut self) -> bool {
        let mut is_finished = false;
        while let Some(first) = self.early.front().filter(|first| first.seq.at_or_before(self.nxt)) {
            let end = first.end();
            let Some(Early { seq, mut data, is_fin }) = self.early.pop_front() else { break };
            if self.nxt.before(end) {
                data.advance(((self.nxt - seq) as usize).min(data.len()));
                self.push(data);
                is_finished |= is_fin;
            }
        }
        let nxt = self.nxt;
        self.blocks.retain(|(_, end)| nxt.before(*end));
        is_finished
    }

    /// Data, or a FIN, beyond a gap. What of it was here already is noted as having come twice.
    pub(super) fn push_early(&mut self, mut seq: Seq, mut data: Bytes, mut is_fin: bool) {
        let (start, end) = (seq, seq + (data.len() as u32 + u32::from(is_fin)));
        // Behind those that begin no later …
        let at = self.early.iter().rposition(|early| early.seq.at_or_before(seq)).map_or(0, |at| at + 1);
        if let Some(before) = at.checked_sub(1).map(|before| self.early[before].end())
            && seq.before(before)
        {
            if end.at_or_before(before) {
                self.twice = Some((start, end));
                self.note_block(start);
                return;
            }
            self.twice = Some((start, before));
            data.advance(((before - seq) as usize).min(data.len()));
            seq = before;
        }
        // … and in the place of those that it holds.
        while let Some(next) = self.early.get(at) {
            if end.at_or_before(next.seq) {
                break;
            }
            if end.before(next.end()) {
                self.twice = Some((next.seq, end));
                data.truncate((next.seq - seq) as usize);
                is_fin = false;
                break;
            }
            self.twice = Some((next.seq, next.end()));
            self.early.remove(at);
        }
        if !data.is_empty() || is_fin {
            self.early.insert(at, Early { seq, data, is_fin });
        }
        self.note_block(start);
    }

    /// The block that holds `seq` is the latest now.
    fn note_block(&mut self, seq: Seq) {
        let mut blocks: Vec<(Seq, Seq)> = Vec::new();
        for early in &self.early {
            match blocks.last_mut() {
                Some((_, end)) if *end == early.seq => *end = early.end(),
                _ => blocks.push((early.seq, early.end())),
            }
        }
        let holds = |(start, end): &&(Seq, Seq)| start.at_or_before(seq) && seq.before(*end);
        let Some(&(start, end)) = blocks.iter().find(holds) else { return };
        self.blocks.retain(|(from, to)| to.before(start) || end.before(*from));
        self.blocks.insert(0, (start, end));
        self.blocks.truncate(BLOCKS);
    }

    /// Copies from the beginning as much as there is, or as `buf` has room for; with `peek` it stays there.
    pub(super) fn read(&mut self, buf: &mut [u8], peek: bool) -> usize {
        let mut read = 0;
        let mut emptied = 0;
        for Ready { data, .. } in &mut self.ready {
            let len = data.len().min(buf.len() - read);
            if len == 0 {
                break;
            }
            buf[read..][..len].copy_from_slice(&data[..len]);
            read += len;
            if !peek {
                data.advance(len);
                emptied += usize::from(data.is_empty());
            }
        }
        if !peek {
            self.unread -= read;
            self.memory -= self.ready.drain(..emptied).map(|ready| ready.memory).sum::<usize>();
        }
        read
    }

    /// Nobody reads any more, and the peer sends no more: what lies beyond a gap is of no use.
    pub(super) fn forget_early(&mut self) {
        self.early.clear();
        self.blocks.clear();
    }
}
