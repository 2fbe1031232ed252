//! Bursts that are read where they lie.
//!
//! smoltcp copies what arrives into a ring, and from there to the program. A packet of many segments that brings just what
//! is expected next stays as it came instead. Of it smoltcp is shown what it acknowledges, but no data, so that its numbers
//! of what the peer sends stay behind by what has passed it by: what it is shown is moved back by as much, and what it
//! sends is put right (`device.rs`). While it has anything unread, or out of order, everything goes its way.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// The data of bursts that are not read.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    unread: VecDeque<Bytes>,
    octets: usize,
    any: bool,
}

impl Bursts {
    /// Octets that are not read.
    pub(super) fn len(&self) -> usize {
        self.octets
    }

    /// Whether there ever was one.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    pub(super) fn push(&mut self, data: Bytes) {
        self.any = true;
        self.octets += data.len();
        self.unread.push_back(data);
    }

    /// Copies from the beginning as much as there is, or as `buf` has room for; with `peek` it stays there.
    pub(super) fn read(&mut self, buf: &mut [u8], peek: bool) -> usize {
        let mut read = 0;
        for data in &mut self.unread {
            let len = data.len().min(buf.len() - read);
            buf[read..][..len].copy_from_slice(&data[..len]);
            read += len;
            if !peek {
                data.advance(len);
            }
        }
        if !peek {
            self.octets -= read;
            self.unread.retain(|data| !data.is_empty());
        }
        read
    }
}
