//! The run as rows of numbers and a list of words: short to write, quick to read.

use serde::Serialize;

use super::fold::{self, Fold};
use super::number::Words;
use super::reel::Reel;
use super::row::Row;
use crate::packet::Flags;
use crate::report::RunInfo;
use crate::sim::Film;
use crate::story::flights;
use crate::timeline::{Direction, Event, Kind};

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
    reels: Vec<Reel>,
    words: Vec<String>,
}

impl Table {
    pub(super) fn new(run: &RunInfo, events: &[Event], film: &Film) -> Table {
        let columns = columns(events, film);
        let mut words = Words::default();
        let rows: Vec<Row> = events.iter().map(|event| Row::of(event, &columns, &mut words)).collect();
        let flights = flights(events).into_iter().filter_map(|flight| Some([flight.sent, flight.end()?]));
        let folds = fold::folds(&rows);
        let folds = folds.into_iter().flat_map(|Fold { first, events, times }| [first, events, times]);
        let reels = Reel::all(film, &columns, &mut words);
        Table {
            scenario: run.scenario.clone(),
            sentence: run.sentence.clone(),
            command: run.command(),
            stack: run.stack.clone(),
            flights: flights.flatten().collect(),
            folds: folds.collect(),
            columns,
            rows,
            reels,
            words: words.into_list(),
        }
    }
}

/// Who calls stands on the left, who is called on the right, and what lies between them in the middle.
fn columns(events: &[Event], film: &Film) -> Vec<String> {
    let mut hosts: Vec<&str> = film.hosts().iter().map(|host| &*host.name).collect();
    let named = events.iter().filter(|event| !matches!(event.kind, Kind::Fault { .. }));
    for event in named {
        if !hosts.contains(&&*event.host) {
            hosts.push(&event.host);
        }
    }
    let calls = |host: &str| {
        events.iter().any(|event| match &event.kind {
            Kind::Segment(segment) => {
                &*event.host == host
                    && segment.dir == Direction::Out
                    && segment.flags.has(Flags::SYN)
                    && segment.ack.is_none()
            }
            _ => false,
        })
    };
    let ends = |host: &str| film.hosts().iter().any(|film| &*film.name == host) || host != "router";
    let place = |host: &&str| match (calls(host), ends(host)) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    };
    hosts.sort_by_key(place);
    hosts.into_iter().map(str::to_owned).collect()
}
