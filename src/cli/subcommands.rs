//! The subcommands, carried out.

use std::io::{self, Write};

use clap::CommandFactory;

use super::args::Args;
use super::command::Command;
use super::man;
use super::show::{info_of, waiting};
use super::{Exit, complain};
use crate::report::{self, Notice, Remedy};
use crate::scenario::{self, Outcome, RunError, Scenario};
use crate::step;

/// Does what a subcommand says.
pub(super) fn carry_out(command: Command, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    match command {
        Command::Explain(choice) => match choice.load() {
            Ok((name, scenario)) => explain(&name, &scenario, out, err),
            Err(refusal) => complain(err, &refusal),
        },
        Command::Step(choice) => match choice.load() {
            Ok((name, scenario)) => match step::run(&info_of(&name, &scenario), &scenario) {
                Ok(()) => Ok(Exit::AsExpected),
                Err(error) => complain(err, &error),
            },
            Err(refusal) => complain(err, &refusal),
        },
        #[cfg(unix)]
        Command::Compare(compare) => compare.run(out, err),
        Command::Packetdrill(packetdrill) => packetdrill.run(out, err),
        #[cfg(unix)]
        Command::Serve(serve) => serve.run(err),
        #[cfg(unix)]
        Command::Connect(connect) => connect.run(err),
        Command::Completions { shell } => {
            // clap_complete panics where its writer fails, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "echosim", &mut script);
            out.write_all(&script).map(|()| Exit::AsExpected)
        }
        Command::Man => man::page(Args::command(), out).map(|()| Exit::AsExpected),
    }
}

fn explain(name: &str, scenario: &Scenario, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let (outcome, notices) = match runs(scenario) {
        Ok(runs) => runs,
        Err(error) => return complain(err, &error),
    };
    let remedies: Vec<Remedy<'_>> =
        notices.iter().map(|(what, notice)| Remedy { what, notice: *notice }).collect();
    let info = info_of(name, scenario);
    report::explain(out, &info, &outcome.events, (&waiting(&outcome), outcome.end), &remedies)?;
    Ok(Exit::AsExpected)
}

/// The run itself, and what more careful clients noticed in runs of their own.
fn runs(scenario: &Scenario) -> Result<(Outcome, Vec<(String, Notice)>), RunError> {
    let outcome = scenario.run()?;
    let mut notices = Vec::new();
    for (what, careful) in scenario::remedies(scenario) {
        let seen = careful.run_until_settled()?;
        notices.extend(Notice::of(&seen.events).map(|notice| (what, notice)));
    }
    Ok((outcome, notices))
}
