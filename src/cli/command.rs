//! What may be asked for besides a run.

use clap::Subcommand;
use clap_complete::Shell;

use super::choice::Choice;

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell what happened, because of what, and what would have noticed it sooner
    Explain(Choice),
    /// Step through a run in the terminal, back as well as forward
    Step(Choice),
    /// Run a scenario here and on this machine's kernel, and hold the two side by side
    #[cfg(unix)]
    Compare(super::compare::Compare),
    /// Run scripts of packets and calls against a TCP: packetdrill's language
    Packetdrill(super::packetdrill::Packetdrill),
    /// The book's server on this machine's own TCP, a process for each connection
    #[cfg(unix)]
    Serve(super::real::Serve),
    /// The book's client on this machine's own TCP, from standard input to standard output
    #[cfg(unix)]
    Connect(super::real::Connect),
    /// Write completions for a shell, to be sourced by it
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual page, in roff
    Man,
}
