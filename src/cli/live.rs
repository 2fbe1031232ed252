//! A timeline that is written while the run goes on, so that a long run takes no more memory than a short one, and ends
//! when its reader has gone.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::args::Trace;
use super::request::Run;
use super::{Exit, complain, show, verdict};
use crate::report::text::Text;
use crate::report::{Palette, RunInfo, json};
use crate::scenario::Observed;
use crate::timeline::Event;

/// Whether all that is asked for can be written event by event. A real run's events are in order only at its end.
pub(super) fn can_be(run: &Run) -> bool {
    run.trace.is_some() && !run.real && !run.pictures.want_events()
}

/// Runs a scenario and writes its timeline; then what else is asked for, and the verdict.
pub(super) fn run(run: &Run, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let mut trace = Writer::begin(run.trace, out, &show::info(run))?;
    let mut seen = Observed::new(&run.scenario);
    let mut written = Ok(());
    let outcome = run.scenario.run_for(&mut |events| {
        events.iter().for_each(|event| seen.see(event));
        written = trace.write(out, &events);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written?;
    match outcome {
        Ok(outcome) => {
            show::looks(&outcome, out)?;
            out.flush()?;
            verdict::verdict(run, seen, &outcome, err)
        }
        Err(error) => {
            // What came before it has been asked for.
            out.flush()?;
            complain(err, &error)
        }
    }
}

/// One of the two forms of a timeline.
enum Writer {
    Text(Text<'static>),
    Json,
}

impl Writer {
    fn begin(trace: Option<Trace>, out: &mut dyn Write, info: &RunInfo) -> io::Result<Writer> {
        match trace {
            Some(Trace::Json) => json::head(out, info).map(|()| Writer::Json),
            // What is no terminal has the colours taken out by the writer.
            Some(Trace::Text) | None => Text::begin(out, info, &Palette::COLOUR).map(Writer::Text),
        }
    }

    fn write(&mut self, out: &mut dyn Write, events: &[Event]) -> io::Result<()> {
        match self {
            Writer::Text(text) => text.lines(out, events),
            Writer::Json => json::rows(out, events),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Args;
    use crate::cli::request::Request;
    use crate::scenario::Scenario;
    use crate::time::SimTime;
    use clap::Parser;
    use std::time::Duration;

    /// A keepalive a second that is answered, for two hours: more events than a batch.
    const LONG: &str = "name = \"long\"\nuntil = \"2h\"\n[host.server]\nrun = \"echo-server\"\n[host.client]\n\
                        run = \"echo-client server --poll --keepalive=1s,1s,3\"\n";

    fn asked(args: &[&str]) -> Run {
        let args = Args::try_parse_from(["echosim", "--scenario", "crash"].iter().chain(args)).unwrap();
        let Ok(Request::Run(mut run)) = Request::new(args) else { panic!("a run is asked for") };
        run.scenario = Scenario::parse("long.toml", LONG).unwrap();
        *run
    }

    #[test]
    fn a_long_run_written_meanwhile_is_the_run_written_afterwards() {
        let asked = asked(&["--trace=json"]);
        assert!(can_be(&asked));
        let (mut live, mut afterwards) = (Vec::new(), Vec::new());
        assert_eq!(run(&asked, &mut live, &mut Vec::new()).unwrap(), Exit::AsExpected);
        let outcome = asked.scenario.run().unwrap();
        json(&mut afterwards, &show::info(&asked), &outcome.events).unwrap();
        assert!(outcome.events.len() > 20_000 && live == afterwards);
    }

    #[test]
    fn columns_are_as_wide_as_any_line_before_needs_them() {
        let (asked, mut out) = (asked(&["--trace"]), Vec::new());
        run(&asked, &mut out, &mut Vec::new()).unwrap();
        let text = String::from_utf8(out).unwrap();
        let flags = text.lines().filter_map(|line| line.find("Flags [.]"));
        let columns: Vec<usize> = flags.collect();
        assert!(columns.is_sorted() && columns.len() > 20_000, "they never narrow");
    }

    #[test]
    fn a_run_ends_when_its_reader_has_gone() {
        let (asked, mut taken) = (asked(&["--trace"]), 0);
        let outcome = asked.scenario.run_for(&mut |events| {
            taken += events.len();
            ControlFlow::Break(())
        });
        let outcome = outcome.unwrap();
        assert!(
            outcome.cut
                && outcome.end < SimTime::ZERO + Duration::from_secs(3_600)
                && outcome.events.is_empty()
        );
        assert!((10_000..11_000).contains(&taken), "{taken}");
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = run(&asked, &mut Gone, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
