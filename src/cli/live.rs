//! A timeline that is written while the run goes on, so that a long run takes no more memory than a short one, and ends
//! when its reader has gone.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::args::Trace;
use super::request::Run;
use super::{Exit, complain, pictures, show, verdict};
use crate::report::text::Text;
use crate::report::{Capture, Palette, RunInfo, json};
use crate::scenario::{Observed, Outcome, RunError};
use crate::timeline::Event;

/// Whether all that is asked for can be written event by event. A real run's events are in order only at its end.
pub(super) fn can_be(run: &Run) -> bool {
    run.trace.is_some() && !run.real && !run.pictures.want_events()
}

/// Runs a scenario and writes its timeline, and its packets; then what else is asked for, and the verdict.
pub(super) fn run(run: &Run, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let mut seen = Observed::new(&run.scenario);
    let outcome = match run.pictures.pcapng() {
        None => written(run, &mut seen, out, None).map_err(Failed::into_error)?,
        file => {
            let mut outcome = Ok(None);
            let in_file = pictures::write(file, |file| match written(run, &mut seen, out, Some(file)) {
                Ok(ended) => {
                    outcome = Ok(Some(ended));
                    Ok(())
                }
                Err(Failed::Timeline(error)) => {
                    // The file is not to be there without the end of the run.
                    let given_up = error.kind().into();
                    outcome = Err(error);
                    Err(given_up)
                }
                Err(Failed::Capture(error)) => Err(error),
            });
            match (outcome?, in_file) {
                (Some(ended), Ok(())) => ended,
                (_, Err(error)) => return Err(error),
                (None, Ok(())) => unreachable!("a file that is complete has been written"),
            }
        }
    };
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

/// What could not be written.
enum Failed {
    Timeline(io::Error),
    Capture(io::Error),
}

impl Failed {
    fn into_error(self) -> io::Error {
        match self {
            Failed::Timeline(error) | Failed::Capture(error) => error,
        }
    }
}

/// Runs it, and writes its events as they come; its packets to a file, too.
fn written(
    run: &Run,
    seen: &mut Observed,
    out: &mut dyn Write,
    mut file: Option<&mut dyn Write>,
) -> Result<Result<Outcome, RunError>, Failed> {
    let info = show::info(run);
    let mut trace = Writer::begin(run.trace, out, &info).map_err(Failed::Timeline)?;
    let mut capture = match &mut file {
        Some(file) => {
            let on = run.pictures.pcapng_host.as_deref();
            Some(Capture::begin(file, &info, on).map_err(Failed::Capture)?)
        }
        None => None,
    };
    let mut done = Ok(());
    let outcome = run.scenario.run_for(&mut |events| {
        events.iter().for_each(|event| seen.see(event));
        done = trace.write(out, &events).map_err(Failed::Timeline);
        if let (Ok(()), Some(capture), Some(file)) = (&done, &mut capture, &mut file) {
            done = capture.write(file, events).map_err(Failed::Capture);
        }
        if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    done?;
    if let (Some(capture), Some(file)) = (capture, file) {
        capture.finish(file).map_err(Failed::Capture)?;
    }
    Ok(outcome)
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
    use crate::report;
    use crate::scenario::Scenario;
    use crate::time::SimTime;
    use clap::Parser;
    use std::time::Duration;

    /// A keepalive a second that is answered, for two hours: more events than a batch.
    const LONG: &str = "name = \"long\"\nuntil = \"2h\"\n[host.server]\nrun = \"echo-server\"\n[host.client]\n\
                        run = \"echo-client server --poll --keepalive=1s,1s,3\"\n";

    /// Many lines over a link that loses, doubles and disturbs some.
    const LOSSY: &str = "name = \"lossy\"\n[host.server]\nrun = \"echo-server\"\n[host.client]\n\
                         run = \"echo-client server --half-close\"\nstdin = { each = \"line\", count = 40000 }\n\
                         [link.client]\nloss = \"2%\"\nduplicate = \"2%\"\ncorrupt = \"1%\"\nlatency = \"2ms\"\n";

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

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

    /// A packet is written with those around it, so what became of it is known: the file is the same.
    #[test]
    fn a_capture_written_meanwhile_has_the_packets_and_comments_of_one_written_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.pcapng");
        for (scenario, host) in [(LONG, None), (LONG, Some("client")), (LOSSY, None), (LOSSY, Some("server"))]
        {
            let mut args = vec!["--trace", "--pcapng", path.to_str().unwrap()];
            args.extend(host.iter().flat_map(|host| ["--pcapng-host", host]));
            let mut asked = asked(&args);
            asked.scenario = Scenario::parse("long.toml", scenario).unwrap();
            assert!(can_be(&asked));
            run(&asked, &mut Vec::new(), &mut Vec::new()).unwrap();
            let (live, mut afterwards) = (std::fs::read(&path).unwrap(), Vec::new());
            let events = asked.scenario.run().unwrap().events;
            report::pcapng(&mut afterwards, &show::info(&asked), &events, host).unwrap();
            assert!(events.len() > 20_000, "{}", events.len());
            assert!(live == afterwards, "{host:?}");
        }
    }

    #[test]
    fn a_capture_is_not_left_behind_when_the_reader_of_the_timeline_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.pcapng");
        let long = asked(&["--trace", "--pcapng", path.to_str().unwrap()]);
        let error = run(&long, &mut Gone, &mut Vec::new()).unwrap_err();
        assert_eq!((error.kind(), path.exists()), (io::ErrorKind::BrokenPipe, false));
        let nowhere = folder.path().join("no folder/long.pcapng");
        let long = asked(&["--trace", "--pcapng", nowhere.to_str().unwrap()]);
        let error = run(&long, &mut Vec::new(), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("no folder/long.pcapng"), "{error}");
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
        let error = run(&asked, &mut Gone, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
