//! What may be asked for besides a run.

use std::io::{self, Write};

use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

use super::Exit;
use super::args::Args;

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write completions for a shell, to be sourced by it
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual page, in roff
    Man,
}

impl Command {
    pub(super) fn obey(self, out: &mut dyn Write) -> io::Result<Exit> {
        let mut command = Args::command();
        match self {
            Command::Completions { shell } => {
                // clap_complete panics where its writer fails, so it writes to memory.
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut command, "echosim", &mut script);
                out.write_all(&script)?;
            }
            Command::Man => clap_mangen::Man::new(command).render(&mut Plain(out))?,
        }
        Ok(Exit::AsExpected)
    }
}

/// A writer behind a reference, for whoever wants one of a known size.
struct Plain<'a>(&'a mut dyn Write);

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
