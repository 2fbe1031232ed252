//! What a host runs.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};

use super::Variables;
use super::variables::is_name;
use crate::echo::{BadCommand, Command};
use crate::sim::{IpVersion, wildcard};

/// What a host runs: a program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program's name, then its options and operands; `$name` in them stands for a variable of the scenario.
    pub words: Vec<String>,
}

impl Program {
    /// Reads a command line, split at spaces. `find` says what is wrong with a host's name, if anything is.
    ///
    /// # Errors
    ///
    /// A sentence that says what was expected.
    pub fn parse(
        command: &str,
        variables: &Variables,
        find: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Program, String> {
        let program = Program { words: command.split_whitespace().map(str::to_owned).collect() };
        let unknown = RefCell::new(None);
        // Only whether there is such a host matters here, not where.
        let found = program.command(IpVersion::V4, variables, |host| match find(host) {
            Ok(()) => Some(Ipv4Addr::LOCALHOST.into()),
            Err(what) => {
                unknown.replace(Some(what));
                None
            }
        });
        match (found, unknown.into_inner()) {
            (_, Some(unknown)) => Err(unknown),
            (Err(bad), None) => Err(bad),
            (Ok(_), None) => Ok(program),
        }
    }

    /// What the command line means in a world that speaks this version of IP.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub fn command(
        &self,
        ip: IpVersion,
        variables: &Variables,
        resolve: impl Fn(&str) -> Option<IpAddr>,
    ) -> Result<Command, String> {
        let mut words = Vec::new();
        for word in &self.words {
            let filled = variables.fill(word)?;
            // A word that is nothing but a variable is as many as its value has: several options, or none.
            match word.strip_prefix('$').is_some_and(is_name) {
                true => words.extend(filled.split_whitespace().map(str::to_owned)),
                false => words.push(filled),
            }
        }
        Command::parse(&words, wildcard(ip), resolve).map_err(|bad| explained(&bad))
    }
}

/// Where no program is named, or one that does not exist, all are listed.
fn explained(bad: &BadCommand) -> String {
    match bad {
        BadCommand::Empty | BadCommand::Program(_) => {
            let usages: Vec<&str> = Command::PROGRAMS.iter().map(|(_, usage)| *usage).collect();
            format!("{bad}; programs are {}", usages.join(", "))
        }
        _ => bad.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(command: &str) -> Result<Program, String> {
        Program::parse(command, &Variables::default(), |host| {
            if host == "server" { Ok(()) } else { Err(format!("no host {host}")) }
        })
    }

    #[test]
    fn a_command_is_split_at_spaces() {
        assert_eq!(parse("echo-client  server 7").unwrap().words, ["echo-client", "server", "7"]);
        assert!(parse("echo-server --close-unread=1s 7").is_ok());
    }

    #[test]
    fn a_variable_is_several_words_or_none() {
        let command = |value: &str| {
            let mut variables = Variables::default();
            variables.set("options", value);
            let resolve = |_: &str| Some(Ipv4Addr::LOCALHOST.into());
            let program = Program::parse("echo-client server $options", &variables, |_| Ok(())).unwrap();
            program.command(IpVersion::V4, &variables, resolve).unwrap()
        };
        let Command::Client(plain) = command("") else { panic!("a client") };
        assert_eq!(plain.options, []);
        let Command::Client(both) = command("--keepalive=2s,1s,3  --no-delay") else { panic!("a client") };
        assert!(both.options.len() > 1, "{:?}", both.options);
    }

    #[test]
    fn whatever_is_wrong_is_said() {
        let refused = |command| parse(command).unwrap_err();
        for unknown in [" ", "ssh server"] {
            let what = refused(unknown);
            assert!(
                what.contains("; programs are echo-server") && what.contains("echo-client HOST"),
                "{what}"
            );
        }
        assert_eq!(refused("echo-client sever"), "no host sever");
        assert_eq!(refused("echo-client"), "`echo-client`: expected a host to connect to");
        assert_eq!(refused("echo-client server 7 8"), "`echo-client`: unexpected `8`");
    }
}
