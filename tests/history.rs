//! A run with its history, asked about any moment, shows what `--netstat` shows at it.
#![cfg(feature = "cli")]

use std::time::Duration;

use echosim::errno::Errno;
use echosim::scenario::{self, BUILT_IN, Moment, Netstat, Outcome, Scenario};
use echosim::sim::History;
use echosim::stack::{SocketInfo, System};
use echosim::time::SimTime;
use echosim::timeline::{Kind, TcpState};

fn with_history(scenario: &Scenario) -> (Outcome, History) {
    scenario.run_with_history().expect("it runs to its end")
}

fn netstat(scenario: &Scenario, t: SimTime) -> Netstat {
    let mut scenario = scenario.clone();
    scenario.netstat = Some(Moment::At(t));
    scenario.run().expect("it runs to its end").netstat.expect("it was asked for")
}

/// In the history's order, which is by both ends.
fn sorted(sockets: Option<&Vec<SocketInfo>>) -> Option<Vec<SocketInfo>> {
    let mut sockets = sockets?.clone();
    sockets.sort_by_key(|socket| (socket.local, socket.remote));
    Some(sockets)
}

/// Moments of which some are an event's and some lie between two of them.
fn moments(end: SimTime) -> impl Iterator<Item = SimTime> {
    let milliseconds =
        [0, 5, 7, 10, 12, 15, 20, 25, 230, 5_000, 5_001, 10_000, 10_100, 11_500, 14_000, 70_000, 300_000];
    milliseconds.into_iter().map(|ms| SimTime::ZERO + Duration::from_millis(ms)).filter(move |t| *t <= end)
}

#[test]
fn a_history_shows_the_sockets_that_netstat_shows() {
    for built_in in BUILT_IN {
        for system in [System::Book, System::Linux] {
            let mut scenario = scenario::load(built_in.name).expect("a scenario of the library");
            scenario.stack = system;
            let (outcome, history) = with_history(&scenario);
            // Of a long timeline every moment costs a long run.
            let every = if outcome.events.len() > 1_000 { 7 } else { 1 };
            for t in moments(outcome.end).step_by(every) {
                let expected = netstat(&scenario, t);
                assert_eq!(expected.t, t);
                let snapshot = history.frame_at(t);
                for (host, (name, sockets)) in history.hosts().iter().zip(&expected.hosts) {
                    let shown = host.sockets(snapshot, t);
                    assert_eq!(shown, sorted(sockets.as_ref()), "{} on {name} at {t}", built_in.name);
                }
            }
        }
    }
}

#[test]
fn keeping_a_history_changes_nothing() {
    let scenario = scenario::load("server-killed").expect("a scenario of the library");
    let (with_history, _) = with_history(&scenario);
    assert_eq!(with_history, scenario.run().expect("it runs to its end"));
}

#[test]
fn an_event_is_shown_with_the_step_it_happened_in() {
    let scenario = scenario::load("normal").expect("a scenario of the library");
    let (outcome, history) = with_history(&scenario);
    let snapshots: Vec<usize> =
        (0..outcome.events.len()).map(|n| history.frame_of(&outcome.events, n)).collect();
    assert!(snapshots.is_sorted());
    for (n, snapshot) in snapshots.iter().map(|snapshot| history.snapshots()[*snapshot]).enumerate() {
        assert!(snapshot.events > n, "event {n} has happened in its snapshot");
        assert_eq!(snapshot.t, outcome.events[n].t, "event {n}");
    }
}

fn is_call(kind: &Kind, name: &str) -> bool {
    matches!(kind, Kind::Call(call) if call.what.name() == name)
}

/// The snapshot of the first event that `is` says is meant.
fn frame_of_first(outcome: &Outcome, history: &History, is: impl Fn(&Kind) -> bool) -> usize {
    let nth = outcome.events.iter().position(|event| is(&event.kind)).expect("it happens");
    history.frame_of(&outcome.events, nth)
}

#[test]
fn a_server_that_has_just_started_does_not_listen_yet() {
    let scenario = scenario::load("normal").expect("a scenario of the library");
    let (outcome, history) = with_history(&scenario);
    let server = &history.hosts()[0];
    let states = |frame| {
        let sockets = server.sockets(frame, SimTime::ZERO).expect("it is on");
        sockets.into_iter().map(|socket| socket.state).collect::<Vec<_>>()
    };
    let started = frame_of_first(&outcome, &history, |kind| matches!(kind, Kind::Process(_)));
    assert!(states(started).is_empty());
    assert_eq!(server.processes(started).count(), 1);
    let bound = frame_of_first(&outcome, &history, |kind| is_call(kind, "bind"));
    assert!(states(bound).is_empty());
    let listens = frame_of_first(&outcome, &history, |kind| is_call(kind, "listen"));
    assert_eq!(states(listens), [TcpState::Listen]);
}

#[test]
fn a_process_is_there_at_the_call_that_tells_it_of_the_end() {
    let scenario = scenario::load("crash").expect("a scenario of the library");
    let (outcome, history) = with_history(&scenario);
    let client = &history.hosts()[1];
    let fails = |kind: &Kind| matches!(kind, Kind::Call(call) if call.result == Err(Errno::ETIMEDOUT));
    let told = frame_of_first(&outcome, &history, fails);
    assert_eq!(client.processes(told).map(|it| it.state.letter()).collect::<Vec<_>>(), ['R']);
    assert_eq!(client.processes(history.frame_at(outcome.end)).count(), 0);
}

#[test]
fn a_host_is_off_with_the_crash_and_not_before() {
    let scenario = scenario::load("crash").expect("a scenario of the library");
    let (outcome, history) = with_history(&scenario);
    let crash = outcome.events.iter().position(|event| matches!(event.kind, Kind::Fault { .. }));
    let crash = crash.expect("it happens");
    let is_on = |nth| history.hosts()[0].power.at(history.frame_of(&outcome.events, nth)).is_some();
    assert!(is_on(crash - 1));
    assert!(!is_on(crash));
}

#[test]
fn processes_come_sleep_and_become_zombies() {
    let scenario = scenario::load("server-killed").expect("a scenario of the library");
    let (_, history) = with_history(&scenario);
    let server = &history.hosts()[0];
    let seen = |ms: u64| {
        let snapshot = history.frame_at(SimTime::ZERO + Duration::from_millis(ms));
        let processes = server.processes(snapshot);
        processes
            .map(|it| (it.pid.as_raw(), it.state.letter(), it.sleeping_on.map(|on| on.call())))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(1_000), [(101, 'S', Some("accept")), (102, 'S', Some("read"))]);
    assert_eq!(seen(6_000), [(101, 'S', Some("accept")), (102, 'Z', None)]);
}
