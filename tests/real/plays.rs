//! Plays, given by a process of their own that prints what was seen.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use echosim::echo::client::Session;
use echosim::echo::server::Service;
use echosim::echo::{Client, Server, client, server};
use echosim::os::sim::Limits;
use echosim::os::unix::Machine;
use echosim::os::{Errno, SocketOption};
use echosim::packet::Unreachable;
use echosim::real;
use echosim::real::compare::{Scope, Tolerance};
use echosim::real::play::{
    Host, Place, Play, Program, Run, Stdin, expected_at, fresh_port, loopback_addr, play, program,
};
use echosim::router::LinkConfig;
use echosim::scenario::{self, Fault, Input, Scenario, Trigger, Typed};
use echosim::time::SimTime;
use echosim::timeline::{Call, Event, FaultKind, Kind, Line, Process, ProcessChange, Stream, Victim, Way};

use crate::programs;

/// Gives a play in a process of its own.
pub(crate) fn given(name: &str, place: &str) -> Vec<Event> {
    let output = programs::program(&["play", name, place]).stdin(Stdio::null()).output().expect("a process");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} on {place}: {}\n{told}", output.status);
    let lines = output.stdout.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("an event")).collect()
}

/// In that process.
pub(crate) fn run(name: &str, place: &str) -> i32 {
    let place = if place == "laboratory" { Place::Laboratory } else { Place::Loopback };
    match play(&named(name, place), place) {
        Ok(outcome) => {
            let mut out = io::stdout().lock();
            for event in outcome.events {
                serde_json::to_writer(&mut out, &event).expect("stdout");
                out.write_all(b"\n").expect("stdout");
            }
            0
        }
        Err(error) => {
            writeln!(io::stderr(), "{error}").expect("stderr");
            2
        }
    }
}

fn load(name: &str, set: &[&str]) -> Scenario {
    let mut scenario = real::on_linux(&scenario::load(name).expect("a scenario"));
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
            "until" => scenario.until = SimTime::ZERO + humantime::parse_duration(value).expect("a time"),
            _ => scenario.set(key, value).expect("a key"),
        }
    }
    scenario
}

/// Plays a scenario of the library and holds it against what it expects of Linux; 1 if it is not so.
pub(crate) fn scenario(name: &str, set: &[&str]) -> i32 {
    let mut scenario = load(name, set);
    let place = Place::of(&scenario);
    expected_at(&mut scenario, place);
    let outcome = match real::run(&scenario, place) {
        Ok(outcome) => outcome,
        Err(error) => {
            writeln!(io::stderr(), "{error}").expect("stderr");
            return 2;
        }
    };
    let differences = scenario::check_within(&scenario, &outcome, BUSY);
    for it in &differences {
        writeln!(io::stderr(), "{}: expected {}, got {}", it.place, it.expected, it.got).expect("stderr");
    }
    i32::from(!differences.is_empty())
}

/// Plays both arms of a scenario and shows them side by side; 1 if they part.
pub(crate) fn side_by_side(name: &str, set: &[&str]) -> i32 {
    let scenario = load(name, set);
    // A machine that runs tests is busy.
    let tolerance = Tolerance { slack: MS(150), ..Tolerance::default() };
    match real::side_by_side(&scenario, Scope::of(name), Place::Laboratory, tolerance) {
        Ok(both) => {
            both.report.write(&mut io::stdout().lock(), "Linux").expect("stdout");
            i32::from(!both.report.agrees())
        }
        Err(error) => {
            writeln!(io::stderr(), "{error}").expect("stderr");
            2
        }
    }
}

/// A machine that runs tests is busy.
const BUSY: Tolerance =
    Tolerance { share: 0.03, jiffy: Duration::from_millis(4), slack: Duration::from_secs(2) };

const MS: fn(u64) -> Duration = Duration::from_millis;

struct Stage {
    play: Play,
    server: SocketAddr,
}

impl Stage {
    fn new(place: Place) -> Stage {
        let addrs: [IpAddr; 3] = ["10.0.1.1", "10.0.2.1", "10.0.0.254"].map(|addr| addr.parse().unwrap());
        let server = match place {
            Place::Loopback => SocketAddr::new(loopback_addr(), fresh_port(loopback_addr()).unwrap()),
            Place::Laboratory => SocketAddr::new(addrs[1], 9877),
        };
        let host = |name: &str, addr| Host {
            name: name.to_owned(),
            addrs: vec![addr],
            link: LinkConfig::default(),
            mtu: LinkConfig::default().mtu,
            set: Vec::new(),
            machine: Machine::default(),
            limits: Limits::default(),
            grace: MS(200),
            runs: Vec::new(),
        };
        let hosts = vec![host("server", addrs[1]), host("client", addrs[0])];
        Stage { play: Play { hosts, until: MS(30_000), router: vec![addrs[2]], ..Play::default() }, server }
    }

    fn runs(&mut self, host: usize, name: &str, serves: bool, program: Program, typed: &[(u64, &str)]) {
        let input = |text: &str| if text == "^D" { Input::Eof } else { Input::Line(text.to_owned()) };
        let typed = typed.iter().map(|(at, text)| Typed { at: SimTime::ZERO + MS(*at), what: input(text) });
        let stdin = Stdin::Terminal(typed.collect());
        let run = Run { name: name.to_owned(), program, start: Duration::ZERO, stdin, serves };
        self.play.hosts[host].runs.push(run);
    }

    fn serve(&mut self) {
        let options = Server { reuse_addr: true, ..Server::new(self.server, Service::Echo) };
        self.runs(0, "echo-server", true, program(move |os| server(os, options.clone())), &[]);
    }

    fn client(&mut self, session: Session, options: &[SocketOption], typed: &[(u64, &str)]) {
        let options = Client { options: options.to_vec(), ..Client::new(self.server, session) };
        self.runs(1, "echo-client", false, program(move |os| client(os, options.clone())), typed);
    }

    fn strike(&mut self, at: u64, host: &str, kind: FaultKind) {
        let trigger = Trigger::At(SimTime::ZERO + MS(at));
        let host = host.to_owned();
        let fault = Fault { line: 0, trigger, delay: Duration::ZERO, host, kind, may_miss: false };
        self.play.faults.push(fault);
    }

    fn set(&mut self, key: &str, value: &str) {
        self.play.hosts[1].set.push((key.to_owned(), value.to_owned()));
    }
}

fn named(name: &str, place: Place) -> Play {
    let mut stage = Stage::new(place);
    let kill = FaultKind::Kill { process: Victim::Child, signal: "SIGKILL" };
    if name != "connect-refused" {
        stage.serve();
    }
    match name {
        "normal" => stage.client(Session::InTurn, &[], &[(0, "hello"), (100, "^D")]),
        "connect-refused" => stage.client(Session::InTurn, &[], &[]),
        "server-killed" => {
            stage.client(Session::InTurn, &[], &[(0, "hello"), (300, "another line")]);
            stage.strike(150, "server", kill);
        }
        "server-killed-poll" => {
            stage.client(Session::Poll, &[], &[(0, "hello")]);
            stage.strike(150, "server", kill);
        }
        "batch" => {
            let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
            let mut typed: Vec<(u64, &str)> = lines.iter().map(|line| (0, line.as_str())).collect();
            typed.push((0, "^D"));
            stage.client(Session::PollThenShutdown, &[], &typed);
        }
        "crowd" => {
            for _ in 0..50 {
                stage.client(Session::InTurn, &[], &[(0, "hello"), (50, "^D")]);
            }
        }
        "shutdown" => {
            stage.client(Session::InTurn, &[], &[(0, "hello"), (600, "another line")]);
            stage.strike(150, "server", FaultKind::Shutdown);
        }
        "crash" => {
            stage.set("retries", "3");
            stage.client(Session::InTurn, &[], &[(0, "hello"), (500, "world")]);
            stage.strike(250, "server", FaultKind::Crash);
        }
        "reboot" => {
            stage.client(Session::InTurn, &[], &[(0, "hello"), (700, "world")]);
            stage.strike(250, "server", FaultKind::Crash);
            stage.strike(450, "server", FaultKind::Boot);
        }
        "unreachable" => {
            stage.set("retries", "3");
            stage.client(Session::InTurn, &[], &[(0, "hello"), (500, "world")]);
            stage.strike(250, "server", FaultKind::Unreachable(Unreachable::Host));
        }
        "partition-heals" => {
            stage.client(Session::InTurn, &[], &[(0, "hello"), (500, "world"), (2_000, "^D")]);
            stage.strike(250, "server", FaultKind::Partition(Way::Both));
            stage.strike(1_000, "server", FaultKind::Repair(Way::Both));
        }
        "lossy" => {
            let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
            let mut typed: Vec<(u64, &str)> = lines.iter().map(|line| (0, line.as_str())).collect();
            typed.push((0, "^D"));
            stage.play.hosts.iter_mut().for_each(|host| host.link.loss = 0.05);
            stage.client(Session::PollThenShutdown, &[], &typed);
        }
        "keepalive-crash" => {
            stage.set("keepalive_time", "2s");
            stage.set("keepalive_intvl", "1s");
            stage.set("keepalive_probes", "3");
            stage.client(Session::Poll, &[SocketOption::KeepAlive(true)], &[(0, "hello")]);
            stage.strike(250, "server", FaultKind::Crash);
        }
        "connect-crash" => {
            stage.set("syn_retries", "1");
            stage.client(Session::InTurn, &[], &[]);
            stage.play.hosts[1].runs[0].start = MS(200);
            stage.strike(100, "server", FaultKind::Crash);
        }
        _ => panic!("no play {name}"),
    }
    stage.play
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
        Kind::Call(Call { call, result, .. }) if *call == name && *event.host == *host => Some(*result),
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
