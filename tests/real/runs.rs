//! Real runs, each in a process of its own that prints what was seen.

use std::io::{self, Write};
use std::process::Stdio;
use std::time::Duration;

use echosim::compare::random::Random;
use echosim::compare::{Scope, Tolerance, side_by_side};
use echosim::errno::Errno;
use echosim::packet::Flags;
use echosim::scenario::{self, Scenario};
use echosim::stage::{RealStage, expect_what_is_seen, on_linux};
use echosim::time::SimTime;
use echosim::timeline::{Event, Kind, Line, Process, ProcessChange, Stream};

use crate::programs;

/// Runs one of the scenarios below in a process of its own.
pub(crate) fn events_of(name: &str, stage: &str) -> Vec<Event> {
    let output = programs::program(&["run", name, stage]).stdin(Stdio::null()).output().expect("a process");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} on {stage}: {}\n{told}", output.status);
    let lines = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("an event")).collect()
}

/// In that process.
pub(crate) fn run(name: &str, stage: &str) -> i32 {
    let stage = if stage == "laboratory" { RealStage::Laboratory } else { RealStage::Loopback };
    match written(name).run_real(stage) {
        Ok(outcome) => {
            let mut out = io::stdout().lock();
            for event in outcome.events {
                serde_json::to_writer(&mut out, &event).expect("stdout");
                out.write_all(b"\n").expect("stdout");
            }
            0
        }
        Err(error) => failed(&error),
    }
}

/// Runs a scenario of the library and compares it with what it expects of Linux; 1 if it is not so.
pub(crate) fn scenario(name: &str, set: &[&str]) -> i32 {
    let mut scenario = load(name, set);
    let stage = RealStage::of(&scenario);
    expect_what_is_seen(&mut scenario, stage);
    let outcome = match scenario.run_real(stage) {
        Ok(outcome) => outcome,
        Err(error) => return failed(&error),
    };
    let differences = scenario::check_within(&scenario, &outcome, BUSY);
    for it in &differences {
        writeln!(io::stderr(), "{}: expected {}, got {}", it.place, it.expected, it.got).expect("stderr");
    }
    i32::from(!differences.is_empty())
}

/// Runs a scenario of the library in the simulation and in the laboratory and shows both side by side; 1 if they part.
pub(crate) fn compare(name: &str, set: &[&str]) -> i32 {
    let scenario = match name.strip_prefix("written:") {
        Some(name) => on_linux(&written(name)),
        None => load(name, set),
    };
    match side_by_side(&scenario, Scope::of(name), RealStage::Laboratory, Tolerance::MEASURED) {
        Ok(both) => {
            both.report.write(&mut io::stdout().lock(), "Linux").expect("stdout");
            i32::from(!both.report.agrees())
        }
        Err(error) => failed(&error),
    }
}

/// Runs a random scenario, and again: 1 if its result is not kept.
pub(crate) fn random() -> i32 {
    let folder = tempfile::tempdir().expect("a folder");
    let random = Random { scenarios: 1, seed: 1, folder: folder.path().to_owned() };
    let run = || {
        let mut told = 0;
        random.run(Tolerance::MEASURED, &mut |_| told += 1).map(|summary| (summary, told))
    };
    match (run(), run()) {
        (Ok((first, 1)), Ok((again, 0))) if first == again && first.records[0].pairs > 10 => 0,
        (Err(error), _) | (_, Err(error)) => failed(&error),
        (first, again) => {
            writeln!(io::stdout(), "{first:?}\n{again:?}").expect("stdout");
            1
        }
    }
}

/// Holds the kernel against simulations that are wrong on purpose: 1 if one of them goes unnoticed.
///
/// What a machine under load has done is allowed to be late, and may hide a wrong timer: so a wrong simulation has to part
/// from one run of several, each of which the right one agrees with.
pub(crate) fn mutants() -> i32 {
    const RUNS: usize = 6;
    let right = on_linux(&written("mutants"));
    let mut unnoticed = Vec::new();
    for (key, value) in [("rto_min", "210ms"), ("hz", "0"), ("delayed_ack", "50ms"), ("buffer", "32768")] {
        let mut wrong = right.clone();
        wrong.set(key, value).expect("a key");
        unnoticed.push((format!("{key}={value}"), wrong.run().expect("a run").events));
    }
    let mut no_psh = right.run().expect("a run").events;
    for event in &mut no_psh {
        if let Kind::Segment(segment) = &mut event.kind
            && segment.flags == Flags::PSH.with(Flags::ACK)
        {
            segment.flags = Flags::ACK;
        }
    }
    unnoticed.push(("no PSH".to_owned(), no_psh));
    let mut told = Vec::new();
    for _ in 0..RUNS {
        let both = match side_by_side(&right, Scope::Everything, RealStage::Laboratory, Tolerance::MEASURED) {
            Ok(both) => both,
            Err(error) => return failed(&error),
        };
        told.clear();
        if !both.report.agrees() {
            writeln!(told, "as it is:").expect("memory");
            both.report.write(&mut told, "Linux").expect("memory");
            continue;
        }
        let (real, stalls) = (&both.real.events, &both.real.stalls);
        unnoticed.retain(|(what, wrong)| {
            let report = Scope::Everything.compare(wrong, real, stalls, Tolerance::MEASURED);
            if report.agrees() {
                writeln!(told, "{what}:").expect("memory");
                report.write(&mut told, "Linux").expect("memory");
            }
            report.agrees()
        });
        if unnoticed.is_empty() {
            return 0;
        }
    }
    io::stdout().write_all(&told).expect("stdout");
    1
}

fn failed(error: &dyn std::error::Error) -> i32 {
    writeln!(io::stderr(), "{error}").expect("stderr");
    2
}

/// A machine that runs tests is busy.
const BUSY: Tolerance =
    Tolerance { share: 0.03, jiffy: Duration::from_millis(4), slack: Duration::from_secs(2) };

fn load(name: &str, set: &[&str]) -> Scenario {
    let mut scenario = on_linux(&scenario::load(name).expect("a scenario"));
    for setting in set {
        let (key, value) = setting.split_once('=').expect("key=value");
        let time = || humantime::parse_duration(value).expect("a time");
        match key {
            // Shorter than a file may say.
            "grace" => scenario.hosts.iter_mut().for_each(|host| host.grace = time()),
            "last_typed" => {
                let last = scenario.hosts.iter_mut().filter_map(|host| host.typed.last_mut());
                last.for_each(|typed| typed.at = SimTime::ZERO + time());
            }
            "until" => scenario.until = SimTime::ZERO + time(),
            _ => scenario.set(key, value).expect("a key"),
        }
    }
    scenario
}

// -- scenarios that take a second or two ---------------------------------------------------------------

const SERVER: &str = "[host.server]\nrun = 'echo-server'\n";

/// A scenario: its client and its faults, and what is set in its kernels.
fn written(name: &str) -> Scenario {
    let (text, set): (&str, &[(&str, &str)]) = match name {
        "normal" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '100ms', eof = true }]",
            &[],
        ),
        "connect-refused" => ("[host.client]\nrun = 'echo-client server'", &[]),
        "server-killed" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '300ms', line = 'another line' }]
             [[fault]]
             at = '150ms'
             do = 'kill'
             host = 'server'
             process = 'child'
             signal = 'SIGKILL'",
            &[],
        ),
        "server-killed-poll" => (
            "[host.client]
             run = 'echo-client server --poll'
             type = [{ at = '0s', line = 'hello' }]
             [[fault]]
             at = '150ms'
             do = 'kill'
             host = 'server'
             process = 'child'
             signal = 'SIGKILL'",
            &[],
        ),
        "batch" => (
            "[host.client]
             run = 'echo-client server --half-close'
             type = [{ lines = 200 }, { eof = true }]",
            &[],
        ),
        "crowd" => (
            "[host.client]
             run = 'echo-client server'
             count = 50
             type = [{ at = '0s', line = 'hello' }, { at = '50ms', eof = true }]",
            &[],
        ),
        "shutdown" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '600ms', line = 'another line' }]
             [[fault]]
             at = '150ms'
             do = 'shutdown'
             host = 'server'",
            &[],
        ),
        "crash" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '500ms', line = 'world' }]
             [[fault]]
             at = '250ms'
             do = 'crash'
             host = 'server'",
            &[("retries", "3")],
        ),
        "reboot" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '700ms', line = 'world' }]
             [[fault]]
             at = '250ms'
             do = 'crash'
             host = 'server'
             [[fault]]
             at = '450ms'
             do = 'boot'
             host = 'server'",
            &[],
        ),
        "unreachable" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '500ms', line = 'world' }]
             [[fault]]
             at = '250ms'
             do = 'unreachable'
             host = 'server'
             code = 'host'",
            &[("retries", "3")],
        ),
        "partition-heals" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '0s', line = 'hello' }, { at = '500ms', line = 'world' }, { at = '2s', eof = true }]
             [[fault]]
             at = '250ms'
             do = 'partition'
             host = 'server'
             [[fault]]
             at = '1s'
             do = 'repair'
             host = 'server'",
            &[],
        ),
        "lossy" => (
            "[host.client]
             run = 'echo-client server --half-close'
             type = [{ lines = 200 }, { eof = true }]
             [link.client]
             loss = '5%'
             [link.server]
             loss = '5%'",
            &[],
        ),
        "keepalive-crash" => (
            "[host.client]
             run = 'echo-client server --poll --keepalive'
             type = [{ at = '0s', line = 'hello' }]
             [[fault]]
             at = '250ms'
             do = 'crash'
             host = 'server'",
            &[("keepalive_time", "2s"), ("keepalive_intvl", "1s"), ("keepalive_probes", "3")],
        ),
        "connect-crash" => (
            "[host.client]
             run = 'echo-client server'
             start = '200ms'
             [[fault]]
             at = '100ms'
             do = 'crash'
             host = 'server'",
            &[("syn_retries", "1")],
        ),
        // What a comparison is to notice: a delayed acknowledgment, windows, and seven retransmissions.
        "mutants" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '500ms', line = 'one' }, { at = '500ms', line = 'two' }, { at = '1s', line = 'gone' }]
             [[fault]]
             at = '750ms'
             do = 'crash'
             host = 'server'",
            &[("retries", "6")],
        ),
        // The client ends when the server's child is killed; a line is typed when there is nothing to read it.
        "typed-late" => (
            "[host.client]
             run = 'echo-client server'
             type = [{ at = '500ms', line = 'hello' }, { at = '1500ms', line = 'x' }, { at = '1502ms', line = 'late' }]
             [[fault]]
             at = '1s'
             do = 'kill'
             host = 'server'
             process = 'child'
             signal = 'SIGKILL'
             [[fault]]
             at = '2s'
             do = 'shutdown'
             host = 'server'
             [[fault]]
             at = '4s'
             do = 'boot'
             host = 'server'",
            &[],
        ),
        "keepalive-half-closed" => (
            "[host.client]
             run = 'echo-client server --half-close --keepalive=3s,1s,3'
             stdin = ['hello']
             [[fault]]
             at = '2s'
             do = 'crash'
             host = 'server'",
            &[],
        ),
        // The server comes up while the client connects, and its program half a second later: for two hosts.
        "late-server" => (
            "start = '500ms'
             [host.client]
             run = 'echo-client server'
             start = '1s'
             type = [{ at = '0s', line = 'hello' }]
             [[fault]]
             at = '0s'
             do = 'crash'
             host = 'server'
             [[fault]]
             at = '3500ms'
             do = 'boot'
             host = 'server'",
            &[],
        ),
        _ => panic!("no scenario {name}"),
    };
    let server = match name {
        "connect-refused" => "[host.server]\n",
        // It leaves what the client has said unread, and unanswered.
        "keepalive-half-closed" => "[host.server]\nrun = 'echo-server --read-after=100s'\n",
        _ => SERVER,
    };
    let text = format!("name = 'Of a test'\nuntil = '30s'\n{server}{text}\n");
    let mut scenario = Scenario::parse(name, &text).unwrap_or_else(|mistake| panic!("{mistake}"));
    for (key, value) in set {
        scenario.set(key, value).expect("a key");
    }
    // Shorter than a file may say.
    scenario.hosts.iter_mut().for_each(|host| host.grace = Duration::from_millis(200));
    scenario
}

// -- what was seen ------------------------------------------------------------------------------------

/// What a host's processes printed.
pub(crate) fn printed(events: &[Event], host: &str, on: Stream) -> Vec<String> {
    let line = |event: &Event| match &event.kind {
        Kind::Line(Line { stream, text, .. }) if *stream == on && *event.host == *host => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// The results of a host's calls of this name.
pub(crate) fn calls(events: &[Event], host: &str, name: &str) -> Vec<Result<i64, Errno>> {
    let call = |event: &Event| match &event.kind {
        Kind::Call(call) if call.name() == name && *event.host == *host => Some(call.result),
        _ => None,
    };
    events.iter().filter_map(call).collect()
}

/// How a host's processes ended.
pub(crate) fn ends(events: &[Event], host: &str) -> Vec<ProcessChange> {
    let end = |event: &Event| match &event.kind {
        Kind::Process(Process {
            what: what @ (ProcessChange::Exit { .. } | ProcessChange::Killed { .. }),
            ..
        }) if *event.host == *host => Some(*what),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}
