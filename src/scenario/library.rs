//! The scenarios that come with the simulator, and files of one's own.

use std::fs::File;
use std::io::{self, Read};

use thiserror::Error;

use super::near::{did_you_mean, near};
use super::{Mistake, Scenario, limits};

/// A scenario that comes with the simulator.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
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
    "abort-before-accept",
    "accept-queue-full",
    "addresses",
    "batch",
    "client-reboots-same-port",
    "close-trap",
    "close-trap-listener",
    "close-unread",
    "connect-crash",
    "connect-refused",
    "connect-unreachable",
    "crash",
    "crowd",
    "dead-clients",
    "firewall-prohibits",
    "firewall-rejects",
    "half-close",
    "keepalive-crash",
    "keepalive-reboot",
    "keepalive-unreachable",
    "laptop-sleeps",
    "link-down",
    "link-down-connect",
    "lossy",
    "mtu",
    "mtu-black-hole",
    "nagle",
    "nat-failover",
    "nat-idle-rst",
    "nat-idle-silent",
    "net-unreachable",
    "normal",
    "one-way",
    "partition",
    "partition-heals",
    "proxy-dies",
    "proxy-ports-run-out",
    "proxy-swallows-half-close",
    "push-server-dies",
    "read-timeout",
    "reboot",
    "reboot-idle",
    "reset-guessed",
    "reset-injected",
    "same-segment",
    "same-segment-connect",
    "server-killed",
    "server-killed-poll",
    "shutdown",
    "shutdown-poll",
    "sigchld",
    "sigchld-blocked",
    "sigpipe",
    "stalled-reader",
    "stalled-reader-timeout",
    "startup",
    "sum-binary",
    "sum-text",
    "termination",
    "unreachable",
    "user-timeout",
    "vm-suspended",
    "zero-window",
    "zombies",
];

/// Why there is no scenario.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No such name.
    #[error(
        "no scenario {name:?};{} --list shows them all; a file's name ends in .toml or has a / in it",
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
    #[error("{file}: larger than the limit of {} octets (4 MiB)", limits::FILE)]
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_sims_is_built_in_and_in_order() {
        let mut files: Vec<String> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sims"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".toml", ""))
            .collect();
        files.sort();
        assert_eq!(BUILT_IN.iter().map(|built_in| built_in.name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn every_built_in_scenario_is_valid_short_and_names_its_section() {
        for built_in in BUILT_IN {
            let scenario = load(built_in.name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(scenario.name, built_in.name);
            let first = built_in.text.lines().next().unwrap();
            assert_eq!(first, format!("name = {:?}", scenario.sentence), "the first line is the sentence");
            let (_, section) = scenario.sentence.rsplit_once("(UNP ").unwrap_or_else(|| panic!("{first}"));
            assert!(section.starts_with(|c: char| c.is_ascii_digit()) && section.ends_with(')'), "{first}");
            assert!(built_in.text.lines().count() <= 40, "{} is too long to be read at once", built_in.name);
            assert!(scenario.hosts.iter().any(|host| host.expect != Default::default()), "{first}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_near_ones() {
        let error = load("rebot").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no scenario \"rebot\"; did you mean \"reboot\" or \"reboot-idle\"? \
             --list shows them all; a file's name ends in .toml or has a / in it"
        );
        assert_eq!(
            load("xyz").unwrap_err().to_string(),
            "no scenario \"xyz\"; --list shows them all; a file's name ends in .toml or has a / in it"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        assert!(load("no-such.toml").unwrap_err().to_string().starts_with("no-such.toml: No such file"));
        let error = load(env!("CARGO_MANIFEST_DIR")).unwrap_err().to_string();
        assert!(error.contains("directory"), "{error}");
    }

    #[test]
    fn an_endless_file_is_refused_with_the_limit() {
        // It never ends: what is read of it has to.
        let error = load("/dev/zero").unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: larger than the limit of 4194304 octets (4 MiB)");
    }
}
