//! What holds of every run, whatever went wrong in it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use echosim::report::{self, History, Palette, RunInfo, Terminal, Waiting};
use echosim::scenario::{Outcome, Scenario};
use echosim::time::SimTime;
use echosim::timeline::{
    Direction, Event, FaultKind, Flags, Kind, ProcessChange, Stream, SystemCall, TcpState,
};
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv6Packet, TcpOption, TcpPacket};

/// Longer than any profile here goes on with what is not acknowledged: Linux's 924.6 s, and a timeout of 120 s.
const BOUND: Duration = Duration::from_secs(1_100);

/// Runs the scenario, and says what does not hold.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let scenario = Scenario::parse("swarm.toml", text).map_err(|mistake| mistake.to_string())?;
    let (outcome, history) = scenario.run_with_history().map_err(|error| error.to_string())?;
    programs_are_started_as_often_as_the_scenario_says(&scenario, &outcome, &history)?;
    processes_alive_are_those_started_and_not_ended(&outcome, &history)?;
    // A push server's lines were never typed, and a client in poll that connects anew has lost some.
    if !["push-server", "--reconnect"].iter().any(|other| text.contains(other)) {
        lines_printed_are_a_prefix_of_lines_typed(&outcome.events)?;
    }
    octets_read_were_written(&outcome.events)?;
    what_is_in_flight_has_a_timer(&history)?;
    what_is_not_acknowledged_ends(&history, &outcome)?;
    windows_never_shrink(&outcome.events)?;
    reports_are_written(&outcome)?;
    the_same_seed_is_the_same_run(&scenario, &outcome)?;
    a_run_cut_short_is_a_prefix(text, &outcome)
}

/// After each boot a host's program is started `count` times at most.
fn programs_are_started_as_often_as_the_scenario_says(
    scenario: &Scenario,
    outcome: &Outcome,
    history: &History,
) -> Result<(), String> {
    for (host, of) in history.hosts().iter().zip(&scenario.hosts) {
        let power: Vec<SimTime> = host
            .power
            .changes()
            .filter(|(_, power)| power.is_none())
            .map(|(snapshot, _)| history.snapshots()[snapshot].t)
            .collect();
        let mut starts = vec![0; power.len() + 1];
        for event in outcome.events.iter().filter(|event| event.host == host.name) {
            if let Kind::Process(process) = &event.kind
                && process.what == ProcessChange::Start
            {
                // At the moment of a crash nothing starts any more.
                starts[power.partition_point(|off| *off <= event.t)] += 1;
            }
        }
        if let Some(most) = starts.iter().max().filter(|most| **most > of.count) {
            return Err(format!(
                "{}: {most} programs since a boot, {} are to be started",
                host.name, of.count
            ));
        }
    }
    Ok(())
}

/// Processes that the timeline saw begin and not end, on hosts that stayed on, are the ones there are.
fn processes_alive_are_those_started_and_not_ended(
    outcome: &Outcome,
    history: &History,
) -> Result<(), String> {
    let Some(last) = history.snapshots().len().checked_sub(1) else { return Ok(()) };
    for host in history.hosts().iter().filter(|host| host.power.at(last).is_some()) {
        let off = host.power.changes().filter(|(_, power)| power.is_none()).last();
        let since = off.map(|(snapshot, _)| history.snapshots()[snapshot].t);
        let events = outcome.events.iter().filter(|event| event.host == host.name);
        let mut alive: i64 = 0;
        for event in events.filter(|event| since.is_none_or(|since| event.t > since)) {
            if let Kind::Process(process) = &event.kind {
                alive += match process.what {
                    ProcessChange::Start | ProcessChange::Fork { .. } => 1,
                    ProcessChange::Exit { .. } | ProcessChange::Killed { .. } => -1,
                    _ => 0,
                };
            }
        }
        let there = outcome.waiting.iter().filter(|process| process.host == host.name).count() as i64;
        if alive != there {
            return Err(format!("{}: {there} processes, but {alive} started and not ended", host.name));
        }
    }
    Ok(())
}

/// Of each client; a line that was cut short is one of them.
fn lines_printed_are_a_prefix_of_lines_typed(events: &[Event]) -> Result<(), String> {
    let mut typed: BTreeMap<(&str, u32), (Vec<&str>, usize)> = BTreeMap::new();
    for event in events {
        let Kind::Line(line) = &event.kind else { continue };
        let (lines, printed) = typed.entry((&event.host, line.pid)).or_default();
        match line.stream {
            Stream::Stdin => lines.push(&line.text),
            Stream::Stdout if !line.process.contains("client") => {}
            Stream::Stdout => {
                if !lines.get(*printed).is_some_and(|typed| typed.starts_with(&line.text)) {
                    return Err(format!("{} prints {:?}, typed was {lines:?}", line.pid, line.text));
                }
                *printed += 1;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Neither end of a connection reads more than the other has written.
fn octets_read_were_written(events: &[Event]) -> Result<(), String> {
    let mut written: BTreeMap<(SocketAddr, SocketAddr), i64> = BTreeMap::new();
    let mut read = written.clone();
    for event in events {
        let Kind::Call(call) = &event.kind else { continue };
        let (Some(id), Ok(octets)) = (call.connection, call.result) else { continue };
        match call.what {
            SystemCall::Write { .. } => *written.entry((id.local, id.remote)).or_default() += octets,
            SystemCall::Read { .. } => *read.entry((id.remote, id.local)).or_default() += octets,
            _ => {}
        }
    }
    // A write that a crash cut off has not returned: what it had given to TCP may have arrived.
    let returned = |ends: &(SocketAddr, SocketAddr)| written.get(ends).copied();
    match read.iter().find(|(ends, octets)| returned(ends).is_some_and(|written| written < **octets)) {
        Some((ends, octets)) => {
            Err(format!("{octets} octets read of {:?} written: {ends:?}", returned(ends)))
        }
        None => Ok(()),
    }
}

fn awaits_acknowledgment(state: TcpState, send_q: usize) -> bool {
    match state {
        TcpState::SynSent | TcpState::SynReceived => true,
        TcpState::FinWait1 | TcpState::Closing | TcpState::LastAck => true,
        TcpState::Established | TcpState::CloseWait => send_q > 0,
        _ => false,
    }
}

/// Something will send what is not acknowledged again, or ask whether the window has opened.
fn what_is_in_flight_has_a_timer(history: &History) -> Result<(), String> {
    let moments = history.snapshots();
    for host in history.hosts() {
        for ((local, remote), track) in &host.sockets {
            let Some(remote) = remote else { continue };
            let mut changes = track.changes().peekable();
            while let Some((snapshot, record)) = changes.next() {
                let Some(record) = record else { continue };
                // Within a moment the stack may not be done yet.
                let lasts = changes.peek().is_none_or(|(next, _)| moments[*next].t > moments[snapshot].t);
                if lasts
                    && awaits_acknowledgment(record.info.state, record.info.send_q)
                    && record.timer.is_none()
                {
                    let (t, state) = (moments[snapshot].t, record.info.state);
                    return Err(format!(
                        "at {t} s {} {local} > {remote} is in {state} with {} octets to send and no timer",
                        host.name, record.info.send_q
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Retransmissions without an answer come to an end.
fn what_is_not_acknowledged_ends(history: &History, outcome: &Outcome) -> Result<(), String> {
    let (moments, end) = (history.snapshots(), outcome.end);
    // The timers of a host that is paused stand still.
    let is_paused = |host: &str| {
        let pauses = |event: &Event| match &event.kind {
            Kind::Fault { fault: FaultKind::Pause, target } => **target == *host,
            _ => false,
        };
        outcome.events.iter().any(pauses)
    };
    for host in history.hosts().iter().filter(|host| !is_paused(&host.name)) {
        for (ends, track) in &host.sockets {
            let mut since = None;
            let changes = track.changes().map(|(snapshot, record)| (moments[snapshot].t, record));
            for (t, record) in changes.chain([(end, None)]) {
                if let Some(since) = since
                    && t.since(since) > BOUND
                {
                    return Err(format!("{}: {ends:?} retransmits from {since} s to {t} s", host.name));
                }
                let goes_on = record.is_some_and(|record| record.info.retransmits > 0);
                since = if goes_on { since.or(Some(t)) } else { None };
            }
        }
    }
    Ok(())
}

/// The right edge of a window never moves to the left (RFC 9293, 3.8.6), but for what scaling rounds off.
fn windows_never_shrink(events: &[Event]) -> Result<(), String> {
    let mut scales: BTreeMap<(SocketAddr, SocketAddr), Option<u8>> = BTreeMap::new();
    let mut edges: BTreeMap<(SocketAddr, SocketAddr), u64> = BTreeMap::new();
    for event in events {
        let Kind::Segment(segment) = &event.kind else { continue };
        if segment.dir != Direction::Out || segment.flags.has(Flags::RST) {
            continue;
        }
        let ends = (segment.src, segment.dst);
        if segment.flags.has(Flags::SYN) {
            scales.insert(ends, event.packet.as_deref().and_then(window_scale));
            edges.remove(&ends);
            continue;
        }
        let Some(ack) = segment.ack else { continue };
        let scaled = |ends| scales.get(&ends).copied().flatten();
        let scale = match (scaled(ends), scaled((ends.1, ends.0))) {
            (Some(scale), Some(_)) => scale,
            _ => 0,
        };
        let edge = u64::from(ack) + (u64::from(segment.win) << scale);
        let before = edges.insert(ends, edge).unwrap_or(0);
        if edge + (1 << scale) <= before {
            let t = event.t;
            return Err(format!("at {t} s {} > {}: window shrinks from {before} to {edge}", ends.0, ends.1));
        }
    }
    Ok(())
}

fn window_scale(packet: &[u8]) -> Option<u8> {
    let tcp = match packet.first()? >> 4 {
        4 => Ipv4Packet::new_checked(packet).ok().filter(|ip| ip.next_header() == IpProtocol::Tcp)?.payload(),
        _ => Ipv6Packet::new_checked(packet).ok().filter(|ip| ip.next_header() == IpProtocol::Tcp)?.payload(),
    };
    let mut options = TcpPacket::new_checked(tcp).ok()?.options();
    while !options.is_empty() {
        match TcpOption::parse(options).ok()? {
            (_, TcpOption::WindowScale(scale)) => return Some(scale),
            (rest, _) => options = rest,
        }
    }
    None
}

/// None panics, none goes on for ever.
fn reports_are_written(outcome: &Outcome) -> Result<(), String> {
    let waiting: Vec<Waiting<'_>> = outcome
        .waiting
        .iter()
        .map(|it| Waiting { host: &it.host, pid: it.pid, process: &it.process, on: it.on() })
        .collect();
    let (run, events, mut out) = (RunInfo::default(), &outcome.events, Vec::new());
    report::summary(&mut out, events, &waiting, outcome.end)
        .and_then(|()| report::text(&mut out, &run, events, &Palette::PLAIN))
        .and_then(|()| report::ladder(&mut out, &run, events, &Terminal::default()))
        .and_then(|()| report::json(&mut out, &run, events))
        .map_err(|error| error.to_string())
}

fn the_same_seed_is_the_same_run(scenario: &Scenario, outcome: &Outcome) -> Result<(), String> {
    let again = scenario.run().map_err(|error| error.to_string())?;
    differ(&outcome.events, &again.events, "the second run of a seed")
}

fn a_run_cut_short_is_a_prefix(text: &str, outcome: &Outcome) -> Result<(), String> {
    // Somewhere in the middle of what happens, and at a moment of its own.
    let Some(middle) = outcome.events.get(outcome.events.len() / 2) else { return Ok(()) };
    let until = (middle.t - SimTime::ZERO).as_millis();
    let text = text.replacen("until = \"3h\"", &format!("until = \"{until}ms\""), 1);
    let scenario = Scenario::parse("swarm.toml", &text).map_err(|mistake| mistake.to_string())?;
    let cut = scenario.run().map_err(|error| error.to_string())?;
    let end = SimTime::ZERO + Duration::from_millis(until as u64);
    let before = outcome.events.partition_point(|event| event.t <= end);
    differ(&outcome.events[..before], &cut.events, "the run cut short")
}

fn differ(one: &[Event], other: &[Event], what: &str) -> Result<(), String> {
    match one.iter().zip(other).find(|(one, other)| one != other) {
        Some((one, other)) => Err(format!("{what}: {one:?} is {other:?}")),
        None if one.len() == other.len() => Ok(()),
        None => Err(format!("{what} has {} events, not {}", other.len(), one.len())),
    }
}
