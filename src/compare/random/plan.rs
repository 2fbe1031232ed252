//! A random scenario as parts, each of which can be left out.

use std::collections::BTreeMap;
use std::fmt::Write;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::scenario::Scenario;

/// A scenario: an echo server, its clients, their links and what goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    seed: u64,
    parts: Vec<Part>,
}

/// One thing that is not as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Ipv6,
    Clients(u32),
    Option { host: &'static str, option: &'static str },
    Link { host: &'static str, key: &'static str, value: &'static str },
    Drop { host: &'static str, rule: String },
    Set { host: &'static str, key: &'static str, value: &'static str },
    Typed { at: u64, lines: u32 },
    EndOfFile { at: u64 },
    Fault { when: String, what: &'static str, host: &'static str },
}

impl Part {
    /// Whether it strikes packets by their number.
    fn counts_packets(&self) -> bool {
        match self {
            Part::Drop { .. } => true,
            Part::Link { key, .. } => OF_CHANCE.contains(key),
            _ => false,
        }
    }
}

const SERVER: &[&str] = &[
    "--reap=wait",
    "--reap=none",
    "--accept-after=2s",
    "--read-after=1500ms",
    "--read-after=8s",
    "--close-unread",
    "--close-unread=1s",
    "--sigterm=catch",
    "--reuse-addr",
    "--forgets=connfd",
    "--sockopt=TCP_DEFER_ACCEPT=3",
    "--sockopt=TCP_MAXSEG=600",
    "--sockopt=TCP_CORK=1",
    "--sockopt=TCP_LINGER2=2",
];

const CLIENT: &[&str] = &[
    "--poll",
    "--poll",
    "--half-close",
    "--heedless",
    "--keepalive=2s,1s,3",
    "--user-timeout=3s",
    "--user-timeout=9s",
    "--no-delay",
    "--linger=0s",
    "--sigpipe=ignore",
    "--connections=2",
    "--sockopt=TCP_SYNCNT=1",
    "--sockopt=TCP_MAXSEG=500",
    "--sockopt=TCP_CORK=1",
    "--sockopt=TCP_NOTSENT_LOWAT=2000",
    "--sockopt=TCP_LINGER2=-1",
];

/// What happens, and a fault follows it.
const EVENTS: &[&str] = &[
    "when = \"client connects\"",
    "when = \"client writes\"",
    "when = \"server reads\"",
    "after = \"2nd retransmission\"",
];

/// Properties of a link that strike the n-th packet, or every so many.
const OF_CHANCE: &[&str] = &["loss", "duplicate", "reorder", "corrupt"];

const LINK: &[(&str, &str)] = &[
    ("latency", "0.2ms"),
    ("latency", "20ms"),
    ("latency", "60ms"),
    ("latency", "130ms"),
    ("bandwidth", "1Mbit/s"),
    ("bandwidth", "100kbit/s"),
    ("loss", "3%"),
    ("duplicate", "5%"),
    ("reorder", "5%"),
    ("corrupt", "3%"),
    ("mtu", "1280"),
    ("queue", "10"),
];

/// What a kernel and the simulation can both be told.
const SET: &[(&str, &str)] = &[
    ("retries", "3"),
    ("retries", "6"),
    ("rto_max", "2s"),
    ("keepalive_time", "3s"),
    ("keepalive_intvl", "1s"),
    ("tail_loss_probe", "off"),
    ("fin_wait_2", "3s"),
    ("synack_retries", "2"),
    ("orphan_retries", "2"),
    ("somaxconn", "1"),
    ("tcp_abort_on_overflow", "on"),
    ("tcp_timestamps", "off"),
];

const FAULTS: &[&str] = &[
    "do = \"crash\"",
    "do = \"shutdown\"",
    "do = \"partition\"",
    "do = \"partition\"\nway = \"to\"",
    "do = \"partition\"\nway = \"from\"",
    "do = \"hold\"",
    "do = \"unreachable\"",
    "do = \"unreachable\"\ncode = \"net\"",
    "do = \"unreachable\"\ncode = \"port\"",
    "do = \"kill\"",
    "do = \"kill\"\nprocess = \"child\"\nsignal = \"SIGKILL\"",
];

/// What mends the fault of the same place in the list above.
const MENDINGS: &[Option<&str>] = &[
    Some("do = \"boot\""),
    Some("do = \"boot\""),
    Some("do = \"repair\""),
    Some("do = \"repair\""),
    Some("do = \"repair\""),
    Some("do = \"release\""),
    Some("do = \"reachable\""),
    Some("do = \"reachable\""),
    Some("do = \"reachable\""),
    None,
    None,
];

const HOSTS: &[&str] = &["server", "client"];

impl Plan {
    /// The `nth` scenario of a seed. Not every one is a scenario that can be run: these are passed over.
    pub(super) fn random(seed: u64, nth: u32) -> Plan {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(nth));
        loop {
            let plan = Plan::draw(&mut rng);
            if plan.scenario().is_ok() {
                return plan;
            }
        }
    }

    fn draw(rng: &mut ChaCha8Rng) -> Plan {
        let mut parts = Vec::new();
        parts.extend(rng.random_bool(0.2).then_some(Part::Ipv6));
        parts.extend(rng.random_bool(0.2).then(|| Part::Clients(rng.random_range(2..4))));
        for (host, options, most) in [("server", SERVER, 2), ("client", CLIENT, 3)] {
            for _ in 0..rng.random_range(0..=most) {
                parts.push(Part::Option { host, option: any(rng, options) });
            }
        }
        for _ in 0..rng.random_range(0..3) {
            let (key, value) = any(rng, LINK);
            parts.push(Part::Link { host: any(rng, HOSTS), key, value });
        }
        if rng.random_bool(0.3) {
            let (nth, count) = (rng.random_range(1..12), rng.random_range(1..4));
            let rule = format!("{{ nth = {nth}, count = {count} }}");
            parts.push(Part::Drop { host: any(rng, HOSTS), rule });
        }
        for _ in 0..rng.random_range(0..3) {
            let (key, value) = any(rng, SET);
            parts.push(Part::Set { host: any(rng, HOSTS), key, value });
        }
        let mut at = 0;
        for _ in 0..rng.random_range(1..5) {
            at += rng.random_range(0..1_500);
            let lines = if rng.random_bool(0.1) { rng.random_range(50..600) } else { rng.random_range(1..4) };
            parts.push(Part::Typed { at, lines });
        }
        if rng.random_bool(0.5) {
            parts.push(Part::EndOfFile { at: at + rng.random_range(0..3_000) });
        }
        for _ in 0..rng.random_range(0..3) {
            let nth = rng.random_range(0..FAULTS.len());
            let (start, host) = (rng.random_range(0..4_000), any(rng, HOSTS));
            let when = |at: u64| format!("at = \"{at}ms\"");
            if rng.random_bool(0.3) {
                parts.push(Part::Fault { when: any(rng, EVENTS).to_owned(), what: FAULTS[nth], host });
                continue;
            }
            parts.push(Part::Fault { when: when(start), what: FAULTS[nth], host });
            if let Some(what) = MENDINGS[nth].filter(|_| rng.random_bool(0.5)) {
                let end = start + rng.random_range(100..6_000);
                parts.push(Part::Fault { when: when(end), what, host });
            }
        }
        let mut plan = Plan { seed: rng.random_range(1..1_000), parts };
        if plan.has_several_connections() {
            // Which of two packets of one moment is the n-th is the machine's choice.
            plan.parts.retain(|part| !part.counts_packets());
        }
        plan
    }

    fn has_several_connections(&self) -> bool {
        let is_one_more =
            |part: &Part| matches!(part, Part::Clients(_) | Part::Option { option: "--connections=2", .. });
        self.parts.iter().any(is_one_more)
    }

    /// The same with some parts left out: with the one half of them, the other, and each in turn.
    pub(super) fn smaller(&self) -> impl Iterator<Item = Plan> {
        let all = self.parts.len();
        let halves = [0..all / 2, all / 2..all].into_iter().filter(|half| half.len() > 1);
        let each = (0..all).rev().map(|at| at..at + 1);
        halves.chain(each).filter_map(|left_out| {
            let mut plan = self.clone();
            plan.parts.drain(left_out);
            plan.scenario().is_ok().then_some(plan)
        })
    }

    pub(super) fn scenario(&self) -> Result<Scenario, String> {
        Scenario::parse("random.toml", &self.to_toml()).map_err(|mistake| mistake.to_string())
    }

    /// The scenario's file.
    pub(super) fn to_toml(&self) -> String {
        let ip = if self.parts.contains(&Part::Ipv6) { 6 } else { 4 };
        let seed = self.seed;
        let mut out =
            format!("name = \"Random\"\nstack = \"linux\"\nseed = {seed}\nip = {ip}\nuntil = \"20s\"\n");
        self.write_host(&mut out, "server", "echo-server");
        self.write_host(&mut out, "client", "echo-client server");
        for part in &self.parts {
            if let Part::Fault { when, what, host } = part {
                put(&mut out, format_args!("[[fault]]\n{when}\n{what}\nhost = \"{host}\"\nmay_miss = true"));
            }
        }
        for host in HOSTS {
            put(&mut out, format_args!("[expect.{host}]\nanything = true"));
        }
        out
    }

    fn write_host(&self, out: &mut String, host: &str, program: &str) {
        let mut run = program.to_owned();
        let (mut typed, mut set, mut link) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut count = 1;
        for part in &self.parts {
            match part {
                Part::Option { host: on, option } if *on == host => run += &format!(" {option}"),
                Part::Set { host: on, key, value } if *on == host => _ = set.insert(*key, *value),
                Part::Link { host: on, key, value } if *on == host => _ = link.insert(*key, quoted(value)),
                Part::Drop { host: on, rule } if *on == host => _ = link.insert("drop", rule.clone()),
                Part::Typed { at, lines } => typed.push(format!("{{ at = \"{at}ms\", lines = {lines} }}")),
                Part::EndOfFile { at } => typed.push(format!("{{ at = \"{at}ms\", eof = true }}")),
                Part::Clients(clients) => count = *clients,
                _ => {}
            }
        }
        put(out, format_args!("[host.{host}]\nrun = \"{run}\""));
        if host == "client" {
            put(out, format_args!("type = [{}]", typed.join(", ")));
            // A connection that is not answered is given up within the run.
            set.entry("syn_retries").or_insert("2");
            if count > 1 {
                put(out, format_args!("count = {count}\nevery = \"300ms\""));
            }
        }
        set.entry("retries").or_insert("5");
        let set: Vec<String> = set.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
        put(out, format_args!("set = {{ {} }}", set.join(", ")));
        if !link.is_empty() {
            put(out, format_args!("[link.{host}]"));
            link.iter().for_each(|(key, value)| put(out, format_args!("{key} = {value}")));
        }
    }
}

fn any<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    *all.choose(rng).expect("there is one at least")
}

/// A value as TOML has it: a number, or a text.
fn quoted(value: &str) -> String {
    if value.parse::<f64>().is_ok() { value.to_owned() } else { format!("\"{value}\"") }
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("memory takes it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_the_same_scenarios_every_time_and_each_is_another() {
        let plans = |seed| (0..50).map(|nth| Plan::random(seed, nth)).collect::<Vec<_>>();
        let first = plans(1);
        assert_eq!(first, plans(1));
        assert_ne!(first, plans(2));
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_key_of_a_real_host_comes_up() {
        let all: String = (0..300).map(|nth| Plan::random(7, nth).to_toml()).collect();
        let words = SERVER.iter().chain(CLIENT).chain(FAULTS).copied();
        let keys = LINK.iter().chain(SET).map(|(key, _)| *key);
        let words = words.chain(EVENTS.iter().copied());
        for word in words.chain(keys).chain(["ip = 6", "drop = ", "count = ", "eof = true"]) {
            assert!(all.contains(word), "{word}");
        }
    }

    #[test]
    fn a_smaller_one_lacks_some_parts_and_can_be_run() {
        let plan = Plan::random(3, 5);
        let lacks: Vec<usize> =
            plan.smaller().map(|smaller| plan.parts.len() - smaller.parts.len()).collect();
        assert!(lacks.len() > 3 && lacks[0] > 1 && lacks[lacks.len() - 1] == 1, "{lacks:?}");
        assert!(plan.smaller().all(|smaller| smaller.scenario().is_ok()));
    }
}
