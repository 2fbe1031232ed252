//! The world: hosts around a router, and the one clock they all go by.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::sync::Notify;

use super::addresses::{IpVersion, host_addrs, router_addr};
use super::cable::{CAPACITY, InCables};
use super::node::{Clock, HostNode, MachineBuilder, RouterNode};
use crate::os::sim::{Machine, Observer};
use crate::router::{LinkConfig, LinkId, Router};
use crate::time::SimTime;
use crate::timeline::Recorder;

/// Why a world could not go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorldError {
    /// A host's settings do not go with each other.
    #[error("{0}")]
    Settings(String),
    /// A machine's turmoil host failed.
    #[error("the simulated network failed: {0}")]
    Network(String),
    /// A program went on and on at one moment and was stopped.
    #[error("at {at} s on {host}: {what}")]
    Stuck {
        /// The moment at which it was stopped.
        at: SimTime,
        /// The host of the program.
        host: String,
        /// What the program did.
        what: String,
    },
    /// Packets went round and round at one moment.
    #[error(
        "at {at} s: the world did not come to rest after {rounds} rounds of one moment; is a link's latency 0?"
    )]
    Restless {
        /// The moment that never ended.
        at: SimTime,
        /// How many rounds were tried.
        rounds: u32,
    },
}

/// A host to be put into a world.
pub struct HostSetup {
    /// Its name.
    pub name: String,
    /// How many addresses it has.
    pub addrs: usize,
    /// Its link to the router.
    pub link: LinkConfig,
    /// Makes the machine, at the start and at every boot.
    pub machine: MachineBuilder,
    /// Is told what changes on it.
    pub observer: Option<Observer>,
}

/// Hosts, links and a router, at a moment.
pub struct World {
    pub(super) sim: turmoil::Sim<'static>,
    pub(super) recorder: Recorder,
    pub(super) clock: Clock,
    pub(super) hosts: Vec<HostSlot>,
    pub(super) router: Rc<RouterNode>,
    in_cables: InCables,
    /// Rounds since it last was at rest.
    rounds: u32,
}

/// A host in the world.
pub(super) struct HostSlot {
    pub(super) name: String,
    pub(super) link: LinkId,
    pub(super) node: Rc<HostNode>,
    /// Whether it has power.
    pub(super) is_on: Cell<bool>,
    /// Something was done to it from outside; it needs a turn.
    pub(super) needs_turn: Cell<bool>,
}

/// turmoil's tick: the shortest its timer knows, for its clock is not looked at.
const TICK: Duration = Duration::from_millis(1);

/// Rounds without a rest before it is said that there will be no end to them.
const MOST_ROUNDS: u32 = 100_000;

impl World {
    /// A world at time zero, its hosts about to boot in the first [round](World::round). `seed` decides every
    /// chance in it.
    ///
    /// # Errors
    ///
    /// [`WorldError::Network`] if turmoil fails.
    pub fn new(
        version: IpVersion,
        seed: u64,
        setups: Vec<HostSetup>,
        recorder: Recorder,
    ) -> Result<World, WorldError> {
        let mut builder = turmoil::Builder::new();
        // turmoil's defaults would ask the system's clock and entropy; its latency has a random part.
        builder
            .rng_seed(seed)
            .epoch(SystemTime::UNIX_EPOCH)
            .tick_duration(TICK)
            .simulation_duration(Duration::MAX)
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .udp_capacity(CAPACITY);
        let mut sim = builder.build();
        let (clock, in_cables) = (Clock::default(), InCables::default());
        let own = router_addr(version);
        let router = Rc::new(RouterNode {
            clock: clock.clone(),
            in_cables: in_cables.clone(),
            own,
            hosts: RefCell::default(),
            router: RefCell::new(Router::new(vec![own], seed, recorder.clone())),
            outbox: RefCell::default(),
            round: Notify::new(),
        });
        let mut hosts = Vec::with_capacity(setups.len());
        for (n, setup) in setups.into_iter().enumerate() {
            let addrs = host_addrs(version, n, setup.addrs);
            let link = router.router.borrow_mut().attach(&setup.name, &addrs, setup.link);
            let node = Rc::new(HostNode {
                clock: clock.clone(),
                in_cables: in_cables.clone(),
                own: addrs[0],
                router: own,
                build: setup.machine,
                observer: setup.observer,
                boots: Cell::new(0),
                machine: RefCell::new(None),
                round: Notify::new(),
            });
            router.hosts.borrow_mut().push(addrs[0]);
            let software = node.clone();
            sim.host(addrs[0], move || software.clone().run());
            hosts.push(HostSlot {
                name: setup.name,
                link,
                node,
                is_on: Cell::new(true),
                needs_turn: Cell::new(true),
            });
        }
        // After the hosts: what they send in a round reaches the router in that round.
        let software = router.clone();
        sim.host(own, move || software.clone().run());
        let mut world = World { sim, recorder, clock, hosts, router, in_cables, rounds: 0 };
        world.step()?;
        Ok(world)
    }

    /// The moment the world is at.
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// The timeline everything is recorded in.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The hosts' names, in order.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|slot| slot.name.as_str())
    }

    /// The first of a host's addresses, by its name.
    pub fn addr(&self, host: &str) -> Option<IpAddr> {
        self.slot(host).map(|slot| slot.node.own)
    }

    /// Works on a host's machine, which then gets a turn; `None` if it is off or there is none of this name.
    pub fn on_host<R>(&self, host: &str, work: impl FnOnce(&mut Machine, SimTime) -> R) -> Option<R> {
        let slot = self.slot(host)?;
        let mut machine = slot.node.machine.borrow_mut();
        let result = work(machine.as_mut()?, self.now());
        slot.needs_turn.set(true);
        Some(result)
    }

    /// Looks at a host's machine, which is none the wiser; `None` if it is off or there is none of this name.
    pub fn look_at<R>(&self, host: &str, look: impl FnOnce(&Machine, SimTime) -> R) -> Option<R> {
        let machine = self.slot(host)?.node.machine.borrow();
        machine.as_ref().map(|machine| look(machine, self.now()))
    }

    /// The router, to look at and to give faults to.
    pub fn on_router<R>(&self, work: impl FnOnce(&mut Router, SimTime) -> R) -> R {
        work(&mut self.router.router.borrow_mut(), self.now())
    }

    pub(super) fn slot(&self, host: &str) -> Option<&HostSlot> {
        self.hosts.iter().find(|slot| slot.name == host)
    }

    /// The link of a host.
    pub fn link(&self, host: &str) -> Option<LinkId> {
        self.slot(host).map(|slot| slot.link)
    }

    /// The next moment at which anything will happen by itself; `None` if nothing ever will.
    pub fn next_moment(&self) -> Option<SimTime> {
        let hosts = self.hosts.iter().filter_map(|slot| {
            let machine = slot.node.machine.borrow();
            machine.as_ref().and_then(Machine::next_deadline)
        });
        hosts.chain(self.router.router.borrow().next_deadline()).min()
    }

    /// Goes to the moment `at`; nothing may be due before it. What is due then happens in the
    /// [rounds](World::round) that follow.
    pub fn go_to(&mut self, at: SimTime) {
        self.clock.set(at);
        for slot in &self.hosts {
            let machine = slot.node.machine.borrow();
            let due = machine.as_ref().and_then(Machine::next_deadline).is_some_and(|due| due <= at);
            slot.needs_turn.set(slot.needs_turn.get() || due);
        }
        // What only moves inside the router needs no round.
        self.router.move_on();
    }

    /// One round of this moment: every machine that has something to do does it. False if none had.
    ///
    /// # Errors
    ///
    /// [`WorldError`] if a program had to be stopped, turmoil failed, or there is no end to the rounds.
    pub fn round(&mut self) -> Result<bool, WorldError> {
        let mut moves = self.in_cables.any();
        for slot in &self.hosts {
            if slot.needs_turn.take() {
                slot.node.round.notify_one();
                moves = true;
            }
        }
        if self.router.has_output() {
            self.router.round.notify_one();
            moves = true;
        }
        if !moves {
            self.rounds = 0;
            return Ok(false);
        }
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            return Err(WorldError::Restless { at: self.now(), rounds: MOST_ROUNDS });
        }
        self.step()?;
        self.look_after()?;
        Ok(true)
    }

    fn step(&mut self) -> Result<(), WorldError> {
        self.sim.step().map(drop).map_err(|error| WorldError::Network(error.to_string()))
    }

    /// Rounds until nothing moves at this moment any more.
    ///
    /// # Errors
    ///
    /// As [`round`](World::round).
    pub fn settle(&mut self) -> Result<(), WorldError> {
        while self.round()? {}
        Ok(())
    }

    /// Goes from moment to moment until nothing is left to happen by itself, or until `end`.
    ///
    /// # Errors
    ///
    /// As [`settle`](World::settle).
    pub fn run_until(&mut self, end: SimTime) -> Result<(), WorldError> {
        self.settle()?;
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.go_to(next);
            self.settle()?;
        }
        Ok(())
    }

    /// After a round: who was stopped, who has shut down.
    fn look_after(&mut self) -> Result<(), WorldError> {
        let mut off = VecDeque::new();
        for slot in &self.hosts {
            let machine = slot.node.machine.borrow();
            let Some(host) = machine.as_ref() else { continue };
            if let Some(what) = host.stuck() {
                return Err(WorldError::Stuck { at: self.now(), host: slot.name.clone(), what });
            }
            if host.is_off() {
                off.push_back(slot.name.clone());
            }
        }
        for host in off {
            self.crash(&host);
        }
        Ok(())
    }
}
