//! Random scenarios, held to what holds of every run, for as long as one likes.
//!
//! ```text
//! cargo run --release --example swarm -- --minutes 10 [--seed 1]
//! ```
//!
//! What does not hold is made smaller, printed as a scenario's file, and ends the run with status 1.

mod oracles;
mod plan;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// Scenarios tried between two looks at the clock.
const BATCH: u32 = 100;

fn main() -> ExitCode {
    let mut minutes = 1.0;
    let mut seed: u64 = 1;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().unwrap_or_default();
        let is_read = match arg.as_str() {
            "--minutes" => value.parse().map(|value| minutes = value).is_ok(),
            "--seed" => value.parse().map(|value| seed = value).is_ok(),
            _ => false,
        };
        if !is_read {
            return tell(2, format_args!("error: {arg} {value}: expected --minutes M or --seed N"));
        }
    }
    let end = Instant::now() + Duration::from_secs_f64(60.0 * minutes);
    let mut tried = 0;
    while Instant::now() < end {
        if let Err(found) = swarm(BATCH, seed) {
            return tell(1, format_args!("{found}\n(seed {seed} of the swarm)"));
        }
        (tried, seed) = (tried + BATCH, seed + 1);
    }
    tell(0, format_args!("{tried} scenarios, and everything holds"))
}

fn tell(status: u8, what: std::fmt::Arguments<'_>) -> ExitCode {
    // If no one listens, the status says it.
    _ = writeln!(io::stdout(), "{what}");
    ExitCode::from(status)
}

/// Tries so many scenarios; the smallest one found of which something does not hold.
pub(crate) fn swarm(scenarios: u32, seed: u64) -> Result<(), String> {
    let config =
        Config { cases: scenarios, max_shrink_iters: 3_000, failure_persistence: None, ..Config::default() };
    let mut octets = [0; 32];
    octets[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &octets));
    let result =
        runner.run(&plan::plans(), |plan| oracles::check(&plan.to_toml()).map_err(TestCaseError::fail));
    result.map_err(|error| match error {
        TestError::Fail(why, plan) => format!("{}\n{why}", plan.to_toml()),
        TestError::Abort(why) => why.to_string(),
    })
}
