//! What this binary is in its other life.

use std::process::{Command, ExitCode};
use std::time::Duration;

use echosim::real::{self, ConnectOptions, ServeOptions};

use crate::{conformance, runs};

/// The first argument of a process that is to be a program.
pub(crate) const AS: &str = "--as";

/// A command that runs this binary as a program.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.arg(AS).args(args);
    command
}

pub(crate) fn run(args: &[String]) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let status = match args[..] {
        ["serve", ref options @ ..] => real::serve(serve_options(options)).expect("one thread"),
        ["connect", server] => real::connect(ConnectOptions::to(server).expect("an address")),
        ["run", name, stage] => runs::run(name, stage),
        ["compare", name, ref set @ ..] => runs::compare(name, set),
        ["mutants"] => runs::mutants(),
        ["random"] => runs::random(),
        ["scenario", name, ref set @ ..] => runs::scenario(name, set),
        ["claim", name] => conformance::run_for_real(name),
        _ => panic!("no such program: {args:?}"),
    };
    ExitCode::from(status as u8)
}

fn serve_options(words: &[&str]) -> ServeOptions {
    let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap());
    for word in words {
        let (key, value) = word.split_once('=').expect("key=value");
        let millis = || Duration::from_millis(value.parse().unwrap());
        match key {
            "listen" => options.listen = value.parse().unwrap(),
            "backlog" => options.backlog = value.parse().unwrap(),
            "max_children" => options.max_children = value.parse().unwrap(),
            "idle_ms" => options.idle_timeout = Some(millis()),
            "grace_ms" => options.grace = millis(),
            "log" => options.log = real::log::Level::from_rust_log(value).unwrap(),
            _ => panic!("{key}"),
        }
    }
    options
}
