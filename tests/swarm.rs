//! A bounded part of the swarm: random scenarios, and what holds of every run.
//!
//! `cargo run --release --example swarm -- --minutes 10` goes on.
#![cfg(feature = "cli")]

#[path = "../examples/swarm/main.rs"]
#[allow(dead_code, reason = "the example has a `main`")]
mod swarm;

#[test]
fn everything_that_holds_of_every_run_holds_of_random_ones() {
    swarm::swarm(100, 1).unwrap_or_else(|found| panic!("{found}"));
}
