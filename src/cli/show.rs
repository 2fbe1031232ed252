//! The reports of a run: what the command line asks of `report`.

use std::io::{self, Write};

use super::args::Trace;
use super::request::Run;
use crate::report::{self, Palette, RunInfo, Waiting};
use crate::scenario::{Outcome, Scenario};
use crate::sim::History;

/// Writes what was asked for: a timeline or else a summary, and the sockets and processes behind it.
pub(super) fn show(run: &Run, outcome: &Outcome, history: &History, out: &mut dyn Write) -> io::Result<()> {
    let (info, events) = (info(run), &outcome.events);
    match run.trace {
        // What is no terminal has the colours taken out by the writer.
        Some(Trace::Text) => report::text(out, &info, events, &Palette::COLOUR)?,
        Some(Trace::Json) => report::json(out, &info, events)?,
        None if run.pictures.ladder => {}
        None => report::summary(out, events, &waiting(outcome), outcome.end)?,
    }
    run.pictures.draw(&info, events, history, out)?;
    looks(outcome, out)
}

/// Writes the sockets and processes that were asked for.
pub(super) fn looks(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    if let Some(netstat) = &outcome.netstat {
        writeln!(out)?;
        report::netstat(out, netstat.t, &netstat.hosts)?;
    }
    if let Some(ps) = &outcome.ps {
        writeln!(out)?;
        report::ps(out, ps.t, &ps.hosts)?;
    }
    Ok(())
}

/// Which run it is: for the head of a report, and for the command that repeats it.
pub(super) fn info(run: &Run) -> RunInfo {
    RunInfo { real: run.real, ..info_of(&run.name, &run.scenario) }
}

/// The same of a scenario by the name it was asked for.
pub(super) fn info_of(name: &str, scenario: &Scenario) -> RunInfo {
    RunInfo { scenario: name.to_owned(), ..RunInfo::from(scenario) }
}

pub(super) fn waiting(outcome: &Outcome) -> Vec<Waiting<'_>> {
    let waiting = outcome.waiting.iter();
    waiting.map(|it| Waiting { host: &it.host, pid: it.pid, process: &it.process, on: it.on() }).collect()
}
