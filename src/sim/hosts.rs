//! The simulated hosts, all of them in one turmoil host.
//!
//! turmoil links every pair of its hosts and walks all pairs at each step; these hosts talk to the router alone. So they
//! share a host of turmoil's, a cable to the router, and turns in their order.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::cable::{InCables, Plug};
use super::clock::Clock;
use super::host_clock::HostClock;
use crate::os::sim::{Machine, Observer};
use crate::router::LinkId;
use crate::time::SimTime;

/// Makes a machine: at the start, and again at every boot. It is told which boot this is, from 0, and the time.
pub type MachineBuilder = Box<dyn Fn(u32, SimTime) -> Machine>;

/// A simulated host, whether it is on or off.
pub(super) struct Slot {
    build: MachineBuilder,
    observer: Option<Observer>,
    boots: u32,
    is_on: bool,
    clock: HostClock,
    /// Empty while it is off, and until its first turn after that.
    machine: Option<Machine>,
    inbox: Vec<Bytes>,
    /// Its machine's, as it stands in the list of all.
    deadline: Option<SimTime>,
}

impl Slot {
    pub(super) fn new(build: MachineBuilder, observer: Option<Observer>) -> Slot {
        let (inbox, machine, deadline) = (Vec::new(), None, None);
        let clock = HostClock::default();
        Slot { build, observer, boots: 0, is_on: true, clock, machine, inbox, deadline }
    }

    fn boot(&mut self, now: SimTime) -> &mut Machine {
        self.machine.get_or_insert_with(|| {
            let mut machine = (self.build)(self.boots, now);
            self.boots += 1;
            if let Some(observer) = &self.observer {
                let (clock, observer) = (self.clock.clone(), observer.clone());
                machine.observe(now, Rc::new(move |own, change| observer(clock.world(own), change)));
            }
            machine
        })
    }
}

/// What a round's turns came to.
#[derive(Default)]
pub(super) struct Outcome {
    /// Hosts that have shut down.
    pub(super) off: Vec<usize>,
    /// A host whose program had to be stopped, and what that did.
    pub(super) stuck: Option<(usize, String)>,
}

/// The hosts by their numbers, which are those of their links.
pub(super) struct Hosts {
    clock: Clock,
    slots: RefCell<Vec<Slot>>,
    /// Hosts that something was done to, or whose time has come.
    turns: RefCell<BTreeSet<usize>>,
    deadlines: RefCell<BTreeSet<(SimTime, usize)>>,
    outcome: RefCell<Outcome>,
    round: Notify,
}

impl Hosts {
    /// All of them are on, and boot in their first turn.
    pub(super) fn new(clock: Clock, slots: Vec<Slot>) -> Hosts {
        Hosts {
            clock,
            turns: RefCell::new((0..slots.len()).collect()),
            slots: RefCell::new(slots),
            deadlines: RefCell::default(),
            outcome: RefCell::default(),
            round: Notify::new(),
        }
    }

    /// The turmoil host.
    pub(super) async fn run(self: Rc<Hosts>, router: IpAddr, in_cables: InCables) -> turmoil::Result {
        let mut plug = Plug::new(router, in_cables).await?;
        loop {
            tokio::select! {
                biased;
                () = self.round.notified() => {}
                () = plug.readable() => {}
            }
            self.take_turns(&mut plug)?;
        }
    }

    /// Whether a host needs a turn for something else than a packet; then there will be a round.
    pub(super) fn begin_round(&self) -> bool {
        let needs_turn = !self.turns.borrow().is_empty();
        if needs_turn {
            self.round.notify_one();
        }
        needs_turn
    }

    pub(super) fn end_round(&self) -> Outcome {
        self.outcome.take()
    }

    fn take_turns(&self, plug: &mut Plug) -> turmoil::Result {
        let mut slots = self.slots.borrow_mut();
        let mut turns = self.turns.take();
        // All of a moment's packets are there before any program runs, as behind one interrupt: what five clients end at
        // once, five children read at once.
        while let Some((LinkId(link), packet)) = plug.receive() {
            slots[link].inbox.push(packet);
            turns.insert(link);
        }
        for host in turns {
            self.take_turn(host, &mut slots[host], plug)?;
        }
        Ok(())
    }

    fn take_turn(&self, host: usize, slot: &mut Slot, plug: &mut Plug) -> turmoil::Result {
        if !slot.is_on || slot.clock.is_paused() {
            slot.inbox.clear();
            return Ok(());
        }
        let now = slot.clock.own(self.clock.now());
        let packets = std::mem::take(&mut slot.inbox);
        let machine = slot.boot(now);
        machine.handle_timeout(now);
        for packet in packets {
            machine.receive(now, packet);
        }
        machine.run(now);
        while let Some(packet) = machine.transmit() {
            plug.send(LinkId(host), &packet)?;
        }
        let mut outcome = self.outcome.borrow_mut();
        if machine.is_off() {
            outcome.off.push(host);
        }
        if outcome.stuck.is_none() {
            outcome.stuck = machine.stuck().map(|what| (host, what));
        }
        drop(outcome);
        self.note_deadline(host, slot);
        Ok(())
    }

    fn note_deadline(&self, host: usize, slot: &mut Slot) {
        let machine = slot.machine.as_ref().filter(|_| !slot.clock.is_paused());
        let deadline = machine.and_then(Machine::next_deadline).map(|own| slot.clock.world(own));
        let before = std::mem::replace(&mut slot.deadline, deadline);
        if before != deadline {
            let mut deadlines = self.deadlines.borrow_mut();
            before.map(|before| deadlines.remove(&(before, host)));
            deadlines.extend(deadline.map(|deadline| (deadline, host)));
        }
    }

    /// The next moment at which one of them does something by itself.
    pub(super) fn next_deadline(&self) -> Option<SimTime> {
        self.deadlines.borrow().first().map(|(at, _)| *at)
    }

    /// Who is due at `now` gets a turn.
    pub(super) fn wake_due(&self, now: SimTime) {
        let deadlines = self.deadlines.borrow();
        self.turns
            .borrow_mut()
            .extend(deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, host)| *host));
    }

    /// Works on a machine, which then gets a turn; `None` if it is off or paused.
    pub(super) fn on<R>(&self, host: usize, work: impl FnOnce(&mut Machine, SimTime) -> R) -> Option<R> {
        let slot = &mut self.slots.borrow_mut()[host];
        if slot.clock.is_paused() {
            return None;
        }
        let result = work(slot.machine.as_mut()?, slot.clock.own(self.clock.now()));
        self.note_deadline(host, slot);
        self.turns.borrow_mut().insert(host);
        Some(result)
    }

    /// Looks at a machine; `None` if it is off.
    pub(super) fn look_at<R>(&self, host: usize, look: impl FnOnce(&Machine, SimTime) -> R) -> Option<R> {
        let slot = &self.slots.borrow()[host];
        slot.machine.as_ref().map(|machine| look(machine, slot.clock.own(self.clock.now())))
    }

    pub(super) fn is_on(&self, host: usize) -> bool {
        self.slots.borrow()[host].is_on
    }

    /// It does nothing from now on, and its clock stands still. False if it is so already, or off.
    pub(super) fn pause(&self, host: usize) -> bool {
        let slot = &mut self.slots.borrow_mut()[host];
        if !slot.is_on || slot.clock.is_paused() {
            return false;
        }
        slot.clock.pause(self.clock.now());
        self.note_deadline(host, slot);
        true
    }

    /// It goes on where it was; returns the time by its clock, and what that has missed in all. `None` if it went.
    pub(super) fn resume(&self, host: usize) -> Option<(SimTime, Duration)> {
        let slot = &mut self.slots.borrow_mut()[host];
        let resumed = slot.clock.resume(self.clock.now())?;
        self.note_deadline(host, slot);
        self.turns.borrow_mut().insert(host);
        Some(resumed)
    }

    /// Its power goes: nothing more leaves it, nor reaches it.
    pub(super) fn switch_off(&self, host: usize) {
        let slot = &mut self.slots.borrow_mut()[host];
        slot.is_on = false;
        slot.machine = None;
        slot.inbox.clear();
        if let Some(observer) = &slot.observer {
            observer(self.clock.now(), None);
        }
        self.note_deadline(host, slot);
    }

    /// Power again: it boots in its next turn.
    pub(super) fn switch_on(&self, host: usize) {
        self.slots.borrow_mut()[host].is_on = true;
        self.turns.borrow_mut().insert(host);
    }
}
