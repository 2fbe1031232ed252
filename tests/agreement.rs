//! The summary and the explanation of a run name the same cause.
#![cfg(feature = "cli")]

use echosim::report::explain::causes;
use echosim::report::{Waiting, summary};
use echosim::scenario::Scenario;
use echosim::stack::System;
use proptest::prelude::*;

/// A fault at a tenth of a second, at one of three hosts.
fn fault() -> impl Strategy<Value = (u32, String, &'static str)> {
    let way = prop::sample::select(vec!["both", "to", "from"]);
    let ways = ["partition", "repair", "hold", "release"];
    let link = (prop::sample::select(ways.to_vec()), way)
        .prop_map(|(what, way)| format!("do = \"{what}\"\nway = \"{way}\""));
    let plain = ["crash", "boot", "shutdown", "unreachable", "reachable"];
    let host = prop::sample::select(plain.to_vec()).prop_map(|what| format!("do = \"{what}\""));
    let what = prop_oneof![link, host];
    (0..600_u32, what, prop::sample::select(vec!["near", "far", "client"]))
}

fn scenario(
    mut faults: Vec<(u32, String, &'static str)>,
    options: &str,
    start: u32,
    lines: [u32; 2],
) -> Scenario {
    faults.retain(|(_, what, host)| *host != "client" || what.contains("way"));
    faults.sort_by_key(|(at, ..)| *at);
    let mut text = format!(
        "name = \"Two servers\"\nuntil = \"2000s\"\nmay_miss = true\n\
         [host.near]\nrun = \"echo-server\"\n[host.far]\nrun = \"echo-server\"\n\
         [host.client]\nrun = \"echo-client near{options}\"\nstart = \"{start}s\"\n\
         type = [{{ at = \"{}s\", line = \"hello\" }}, {{ at = \"{}s\", line = \"world\" }}]\n",
        lines[0].min(lines[1]),
        lines[0].max(lines[1]),
    );
    for (at, what, host) in faults {
        let (whole, tenth) = (at / 10, at % 10);
        text.push_str(&format!("[[fault]]\nat = \"{whole}.{tenth}s\"\n{what}\nhost = \"{host}\"\n"));
    }
    Scenario::parse("random.toml", &text).expect("it is well-formed")
}

/// What the explanation has to say where the summary ends so; `None` where the summary names no fault.
fn expected(summary: &str) -> Option<String> {
    let (_, cause) = summary.rsplit_once(": ")?;
    let words: Vec<&str> = cause.split(' ').collect();
    Some(match words[..] {
        [host, "crashed", "at", t, "s"] | [host, "was", "shut", "down", "at", t, "s"] => {
            format!("the {host} host was down since {t} s")
        }
        [host, "was", "cut", "off", "at", t, "s"]
        | ["packets", _, host, "were", "cut", "off", "at", t, "s"] => {
            format!("the network was cut at {host} since {t} s")
        }
        [host, "was", "made", "unreachable", "at", t, "s"] => {
            format!("the router had no way to {host} since {t} s")
        }
        ["packets", way, host, "were", "held", "from", t, "s", "on"] => {
            format!("packets {way} {host} were held since {t} s")
        }
        [host, "rebooted", "at", t, "s", ..] => {
            format!("the {host} host forgot the connection when it rebooted at {t} s")
        }
        _ => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_summary_and_the_explanation_name_the_same_cause(
        faults in prop::collection::vec(fault(), 1..5),
        system in 0_usize..4,
        options in prop::sample::select(vec!["", " --poll", " --keepalive=5s,2s,3", " --user-timeout=10s"]),
        start in 0_u32..30,
        lines in [0_u32..70, 0_u32..70],
    ) {
        let mut scenario = scenario(faults, options, start, lines);
        scenario.stack = System::ALL[system];
        let outcome = scenario.run().expect("it runs to its end");
        let waiting: Vec<Waiting<'_>> = outcome.waiting.iter().map(|it| Waiting {
            host: &it.host, pid: it.pid, process: &it.process, on: it.within.unwrap_or(it.call),
        }).collect();
        let mut out = Vec::new();
        summary(&mut out, &outcome.events, &waiting, outcome.end).expect("memory takes it");
        let told = String::from_utf8(out).expect("UTF-8");
        let chains = causes(&outcome.events, &waiting, outcome.end);
        for line in told.lines().filter(|line| line.contains(" failed: ")) {
            if let Some(wanted) = expected(line) {
                let texts: Vec<&str> = chains.iter().flatten().map(|it| it.text.as_str()).collect();
                prop_assert!(texts.iter().any(|text| text.contains(&wanted)), "{line}\nwanted: {wanted}\n{texts:#?}");
            }
        }
    }
}
