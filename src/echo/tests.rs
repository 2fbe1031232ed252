//! The programs on two hosts with a wire of 5 ms between them.

mod conversation;
mod endings;
mod lines;
mod processes;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::Command;
use crate::os::sim::{Machine, MachineConfig};
use crate::os::{Pid, Signal};
use crate::packet;
use crate::stack::{self, Profile, System};
use crate::time::SimTime;
use crate::timeline::{Call, Event, Kind, ProcessChange, Recorder, Stream};

const CLIENT: usize = 0;
const SERVER: usize = 1;
const NAMES: [&str; 2] = ["client", "server"];
/// One way.
const LATENCY: Duration = Duration::from_millis(5);
const RTT: Duration = Duration::from_millis(10);

fn addr(host: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, host as u8 + 1])
}

/// Two hosts and a wire.
struct Net {
    now: SimTime,
    /// `None`: it has crashed.
    hosts: [Option<Machine>; 2],
    system: System,
    recorder: Recorder,
    in_flight: BTreeMap<(SimTime, u64), (usize, Bytes)>,
    packets: u64,
}

impl Net {
    fn new(system: System) -> Net {
        let recorder = Recorder::new("world");
        let now = SimTime::ZERO;
        let mut net =
            Net { now, hosts: [None, None], system, recorder, in_flight: BTreeMap::new(), packets: 0 };
        net.boot(CLIENT);
        net.boot(SERVER);
        net
    }

    /// The book's hosts; the server runs, and the client has been typed at.
    fn with_client(command: &str, lines: &[&str]) -> (Net, Pid) {
        let mut net = Net::new(System::Book);
        net.run_program(SERVER, "echo-server");
        let pid = net.run_program(CLIENT, command);
        net.pass(RTT * 2);
        for line in lines {
            net.type_line(pid, line);
            net.pass(RTT * 2);
        }
        (net, pid)
    }

    fn boot(&mut self, host: usize) {
        // A boot is told from the one before by its seed.
        let seed = self.packets * 2 + host as u64;
        let profile = Profile::of(self.system);
        let stack =
            stack::Config { addrs: vec![addr(host)], profile, mtu: 1_500, seed, shares_segment: false };
        self.hosts[host] = Some(Machine::new(MachineConfig::new(NAMES[host], stack), self.recorder.clone()));
    }

    fn crash(&mut self, host: usize) {
        self.hosts[host] = None;
    }

    fn host(&mut self, host: usize) -> &mut Machine {
        self.hosts[host].as_mut().unwrap()
    }

    fn run_program(&mut self, host: usize, line: &str) -> Pid {
        let command = parse(line);
        let now = self.now;
        self.host(host).spawn(now, command.name(), |os| command.run(os))
    }

    fn run_reading(&mut self, host: usize, line: &str, file: &[u8]) -> Pid {
        let command = parse(line);
        let now = self.now;
        self.host(host).spawn_reading(now, command.name(), file, |os| command.run(os))
    }

    fn type_line(&mut self, pid: Pid, line: &str) {
        let now = self.now;
        assert!(self.host(CLIENT).type_line(now, pid, line), "nobody reads {line}");
    }

    fn type_eof(&mut self, pid: Pid) {
        let now = self.now;
        assert!(self.host(CLIENT).type_eof(now, pid));
    }

    fn kill(&mut self, host: usize, pid: Pid, signal: Signal) {
        let now = self.now;
        self.host(host).kill(now, pid, signal).unwrap();
    }

    /// Lets time pass, from one thing that happens to the next.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            for host in self.hosts.iter_mut().flatten() {
                host.run(self.now);
                while let Some(packet) = host.transmit() {
                    self.packets += 1;
                    let (_, to) = packet::addresses(&packet).unwrap();
                    let to = if to == addr(CLIENT) { CLIENT } else { SERVER };
                    self.in_flight.insert((self.now + LATENCY, self.packets), (to, packet));
                }
            }
            let arrival = self.in_flight.first_key_value().map(|((t, _), _)| *t);
            let timers = self.hosts.iter().flatten().filter_map(Machine::next_deadline);
            let Some(next) = timers.chain(arrival).min().filter(|t| *t <= until) else { break };
            self.now = next;
            while let Some(entry) = self.in_flight.first_entry().filter(|entry| entry.key().0 <= next) {
                let (to, packet) = entry.remove();
                if let Some(host) = &mut self.hosts[to] {
                    host.receive(next, packet);
                }
            }
            for host in self.hosts.iter_mut().flatten() {
                host.handle_timeout(next);
            }
        }
        self.now = until;
    }

    fn events(&self) -> Vec<Event> {
        self.recorder.events_from(0)
    }

    /// When `host` printed what.
    fn printed(&self, host: usize, stream: Stream) -> Vec<(SimTime, String)> {
        let lines = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Line(line) if line.stream == stream && *event.host == *NAMES[host] => {
                Some((event.t, line.text))
            }
            _ => None,
        });
        lines.collect()
    }

    fn echoed(&self) -> Vec<String> {
        self.printed(CLIENT, Stream::Stdout).into_iter().map(|(_, line)| line).collect()
    }

    /// The client's last words, and when it said them.
    fn complaint(&self) -> Option<(SimTime, String)> {
        self.printed(CLIENT, Stream::Stderr).pop()
    }

    fn exit_of(&self, host: usize, pid: Pid) -> Option<ProcessChange> {
        self.events().into_iter().find_map(|event| match event.kind {
            Kind::Process(process) if process.pid == pid.as_raw() && *event.host == *NAMES[host] => {
                let over = matches!(process.what, ProcessChange::Exit { .. } | ProcessChange::Killed { .. });
                over.then_some(process.what)
            }
            _ => None,
        })
    }

    fn calls(&self, host: usize, name: &str) -> Vec<(SimTime, Call)> {
        let calls = self.events().into_iter().filter_map(|event| match event.kind {
            Kind::Call(call) if call.name() == name && *event.host == *NAMES[host] => Some((event.t, *call)),
            _ => None,
        });
        calls.collect()
    }

    /// The server's children that live, in the order of their birth.
    fn children(&mut self) -> Vec<Pid> {
        let processes = self.host(SERVER).processes();
        let children = processes.iter().filter(|process| process.ppid != Pid::INIT);
        children.map(|process| process.pid).collect()
    }
}

fn parse(line: &str) -> Command {
    let words: Vec<&str> = line.split_whitespace().collect();
    let resolve = |name: &str| NAMES.iter().position(|host| *host == name).map(addr);
    Command::parse(&words, IpAddr::from([0, 0, 0, 0]), resolve).unwrap()
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
