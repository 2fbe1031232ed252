//! Memory of which only what is used costs anything: for sockets' buffers, and for packets of many pages.
//!
//! Most of a simulation's sockets never fill their buffers. An allocator clears a buffer of 64 KiB by writing to
//! it, which makes sixteen pages of it real; what comes fresh from the operating system is clear already. So
//! blocks are cut from extents of address space, a page of theirs is real once it is written to, and the next block is
//! the last one of its size that was given back, whose pages are still in the processor's cache. What it holds is old:
//! a block is to be written before it is read.
//!
//! A hundred connections use more pages than a processor keeps the addresses of. So the first extent asks for huge ones,
//! but for its beginning: there a small simulation would only pay for clearing them, and ten thousand idle connections
//! would make all of it real in the others.

use std::alloc::{Layout, handle_alloc_error};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

/// Octets of an extent.
const EXTENT: usize = 64 << 20;

/// Octets of a page, or of a part of one.
const PAGE: usize = 4_096;

/// Octets of a huge page, or of some.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;

/// What threads that have ended needed: no extent is ever given back to the operating system.
static LEFT: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

thread_local! {
    static MEMORY: RefCell<Borrowed> = RefCell::default();
}

/// A thread's memory, as long as it lives.
struct Borrowed(Memory);

impl Default for Borrowed {
    fn default() -> Borrowed {
        Borrowed(LEFT.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default())
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
    }
}

#[derive(Default)]
struct Memory {
    extents: usize,
    /// What is left of the newest extent.
    rest: &'static mut [u8],
    /// Blocks that were given back, by size.
    free: BTreeMap<usize, Vec<&'static mut [u8]>>,
}

impl Memory {
    fn take(&mut self, octets: usize) -> &'static mut [u8] {
        if let Some(block) = self.free.get_mut(&octets).and_then(Vec::pop) {
            return block;
        }
        if self.rest.len() < octets {
            self.rest = extent(octets, self.extents == 0);
            self.extents += 1;
        }
        let (block, rest) = std::mem::take(&mut self.rest).split_at_mut(octets);
        self.rest = rest;
        block
    }

    fn give_back(&mut self, block: &'static mut [u8]) {
        self.free.entry(block.len()).or_default().push(block);
    }
}

/// Room for at least so many octets.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables))]
fn extent(octets: usize, is_first: bool) -> &'static mut [u8] {
    // Where address space is scarce (`ulimit -v`) as much as there is.
    let halves = std::iter::successors(Some(EXTENT), |size| Some(size / 2)).take_while(|size| *size > octets);
    let Some(extent) = halves.chain([octets]).find_map(|size| MmapMut::map_anon(size).ok()) else {
        handle_alloc_error(Layout::array::<u8>(octets).expect("a size that was asked for"))
    };
    #[cfg(target_os = "linux")]
    if is_first && extent.len() >= EXTENT {
        // A kernel that has none does without.
        let _ = extent.advise_range(memmap2::Advice::HugePage, HUGE_PAGE, EXTENT - HUGE_PAGE);
    }
    let kept: &'static mut MmapMut = Box::leak(Box::new(extent));
    kept
}

/// So many octets, which may be anything.
pub(super) struct Block {
    memory: &'static mut [u8],
    octets: usize,
}

impl Block {
    pub(super) fn new(octets: usize) -> Block {
        let whole_pages = octets.next_multiple_of(PAGE);
        Block { memory: MEMORY.with_borrow_mut(|memory| memory.0.take(whole_pages)), octets }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        // If the thread is on its way out, the block has no owner any more.
        let _ = MEMORY.try_with(|all| all.borrow_mut().0.give_back(memory));
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
