//! `echosim serve --real` against socat and ncat, on loopback, in one run: `cargo bench --bench rivals`.
//!
//! All of them fork a process for each connection. A round starts each server afresh, one after another, puts the same
//! load on it and stops it; the next round begins with another one, so that whatever else the machine does meets all
//! alike. Prints tables in Markdown: medians over the rounds, and how far they spread. Takes about two minutes.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `contestant` | the servers: how each is started, and stopped whatever happens |
//! | `load` | what is asked of them |
//! | `memory` | what a connection costs in memory |
//! | `table` | the figures |
//!
//! Takes Linux, socat and ncat (`apt-get install socat ncat`). Five rounds, or `-- --rounds N`; fewer on a slow machine.

#[cfg(target_os = "linux")]
mod contestant;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod round;
#[cfg(target_os = "linux")]
mod table;

use std::io::{self, Write};
use std::process::ExitCode;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

/// After so long no further round begins.
#[cfg(target_os = "linux")]
const ENOUGH: Duration = Duration::from_secs(130);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn run() -> io::Result<()> {
    contestant::all_are_installed()?;
    let rounds = rounds()?;
    contestant::stop_on_signals()?;
    let mut figures = table::Figures::default();
    let start = Instant::now();
    for round in (0..rounds).take_while(|round| *round == 0 || start.elapsed() < ENOUGH) {
        for turn in 0..contestant::ALL.len() {
            let number = (round + turn) % contestant::ALL.len();
            let contestant = &contestant::ALL[number];
            writeln!(io::stderr(), "round {} of {rounds}: {}", round + 1, contestant.name)?;
            figures.add(number, round::run(contestant, figures.last(number))?);
        }
    }
    figures.write(&mut io::stdout().lock())
}

#[cfg(not(target_os = "linux"))]
fn run() -> io::Result<()> {
    Err(io::Error::other("memory is read from /proc: this takes Linux"))
}

/// `--rounds N`; cargo's own `--bench` is passed over.
#[cfg(target_os = "linux")]
fn rounds() -> io::Result<usize> {
    let mut args = std::env::args().skip_while(|arg| arg != "--rounds").skip(1);
    match args.next() {
        None => Ok(5),
        Some(number) => match number.parse() {
            Ok(rounds @ 1..=100) => Ok(rounds),
            _ => Err(io::Error::other(format!("--rounds {number}: expected 1 to 100"))),
        },
    }
}
