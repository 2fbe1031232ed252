//! The turmoil hosts: each carries packets between its cable and the machine it is.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::cable::{InCables, Plug};
use crate::os::sim::{Machine, Observer};
use crate::router::{LinkId, Router};
use crate::time::SimTime;

/// The world's clock; every machine reads the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Rc<Cell<SimTime>>);

impl Clock {
    pub(super) fn now(&self) -> SimTime {
        self.0.get()
    }

    pub(super) fn set(&self, now: SimTime) {
        debug_assert!(now >= self.now(), "time never runs backwards");
        self.0.set(now);
    }
}

/// Makes a machine: at the start, and again at every boot. It is told which boot this is, from 0, and the time.
pub type MachineBuilder = Box<dyn Fn(u32, SimTime) -> Machine>;

/// A simulated host in its turmoil host. `machine` is empty while it is off.
pub(super) struct HostNode {
    pub(super) clock: Clock,
    pub(super) in_cables: InCables,
    pub(super) own: IpAddr,
    pub(super) router: IpAddr,
    pub(super) build: MachineBuilder,
    pub(super) observer: Option<Observer>,
    pub(super) boots: Cell<u32>,
    pub(super) machine: RefCell<Option<Machine>>,
    pub(super) round: Notify,
}

/// Holds the machine's power: turmoil drops it with the host's runtime, and the machine goes at once and silently.
struct PowerCord(Rc<HostNode>);

impl Drop for PowerCord {
    fn drop(&mut self) {
        drop(self.0.machine.take());
        if let Some(observer) = &self.0.observer {
            observer(self.0.clock.now(), None);
        }
    }
}

impl HostNode {
    pub(super) async fn run(self: Rc<HostNode>) -> turmoil::Result {
        let mut plug = Plug::new(self.own, self.in_cables.clone()).await?;
        let _power = PowerCord(self.clone());
        // Every machine is plugged in before the first one says anything.
        self.round.notified().await;
        let boot = self.boots.replace(self.boots.get() + 1);
        let now = self.clock.now();
        let mut machine = (self.build)(boot, now);
        if let Some(observer) = &self.observer {
            machine.observe(now, observer.clone());
        }
        self.machine.replace(Some(machine));
        loop {
            self.take_turn(&mut plug)?;
            tokio::select! {
                biased;
                () = self.round.notified() => {}
                () = plug.readable() => {}
            }
        }
    }

    fn take_turn(&self, plug: &mut Plug) -> turmoil::Result {
        let mut machine = self.machine.borrow_mut();
        let Some(host) = machine.as_mut() else { return Ok(()) };
        let now = self.clock.now();
        host.handle_timeout(now);
        // All of a moment's packets are there before any program runs, as behind one interrupt: what five
        // clients end at once, five children read at once.
        while let Some((_, packet)) = plug.receive() {
            host.receive(now, packet);
        }
        host.run(now);
        while let Some(packet) = host.transmit() {
            plug.send(self.router, &packet)?;
        }
        Ok(())
    }
}

/// The router in its turmoil host.
pub(super) struct RouterNode {
    pub(super) clock: Clock,
    pub(super) in_cables: InCables,
    pub(super) own: IpAddr,
    /// The turmoil address of each link's host.
    pub(super) hosts: RefCell<Vec<IpAddr>>,
    pub(super) router: RefCell<Router>,
    /// Packets at the end of their last link.
    pub(super) outbox: RefCell<VecDeque<(LinkId, Bytes)>>,
    pub(super) round: Notify,
}

impl RouterNode {
    pub(super) async fn run(self: Rc<RouterNode>) -> turmoil::Result {
        let mut plug = Plug::new(self.own, self.in_cables.clone()).await?;
        loop {
            while let Some((from, packet)) = plug.receive() {
                self.receive(from, packet);
            }
            self.move_on();
            while let Some((link, packet)) = self.next_out() {
                plug.send(self.hosts.borrow()[link.0], &packet)?;
            }
            tokio::select! {
                biased;
                () = self.round.notified() => {}
                () = plug.readable() => {}
            }
        }
    }

    fn receive(&self, from: IpAddr, packet: Bytes) {
        let hosts = self.hosts.borrow();
        let link = hosts.iter().position(|host| *host == from).expect("only hosts are plugged in");
        self.router.borrow_mut().receive(self.clock.now(), LinkId(link), packet);
    }

    /// Moves packets along their links; those at an end go to the outbox.
    pub(super) fn move_on(&self) {
        let mut router = self.router.borrow_mut();
        router.handle_timeout(self.clock.now());
        let mut outbox = self.outbox.borrow_mut();
        outbox.extend(std::iter::from_fn(|| router.transmit()));
    }

    pub(super) fn has_output(&self) -> bool {
        !self.outbox.borrow().is_empty()
    }

    fn next_out(&self) -> Option<(LinkId, Bytes)> {
        self.outbox.borrow_mut().pop_front()
    }
}
