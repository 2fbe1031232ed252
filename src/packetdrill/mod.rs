//! packetdrill's language: what a TCP does, said in packets and calls.
//!
//! A script makes calls, injects packets, and says which packets have to come of it, and when. One script runs against
//! our TCP, in no time, and against this machine's kernel. Not all of the language is here: what is not is refused by
//! its name.
//!
//! | file | what |
//! | --- | --- |
//! | `token.rs`, `reader.rs` | a script's words, one after the other |
//! | `parse.rs`, `parse_call.rs`, `expression.rs` | what they mean |
//! | `settings.rs` | the commands before the first step |
//! | `script.rs`, `call.rs`, `tcp_option.rs`, `assertion.rs` | a script, read |
//! | `numbers.rs` | sequence numbers and timestamps: the script's, and those on the wire |
//! | `run.rs` | does what a script says, and compares |
//! | `host.rs` | what a script is run against |
//! | `simulated.rs`, `kernel.rs` | our stack; this machine's kernel |
//!
//! Times: a script's are exact, with a tolerance. A relative time counts from when the step before it *was*, so that
//! what a machine is late does not add up.

mod assertion;
mod call;
mod expression;
mod host;
#[cfg(target_os = "linux")]
mod kernel;
mod numbers;
mod parse;
mod parse_call;
mod reader;
mod run;
mod script;
mod settings;
mod simulated;
mod tcp_option;
mod token;

use thiserror::Error;

#[cfg(target_os = "linux")]
pub(crate) use kernel::run as run_on_kernel;
pub(crate) use run::Trouble;
pub(crate) use script::Script;
pub(crate) use simulated::run as run_simulated;

/// What is wrong in a script, before it runs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub(crate) struct Mistake {
    /// Its line, from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Mistake {
    fn at(text: &str, offset: usize, what: String) -> Mistake {
        Mistake { line: reader::line(text, offset), what }
    }
}

#[cfg(test)]
mod tests;
