//! Wireshark reads our captures, and agrees with what we say of the packets.
//!
//! Needs `tshark`, so these tests run only where they are asked for: `cargo test --test tshark -- --ignored`.
#![cfg(feature = "cli")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use echosim::packet::Flags;
use echosim::report::{self, RunInfo};
use echosim::scenario::{self, Outcome, Scenario};
use echosim::stack::System;
use echosim::timeline::{Direction, Event, Kind, Probe};

/// What Wireshark's fields are called, in the order of [`Row`].
const FIELDS: [&str; 13] = [
    "frame.time_epoch",
    "frame.interface_name",
    "frame.comment",
    "tcp.analysis.retransmission",
    "tcp.analysis.keep_alive",
    "tcp.flags.reset",
    "icmp.type",
    "icmpv6.type",
    "ip.checksum.status",
    "tcp.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "_ws.malformed",
];

/// A packet as Wireshark sees it.
#[derive(Debug)]
struct Row {
    time: String,
    interface: String,
    comment: String,
    retransmission: bool,
    keepalive: bool,
    reset: bool,
    icmp: bool,
    /// Of IP, TCP, ICMP; `1` is good, and so is none at all.
    checksums: [String; 4],
    malformed: bool,
}

/// What we say of a packet.
#[derive(Debug, Default, PartialEq)]
struct Claim {
    retransmission: bool,
    keepalive: bool,
    reset: bool,
    icmp: bool,
}

impl Claim {
    fn of(event: &Event) -> Claim {
        match &event.kind {
            Kind::Segment(segment) => Claim {
                retransmission: segment.retransmission.is_some(),
                keepalive: segment.probe == Some(Probe::Keepalive),
                reset: segment.flags.has(Flags::RST),
                icmp: false,
            },
            _ => Claim { icmp: true, ..Claim::default() },
        }
    }

    fn seen(row: &Row) -> Claim {
        let Row { retransmission, keepalive, reset, icmp, .. } = *row;
        Claim { retransmission, keepalive, reset, icmp }
    }
}

fn run(scenario: &Scenario) -> Outcome {
    scenario.run().expect("it runs to its end")
}

/// What Wireshark makes of the capture of one host, or of all.
fn wireshark(name: &str, outcome: &Outcome, on: Option<&str>) -> Vec<Row> {
    let mut capture = Vec::new();
    report::pcapng(&mut capture, &RunInfo::default(), &outcome.events, on).expect("memory takes it");
    let file =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.pcapng", on.unwrap_or("all")));
    fs::write(&file, capture).expect("the target directory takes it");
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&file).args(["-n", "-T", "fields", "-E", "separator=/t"]);
    for preference in ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE"] {
        tshark.args(["-o", preference]);
    }
    FIELDS.iter().for_each(|field| {
        tshark.args(["-e", field]);
    });
    let answer = tshark.output().expect("tshark is installed");
    let errors = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{errors}");
    String::from_utf8(answer.stdout).expect("UTF-8").lines().map(row).collect()
}

fn row(line: &str) -> Row {
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(fields.len(), FIELDS.len(), "{line}");
    let says = |n: usize| !fields[n].is_empty();
    Row {
        time: fields[0].to_owned(),
        interface: fields[1].to_owned(),
        comment: fields[2].to_owned(),
        retransmission: says(3),
        keepalive: says(4),
        // An ICMP error quotes no flags.
        reset: matches!(fields[5], "1" | "True"),
        icmp: says(6) || says(7),
        // Of an ICMP error only its own header counts: what it quotes is cut short.
        checksums: [8, 9, 10, 11].map(|n| fields[n].split(',').next().unwrap_or("").to_owned()),
        malformed: says(12),
    }
}

/// The packets that a capture on `host` sees, or one of all hosts: there each once, an error when it came.
fn packets<'a>(events: &'a [Event], on: Option<&str>) -> Vec<(Direction, &'a Event)> {
    let mut seen = Vec::new();
    for event in events {
        let (dir, counts) = match &event.kind {
            Kind::Segment(segment) => (segment.dir, Direction::Out),
            Kind::Icmp(icmp) => (icmp.dir, Direction::In),
            _ => continue,
        };
        if on.map_or(dir == counts, |on| on == &*event.host) {
            seen.push((dir, event));
        }
    }
    seen
}

/// Every packet is there and well, and what its sender says of it Wireshark says too, no more and no less.
fn agrees(name: &str, scenario: &Scenario) -> Vec<Row> {
    let outcome = run(scenario);
    let mut all = Vec::new();
    for host in &scenario.hosts {
        let packets = packets(&outcome.events, Some(&host.name));
        let rows = wireshark(name, &outcome, Some(&host.name));
        assert_eq!(rows.len(), packets.len(), "{name}, on {}", host.name);
        for (row, (dir, event)) in rows.iter().zip(&packets) {
            let place = format!("{name} at {} on {}: {row:?}", event.t, host.name);
            assert_eq!(row.interface, host.name);
            let (seconds, nanos) = row.time.split_once('.').expect("seconds and nanoseconds");
            assert_eq!(format!("{seconds}{nanos:0<9}").parse(), Ok(event.t.as_nanos()), "{place}");
            assert!(!row.malformed, "{place}");
            assert!(row.checksums.iter().all(|status| matches!(status.as_str(), "" | "1")), "{place}");
            match dir {
                Direction::Out => assert_eq!(Claim::seen(row), Claim::of(event), "{place}"),
                // Whether a packet that arrives is a retransmission cannot be seen where the first was lost.
                Direction::In => {
                    let (seen, claim) = (Claim::seen(row), Claim::of(event));
                    assert_eq!((seen.reset, seen.icmp), (claim.reset, claim.icmp), "{place}");
                }
            }
        }
        all.extend(rows);
    }
    all
}

fn library(name: &str, system: System) -> Vec<Row> {
    let mut scenario = scenario::load(name).expect("a scenario of the library");
    scenario.stack = system;
    agrees(&format!("{name}-{}", system.name()), &scenario)
}

/// Of all systems, how many rows this is true of.
fn count(name: &str, is: impl Fn(&Row) -> bool) -> [usize; 4] {
    System::ALL.map(|system| library(name, system).iter().filter(|row| is(row)).count())
}

#[test]
#[ignore = "needs tshark"]
fn a_crash_is_retransmissions_into_the_void() {
    let again = |row: &Row| row.retransmission && row.comment.contains("lost: host down");
    assert_eq!(count("crash", again)[..2], [12, 16]);
}

#[test]
#[ignore = "needs tshark"]
fn a_reboot_answers_with_a_reset() {
    let reset = |row: &Row| row.reset && row.comment == "answers the dead connection";
    // It is seen where it is sent and where it arrives.
    assert_eq!(count("reboot", reset), [2; 4]);
}

#[test]
#[ignore = "needs tshark"]
fn unreachable_is_an_icmp_error_for_every_segment() {
    let errors = count("unreachable", |row| row.icmp);
    assert_eq!(errors[0], 14);
    assert!((1_000..1_100).contains(&errors[1]));
}

#[test]
#[ignore = "needs tshark"]
fn a_connection_refused_or_never_answered_is_seen_so() {
    assert_eq!(count("connect-refused", |row| row.comment == "nobody listens on the port"), [2; 4]);
    assert_eq!(count("connect-crash", |row| row.retransmission)[..2], [2, 10]);
    assert!(count("connect-unreachable", |row| row.icmp).iter().all(|&errors| errors > 0));
}

#[test]
#[ignore = "needs tshark"]
fn a_lossy_network_is_retransmissions_by_both() {
    assert!(
        count("lossy", |row| row.retransmission && row.comment.contains("retransmission"))
            .iter()
            .all(|&n| n > 10)
    );
}

#[test]
#[ignore = "needs tshark"]
fn everything_else_is_as_we_say() {
    for name in [
        "normal",
        "partition",
        "partition-heals",
        "one-way",
        "server-killed",
        "close-unread",
        "net-unreachable",
    ] {
        count(name, |_| true);
    }
}

#[test]
#[ignore = "needs tshark"]
fn keepalive_probes_are_keepalives() {
    let text = r#"
name = "Nothing is typed, and the host is gone"
[host.server]
run = "echo-server"
[host.client]
run = "echo-client server --keepalive=10s,5s,3"
type = [{ at = "0s", line = "hello" }]
[[fault]]
at = "25s"
do = "crash"
host = "server"
"#;
    let mut scenario = Scenario::parse("keepalive.toml", text).expect("a scenario");
    for system in System::ALL {
        scenario.stack = system;
        let rows = agrees(&format!("keepalive-{}", system.name()), &scenario);
        let probes = rows.iter().filter(|row| row.keepalive && row.comment.contains("keepalive")).count();
        assert!(probes >= 4, "{}: {probes}", system.name());
    }
}

#[test]
#[ignore = "needs tshark"]
fn ip_version_6_is_read_as_well() {
    for name in ["reboot", "unreachable"] {
        let mut scenario = scenario::load(name).expect("a scenario of the library");
        scenario.set("ip", "6").expect("a key of scenarios");
        agrees(&format!("{name}-v6"), &scenario);
    }
}

#[test]
#[ignore = "needs tshark"]
fn all_hosts_are_in_one_file_with_their_names() {
    let scenario = scenario::load("crash").expect("a scenario of the library");
    let outcome = run(&scenario);
    let rows = wireshark("crash", &outcome, None);
    let senders = packets(&outcome.events, None).into_iter().map(|(_, event)| &*event.host);
    assert!(rows.iter().map(|row| row.interface.as_str()).eq(senders));
    let lost = rows.iter().filter(|row| row.comment.contains("lost: "));
    assert!(lost.clone().count() == 14 && lost.clone().all(|row| row.interface == "client"));
    assert!(rows.iter().any(|row| row.comment == "retransmission 12/12, lost: host down"));

    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("crash-all.pcapng");
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(file).args(["-N", "n", "-T", "fields", "-e", "_ws.col.Source"]);
    let names = tshark.output().expect("tshark is installed").stdout;
    let names = String::from_utf8(names).expect("UTF-8");
    assert!(names.lines().all(|name| name == "client" || name == "server"), "{names}");
}

#[test]
#[ignore = "needs tshark"]
fn all_hosts_in_one_file_have_every_claim_and_no_other() {
    for name in ["crash", "unreachable", "reboot", "partition", "lossy", "keepalive-crash", "server-killed"] {
        for system in System::ALL {
            let mut scenario = scenario::load(name).expect("a scenario of the library");
            scenario.stack = system;
            let outcome = run(&scenario);
            let rows = wireshark(&format!("{name}-{}", system.name()), &outcome, None);
            let packets = packets(&outcome.events, None);
            assert_eq!(rows.len(), packets.len(), "{name}");
            for (row, (_, event)) in rows.iter().zip(&packets) {
                let place = format!("{name} under {} at {}: {row:?}", system.name(), event.t);
                assert_eq!(Claim::seen(row), Claim::of(event), "{place}");
            }
        }
    }
}
