//! What may be typed.

use clap::{Parser, ValueEnum};

use super::choice::Changes;
use super::command::Command;
use super::parse::moment;
use super::pictures::Pictures;
use crate::scenario::{Moment, keys};

const EXAMPLES: &str = "\
Examples:
  echosim --list                                     every scenario with its sentence
  echosim --scenario crash                           what happened and why, in a few lines
  echosim --scenario reboot --trace                  every packet and system call on one clock
  echosim --scenario reboot --ladder                 the textbook's picture; --html, --svg … into files
  echosim explain crash                              the causes, and what would have noticed it sooner
  echosim compare reboot                             the same on this machine's kernel, side by side
  echosim --scenario crash --stack linux --set loss=5%
  echosim --scenario crash --until 60s --netstat     the sockets a minute in
  echosim --scenario startup --ps                    who sleeps on what
  echosim --scenario my.toml --trace=json | jq .     a scenario of one's own

Exit codes:
  0  everything was as the scenario expects
  1  it was not: the difference is shown, and the command that shows it again
  2  a mistake in the arguments or in the scenario, or trouble with a file";

/// What will my TCP program see when the other machine dies?
///
/// Runs the echo server and client of UNIX Network Programming, chapter 5, on simulated hosts that crash,
/// reboot and lose each other, and shows what the programs see. Nine minutes take a millisecond, and every run
/// of a seed is the same.
#[derive(Debug, Parser)]
#[command(
    name = "echosim",
    version,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", keys_of_set()),
    max_term_width = 100,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// The scenario to run: a name from --list, or a TOML file
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "list")]
    pub(super) scenario: Option<String>,

    /// Show the timeline instead of a summary
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(super) trace: Option<Trace>,

    #[command(flatten)]
    pub(super) changes: Changes,

    #[command(flatten)]
    pub(super) pictures: Pictures,

    /// Show every host's sockets at this time, or at the end
    #[arg(
        long,
        value_name = "T",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "end",
        value_parser = moment
    )]
    pub(super) netstat: Option<Moment>,

    /// Show every host's processes at this time, or at the end, and what they sleep on
    #[arg(
        long,
        value_name = "T",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "end",
        value_parser = moment
    )]
    pub(super) ps: Option<Moment>,

    /// Run the programs on this machine's own TCP, in as long as it takes
    #[arg(long)]
    pub(super) real: bool,

    /// Show every scenario with its sentence
    #[arg(long)]
    pub(super) list: bool,
}

/// In which format a timeline is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Trace {
    /// As tcpdump and strace would print it
    Text,
    /// One JSON object a line
    Json,
}

/// Every key with its sentence.
fn keys_of_set() -> String {
    let width = keys().map(|(key, _)| key.len()).max().unwrap_or(0);
    let lines: Vec<String> = keys().map(|(key, what)| format!("  {key:width$}  {what}")).collect();
    format!("Keys of --set:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::time::SimTime;

    #[test]
    fn clap_finds_nothing_wrong_with_the_arguments() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_bare_trace_is_text_and_a_bare_netstat_or_ps_is_the_end() {
        let args = ["echosim", "--trace", "--netstat", "--ps", "--scenario", "crash"];
        let args = Args::try_parse_from(args).unwrap();
        assert_eq!(args.trace, Some(Trace::Text));
        assert_eq!((args.netstat, args.ps), (Some(Moment::End), Some(Moment::End)));

        let args = ["echosim", "--trace=json", "--netstat=1.5s", "--ps=2s", "--scenario", "crash"];
        let args = Args::try_parse_from(args).unwrap();
        let at = |millis: u64| Some(Moment::At(SimTime::from_nanos(millis * 1_000_000)));
        assert_eq!(args.trace, Some(Trace::Json));
        assert_eq!((args.netstat, args.ps), (at(1_500), at(2_000)));
    }
}
