//! The programs on this machine's own kernel.
//!
//! Programs fork, and a process that forks must have one thread, which a test runner has not. So this binary has two
//! lives: it runs the tests, and started with `--as` it *is* a program, in a process of its own.

mod conformance;
mod endings;
mod laboratory;
mod load;
mod loopback;
mod machine;
mod needs;
mod programs;
mod runs;
mod server;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// How many tests wait at a time.
const WAITING: usize = 16;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == programs::AS) {
        return programs::run(&args[2..]);
    }
    let trial = |name: &'static str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(server::TESTS.iter().map(|(name, test)| trial(name, *test)));
    trials.extend(endings::TESTS.iter().map(|(name, test)| trial(name, *test)));
    trials.extend(conformance::trials());
    trials.extend(loopback::trials());
    trials.extend(loopback::TESTS.iter().map(|(name, test)| trial(name, *test)));
    trials.extend(laboratory::TESTS.iter().map(|(name, test)| trial(name, *test).with_ignored_flag(true)));
    trials.extend(needs::TESTS.iter().map(|(name, test)| trial(name, *test).with_ignored_flag(true)));
    trials.extend(load::TESTS.iter().map(|(name, test)| trial(name, *test).with_ignored_flag(true)));
    let mut arguments = Arguments::from_args();
    // Most of them wait for a time to come, not for a processor.
    arguments.test_threads = arguments.test_threads.or(Some(WAITING));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A list of tests by the names of their functions.
#[macro_export]
macro_rules! claims {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), $name as fn())),*]
    };
}
