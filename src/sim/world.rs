//! The world: hosts around a router, and the one clock they all go by.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::addresses::{IpVersion, host_addrs, hosts_addr, router_addr};
use super::budget::{Budget, Limit};
use super::cable::{CAPACITY, InCables};
use super::clock::Clock;
use super::hosts::{Hosts, MachineBuilder, Slot};
use super::router::RouterNode;
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
    /// One of the two turmoil hosts failed.
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
    /// The run came to more than it may.
    #[error("at {at} s: more than the limit of {limit}")]
    TooMuch {
        /// When it did.
        at: SimTime,
        /// Of what.
        limit: Limit,
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
    /// Whether its link is part of the segment that hosts share, past the router.
    pub shares_segment: bool,
    /// Makes the machine, at the start and at every boot.
    pub machine: MachineBuilder,
    /// Is told what changes on it.
    pub observer: Option<Observer>,
}

/// Hosts, links and a router, at a moment.
pub struct World {
    sim: turmoil::Sim<'static>,
    recorder: Recorder,
    clock: Clock,
    /// The hosts' names, in order.
    names: Vec<String>,
    by_name: BTreeMap<String, usize>,
    /// Each host's first address.
    addrs: Vec<IpAddr>,
    pub(super) hosts: Rc<Hosts>,
    pub(super) router: Rc<RouterNode>,
    in_cables: InCables,
    /// Rounds since it last was at rest.
    rounds: u32,
    budget: Budget,
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
        let mut router = Router::new(vec![own], seed, recorder.clone());
        let (mut names, mut addrs, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for (n, setup) in setups.into_iter().enumerate() {
            let of_host = host_addrs(version, n, setup.addrs);
            let link = router.attach(&setup.name, &of_host, setup.link);
            assert_eq!(link, LinkId(n), "hosts have the numbers of their links");
            if setup.shares_segment {
                router.share(link);
            }
            names.push(setup.name);
            addrs.push(of_host[0]);
            slots.push(Slot::new(setup.machine, setup.observer));
        }
        let hosts = Rc::new(Hosts::new(clock.clone(), slots));
        let router = Rc::new(RouterNode::new(clock.clone(), router));
        let (software, cable, other_end) = (hosts.clone(), in_cables.clone(), own);
        sim.host(hosts_addr(version), move || software.clone().run(other_end, cable.clone()));
        // After the hosts: what they send in a round reaches the router in that round.
        let (software, cable, other_end) = (router.clone(), in_cables.clone(), hosts_addr(version));
        sim.host(own, move || software.clone().run(other_end, cable.clone()));
        let by_name = names.iter().cloned().zip(0..).collect();
        let mut world = World {
            sim,
            recorder,
            clock,
            names,
            by_name,
            addrs,
            hosts,
            router,
            in_cables,
            rounds: 0,
            budget: Budget::default(),
        };
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
        self.names.iter().map(String::as_str)
    }

    /// The first of a host's addresses, by its name.
    pub fn addr(&self, host: &str) -> Option<IpAddr> {
        self.number(host).map(|n| self.addrs[n])
    }

    /// Works on a host's machine, which then gets a turn; `None` if it is off or paused, or there is none of this name.
    pub fn on_host<R>(&self, host: &str, work: impl FnOnce(&mut Machine, SimTime) -> R) -> Option<R> {
        self.hosts.on(self.number(host)?, work)
    }

    /// Looks at a host's machine, which is none the wiser; `None` if it is off or there is none of this name.
    pub fn look_at<R>(&self, host: &str, look: impl FnOnce(&Machine, SimTime) -> R) -> Option<R> {
        self.hosts.look_at(self.number(host)?, look)
    }

    /// The router, to look at and to give faults to.
    pub fn on_router<R>(&self, work: impl FnOnce(&mut Router, SimTime) -> R) -> R {
        work(&mut self.router.router.borrow_mut(), self.now())
    }

    pub(super) fn number(&self, host: &str) -> Option<usize> {
        self.by_name.get(host).copied()
    }

    /// The link of a host.
    pub fn link(&self, host: &str) -> Option<LinkId> {
        self.number(host).map(LinkId)
    }

    /// The next moment at which anything will happen by itself; `None` if nothing ever will.
    pub fn next_moment(&self) -> Option<SimTime> {
        let router = self.router.router.borrow().next_deadline();
        [self.hosts.next_deadline(), router].into_iter().flatten().min()
    }

    /// Goes to the moment `at`; nothing may be due before it. What is due then happens in the
    /// [rounds](World::round) that follow.
    pub fn go_to(&mut self, at: SimTime) {
        self.clock.set(at);
        self.hosts.wake_due(at);
        // What only moves inside the router needs no round.
        self.router.move_on();
    }

    /// One round of this moment: every machine that has something to do does it. False if none had.
    ///
    /// # Errors
    ///
    /// [`WorldError`] if a program had to be stopped, turmoil failed, or there is no end to the rounds.
    pub fn round(&mut self) -> Result<bool, WorldError> {
        let (hosts, router) = (self.hosts.begin_round(), self.router.begin_round());
        if !hosts && !router && !self.in_cables.any() {
            self.rounds = 0;
            return Ok(false);
        }
        self.budget
            .step(self.recorder.kept())
            .map_err(|limit| WorldError::TooMuch { at: self.now(), limit })?;
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            return Err(WorldError::Restless { at: self.now(), rounds: MOST_ROUNDS });
        }
        self.step()?;
        let outcome = self.hosts.end_round();
        if let Some((host, what)) = outcome.stuck {
            return Err(WorldError::Stuck { at: self.now(), host: self.names[host].clone(), what });
        }
        for host in outcome.off {
            let host = self.names[host].clone();
            self.crash(&host);
        }
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
}
