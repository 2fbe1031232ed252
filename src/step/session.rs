//! The run that is stepped through.

use std::sync::Arc;

use crate::os::sim::ProcessInfo;
use crate::report::{self, Palette, RunInfo};
use crate::scenario::{RunError, Scenario};
use crate::sim::{History, HostHistory};
use crate::stack::SocketInfo;
use crate::time::SimTime;
use crate::timeline::{Direction, Event, Kind, Stream};

/// A finished run: every event with its line, and what every host was like.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which run it is.
    pub info: RunInfo,
    /// The timeline.
    pub events: Vec<Event>,
    /// An event a line, as `--trace` writes it.
    pub lines: Vec<String>,
    history: History,
    /// Places in the history, who sends first at the left.
    hosts: Vec<usize>,
}

impl Session {
    /// Runs the scenario.
    ///
    /// # Errors
    ///
    /// A run that cannot be finished.
    pub fn new(info: &RunInfo, scenario: &Scenario) -> Result<Session, RunError> {
        let (outcome, history) = scenario.run_with_history()?;
        let lines = lines(info, &outcome.events);
        debug_assert_eq!(lines.len(), outcome.events.len());
        let hosts = in_order_of_sending(&outcome.events, history.hosts());
        Ok(Session { info: info.clone(), events: outcome.events, lines, history, hosts })
    }

    /// Every host: who sends first stands first.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &HostHistory> {
        self.hosts.iter().map(|place| &self.history.hosts()[*place])
    }

    /// When an event happened.
    pub fn time(&self, nth: usize) -> SimTime {
        self.events.get(nth).map_or(SimTime::ZERO, |event| event.t)
    }

    /// A host's sockets after the round of an event; `None` if it was off.
    pub fn sockets(&self, host: &HostHistory, nth: usize) -> Option<Vec<SocketInfo>> {
        host.sockets(self.history.frame_of(&self.events, nth), self.time(nth))
    }

    /// A host's processes after the round of an event.
    pub fn processes<'a>(&self, host: &'a HostHistory, nth: usize) -> impl Iterator<Item = &'a ProcessInfo> {
        host.processes(self.history.frame_of(&self.events, nth))
    }

    /// The last lines of a host's terminals up to an event, oldest first.
    pub fn screen(&self, host: &Arc<str>, nth: usize, rows: usize) -> Vec<(Stream, &str)> {
        let so_far = &self.events[..self.events.len().min(nth + 1)];
        let typed_or_printed = so_far.iter().rev().filter(|event| event.host == *host);
        let lines = typed_or_printed.filter_map(|event| match &event.kind {
            Kind::Line(line) => Some((line.stream, line.text.as_str())),
            _ => None,
        });
        let mut lines: Vec<_> = lines.take(rows).collect();
        lines.reverse();
        lines
    }
}

fn in_order_of_sending(events: &[Event], hosts: &[HostHistory]) -> Vec<usize> {
    let sends = |event: &Event| matches!(&event.kind, Kind::Segment(it) if it.dir == Direction::Out);
    let first = |host: &HostHistory| events.iter().position(|event| event.host == host.name && sends(event));
    let mut places: Vec<usize> = (0..hosts.len()).collect();
    places.sort_by_key(|place| first(&hosts[*place]).unwrap_or(usize::MAX));
    places
}

/// The trace without its head, which ends with an empty line.
fn lines(info: &RunInfo, events: &[Event]) -> Vec<String> {
    let mut trace = Vec::new();
    report::text(&mut trace, info, events, &Palette::PLAIN).expect("memory takes it");
    let trace = String::from_utf8_lossy(&trace);
    trace.lines().skip_while(|line| !line.is_empty()).skip(1).map(str::to_owned).collect()
}
