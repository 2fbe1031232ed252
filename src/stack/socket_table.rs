//! A host's sockets by id. Whoever changes one takes it from here, so that no change goes unnoticed.

use std::collections::BTreeSet;

use slab::Slab;

use super::change_log::ChangeLog;
use super::{Socket, SocketId};

#[derive(Default)]
pub(super) struct SocketTable {
    sockets: Slab<Socket>,
    changes: ChangeLog<SocketId>,
}

impl SocketTable {
    pub(super) fn get(&self, id: SocketId) -> Option<&Socket> {
        self.sockets.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.changes.note(id);
        self.sockets.get_mut(id.0)
    }

    pub(super) fn insert(&mut self, socket: Socket) -> SocketId {
        let id = SocketId(self.sockets.insert(socket));
        self.changes.note(id);
        id
    }

    /// Puts another socket in the place of one that is there.
    pub(super) fn replace(&mut self, id: SocketId, socket: Socket) {
        self.changes.note(id);
        self.sockets[id.0] = socket;
    }

    pub(super) fn remove(&mut self, id: SocketId) {
        self.changes.note(id);
        self.sockets.try_remove(id.0);
    }

    /// By id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SocketId, &Socket)> {
        self.sockets.iter().map(|(key, socket)| (SocketId(key), socket))
    }

    /// From now on [`take_changes`](Self::take_changes) knows what changed.
    pub(super) fn log_changes(&mut self) {
        self.changes.start();
    }

    /// The sockets that may have changed since the last time.
    pub(super) fn take_changes(&mut self) -> BTreeSet<SocketId> {
        self.changes.take()
    }
}
