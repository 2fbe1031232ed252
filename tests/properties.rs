//! Whatever the network does to packets, TCP keeps its promise or a program is told.
#![cfg(feature = "cli")]

use echosim::scenario::{self, Outcome, Scenario};
use echosim::stack::System;
use echosim::timeline::{Kind, Stream};
use proptest::prelude::*;

const LINES: usize = 20;

fn scenario(rates: [f64; 4], jitter_ms: u8, system: System, seed: u64, ip: u8) -> Scenario {
    let [loss, duplicate, reorder, corrupt] = rates;
    let text = format!(
        "name = \"A network that does its worst (RFC 9293)\"
         stack = \"{}\"
         seed = {seed}
         ip = {ip}
         until = \"2d\"

         [host.server]
         run = \"echo-server\"

         [host.client]
         run = \"echo-client server\"
         type = [{{ lines = {LINES} }}, {{ eof = true }}]

         [link.client]
         latency = \"20ms\"
         jitter = \"{jitter_ms}ms\"
         loss = {loss}
         duplicate = {duplicate}
         reorder = {reorder}
         corrupt = {corrupt}
        ",
        system.name()
    );
    Scenario::parse("properties.toml", &text).expect("the scenario is sound")
}

fn printed(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.events.iter().filter_map(|event| match &event.kind {
        Kind::Line(line) if line.stream == Stream::Stdout => Some(line.text.as_str()),
        _ => None,
    });
    lines.collect()
}

fn somebody_was_told(outcome: &Outcome) -> bool {
    outcome.events.iter().any(|event| match &event.kind {
        Kind::Call(call) => call.result.is_err(),
        Kind::Line(line) => line.stream == Stream::Stderr,
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What the client reads is a prefix of what it wrote, and either all of it comes or a program gets an error.
    #[test]
    fn what_is_read_is_a_prefix_and_nothing_is_lost_in_silence(
        rates in [0.0..0.3, 0.0..0.3, 0.0..0.3, 0.0..0.1],
        jitter_ms in 0u8..20,
        system in prop::sample::select(&System::ALL[..]),
        ip in prop::sample::select(&[4u8, 6][..]),
        seed in any::<u32>(),
    ) {
        let scenario = scenario(rates, jitter_ms, system, seed.into(), ip);
        let outcome = scenario.run().expect("it comes to an end");
        let typed: Vec<String> = (1..=LINES as u64).map(scenario::generated_line).collect();
        let printed = printed(&outcome);
        prop_assert!(typed.iter().zip(&printed).all(|(typed, printed)| typed == printed), "{printed:?}");
        prop_assert!(printed.len() <= LINES, "{printed:?}");
        prop_assert!(
            printed.len() == LINES || somebody_was_told(&outcome),
            "{} of {LINES} lines came back, and nobody was told", printed.len()
        );
    }
}
