use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::packet::Flags;
use crate::scenario::{Outcome, Scenario, Waiting};
use crate::time::SimTime;
use crate::timeline::{
    Call, Direction, Event, FaultKind, Kind, Line, Process, ProcessChange, Retransmission, SegmentEvent,
    Stream, SystemCall, TcpState,
};

/// A server, a client, and what is expected of the client.
fn scenario(expect: &str) -> Scenario {
    let head = r#"
        name = "Expect (UNP 5.14)"
        [host.server]
        run = "echo-server"
        [host.client]
        run = "echo-client server"
    "#;
    Scenario::parse("x.toml", &format!("{head}\n{expect}")).unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// Builds an outcome event by event, all of them on one host until another is named.
struct TestRun {
    host: &'static str,
    t: SimTime,
    outcome: Outcome,
}

impl TestRun {
    fn of(host: &'static str) -> TestRun {
        TestRun { host, t: SimTime::ZERO, outcome: Outcome::default() }
    }

    fn on(self, host: &'static str) -> TestRun {
        TestRun { host, ..self }
    }

    fn at(self, secs: f64) -> TestRun {
        TestRun { t: SimTime::ZERO + Duration::from_secs_f64(secs), ..self }
    }

    fn event(mut self, kind: Kind) -> TestRun {
        self.outcome.events.push(Event { t: self.t, host: self.host.into(), kind, packet: None });
        self
    }

    fn process(self, pid: u32, what: ProcessChange) -> TestRun {
        self.event(Kind::Process(Process { pid, process: "echo".into(), what }))
    }

    fn start(self, pid: u32) -> TestRun {
        self.process(pid, ProcessChange::Start)
    }

    fn fork(self, parent: u32, pid: u32) -> TestRun {
        self.process(pid, ProcessChange::Fork { parent })
    }

    fn exit(self, pid: u32, status: i32) -> TestRun {
        self.process(pid, ProcessChange::Exit { status })
    }

    fn says(self, pid: u32, stream: Stream, text: &str) -> TestRun {
        self.event(Kind::Line(Line { pid, process: "echo".into(), stream, text: text.to_owned() }))
    }

    fn prints(self, pid: u32, text: &str) -> TestRun {
        self.says(pid, Stream::Stdout, text)
    }

    /// A `read` made by `readline` at `since` fails now.
    fn fails(self, pid: u32, errno: Errno, since: f64) -> TestRun {
        let since = SimTime::ZERO + Duration::from_secs_f64(since);
        self.event(Kind::Call(Box::new(Call {
            pid,
            process: "echo".into(),
            within: Some("readline"),
            what: SystemCall::Read { fd: 3, data: None, size: 4_096 },
            connection: None,
            result: Err(errno),
            since,
        })))
    }

    fn waits(mut self, pid: u32, call: &'static str, within: Option<&'static str>) -> TestRun {
        self.outcome.waiting.push(Waiting {
            host: self.host.into(),
            pid,
            process: "echo".into(),
            call,
            within,
        });
        self
    }

    fn sends(self, nth: Option<u32>) -> TestRun {
        let segment = segment(nth);
        self.event(Kind::Segment(segment))
    }

    /// The differences, as they are shown.
    fn against(self, scenario: &Scenario) -> Vec<String> {
        check(scenario, &self.outcome).iter().map(ToString::to_string).collect()
    }
}

fn segment(nth: Option<u32>) -> SegmentEvent {
    let end: SocketAddr = "10.0.0.1:9877".parse().unwrap();
    SegmentEvent {
        dir: Direction::Out,
        src: end,
        dst: end,
        flags: Flags::ACK,
        seq: 1,
        ack: Some(1),
        win: 512,
        len: 6,
        retransmission: nth.map(|nth| Box::new(Retransmission { nth, limit: Some(12), next: None })),
        probe: None,
    }
}

const NONE: [&str; 0] = [];

#[test]
fn what_goes_as_expected_makes_no_difference() {
    let scenario = scenario(
        r#"
        [expect.client]
        prints = ["hello"]
        fails = { call = "readline", errno = "ETIMEDOUT", after = "542.5s", at = "552.5s" }
        retransmissions = 1
        segments = "2..3"
        [expect.server]
        exits = 0
        waits = ["accept", "str_echo"]
        "#,
    );
    let tale = TestRun::of("client")
        .start(1)
        .prints(1, "hello")
        .sends(None)
        .sends(Some(1))
        .at(552.5)
        .fails(1, Errno::ETIMEDOUT, 10.0)
        .says(1, Stream::Stderr, "str_cli: readline error: Connection timed out")
        .exit(1, 1)
        .on("server")
        .start(1)
        .fork(1, 2)
        .exit(2, 0)
        .fork(1, 3)
        .waits(1, "accept", None)
        .waits(3, "read", Some("str_echo"));
    assert_eq!(tale.against(&scenario), NONE);
}

#[test]
fn an_empty_expectation_fails_on_anything_seen() {
    let tale = TestRun::of("client")
        .start(1)
        .prints(1, "hello")
        .at(3.0)
        .fails(1, Errno::ECONNRESET, 1.0)
        .says(1, Stream::Stderr, "read error")
        .exit(1, 1)
        .fork(1, 2)
        .process(2, ProcessChange::Killed { signal: "SIGPIPE" });
    let expected = [
        "client prints: expected nothing; got \"hello\"",
        "client stderr: expected nothing; got \"read error\"",
        "client fails: expected no failure; got readline ECONNRESET after 2s at 3s",
        "client exits: expected 0; got 1",
        "client killed: expected none; got SIGPIPE",
    ];
    assert_eq!(tale.against(&scenario("")), expected);
}

#[test]
fn a_full_expectation_fails_on_anything_missing() {
    let scenario = scenario(
        r#"
        [expect.client]
        prints = ["hello", "world"]
        stderr = ["prematurely"]
        fails = [{ call = "connect", errno = "EINTR" }, { call = "read", errno = "EPIPE", at = "1s" }]
        exits = 1
        killed = "SIGKILL"
        waits = "fgets"
        segments = 3
        retransmissions = "1000..1100"
        "#,
    );
    let expected = [
        "client prints: expected \"hello\", \"world\"; got nothing",
        "client stderr: expected \"prematurely\"; got nothing",
        "client fails: expected connect EINTR; got no failure",
        "client fails: expected read EPIPE at 1s; got no failure",
        "client exits: expected 1; got none",
        "client killed: expected SIGKILL; got none",
        "client waits: expected fgets; got none",
        "client segments: expected 3; got 0",
        "client retransmissions: expected 1000 to 1100; got 0",
    ];
    assert_eq!(TestRun::of("client").start(1).against(&scenario), expected);
}

#[test]
fn a_failure_is_held_to_its_call_its_errno_and_its_time() {
    let expected = |what: &str| scenario(&format!("[expect.client]\nfails = {{ {what} }}"));
    let seen = || TestRun::of("client").start(1).at(20.01).fails(1, Errno::ECONNRESET, 20.0);
    for good in [
        r#"call = "readline", errno = "ECONNRESET""#,
        r#"call = "read", errno = "ECONNRESET", after = "10ms""#,
        r#"call = "read", errno = "ECONNRESET", at = "20s ± 1%""#,
    ] {
        assert_eq!(seen().against(&expected(good)), NONE, "{good}");
    }
    for bad in [
        r#"call = "writen", errno = "ECONNRESET""#,
        r#"call = "readline", errno = "ETIMEDOUT""#,
        r#"call = "readline", errno = "ECONNRESET", after = "12ms""#,
        r#"call = "readline", errno = "ECONNRESET", at = "20s""#,
    ] {
        assert_eq!(seen().against(&expected(bad)).len(), 1, "{bad}");
    }
}

#[test]
fn not_yet_and_no_child_left_are_no_failures() {
    let tale = TestRun::of("client").start(1);
    let tale = [Errno::EAGAIN, Errno::EINPROGRESS, Errno::EALREADY, Errno::ECHILD]
        .into_iter()
        .fold(tale, |tale, errno| tale.fails(1, errno, 0.0));
    assert_eq!(tale.against(&scenario("")), NONE);
}

#[test]
fn of_long_texts_the_first_line_that_differs_is_shown() {
    let scenario = scenario("[expect.client]\nprints = { lines = 7 }");
    let tale = |lines: &[u64]| {
        let start = TestRun::of("client").start(1);
        lines.iter().fold(start, |tale, n| tale.prints(1, &format!("line {n}")))
    };
    assert_eq!(tale(&[1, 2, 3, 4, 5, 6, 7]).against(&scenario), NONE);
    assert_eq!(
        tale(&[1, 2, 4, 5, 6, 7]).against(&scenario),
        ["client prints, line 3: expected \"line 3\"; got \"line 4\""]
    );
    assert_eq!(
        tale(&[1, 2, 3, 4, 5, 6]).against(&scenario),
        ["client prints, line 7: expected \"line 7\"; got no more lines"]
    );
    assert_eq!(
        tale(&[1, 2, 3, 4, 5, 6, 7, 8]).against(&scenario),
        ["client prints, line 8: expected no more lines; got \"line 8\""]
    );
}

#[test]
fn each_of_a_crowd_has_to_see_it() {
    let scenario = Scenario::parse(
        "x.toml",
        r#"
        name = "Crowd (UNP 4.8)"
        [host.client]
        run = "echo-client client"
        count = 3
        [expect.client]
        prints = ["hello"]
        [expect.client.process.2]
        prints = ["world"]
        "#,
    )
    .unwrap();
    let crowd = || TestRun::of("client").start(10).start(11).start(12);
    assert_eq!(crowd().prints(12, "hello").prints(10, "hello").prints(11, "world").against(&scenario), NONE);
    assert_eq!(
        crowd().prints(10, "hello").prints(11, "hello").prints(11, "hello").against(&scenario),
        [
            "client process 2 prints: expected \"world\"; got \"hello\", \"hello\"",
            "client process 3 prints: expected \"hello\"; got nothing",
        ]
    );
}

#[test]
fn after_a_boot_the_same_process_goes_on_under_any_pid() {
    let scenario = scenario("[expect.server]\nprints = [\"up\", \"up\"]");
    let boot = Kind::Fault { fault: FaultKind::Boot, target: "server".to_owned() };
    let tale = TestRun::of("server").start(5).prints(5, "up").on("router").event(boot).on("server");
    assert_eq!(tale.start(9).prints(9, "up").against(&scenario), NONE);
}

#[test]
fn waiting_is_known_by_the_call_and_by_the_function_around_it() {
    let seen = || {
        let tale = TestRun::of("client").start(1).fork(1, 2);
        tale.waits(1, "read", Some("readline")).waits(2, "read", None)
    };
    let expected = |waits: &str| scenario(&format!("[expect.client]\nwaits = {waits}"));
    for good in [r#"["read", "readline"]"#, r#"["readline", "read"]"#, r#"["read", "read"]"#] {
        assert_eq!(seen().against(&expected(good)), NONE, "{good}");
    }
    assert_eq!(
        seen().against(&expected(r#"["readline", "accept"]"#)),
        ["client waits: expected accept, readline; got read, readline"]
    );
    assert_eq!(seen().against(&expected("[]")), ["client waits: expected none; got read, readline"]);
    assert_eq!(seen().against(&scenario("")), NONE, "without a word it is not looked at");
}

#[test]
fn a_complaint_that_is_expected_excuses_the_status_and_nothing_else() {
    let scenario = scenario("[expect.client]\nstderr = [\"prematurely\"]");
    let tale = |status| TestRun::of("client").start(1).says(1, Stream::Stderr, "prematurely").exit(1, status);
    assert_eq!(tale(1).against(&scenario), NONE);
    assert_eq!(tale(0).prints(1, "x").against(&scenario), ["client prints: expected nothing; got \"x\""]);
}

const A_FAULT: &str = r#"
    [[fault]]
    at = "1s"
    do = "crash"
    host = "server"
"#;

#[test]
fn a_fault_that_met_nothing_is_a_difference_unless_it_may_miss() {
    let missed = |rest: &str| {
        let mut tale = TestRun::of("client");
        tale.outcome.missed = vec![0];
        tale.against(&scenario(&format!("{A_FAULT}{rest}")))
    };
    assert_eq!(
        missed(""),
        ["x.toml:9: crash server: expected a packet, a call or a process to strike; got none"]
    );
    assert_eq!(missed("may_miss = true"), NONE);
}

#[test]
fn a_drop_rule_that_met_too_few_packets_is_a_difference() {
    let scenario = scenario("[link.client]\ndrop = { nth = 2, count = 2 }");
    let taken = |taken: u64| {
        let mut tale = TestRun::of("router");
        tale.outcome.taken = vec![taken];
        tale.against(&scenario)
    };
    assert_eq!(taken(2), NONE);
    assert_eq!(taken(1), ["x.toml:9: packets taken by the rule: expected 2; got 1"]);
}

#[test]
fn a_rule_for_any_number_of_packets_has_to_take_one() {
    let of = |rest: &str, taken: u64| {
        let mut tale = TestRun::of("router");
        tale.outcome.taken = vec![taken];
        tale.against(&scenario(&format!("[[rule]]\ndo = \"drop\"\n{rest}")))
    };
    assert_eq!(of("", 7), NONE);
    assert_eq!(of("", 0), ["x.toml:8: packets taken by the rule: expected 1 or more; got 0"]);
    assert_eq!(of("may_miss = true", 0), NONE);
}

#[test]
fn an_expectation_of_another_stack_holds_when_the_scenario_runs_under_it() {
    let mut scenario = scenario("[expect.client]\nexits = 0\n[expect.client.linux]\nexits = 1");
    let tale = || TestRun::of("client").start(1).exit(1, 1);
    assert_eq!(tale().against(&scenario), ["client exits: expected 0; got 1"]);
    scenario.stack = System::Linux;
    assert_eq!(tale().against(&scenario), NONE);
}

#[test]
fn the_first_so_many_generated_lines_may_end_in_the_middle_of_one() {
    let scenario = scenario("[expect.client]\nprints = { lines = \"2..3\" }");
    let tale = |lines: &[&str]| {
        let start = TestRun::of("client").start(1);
        lines.iter().fold(start, |tale, line| tale.prints(1, line)).against(&scenario)
    };
    assert_eq!(tale(&["line 1", "line 2"]), NONE);
    assert_eq!(tale(&["line 1", "line 2", "li"]), NONE);
    assert_eq!(tale(&["line 1"]), ["client prints: expected the first 2 to 3 lines; got 1"]);
    assert_eq!(tale(&["line 1", "line 2", "x"]), ["client prints, line 3: expected \"line 3\"; got \"x\""]);
    assert_eq!(
        tale(&["line 1", "lin", "line 2"]),
        ["client prints, line 2: expected \"line 2\"; got \"lin\""]
    );
}

#[test]
fn a_star_in_a_line_stands_for_anything() {
    let scenario = scenario("[expect.client]\nprints = [\"port *, then *.\"]");
    let tale = |line| TestRun::of("client").start(1).prints(1, line).against(&scenario);
    assert_eq!(tale("port 51279, then é."), NONE);
    assert_eq!(tale("port , then ."), NONE);
    assert_eq!(
        tale("port 1, then 2"),
        ["client prints: expected \"port *, then *.\"; got \"port 1, then 2\""]
    );
}

#[test]
fn zombies_and_states_are_counted() {
    let scenario =
        scenario("[expect.client]\nzombies = 1\nexits = [0, 0]\nstates = [\"SYN_SENT\", \"CLOSED\"]");
    let change = |from, to| {
        let addr: SocketAddr = "10.0.0.1:1".parse().unwrap();
        Kind::State { local: addr, remote: addr, from, to }
    };
    let ended = |pid| [(pid, ProcessChange::Exit { status: 0 }), (pid, ProcessChange::Zombie)];
    let tale = TestRun::of("client").start(1).fork(1, 2).fork(1, 3);
    let tale =
        [ended(2), ended(3)].into_iter().flatten().fold(tale, |tale, (pid, what)| tale.process(pid, what));
    let tale = tale.event(change(TcpState::Closed, TcpState::SynSent));
    let tale = tale.event(change(TcpState::SynSent, TcpState::Closed));
    let reaped = TestRun { outcome: tale.outcome.clone(), ..tale }.process(2, ProcessChange::Reaped);
    assert_eq!(reaped.against(&scenario), NONE);
    let left = TestRun::of("client").start(1).against(&scenario);
    assert_eq!(
        left,
        [
            "client exits: expected 0, 0; got none",
            "client zombies: expected 1; got 0",
            "client states: expected SYN_SENT CLOSED; got "
        ]
    );
}

#[test]
fn a_setting_replaces_what_a_system_says_and_both_together_come_last() {
    let mut scenario = scenario(
        r#"
        [expect.client]
        exits = 0
        [expect.client.linux]
        exits = 1
        [expect.client.linux.with."ip=6"]
        exits = 3
        [expect.client.with."ip=6"]
        exits = 2
        "#,
    );
    let exits = |scenario: &Scenario| scenario.hosts[1].expect.of(0, scenario).exits;
    assert_eq!(exits(&scenario), Some(vec![0]));
    scenario.set("ip", "6").unwrap();
    assert_eq!(exits(&scenario), Some(vec![2]));
    scenario.stack = System::Linux;
    assert_eq!(exits(&scenario), Some(vec![3]));
    scenario.set("ip", "4").unwrap();
    assert_eq!(exits(&scenario), Some(vec![1]));
}
