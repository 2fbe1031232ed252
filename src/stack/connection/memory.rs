//! Memory of which only what is used costs anything: for sockets' buffers, and for packets of many pages.
//!
//! Most of a simulation's sockets never fill their buffers. An allocator clears a buffer of 64 KiB by writing to
//! it, which makes sixteen pages of it real; what comes fresh from the operating system is clear already. So
//! blocks are cut from extents that are larger than anything an allocator keeps for later, a page of theirs is
//! real once it is written to, and the next block is the last one of its size that was given back, whose pages are
//! still in the processor's cache. What it holds is old: a block is to be written before it is read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use bytes::BytesMut;

/// Octets of an extent: the GNU allocator keeps what is below 32 MiB.
const EXTENT: usize = 64 << 20;

/// Octets of a page, or of a part of one.
const PAGE: usize = 4_096;

/// Octets of free blocks that a thread keeps.
const MOST_FREE: usize = 4 * EXTENT;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    /// What is left of the newest extent.
    rest: BytesMut,
    /// Blocks that were given back, by size.
    free: BTreeMap<usize, Vec<BytesMut>>,
    octets_free: usize,
}

impl Memory {
    fn take(&mut self, octets: usize) -> BytesMut {
        if let Some(block) = self.free.get_mut(&octets).and_then(Vec::pop) {
            self.octets_free -= octets;
            return block;
        }
        if self.rest.len() < octets {
            self.rest = BytesMut::zeroed(EXTENT.max(octets + PAGE));
            // From here on two blocks never share a page.
            drop(self.rest.split_to(self.rest.as_ptr().align_offset(PAGE).min(PAGE)));
        }
        self.rest.split_to(octets)
    }

    fn give_back(&mut self, block: BytesMut) {
        if self.octets_free + block.len() <= MOST_FREE {
            self.octets_free += block.len();
            self.free.entry(block.len()).or_default().push(block);
        }
    }
}

/// So many octets, which may be anything.
pub(super) struct Block {
    memory: BytesMut,
    octets: usize,
}

impl Block {
    pub(super) fn new(octets: usize) -> Block {
        let whole_pages = octets.next_multiple_of(PAGE);
        Block { memory: MEMORY.with_borrow_mut(|memory| memory.take(whole_pages)), octets }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        // The thread may be on its way out.
        let _ = MEMORY.try_with(|all| all.borrow_mut().give_back(memory));
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.octets]
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.octets]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_whatever_their_sizes() {
        let sizes = [65_535, 100, 4_096, 4_097, EXTENT, 65_535];
        let mut blocks = sizes.map(Block::new);
        for (n, block) in (0..).zip(&mut blocks) {
            block.fill(n);
        }
        assert!((0..).zip(&blocks).all(|(n, block)| block.iter().all(|octet| *octet == n)));
        assert_eq!(blocks.map(|block| block.len()), sizes);
    }

    #[test]
    fn the_next_block_of_a_size_is_the_last_one_given_back() {
        let (first, second) = (Block::new(65_535), Block::new(65_535));
        let (of_first, of_second) = (first.as_ptr(), second.as_ptr());
        drop(first);
        drop(second);
        assert_eq!(Block::new(65_536).as_ptr(), of_second);
        assert_ne!(Block::new(4_096).as_ptr(), of_first);
    }
}
