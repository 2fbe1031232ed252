//! What every host looked like after every step of a run: to be asked about any moment later.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::os::sim::{Change, Observer, ProcessInfo};
use crate::stack::{SocketId, SocketInfo, TimerInfo, TimerKind};
use crate::time::SimTime;
use crate::timeline::{Event, Recorder};

/// The sockets and processes of a run's hosts over time.
///
/// A snapshot is taken after every step of a host: a call, a packet that came, a timer that fired. Only what changed
/// since the one before is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    snapshots: Vec<Snapshot>,
    hosts: Vec<HostHistory>,
}

/// The world after a step of one of its hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The moment of the step.
    pub t: SimTime,
    /// How many events the timeline had by then: those of the step are the last of them.
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
    pub sockets: BTreeMap<Ends, Track<SocketRecord>>,
    /// Its processes, by process id.
    pub processes: BTreeMap<u32, Track<ProcessInfo>>,
}

/// Both ends of a socket.
type Ends = (SocketAddr, Option<SocketAddr>);

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

impl History {
    /// A history of nothing yet.
    pub fn new() -> History {
        History::default()
    }

    /// The number of the snapshot that is taken now.
    fn snapshot(&mut self, this: Snapshot) -> usize {
        if self.snapshots.last() != Some(&this) {
            self.snapshots.push(this);
        }
        self.snapshots.len() - 1
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

    /// How many events stand before those of a step. The step itself may have none: then it is shown with the event
    /// before it.
    pub fn events_before(&self, snapshot: usize) -> usize {
        let before = snapshot.checked_sub(1).map_or(0, |before| self.snapshots[before].events);
        before.min(self.snapshots[snapshot].events.saturating_sub(1))
    }

    /// The snapshot after this event and before the next; if one step has more events, the one after the step.
    pub fn frame_of(&self, events: &[Event], nth: usize) -> usize {
        let Some(event) = events.get(nth) else { return self.snapshots.len().saturating_sub(1) };
        let after =
            self.snapshots.partition_point(|snapshot| snapshot.t <= event.t && snapshot.events <= nth + 1);
        let before = after.saturating_sub(1);
        let has_it = |snapshot: &Snapshot| snapshot.events > nth && snapshot.t == event.t;
        // A router's event is no host's step: then there may be no snapshot of its moment at all.
        if has_it(&self.snapshots[before]) || !self.snapshots.get(after).is_some_and(has_it) {
            before
        } else {
            after
        }
    }
}

/// Writes the history of a run while the run goes on.
pub struct HistoryWriter {
    recorder: Recorder,
    history: RefCell<History>,
}

impl HistoryWriter {
    /// A history of these hosts. How many events there are by now is asked of `recorder`.
    pub fn new<'a>(hosts: impl Iterator<Item = &'a str>, recorder: Recorder) -> Rc<HistoryWriter> {
        let history = History { snapshots: Vec::new(), hosts: hosts.map(HostHistory::new).collect() };
        Rc::new(HistoryWriter { recorder, history: RefCell::new(history) })
    }

    /// Takes the history out, which ends here.
    pub fn take(&self) -> History {
        self.history.take()
    }

    /// What writes down the steps of the n-th host.
    pub fn observer(self: &Rc<HistoryWriter>, host: usize) -> Observer {
        let writer = self.clone();
        let ends_of = RefCell::default();
        Rc::new(move |now, change| writer.write(now, host, &mut ends_of.borrow_mut(), change))
    }

    fn write(&self, t: SimTime, host: usize, ends_of: &mut BTreeMap<SocketId, Ends>, change: Option<Change>) {
        let history = &mut *self.history.borrow_mut();
        if history.hosts.is_empty() {
            return; // It has been taken: the run is over, and its hosts are dropped.
        }
        let snapshot = history.snapshot(Snapshot { t, events: self.recorder.len() });
        let host = &mut history.hosts[host];
        host.power.put(snapshot, change.as_ref().map(|_| ()));
        let Some(change) = change else {
            for ends in mem::take(ends_of).into_values() {
                host.sockets.entry(ends).or_default().put(snapshot, None);
            }
            for track in host.processes.values_mut() {
                track.put(snapshot, None);
            }
            return;
        };
        // Another socket may come between the same two ends as one goes: first all that go.
        for (id, info) in &change.sockets {
            let ends = info.as_ref().map(|info| (info.local, info.remote));
            if let Some(before) = ends_of.get(id).copied().filter(|before| Some(*before) != ends) {
                ends_of.remove(id);
                host.sockets.entry(before).or_default().put(snapshot, None);
            }
        }
        for (id, info) in change.sockets {
            let Some(info) = info else { continue };
            let ends = (info.local, info.remote);
            ends_of.insert(id, ends);
            host.sockets.entry(ends).or_default().put(snapshot, Some(SocketRecord::new(t, info)));
        }
        for (pid, info) in change.processes {
            host.processes.entry(pid.as_raw()).or_default().put(snapshot, info);
        }
    }
}
