//! Everything that is measured, once, of one server.

use std::io::{self, Write};
use std::time::Duration;

use crate::contestant::{Contestant, Running};
use crate::{load, memory};

/// How long a rate or a latency is looked at.
const SPAN: Duration = Duration::from_millis(400);
/// Octets echoed in all.
const BULK: usize = 256 << 20;
/// Connections whose memory is counted.
const IDLE: usize = 200;

/// A figure: what it is, its unit, and which way is better.
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) more_is_better: bool,
    /// What is asked of ours in terms of the best rival's, as the issue has it.
    pub(crate) goal: Option<f64>,
}

const fn more(name: &'static str, unit: &'static str, goal: f64) -> Measure {
    Measure { name, unit, more_is_better: true, goal: Some(goal) }
}

const fn less(name: &'static str, unit: &'static str, goal: Option<f64>) -> Measure {
    Measure { name, unit, more_is_better: false, goal }
}

/// In the order of [`STEPS`].
pub(crate) const MEASURES: [Measure; 12] = [
    less("memory of a connection, proportional (PSS)", "KiB", Some(1.0)),
    less("memory of a connection, private (USS)", "KiB", Some(1.0)),
    less("page tables of a connection", "KiB", None),
    more("connections in turn", "/s", 1.0),
    more("connections, 8 in flight", "/s", 1.0),
    more("connections, 32 in flight", "/s", 1.0),
    less("one echo, p50", "µs", Some(1.0)),
    less("one echo, p99", "µs", Some(1.0)),
    less("one echo of 100 open, p50", "µs", Some(1.0)),
    less("one echo of 100 open, p99", "µs", Some(1.0)),
    more("bulk echo, 1 connection", "MiB/s", 1.5),
    more("bulk echo, 4 connections", "MiB/s", 1.5),
];

/// What one server comes to in one round; not a number where it has failed.
pub(crate) type Figures = [f64; MEASURES.len()];

/// Measures one server from its start to its end. What it has failed in before (`earlier` has no number there) is not
/// asked of it again.
pub(crate) fn run(contestant: &Contestant, earlier: Option<&Figures>) -> io::Result<Figures> {
    let mut figures = [f64::NAN; MEASURES.len()];
    let mut first = 0;
    let mut server = Running::start(contestant)?;
    for step in STEPS {
        let places = first..first + step.figures;
        first = places.end;
        if earlier.is_some_and(|earlier| earlier[places.start].is_nan()) {
            continue;
        }
        match (step.measure)(&server).and_then(|measured| server.rest().map(|()| measured)) {
            Ok(measured) => figures[places].copy_from_slice(&measured),
            Err(error) => {
                let name = MEASURES[places.start].name;
                writeln!(io::stderr(), "{} fails: {name}: {error}", contestant.name)?;
                drop(server);
                server = Running::start(contestant)?;
            }
        }
    }
    Ok(figures)
}

/// What is done at once, and how many of [`MEASURES`] it gives.
struct Step {
    figures: usize,
    measure: fn(&Running) -> io::Result<Vec<f64>>,
}

const STEPS: [Step; 8] = [
    Step { figures: 3, measure: memory_of_a_connection },
    Step { figures: 1, measure: |server| connections(server, 1) },
    Step { figures: 1, measure: |server| connections(server, 8) },
    Step { figures: 1, measure: |server| connections(server, 32) },
    Step { figures: 2, measure: |server| latency(server, 1) },
    Step { figures: 2, measure: |server| latency(server, 100) },
    Step { figures: 1, measure: |server| bulk(server, 1) },
    Step { figures: 1, measure: |server| bulk(server, 4) },
];

fn connections(server: &Running, in_flight: usize) -> io::Result<Vec<f64>> {
    Ok(vec![load::connections_a_second(server.addr, in_flight, SPAN)?])
}

fn latency(server: &Running, open: usize) -> io::Result<Vec<f64>> {
    let times = load::latencies(server.addr, open, SPAN)?;
    Ok([50, 99].map(|percent| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6).to_vec())
}

fn bulk(server: &Running, connections: usize) -> io::Result<Vec<f64>> {
    Ok(vec![load::bulk(server.addr, connections, BULK / connections)? / f64::from(1 << 20)])
}

/// In KiB: what [`IDLE`] connections, which have all echoed a line, add to the server's processes, for each.
fn memory_of_a_connection(server: &Running) -> io::Result<Vec<f64>> {
    let before = memory::of_tree(server.pid())?;
    let mut streams = Vec::new();
    for _ in 0..IDLE {
        let mut stream = load::connect(server.addr)?;
        load::echo(&mut stream)?;
        streams.push(stream);
    }
    let after = memory::of_tree(server.pid())?;
    if after.processes < before.processes + IDLE as u64 {
        return Err(io::Error::other("not a process for each connection"));
    }
    let each = |before: u64, after: u64| (after as f64 - before as f64) / IDLE as f64 / 1024.0;
    Ok(vec![
        each(before.proportional, after.proportional),
        each(before.private, after.private),
        each(before.page_tables, after.page_tables),
    ])
}
