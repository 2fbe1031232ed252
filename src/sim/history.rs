//! What every host looked like after every round of a run: to be asked about any moment later.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::World;
use crate::os::sim::{Machine, ProcessInfo};
use crate::stack::{SocketInfo, TimerInfo, TimerKind};
use crate::time::SimTime;
use crate::timeline::Event;

/// The sockets and processes of a run's hosts over time.
///
/// A snapshot is taken after every round; only what changed since the one before is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    snapshots: Vec<Snapshot>,
    hosts: Vec<HostHistory>,
}

/// A look at the world after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The moment of the round.
    pub t: SimTime,
    /// How many events the timeline had by then: those of the round are the last of them.
    pub events: usize,
}

/// One host over time.
#[derive(Clone, Debug, PartialEq)]
pub struct HostHistory {
    /// The host.
    pub name: Arc<str>,
    /// When it was on.
    pub power: Track<()>,
    /// Its sockets, by both ends; a listener has no other end.
    pub sockets: BTreeMap<(SocketAddr, Option<SocketAddr>), Track<SocketRecord>>,
    /// Its processes, by process id.
    pub processes: BTreeMap<u32, Track<ProcessInfo>>,
}

/// Something that comes, changes and goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Track<T>(Vec<(usize, Option<T>)>);

/// A socket as it stays until something happens to it: with the timer's end, and not the time left.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketRecord {
    /// All but the timer.
    pub info: SocketInfo,
    /// The timer that fires next, when, and how often it has.
    pub timer: Option<(TimerKind, SimTime, u32)>,
}

impl<T> Default for Track<T> {
    fn default() -> Track<T> {
        Track(Vec::new())
    }
}

impl<T: PartialEq> Track<T> {
    fn put(&mut self, snapshot: usize, look: Option<T>) {
        // A snapshot may be taken again, when nothing happened but that a timer was set.
        self.0.pop_if(|(latest, _)| *latest == snapshot);
        if self.latest() != look.as_ref() {
            self.0.push((snapshot, look));
        }
    }

    fn latest(&self) -> Option<&T> {
        self.0.last().and_then(|(_, look)| look.as_ref())
    }

    /// What it was in this snapshot.
    pub fn at(&self, snapshot: usize) -> Option<&T> {
        let after = self.0.partition_point(|(since, _)| *since <= snapshot);
        self.0[..after].last().and_then(|(_, look)| look.as_ref())
    }

    /// Every change, with the snapshot it was first seen in; `None` where it went.
    pub fn changes(&self) -> impl Iterator<Item = (usize, Option<&T>)> {
        self.0.iter().map(|(snapshot, look)| (*snapshot, look.as_ref()))
    }
}

impl SocketRecord {
    fn new(now: SimTime, mut info: SocketInfo) -> SocketRecord {
        let timer = info.timer.take().map(|timer| (timer.kind, now + timer.left, timer.fired));
        SocketRecord { info, timer }
    }

    /// The socket at the moment `now`.
    pub fn at(&self, now: SimTime) -> SocketInfo {
        let timer = self.timer.map(|(kind, at, fired)| TimerInfo { kind, left: at - now, fired });
        SocketInfo { timer, ..self.info.clone() }
    }
}

impl HostHistory {
    fn new(name: &str) -> HostHistory {
        HostHistory {
            name: name.into(),
            power: Track::default(),
            sockets: BTreeMap::new(),
            processes: BTreeMap::new(),
        }
    }

    fn take(&mut self, snapshot: usize, now: SimTime, host: Option<&Machine>) {
        self.power.put(snapshot, host.map(|_| ()));
        let sockets = host.map(|host| host.stack().sockets(now)).unwrap_or_default();
        let sockets = sockets.into_iter().map(|it| ((it.local, it.remote), SocketRecord::new(now, it)));
        put_all(&mut self.sockets, snapshot, sockets);
        let processes = host.map(Machine::processes).unwrap_or_default();
        put_all(&mut self.processes, snapshot, processes.into_iter().map(|it| (it.pid.as_raw(), it)));
    }

    /// Its sockets in a snapshot, at a moment that belongs to it; `None` if the host was off.
    pub fn sockets(&self, snapshot: usize, now: SimTime) -> Option<Vec<SocketInfo>> {
        self.power.at(snapshot)?;
        Some(self.sockets.values().filter_map(|track| track.at(snapshot)).map(|look| look.at(now)).collect())
    }

    /// Its processes in a snapshot, by process id.
    pub fn processes(&self, snapshot: usize) -> impl Iterator<Item = &ProcessInfo> {
        self.processes.values().filter_map(move |track| track.at(snapshot))
    }
}

/// The looks of this snapshot; what has none is gone.
fn put_all<K: Ord, T: PartialEq>(
    tracks: &mut BTreeMap<K, Track<T>>,
    snapshot: usize,
    looks: impl Iterator<Item = (K, T)>,
) {
    let mut looks: BTreeMap<K, T> = looks.collect();
    for (key, track) in tracks.iter_mut() {
        track.put(snapshot, looks.remove(key));
    }
    for (key, look) in looks {
        tracks.entry(key).or_default().put(snapshot, Some(look));
    }
}

impl History {
    /// A history of nothing yet.
    pub fn new() -> History {
        History::default()
    }

    /// Takes a snapshot of the world as it is.
    pub fn take(&mut self, world: &World) {
        if self.hosts.is_empty() {
            self.hosts = world.host_names().map(HostHistory::new).collect();
        }
        let this = Snapshot { t: world.now(), events: world.recorder().len() };
        self.snapshots.pop_if(|latest| *latest == this);
        let (snapshot, now) = (self.snapshots.len(), this.t);
        for history in &mut self.hosts {
            let name = history.name.clone();
            if world.look_at(&name, |host, now| history.take(snapshot, now, Some(host))).is_none() {
                history.take(snapshot, now, None);
            }
        }
        self.snapshots.push(this);
    }

    /// Every host, in the scenario's order.
    pub fn hosts(&self) -> &[HostHistory] {
        &self.hosts
    }

    /// Every snapshot, in time order.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// The snapshot that shows the moment `t`, when everything that happens at it has happened.
    pub fn frame_at(&self, t: SimTime) -> usize {
        self.snapshots.partition_point(|snapshot| snapshot.t <= t).saturating_sub(1)
    }

    /// The snapshot after the round in which this event happened; after the last round of the moment, if the event
    /// is its last.
    pub fn frame_of(&self, events: &[Event], nth: usize) -> usize {
        let Some(event) = events.get(nth) else { return self.snapshots.len().saturating_sub(1) };
        match events.get(nth + 1) {
            Some(next) if next.t == event.t => {
                let snapshot = self.snapshots.partition_point(|snapshot| snapshot.events <= nth);
                snapshot.min(self.snapshots.len().saturating_sub(1))
            }
            _ => self.frame_at(event.t),
        }
    }
}
