//! One turmoil host's stack, and who waits for its sockets.
//!
//! Programs call it from their tasks, its driver carries its packets. Nothing here sends when
//! it is dropped: a socket that is dropped is only noted down, and closed by the next call or by the driver.
//! After a crash neither comes, so a crash is silent.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Id;
use tokio::sync::Notify;

use super::clock::Clock;
use super::config::HostConfig;
use super::faults::HostName;
use super::network::{HostView, Network};
use super::waits::Waits;
use crate::errno::Errno;
use crate::stack::{Config, How, SocketId, SocketInfo, Stack};
use crate::time::SimTime;
use crate::timeline::Recorder;

thread_local! {
    /// The hosts of this thread's simulations by their runtime: looked up, never iterated. A crash replaces a
    /// host's runtime, and with it the entry.
    static HOSTS: RefCell<HashMap<Id, Weak<AttachedHost>>> = RefCell::default();
}

pub(super) struct AttachedHost {
    pub(super) clock: Clock,
    pub(super) network: Arc<Network>,
    /// Wakes the driver.
    pub(super) wakeup: Notify,
    /// Something was done here.
    pub(super) changed: Notify,
    is_down: AtomicBool,
    /// How often anything was done here.
    touched: AtomicU64,
    /// The moments that programs are known to wait for.
    alarms: Mutex<BTreeSet<(SimTime, u64)>>,
    deferred: Mutex<Vec<Deferred>>,
    state: Mutex<State>,
}

/// What was asked for by a drop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deferred {
    Close(SocketId),
    ShutdownWrite(SocketId),
}

pub(super) struct State {
    pub(super) stack: Stack,
    /// The host's address and name, once known.
    pub(super) own: Option<HostName>,
    /// Packets that the stack has sent and the driver has not yet seen.
    pub(super) outgoing: VecDeque<Bytes>,
    /// Packets that stay on this host, by the moment they arrive.
    pub(super) loopback: VecDeque<(SimTime, Bytes)>,
    /// Packets that a rule keeps back, by the moment they leave and then in order.
    pub(super) late: BTreeMap<(SimTime, u64), (IpAddr, Bytes)>,
    pub(super) latest: SimTime,
    /// Whether bursts leave as one packet, where nothing loses segments.
    segmentation_offload: bool,
    /// The moment to which time was left out last. Nothing that is known of is due at it.
    pub(super) landed: Option<SimTime>,
    /// How much of the time that was left out its clock has left out.
    pub(super) skipped: Duration,
    waits: BTreeMap<SocketId, Waits>,
    /// Who waits for the host's address.
    anonymous: Vec<Waker>,
}

impl AttachedHost {
    /// The one that this runtime's programs have used already, unless it is down.
    pub(super) fn of_runtime(runtime: Id) -> Option<Arc<AttachedHost>> {
        let known = HOSTS.with_borrow(|hosts| hosts.get(&runtime).and_then(Weak::upgrade));
        known.filter(|host| !host.is_down())
    }

    /// From now on it is its runtime's.
    pub(super) fn settle(self: &Arc<AttachedHost>) {
        HOSTS.with_borrow_mut(|hosts| hosts.insert(self.clock.runtime(), Arc::downgrade(self)));
    }

    pub(super) fn new(clock: Clock, network: Arc<Network>) -> AttachedHost {
        // Whose it is will be known in a moment; it can be bound and listened on until then.
        let HostConfig { profile, mtu, .. } = HostConfig::default();
        let config = Config { addrs: loopback().to_vec(), profile, mtu, seed: 0, shares_segment: false };
        let mut stack = Stack::new(config, Recorder::off(""));
        stack.offload_checksums();
        let state = State {
            stack,
            own: None,
            segmentation_offload: false,
            outgoing: VecDeque::new(),
            loopback: VecDeque::new(),
            late: BTreeMap::new(),
            latest: clock.now().unwrap_or_default(),
            landed: None,
            skipped: network.lock().skipped,
            waits: BTreeMap::new(),
            anonymous: Vec::new(),
        };
        AttachedHost {
            clock,
            network,
            wakeup: Notify::new(),
            changed: Notify::new(),
            is_down: AtomicBool::new(false),
            touched: AtomicU64::new(0),
            alarms: Mutex::default(),
            deferred: Mutex::default(),
            state: Mutex::new(state),
        }
    }

    /// What a program asks of the stack.
    ///
    /// # Errors
    ///
    /// ENETDOWN after the host has crashed.
    pub(super) fn call<R>(&self, work: impl FnOnce(&mut State, SimTime) -> R) -> io::Result<R> {
        if self.is_down() {
            return Err(Errno::ENETDOWN.into());
        }
        let (result, busy) = self.work(|state, now| {
            self.look_for_late_timer(state, now);
            work(state, now)
        });
        if busy {
            self.wakeup.notify_one();
        }
        Ok(result)
    }

    /// Works on the stack and wakes the tasks that waited for what came of it. Says whether the driver has to know:
    /// there is something to carry, or another deadline.
    pub(super) fn work<R>(&self, work: impl FnOnce(&mut State, SimTime) -> R) -> (R, bool) {
        self.touched.fetch_add(1, Ordering::Relaxed);
        let loses_segments = self.network.lock().faults.lose_segments();
        let mut state = self.lock();
        let now = self.now(&mut state);
        let segmentation_offload = state.segmentation_offload && !loses_segments;
        state.stack.set_segmentation_offload(segmentation_offload);
        self.close_what_was_dropped(&mut state, now);
        let deadline = state.stack.next_deadline();
        let result = work(&mut state, now);
        let wakers = state.collect();
        let busy = !state.outgoing.is_empty() || state.stack.next_deadline() != deadline;
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.changed.notify_waiters();
        (result, busy)
    }

    /// What a drop asked for: it is done when this host runs next, if it ever does.
    pub(super) fn defer(&self, what: Deferred) {
        // After a crash there is no clock, and nobody is late.
        if let Some(now) = self.clock.now() {
            self.look_for_late_timer(&self.lock(), now);
        }
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        self.wakeup.notify_one();
    }

    /// Whether a connection whose socket was dropped is still to be ended.
    pub(super) fn has_open_orphans(&self) -> bool {
        let dropped = !self.deferred.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        dropped || self.lock().stack.has_open_orphans()
    }

    fn close_what_was_dropped(&self, state: &mut State, now: SimTime) {
        let mut deferred = self.deferred.lock().unwrap_or_else(PoisonError::into_inner);
        for what in deferred.drain(..) {
            match what {
                Deferred::Close(id) => {
                    state.waits.remove(&id);
                    state.stack.close(now, id);
                }
                Deferred::ShutdownWrite(id) => {
                    // Fails if the connection is dead already: then nothing is left to be said.
                    let _ = state.stack.shutdown(now, id, How::Write);
                }
            }
        }
    }

    /// Waits until turmoil has told the host its address: one tick after the first use of a socket on it.
    pub(super) fn poll_addr(&self, cx: &mut Context<'_>) -> Poll<io::Result<IpAddr>> {
        if self.is_down() {
            return Poll::Ready(Err(Errno::ENETDOWN.into()));
        }
        let mut state = self.lock();
        match &state.own {
            Some(own) => Poll::Ready(Ok(own.addr)),
            None => {
                state.anonymous.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The host learns its address.
    pub(super) fn identify(self: &Arc<AttachedHost>, addr: IpAddr) {
        let name: Arc<str> = turmoil::reverse_lookup(addr).unwrap_or_else(|| addr.to_string()).into();
        let [v4, v6] = loopback();
        let (config, recorder, segmentation_offload) = {
            let mut network = self.network.lock();
            let machine: Arc<dyn HostView> = self.clone();
            let boot = network.register(addr, &name, Arc::downgrade(&machine));
            let HostConfig { profile, mtu, segmentation_offload } = network.overrides.config(addr, &name);
            let config = Config {
                addrs: vec![addr, v4, v6],
                profile,
                mtu,
                seed: seed(addr, boot),
                shares_segment: false,
            };
            (config, network.recorder.for_host(&name), segmentation_offload)
        };
        let mut state = self.lock();
        state.stack.configure(config, recorder);
        state.segmentation_offload = segmentation_offload;
        state.own = Some(HostName { addr, name });
        let anonymous = std::mem::take(&mut state.anonymous);
        drop(state);
        anonymous.into_iter().for_each(Waker::wake);
    }

    /// The runtime is gone. A task that kept a socket elsewhere gets ENETDOWN.
    pub(super) fn go_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
        // The thread may be on its way out, its hosts forgotten already.
        let _ = HOSTS.try_with(|hosts| hosts.borrow_mut().remove(&self.clock.runtime()));
        let mut state = self.lock();
        let waits = std::mem::take(&mut state.waits);
        drop(state);
        waits.into_values().for_each(Waits::wake_all);
    }

    fn now(&self, state: &mut State) -> SimTime {
        // Asked from elsewhere, the host's clock stands still.
        state.latest = self.clock.now().unwrap_or(state.latest).max(state.latest);
        state.latest
    }

    pub(super) fn alarms(&self) -> MutexGuard<'_, BTreeSet<(SimTime, u64)>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic inside the stack fails the test that it happens in; what is still dropped need not too.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostView for AttachedHost {
    fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    fn sockets(&self) -> Vec<SocketInfo> {
        let mut state = self.lock();
        let now = self.now(&mut state);
        state.stack.sockets(now)
    }

    fn touched(&self) -> u64 {
        self.touched.load(Ordering::Relaxed)
    }

    fn next_moment(&self) -> Option<SimTime> {
        let state = self.lock();
        let alarms = self.alarms();
        let alarm = alarms.first().map(|(at, _)| *at);
        state.stack.next_deadline().into_iter().chain(state.next_arrival()).chain(alarm).min()
    }

    fn wake(&self) {
        self.wakeup.notify_one();
    }
}

impl State {
    /// What waits for the socket.
    pub(super) fn waits(&mut self, id: SocketId) -> &mut Waits {
        self.waits.entry(id).or_default()
    }

    /// Takes what the stack sends, and the wakers of those whose sockets are ready.
    fn collect(&mut self) -> Vec<Waker> {
        while let Some(packet) = self.stack.transmit() {
            self.outgoing.push_back(packet);
        }
        let mut wakers = Vec::new();
        while let Some(id) = self.stack.poll_event() {
            if let Some(waits) = self.waits.get_mut(&id) {
                waits.ready(self.stack.readiness(id), &mut wakers);
            }
        }
        wakers
    }
}

/// The answer to a program that is on no turmoil host.
pub(super) fn outside() -> io::Error {
    const WHERE: &str = "echosim::net works on the hosts of a turmoil simulation only";
    io::Error::new(io::ErrorKind::Unsupported, WHERE)
}

fn loopback() -> [IpAddr; 2] {
    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

/// Every boot of every host draws other sequence numbers, the same in every run (RFC 9293, 3.4.1).
fn seed(addr: IpAddr, boot: u64) -> u64 {
    let addr = match addr {
        IpAddr::V4(addr) => u64::from(addr.to_bits()),
        IpAddr::V6(addr) => addr.to_bits() as u64,
    };
    addr << 16 | boot
}
