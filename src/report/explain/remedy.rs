//! What other runs of the scenario saw, in which the client asked for more care.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use crate::errno::Errno;
use crate::report::wording;
use crate::timeline::{Event, Kind, SystemCall};

/// The client with something added, and how it then learnt that the other end was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remedy<'a> {
    /// The options added, as its command line has them; empty for the client as it is.
    pub what: &'a str,
    /// What a run with them showed.
    pub notice: Notice,
}

impl<'a> Remedy<'a> {
    /// These options, and what a run with them showed.
    pub fn new(what: &'a str, notice: Notice) -> Remedy<'a> {
        Remedy { what, notice }
    }
}

/// How a client learns that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A call told it.
    After {
        /// So long after the first fault.
        span: Duration,
        /// What the call failed with; `None` for the end of file.
        errno: Option<Errno>,
    },
    /// Not before the run ended.
    Never,
}

impl Notice {
    /// What a run shows: the first bad news that a client had after the first fault. `None` if there was no fault.
    pub fn of(events: &[Event]) -> Option<Notice> {
        let first = events.iter().position(|event| match &event.kind {
            Kind::Fault { fault, .. } => fault.harms(),
            _ => false,
        })?;
        let mut clients = BTreeSet::new();
        for (at, event) in events.iter().enumerate() {
            let Kind::Call(call) = &event.kind else { continue };
            let client = (&*event.host, call.pid);
            if matches!(call.what, SystemCall::Connect { .. }) {
                clients.insert(client);
            }
            let errno = match call.result {
                Err(_) if call.failure(event.t).is_none() => continue,
                Err(errno) => Some(errno),
                // The end of what the user types is descriptor 0's.
                Ok(0) if call.reads_from_peer() => None,
                Ok(_) => continue,
            };
            if at > first && clients.contains(&client) {
                return Some(Notice::After { span: event.t - events[first].t, errno });
            }
        }
        Some(Notice::Never)
    }
}

/// The runs, one a line.
pub(super) fn table(out: &mut dyn Write, remedies: &[Remedy<'_>]) -> io::Result<()> {
    // Where no care would have shown it, there was nothing for the client to notice.
    if remedies.iter().all(|remedy| remedy.notice == Notice::Never) {
        return Ok(());
    }
    writeln!(out, "\nWhat the client could have done: each line is another run of the scenario\n")?;
    let what = |remedy: &Remedy<'_>| match remedy.what {
        "" => "as it is".to_owned(),
        options => format!("with {options}"),
    };
    let width = remedies.iter().map(|remedy| what(remedy).chars().count()).max().unwrap_or(0);
    for remedy in remedies {
        let notice = match remedy.notice {
            Notice::After { span, errno } => {
                let told = errno.map_or("the end of file", |errno| errno.name());
                format!("{told} {} after the fault", wording::span(span))
            }
            Notice::Never => "never noticed".to_owned(),
        };
        writeln!(out, "  {:width$}  {notice}", what(remedy))?;
    }
    Ok(())
}
