//! `echosim packetdrill`: scripts of packets and calls.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parse::{duration, setting, systems};
use super::{Exit, complain};
use crate::packetdrill::{Script, Trouble, run_simulated};
use crate::stack::{Profile, System};

/// `echosim packetdrill`
#[derive(Debug, clap::Args)]
pub(super) struct Packetdrill {
    /// Scripts in packetdrill's language
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Whose TCP is under test
    #[arg(long, value_parser = systems(), default_value = "linux")]
    stack: System,

    /// Where everything random comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Change a key of the TCP, after the script's own settings; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,

    /// Show every step, with the time at which it was
    #[arg(long)]
    trace: bool,

    /// Run the script on this machine's own TCP, in as long as it takes
    #[arg(long)]
    real: bool,

    /// How far a time may be off, besides what the script allows: what this machine may be late
    #[arg(long, value_name = "T", value_parser = duration, default_value = "10ms", requires = "real")]
    slack: Duration,

    /// How often a script is run at most on this machine's own TCP, until it passes
    #[arg(long, value_name = "N", default_value_t = 1, requires = "real")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

impl Packetdrill {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
        if self.real && self.stack != System::REAL {
            return complain(err, &"--real: the TCP is this machine's, so --stack can be linux only");
        }
        let mut exit = Exit::AsExpected;
        for file in &self.files {
            let result = if self.trace { self.script(file, out) } else { self.script(file, &mut io::sink()) };
            match result {
                Ok(span) => writeln!(out, "{}: passed, {} s", file.display(), span.as_secs_f64())?,
                Err(Problem::Script(Trouble::Failed(failure))) => {
                    writeln!(out, "{}: {failure}", file.display())?;
                    exit = Exit::Different;
                }
                Err(Problem::Script(trouble)) => {
                    return complain(err, &format!("{}: {trouble}", file.display()));
                }
                Err(Problem::File(what)) => return complain(err, &format!("{}: {what}", file.display())),
            }
            out.flush()?;
        }
        Ok(exit)
    }

    fn script(&self, file: &Path, trace: &mut dyn Write) -> Result<Duration, Problem> {
        let text = fs::read_to_string(file).map_err(|error| Problem::File(error.to_string()))?;
        let mut script = Script::read(&text).map_err(|mistake| Problem::File(mistake.to_string()))?;
        for (key, value) in &self.set {
            script.set(key, value);
        }
        if !self.real {
            return run_simulated(&script, &Profile::of(self.stack), self.seed, trace)
                .map_err(Problem::Script);
        }
        let mut result = on_kernel(&script, self.slack, trace);
        for _ in 1..self.runs {
            match result {
                Err(Trouble::Failed(_)) => result = on_kernel(&script, self.slack, trace),
                result => return result.map_err(Problem::Script),
            }
        }
        result.map_err(Problem::Script)
    }
}

/// Why a script did not pass.
enum Problem {
    File(String),
    Script(Trouble),
}

#[cfg(target_os = "linux")]
fn on_kernel(script: &Script, slack: Duration, trace: &mut dyn Write) -> Result<Duration, Trouble> {
    crate::packetdrill::run_on_kernel(script, slack, trace)
}

#[cfg(not(target_os = "linux"))]
fn on_kernel(_: &Script, _: Duration, _: &mut dyn Write) -> Result<Duration, Trouble> {
    Err(io::Error::other("--real needs Linux: network namespaces and TUN").into())
}
