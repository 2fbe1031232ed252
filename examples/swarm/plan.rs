//! A random scenario as data, so that it can be made smaller.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A scenario: a server, more hosts, and what goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) stack: &'static str,
    pub(crate) ip: u8,
    /// All hosts share a segment.
    pub(crate) lan: bool,
    /// On whose link it stands, and what it is like.
    pub(crate) middlebox: Option<(usize, &'static str)>,
    /// What becomes of chosen packets.
    pub(crate) rules: Vec<&'static str>,
    pub(crate) server: Host,
    pub(crate) others: Vec<Host>,
    pub(crate) faults: Vec<Fault>,
}

/// A host with its link.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) program: Program,
    pub(crate) stack: Option<&'static str>,
    pub(crate) set: Option<(&'static str, &'static str)>,
    pub(crate) start_ms: u64,
    pub(crate) link: Vec<(&'static str, &'static str)>,
}

/// What a host runs.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// `echo-server`
    Server(Vec<&'static str>),
    /// `push-server`
    Push,
    /// `echo-proxy` to the server
    Proxy(Vec<&'static str>),
    /// `echo-client`, of the server or of another host
    Client { of: usize, options: Vec<&'static str>, count: u32, every_ms: u64, typed: Vec<Typed> },
}

/// Lines typed at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) after_ms: u64,
    pub(crate) lines: u32,
}

/// What goes wrong, after what went wrong before.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) after_ms: u64,
    pub(crate) what: &'static str,
    pub(crate) host: usize,
}

const STACKS: &[&str] = &["book", "linux", "bsd", "rfc"];

const SERVER_OPTIONS: &[&str] = &[
    "--reap=none",
    "--reap=wait",
    "--reap=waitpid",
    "--accept-after=3s",
    "--read-after=10s",
    "--close-unread",
    "--close-unread=2s",
    "--eintr=die",
    "--sigterm=catch",
    "--reuse-addr",
    "--forgets=connfd",
    "--forgets=listenfd",
    "--backlog=1",
    "--write-size=3",
    "--read-timeout=4s",
    "--write-timeout=6s",
    "--keepalive=7s,2s,2",
    "--user-timeout=9s",
    "--linger=0s",
];

const PROXY_OPTIONS: &[&str] =
    &["--half-close=off", "--keepalive=6s,1s,4", "--user-timeout=8s", "--read-timeout=5s"];

const CLIENT_OPTIONS: &[&str] = &[
    "--poll",
    "--half-close",
    "--heedless",
    "--keepalive",
    "--keepalive=5s,1s,3",
    "--user-timeout=7s",
    "--no-delay",
    "--linger=0s",
    "--linger=3s",
    "--sigpipe=ignore",
    "--connections=3",
    "--close-unread",
    "--connect-timeout=2s",
    "--read-timeout=3s",
    "--write-timeout=3s",
    "--reconnect=2s,30s",
    "--write-size=4",
    "--bind=:5000",
];

const LINK: &[(&str, &str)] = &[
    ("latency", "0.1ms"),
    ("latency", "40ms"),
    ("latency", "700ms"),
    ("jitter", "30ms"),
    ("bandwidth", "64kbit/s"),
    ("loss", "2%"),
    ("loss", "15%"),
    ("duplicate", "5%"),
    ("reorder", "10%"),
    ("corrupt", "3%"),
    ("mtu", "1280"),
    ("queue", "3"),
    ("too_big", "silent"),
];

const SET: &[(&str, &str)] = &[
    ("buffer", "2000"),
    ("rto_max", "70s"),
    ("delayed_ack", "1ms"),
    ("initial_window", "1"),
    ("keepalive_time", "20s"),
    ("base_reachable_time", "3s"),
];

/// Those that take something away are followed by those that give it back, sooner or later.
const FAULTS: &[&str] = &[
    "do = \"crash\"",
    "do = \"boot\"",
    "do = \"shutdown\"",
    "do = \"partition\"",
    "do = \"partition\"\nway = \"to\"",
    "do = \"partition\"\nway = \"from\"",
    "do = \"repair\"",
    "do = \"hold\"",
    "do = \"release\"",
    "do = \"unreachable\"",
    "do = \"unreachable\"\ncode = \"net\"",
    "do = \"reachable\"",
    "do = \"kill\"",
    "do = \"kill\"\nprocess = \"child\"\nsignal = \"SIGKILL\"",
    "do = \"kill\"\nprocess = \"child\"\nsignal = \"SIGSTOP\"",
    "do = \"kill\"\nsignal = \"SIGSTOP\"",
    "do = \"kill\"\nprocess = \"child\"\nsignal = \"SIGCONT\"",
    "do = \"kill\"\nsignal = \"SIGCONT\"",
    "do = \"link-down\"",
    "do = \"link-up\"",
    "do = \"pause\"",
    "do = \"resume\"",
    "do = \"forget\"",
    "do = \"reset\"",
    "do = \"reset\"\nto = \"host\"",
    "do = \"reset\"\naim = \"in-window\"",
];

const MIDDLEBOXES: &[&str] = &[
    "idle = \"5s\"",
    "idle = \"20s\"\nunknown = \"rst\"",
    "idle = \"1s\"\nunknown = \"rst-both\"",
    "idle = \"10s\"\nunknown = \"prohibited\"\npicks_up = true",
    "flows = 1\nunknown = \"host\"",
];

const RULES: &[&str] = &[
    "do = \"drop\"\nflags = \"P.\"\nprobability = \"20%\"",
    "do = \"drop\"\nto = \"server\"\nlonger = 500\ncount = 6",
    "do = \"drop\"\nidle = \"5s\"",
    "do = \"delay\"\nby = \"900ms\"\nfrom = \"server\"\nprobability = \"30%\"",
    "do = \"delay\"\nby = \"3s\"\nconnection = 2",
    "do = \"duplicate\"\nport = 9877",
    "do = \"corrupt\"\nto = \"server\"\nnth = 4\ncount = 2",
    "do = \"reject\"\nanswer = \"rst\"\nto = \"server\"\nflags = \"S\"\nsince = \"2s\"",
    "do = \"reject\"\nanswer = \"prohibited\"\nto = \"server\"\nsince = \"3s\"\nuntil = \"20s\"",
    "do = \"reject\"\nanswer = \"rst\"\nflags = \"P.\"\nnth = 5",
];

/// Any scenario.
pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let server = host(options(SERVER_OPTIONS, 3).prop_map(Program::Server).boxed());
    let proxy = options(PROXY_OPTIONS, 2).prop_map(Program::Proxy);
    let other = prop_oneof![
        8 => client(),
        1 => Just(Program::Server(Vec::new())),
        1 => Just(Program::Push),
        1 => proxy,
    ];
    let others = vec(host(other.boxed()), 1..4);
    let rules = vec(select(RULES), 0..2);
    let faults = vec(fault(), 0..5);
    let lan = prop_oneof![4 => Just(false), 1 => Just(true)];
    let middlebox = option::weighted(0.2, (0..4_usize, select(MIDDLEBOXES)));
    let world = (0..1_000_u64, select(STACKS), prop_oneof![Just(4), Just(6)], lan, middlebox);
    (world, rules, server, others, faults).prop_map(
        |((seed, stack, ip, lan, middlebox), rules, server, others, faults)| Plan {
            seed,
            stack,
            ip,
            lan,
            middlebox,
            rules,
            server,
            others,
            faults,
        },
    )
}

fn host(program: BoxedStrategy<Program>) -> impl Strategy<Value = Host> {
    let stack = option::weighted(0.3, select(STACKS));
    let set = option::weighted(0.3, select(SET));
    (program, stack, set, 0..4_000_u64, vec(select(LINK), 0..3))
        .prop_map(|(program, stack, set, start_ms, link)| Host { program, stack, set, start_ms, link })
}

/// Some options, each once.
fn options(all: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    let name = |option: &&'static str| option.split('=').next().unwrap_or_default();
    vec(select(all), 0..=most).prop_map(move |some| {
        let by_name: BTreeMap<&str, &str> = some.into_iter().map(|option| (name(&option), option)).collect();
        by_name.into_values().collect()
    })
}

fn client() -> impl Strategy<Value = Program> {
    let options = options(CLIENT_OPTIONS, 2);
    (0..2_usize, options, 1..4_u32, 0..3_000_u64, vec(typed(), 0..4)).prop_map(
        |(of, options, count, every_ms, typed)| Program::Client { of, options, count, every_ms, typed },
    )
}

fn typed() -> impl Strategy<Value = Typed> {
    let lines = prop_oneof![8 => 1..4_u32, 1 => 100..600_u32];
    (0..20_000_u64, lines).prop_map(|(after_ms, lines)| Typed { after_ms, lines })
}

fn fault() -> impl Strategy<Value = Fault> {
    let after = prop_oneof![0..10_u64, 0..3_000_u64, 0..400_000_u64];
    (after, select(FAULTS), 0..4_usize).prop_map(|(after_ms, what, host)| Fault { after_ms, what, host })
}

impl Plan {
    /// The hosts' names and what they are.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (String, &Host)> {
        let others = self.others.iter().enumerate().map(|(n, host)| (format!("h{n}"), host));
        std::iter::once(("server".to_owned(), &self.server)).chain(others)
    }

    fn name(&self, n: usize) -> String {
        let n = n % (self.others.len() + 1);
        n.checked_sub(1).map_or("server".to_owned(), |n| format!("h{n}"))
    }

    /// The scenario's file.
    pub(crate) fn to_toml(&self) -> String {
        let mut out = format!(
            "name = \"swarm\"\nstack = \"{}\"\nseed = {}\nip = {}\nlan = {}\nuntil = \"3h\"\n",
            self.stack, self.seed, self.ip, self.lan
        );
        for (name, host) in self.hosts() {
            self.write_host(&mut out, &name, host).expect("memory takes it");
        }
        if let Some((host, what)) = self.middlebox {
            writeln!(out, "[[middlebox]]\nlink = \"{}\"\n{what}", self.name(host)).expect("memory takes it");
        }
        for rule in &self.rules {
            writeln!(out, "[[rule]]\n{rule}\nmay_miss = true").expect("memory takes it");
        }
        let mut at = 0;
        // No router lies between the hosts of a segment that could say that one is unreachable.
        let strikes = |fault: &&Fault| !(self.lan && fault.what.starts_with("do = \"unreachable"));
        for fault in self.faults.iter().filter(strikes) {
            at += fault.after_ms;
            let host = self.name(fault.host);
            write!(out, "[[fault]]\nat = \"{at}ms\"\n{}\nhost = \"{host}\"\nmay_miss = true\n", fault.what)
                .expect("memory takes it");
        }
        out
    }

    fn write_host(&self, out: &mut String, name: &str, host: &Host) -> std::fmt::Result {
        writeln!(out, "[host.{name}]\nstart = \"{}ms\"", host.start_ms)?;
        match &host.program {
            Program::Server(options) => writeln!(out, "run = \"echo-server {}\"", options.join(" "))?,
            Program::Push => writeln!(out, "run = \"push-server --every=10s --lines=50\"")?,
            Program::Proxy(options) => writeln!(out, "run = \"echo-proxy server {}\"", options.join(" "))?,
            Program::Client { of, options, count, every_ms, typed } => {
                let of = self.name(*of);
                writeln!(out, "run = \"echo-client {of} {}\"", options.join(" "))?;
                writeln!(out, "count = {count}\nevery = \"{every_ms}ms\"")?;
                let mut at = 0;
                let lines = typed.iter().map(|typed| {
                    at += typed.after_ms;
                    format!("{{ at = \"{at}ms\", lines = {} }}", typed.lines)
                });
                let mut lines: Vec<String> = lines.collect();
                lines.push("{ eof = true }".to_owned());
                writeln!(out, "type = [{}]", lines.join(", "))?;
            }
        }
        if let Some(stack) = host.stack {
            writeln!(out, "stack = \"{stack}\"")?;
        }
        if let Some((key, value)) = host.set {
            writeln!(out, "set = {{ {key} = \"{value}\" }}")?;
        }
        if !host.link.is_empty() {
            writeln!(out, "[link.{name}]")?;
            let link: BTreeMap<_, _> = host.link.iter().copied().collect();
            for (key, value) in link {
                match value.parse::<f64>() {
                    Ok(_) => writeln!(out, "{key} = {value}")?,
                    Err(_) => writeln!(out, "{key} = \"{value}\"")?,
                }
            }
        }
        Ok(())
    }
}
