//! The command line: what was typed, what it means, and an exit code.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `args` | what may be typed |
//! | `command` | what may be asked for besides a run |
//! | `choice` | which scenario, and what is changed in it |
//! | `real` | the server and the client on this machine's own TCP |
//! | `compare` | both kinds of run side by side |
//! | `duration` | how long a real run will take, said before it |
//! | `subcommands` | what is done about that |
//! | `live` | a timeline that is written while the run goes on |
//! | `man` | the manual page |
//! | `packetdrill` | scripts of packets and calls |
//! | `parse` | values of options |
//! | `refusal` | why nothing is done |
//! | `request` | what it means |
//! | `pictures` | pictures of a run, in the terminal and in files |
//! | `show` | the reports of a run |
//! | `verdict` | whether it went as expected |

mod args;
mod choice;
mod command;
#[cfg(unix)]
mod compare;
#[cfg(unix)]
mod duration;
mod live;
mod man;
mod packetdrill;
mod parse;
mod pictures;
#[cfg(unix)]
mod real;
mod refusal;
mod request;
mod show;
mod subcommands;
mod verdict;

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::scenario::{self, BUILT_IN, Observed, Outcome};
use crate::sim::History;
use args::Args;
use request::{Request, Run};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Everything was as expected.
    AsExpected = 0,
    /// An expectation of the scenario failed.
    Different = 1,
    /// There was no run: a mistake in what was typed or in the scenario, or trouble with input or output.
    Trouble = 2,
}

/// Does what the arguments say, the first of which is the program's name.
///
/// Reports go to `out`, coloured, complaints to `err`. The exit code is 0 if everything was as the scenario
/// expects, 1 if it was not, and 2 if nothing could be run or written. A closed pipe is no trouble.
pub fn run(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let exit = match Args::try_parse_from(args) {
        Ok(args) => {
            let mut out = BufWriter::new(out);
            carry_out(args, &mut out, err).and_then(|exit| out.flush().map(|()| exit))
        }
        Err(answer) => reply(&answer, out, err),
    };
    let exit = exit.unwrap_or_else(|error| match error.kind() {
        ErrorKind::BrokenPipe => Exit::AsExpected,
        // Trouble with a file has the file's name in it; what comes as the system said it is about `out`. If
        // complaining fails as well, no one is left to complain to.
        _ if error.raw_os_error().is_some() => {
            complain(err, &format!("standard output: {error}")).unwrap_or(Exit::Trouble)
        }
        _ => complain(err, &error).unwrap_or(Exit::Trouble),
    });
    ExitCode::from(exit as u8)
}

fn carry_out(mut args: Args, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    if let Some(command) = args.command.take() {
        let exit = subcommands::carry_out(command, out, err)?;
        return out.flush().map(|()| exit);
    }
    let request = match Request::new(args) {
        Ok(request) => request,
        Err(refusal) => return complain(err, &refusal),
    };
    match request {
        Request::List => list(out),
        Request::Run(run) if live::can_be(&run) => live::run(&run, out, err),
        Request::Run(run) => match execute(&run, err) {
            Ok((outcome, history)) => {
                show::show(&run, &outcome, &history, out)?;
                out.flush()?;
                verdict::verdict(&run, Observed::new(&run.scenario), &outcome, err)
            }
            Err(error) => complain(err, &error),
        },
    }
}

/// The run, in the simulation or on this machine.
fn execute(run: &Run, err: &mut dyn Write) -> Result<(Outcome, History), Box<dyn std::error::Error>> {
    #[cfg(unix)]
    if run.real {
        duration::announce(&run.scenario, err)?;
        return Ok((run.scenario.run_real(crate::stage::RealStage::of(&run.scenario))?, History::new()));
    }
    if run.pictures.want_history() {
        return Ok(run.scenario.run_with_history()?);
    }
    Ok((run.scenario.run()?, History::new()))
}

/// Every built-in scenario with its sentence.
fn list(out: &mut dyn Write) -> io::Result<Exit> {
    let width = BUILT_IN.iter().map(|built_in| built_in.name.len()).max().unwrap_or(0);
    for built_in in BUILT_IN {
        let sentence = scenario::load(built_in.name).map(|scenario| scenario.sentence).unwrap_or_default();
        writeln!(out, "{:width$}  {sentence}", built_in.name)?;
    }
    Ok(Exit::AsExpected)
}

/// What clap has to say: help and version are answers, the rest are complaints.
fn reply(answer: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let text = answer.render();
    if answer.use_stderr() {
        write!(err, "{}", text.ansi())?;
        Ok(Exit::Trouble)
    } else {
        write!(out, "{}", text.ansi())?;
        out.flush()?;
        Ok(Exit::AsExpected)
    }
}

fn complain(err: &mut dyn Write, what: &dyn std::fmt::Display) -> io::Result<Exit> {
    writeln!(err, "error: {what}")?;
    Ok(Exit::Trouble)
}
