//! The scenarios that come with the simulator, and files of one's own.

use std::fs::File;
use std::io::{self, Read};

use thiserror::Error;

use super::near::{did_you_mean, near};
use super::{Mistake, Scenario, limits};

/// A scenario that comes with the simulator.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its short name.
    pub name: &'static str,
    /// Where it stands in the sources.
    pub file: &'static str,
    /// What stands there.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(BuiltIn {
            name: $name,
            file: concat!("sims/", $name, ".toml"),
            text: include_str!(concat!("../../sims/", $name, ".toml")),
        }),*]
    };
}

/// Every scenario that comes with the simulator, by name.
pub const BUILT_IN: &[BuiltIn] = built_in![
    "close-unread",
    "connect-crash",
    "connect-refused",
    "connect-unreachable",
    "crash",
    "crowd",
    "lossy",
    "net-unreachable",
    "normal",
    "one-way",
    "partition",
    "partition-heals",
    "reboot",
    "reboot-idle",
    "server-killed",
    "unreachable",
];

/// Why there is no scenario.
#[derive(Debug, Error)]
pub enum LoadError {
    /// No such name.
    #[error(
        "no scenario \"{name}\"{}; --list shows all, and a file of one's own has a name with .toml or /",
        did_you_mean(near)
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Vec<&'static str>,
    },
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// The file is too large.
    #[error("{file}: larger than the limit of {} octets", limits::FILE)]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The file is wrong.
    #[error(transparent)]
    Mistake(#[from] Mistake),
}

/// The built-in scenario of this name, or the one in this file: a file's name ends in `.toml` or has a `/` in it.
///
/// # Errors
///
/// No such name, an unreadable or too large file, or a mistake in it.
pub fn load(name_or_file: &str) -> Result<Scenario, LoadError> {
    if name_or_file.ends_with(".toml") || name_or_file.contains('/') {
        let text = read(name_or_file)?;
        return Ok(Scenario::parse(name_or_file, &text)?);
    }
    match BUILT_IN.iter().find(|built_in| built_in.name == name_or_file) {
        Some(built_in) => Ok(Scenario::parse(built_in.file, built_in.text)?),
        None => {
            let near = near(name_or_file, BUILT_IN.iter().map(|built_in| built_in.name));
            Err(LoadError::Unknown { name: name_or_file.to_owned(), near })
        }
    }
}

fn read(file: &str) -> Result<String, LoadError> {
    let fail = |source| LoadError::Read { file: file.to_owned(), source };
    let mut text = Vec::new();
    // One octet more than is allowed tells a file that is too large from one that just fits.
    File::open(file).and_then(|open| open.take(limits::FILE + 1).read_to_end(&mut text)).map_err(fail)?;
    if text.len() as u64 > limits::FILE {
        return Err(LoadError::TooLarge { file: file.to_owned() });
    }
    String::from_utf8(text)
        .map_err(|error| fail(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error())))
}
