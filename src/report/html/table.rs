//! The run as rows of numbers and a list of words: short to write, quick to read.

use serde::Serialize;

use super::fold::{self, Fold};
use super::host_rows::HostRows;
use super::number::Words;
use super::row::Row;
use crate::report::RunInfo;
use crate::sim::History;
use crate::story::{flights, roles};
use crate::timeline::Event;

/// What `script/run.js` reads. Times are whole microseconds, texts are places in `words`, and −1 is nothing.
#[derive(Serialize)]
pub(super) struct Table {
    scenario: String,
    sentence: String,
    command: String,
    stack: String,
    /// Names of the ladder's columns, left to right.
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Departure and end of each flight, one behind the other.
    flights: Vec<usize>,
    /// First event, events of the phrase and times of each fold, one behind the other.
    folds: Vec<usize>,
    hosts_over_time: Vec<HostRows>,
    words: Vec<String>,
}

impl Table {
    pub(super) fn new(run: &RunInfo, events: &[Event], history: &History) -> Table {
        let hosts = history.hosts().iter().map(|host| &*host.name);
        let columns: Vec<String> =
            roles(events, hosts).into_iter().map(|(name, _)| name.to_owned()).collect();
        let mut words = Words::default();
        let rows: Vec<Row> = events.iter().map(|event| Row::of(event, &columns, &mut words)).collect();
        let flights = flights(events).into_iter().filter_map(|flight| Some([flight.sent, flight.end()?]));
        let folds = fold::folds(&rows);
        let folds = folds.into_iter().flat_map(|Fold { first, events, times }| [first, events, times]);
        let hosts_over_time = HostRows::all(history, &columns, &mut words);
        Table {
            scenario: run.scenario.clone(),
            sentence: run.sentence.clone(),
            command: run.command(),
            stack: run.stack.clone(),
            flights: flights.flatten().collect(),
            folds: folds.collect(),
            columns,
            rows,
            hosts_over_time,
            words: words.into_list(),
        }
    }
}
