//! A smoltcp socket and the two buffers it borrows.

use self_cell::{MutBorrow, self_cell};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer};

use super::memory::Block;

self_cell!(
    /// A set of one socket, and the buffers it lives on.
    pub(super) struct BufferedSocket {
        owner: MutBorrow<[Block; 2]>,

        #[not_covariant]
        dependent: SocketSet,
    }
);

impl BufferedSocket {
    /// A closed socket whose buffers are of so many octets.
    pub(super) fn closed(receive: usize, send: usize) -> (BufferedSocket, SocketHandle) {
        let rings = MutBorrow::new([Block::new(receive), Block::new(send)]);
        let mut handle = SocketHandle::default();
        let sockets = BufferedSocket::new(rings, |rings| {
            let [receive, send] = rings.borrow_mut();
            let socket = Socket::new(SocketBuffer::new(&mut receive[..]), SocketBuffer::new(&mut send[..]));
            let mut set = SocketSet::new(Vec::with_capacity(1));
            handle = set.add(socket);
            set
        });
        (sockets, handle)
    }
}
