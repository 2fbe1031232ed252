//! The memory of a socket's two buffers, of which only what is used costs anything.
//!
//! Most of a simulation's sockets never fill their buffers. An allocator clears a buffer of 64 KiB by writing to
//! it, which makes sixteen pages of it real; what comes fresh from the operating system is clear already. So
//! buffers are cut from extents that are larger than anything an allocator keeps for later, a page of theirs is
//! real once it is written to, and the next socket gets the last one's pages. What they hold is old, but nothing is
//! ever read from a ring before it was written to it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use bytes::BytesMut;
use self_cell::{MutBorrow, self_cell};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer};

/// Octets of an extent: the GNU allocator keeps what is below 32 MiB.
const EXTENT: usize = 64 << 20;

/// Octets of a page, or of a part of one.
const PAGE: usize = 4_096;

/// Octets of free rings that a thread keeps.
const MOST_FREE: usize = 4 * EXTENT;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    /// What is left of the newest extent.
    rest: BytesMut,
    /// Rings that were given back, by size.
    free: BTreeMap<usize, Vec<BytesMut>>,
    octets_free: usize,
}

impl Memory {
    fn take(&mut self, octets: usize) -> BytesMut {
        if let Some(ring) = self.free.get_mut(&octets).and_then(Vec::pop) {
            self.octets_free -= octets;
            return ring;
        }
        if self.rest.len() < octets {
            self.rest = BytesMut::zeroed(EXTENT.max(octets + PAGE));
            // From here on two rings never share a page.
            drop(self.rest.split_to(self.rest.as_ptr().align_offset(PAGE).min(PAGE)));
        }
        self.rest.split_to(octets)
    }

    fn give_back(&mut self, ring: BytesMut) {
        if self.octets_free + ring.len() <= MOST_FREE {
            self.octets_free += ring.len();
            self.free.entry(ring.len()).or_default().push(ring);
        }
    }
}

/// A buffer; it may hold anything.
pub(super) struct Ring {
    memory: BytesMut,
    octets: usize,
}

impl Ring {
    fn new(octets: usize) -> Ring {
        let whole_pages = octets.next_multiple_of(PAGE);
        Ring { memory: MEMORY.with_borrow_mut(|memory| memory.take(whole_pages)), octets }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        // The thread may be on its way out.
        let _ = MEMORY.try_with(|all| all.borrow_mut().give_back(memory));
    }
}

impl Deref for Ring {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.octets]
    }
}

impl DerefMut for Ring {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.octets]
    }
}

self_cell!(
    /// A set of one socket, and the buffers it lives on.
    pub(super) struct Buffered {
        owner: MutBorrow<[Ring; 2]>,

        #[not_covariant]
        dependent: SocketSet,
    }
);

impl Buffered {
    /// A closed socket whose buffers are of so many octets each.
    pub(super) fn socket(octets: usize) -> (Buffered, SocketHandle) {
        let rings = MutBorrow::new([Ring::new(octets), Ring::new(octets)]);
        let mut handle = SocketHandle::default();
        let buffered = Buffered::new(rings, |rings| {
            let [receive, send] = rings.borrow_mut();
            let socket = Socket::new(SocketBuffer::new(&mut receive[..]), SocketBuffer::new(&mut send[..]));
            let mut set = SocketSet::new(Vec::with_capacity(1));
            handle = set.add(socket);
            set
        });
        (buffered, handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_do_not_overlap_whatever_their_sizes() {
        let sizes = [65_535, 100, 4_096, 4_097, EXTENT, 65_535];
        let mut rings = sizes.map(Ring::new);
        for (n, ring) in (0..).zip(&mut rings) {
            ring.fill(n);
        }
        assert!((0..).zip(&rings).all(|(n, ring)| ring.iter().all(|octet| *octet == n)));
        assert_eq!(rings.map(|ring| ring.len()), sizes);
    }

    #[test]
    fn the_next_ring_of_a_size_is_the_last_one_given_back() {
        let (first, second) = (Ring::new(65_535), Ring::new(65_535));
        let (of_first, of_second) = (first.as_ptr(), second.as_ptr());
        drop(first);
        drop(second);
        assert_eq!(Ring::new(65_536).as_ptr(), of_second);
        assert_ne!(Ring::new(4_096).as_ptr(), of_first);
    }
}
