//! The router in its turmoil host.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::cable::{InCables, Plug};
use super::clock::Clock;
use crate::router::{LinkId, Router};

/// The router, and what is to go into the cables.
pub(super) struct RouterNode {
    clock: Clock,
    pub(super) router: RefCell<Router>,
    /// Packets at the end of their last link.
    outbox: RefCell<VecDeque<(LinkId, Bytes)>>,
    round: Notify,
}

impl RouterNode {
    pub(super) fn new(clock: Clock, router: Router) -> RouterNode {
        RouterNode { clock, router: RefCell::new(router), outbox: RefCell::default(), round: Notify::new() }
    }

    /// The turmoil host; `hosts` is the address of the other.
    pub(super) async fn run(self: Rc<RouterNode>, hosts: IpAddr, in_cables: InCables) -> turmoil::Result {
        let mut plug = Plug::new(hosts, in_cables).await?;
        loop {
            while let Some((link, packet)) = plug.receive() {
                self.router.borrow_mut().receive(self.clock.now(), link, packet);
            }
            self.move_on();
            while let Some((link, packet)) = self.next_out() {
                plug.send(link, &packet)?;
            }
            tokio::select! {
                biased;
                () = self.round.notified() => {}
                () = plug.readable() => {}
            }
        }
    }

    /// Moves packets along their links; those at an end go to the outbox.
    pub(super) fn move_on(&self) {
        let mut router = self.router.borrow_mut();
        router.handle_timeout(self.clock.now());
        let mut outbox = self.outbox.borrow_mut();
        outbox.extend(std::iter::from_fn(|| router.transmit()));
    }

    /// Whether packets wait for a cable; then there will be a round.
    pub(super) fn begin_round(&self) -> bool {
        let has_output = !self.outbox.borrow().is_empty();
        if has_output {
            self.round.notify_one();
        }
        has_output
    }

    fn next_out(&self) -> Option<(LinkId, Bytes)> {
        self.outbox.borrow_mut().pop_front()
    }
}
