//! What a good file means.

use std::time::Duration;

use super::{parse, scenario};
use crate::os::{Abi, ByteOrder};
use crate::packet::{Flags, Unreachable};
use crate::router::{Action, LinkConfig, Place, Refusal, RuleConfig};
use crate::scenario::{Count, Happening, Input, IpVersion, Trigger, Typed, Watch, generated_line};
use crate::scenario::{Prints, Scenario};
use crate::stack::System;
use crate::time::SimTime;
use crate::timeline::{FaultKind, Victim, Way};

fn at(secs: u64) -> SimTime {
    SimTime::ZERO + Duration::from_secs(secs)
}

#[test]
fn a_short_file_has_defaults_for_the_rest() {
    let scenario = scenario("");
    assert_eq!((scenario.name.as_str(), scenario.sentence.as_str()), ("x", "A test (UNP 5.6)"));
    assert_eq!((scenario.stack, scenario.seed, scenario.ip), (System::Book, 1, IpVersion::V4));
    assert_eq!(scenario.until, at(24 * 3600));
    let names: Vec<&str> = scenario.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["server", "client"], "hosts stand in the file's order");
    let client = &scenario.hosts[1];
    assert_eq!((client.count, client.addrs, client.start), (1, 1, Duration::ZERO));
    assert_eq!(client.program.as_ref().unwrap().words, ["echo-client", "server"]);
    assert_eq!(client.link, LinkConfig::default());
    assert!(scenario.faults.is_empty() && client.typed.is_empty());
}

#[test]
fn every_key_of_the_top_and_of_a_host_is_read() {
    let text = r#"
        name = "All keys (UNP 5.1)"
        stack = "linux"
        seed = 7
        ip = 6
        until = "2h"
        may_miss = true
        [host.a]
        run = "echo-client a"
        stack = "bsd"
        start = "1s"
        count = 3
        every = "10ms"
        addrs = 2
    "#;
    let scenario = parse("all.toml", text).unwrap();
    assert_eq!((scenario.stack, scenario.seed, scenario.ip), (System::Linux, 7, IpVersion::V6));
    assert_eq!((scenario.until, scenario.may_miss), (at(7200), true));
    let host = &scenario.hosts[0];
    assert_eq!((host.count, host.addrs, host.stack), (3, 2, Some(System::Bsd)));
    assert_eq!((host.start, host.every), (Duration::from_secs(1), Duration::from_millis(10)));
    assert_eq!(scenario.system(host), System::Bsd);
}

#[test]
fn what_is_typed_keeps_the_time_before_unless_it_says_its_own() {
    let scenario = scenario(r#"type = [{ line = "a" }, { at = "2s", lines = 2 }, { eof = true }]"#);
    let line = |secs, text: &str| Typed { at: at(secs), what: Input::Line(text.to_owned()) };
    let typed = [
        line(0, "a"),
        line(2, &generated_line(1)),
        line(2, &generated_line(2)),
        Typed { at: at(2), what: Input::Eof },
    ];
    assert_eq!(scenario.hosts[1].typed, typed);
}

#[test]
fn every_key_of_a_link_is_read() {
    let scenario = scenario(
        r#"
        [link.server]
        latency = "20ms"
        jitter = "1ms"
        bandwidth = "10Mbit/s"
        loss = "5%"
        duplicate = 0.01
        reorder = 1
        corrupt = "0.5%"
        mtu = 576
        queue = 10
        drop = [{ from = "client", flags = "P.", nth = 2 }, { flags = "S.", count = 3 }]
        "#,
    );
    let rule = |from: &str, to: Option<&str>, flags, nth, count| RuleConfig {
        place: Place::Sender,
        from: Some(from.to_owned()),
        to: to.map(str::to_owned),
        flags: Flags::from_letters(flags),
        nth,
        count,
        ..RuleConfig::default()
    };
    let link = LinkConfig {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(1),
        bandwidth: Some(10_000_000),
        loss: 0.05,
        duplicate: 0.01,
        reorder: 1.0,
        corrupt: 0.005,
        mtu: 576,
        queue: 10,
        tells_too_big: true,
    };
    let rules = vec![rule("client", Some("server"), "P.", 2, 1), rule("server", None, "S.", 1, 3)];
    assert_eq!(scenario.hosts[0].link, link);
    assert_eq!(configs(&scenario), rules);
    assert_eq!(scenario.hosts[1].link, LinkConfig::default());
}

#[test]
fn faults_strike_at_a_time_or_upon_an_event() {
    let scenario = scenario(
        r#"
[[fault]]
at = "10s"
do = "partition"
host = "server"
way = "from"
[[fault]]
when = "client writes 'world'"
do = "kill"
host = "server"
process = "child"
signal = "SIGKILL"
may_miss = true
[[fault]]
after = "3rd retransmission"
delay = "1s"
do = "unreachable"
host = "server"
code = "net"
"#,
    );
    let actions: Vec<FaultKind> = scenario.faults.iter().map(|fault| fault.kind).collect();
    let kill = FaultKind::Kill { process: Victim::Child, signal: "SIGKILL" };
    assert_eq!(
        actions,
        [FaultKind::Partition(Way::FromHost), kill, FaultKind::Unreachable(Unreachable::Net)]
    );
    assert_eq!(scenario.faults[0].trigger, Trigger::At(at(10)));
    let what = Happening::Writes(Some("world".to_owned()));
    assert_eq!(
        scenario.faults[1].trigger,
        Trigger::On(Watch { host: Some("client".to_owned()), what, left: 1 })
    );
    let retransmits = Watch { host: None, what: Happening::Retransmits, left: 3 };
    assert_eq!(scenario.faults[2].trigger, Trigger::On(retransmits));
    assert_eq!(scenario.faults[2].delay, Duration::from_secs(1));
    assert_eq!(scenario.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [7, 12, 19]);
    assert_eq!(scenario.faults.iter().map(|fault| fault.may_miss).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn an_expectation_is_replaced_key_by_key_under_another_stack_and_for_another_process() {
    let scenario = parse(
        "x.toml",
        r#"
        name = "Expect (UNP 5.14)"
        [host.client]
        run = "echo-client client"
        count = 2
        [expect.client]
        prints = ["hello"]
        exits = 0
        retransmissions = 12
        [expect.client.linux]
        retransmissions = "1000..1100"
        [expect.client.process.2]
        prints = { lines = 2 }
        [expect.client.process.2.linux]
        exits = [1]
        "#,
    )
    .unwrap();
    let expect = &scenario.hosts[0].expect;
    let hello = Some(Prints::Exactly(vec!["hello".to_owned()]));
    let generated = Some(Prints::Exactly(vec!["line 1".to_owned(), "line 2".to_owned()]));
    let under = |stack| Scenario { stack, ..scenario.clone() };

    let first = expect.of(0, &under(System::Bsd));
    assert_eq!((first.prints, first.exits), (hello.clone(), Some(vec![0])));
    assert_eq!(first.retransmissions, Some(Count::exactly(12)));
    let first = expect.of(0, &under(System::Linux));
    assert_eq!((first.prints, first.retransmissions), (hello, Some(Count { low: 1000, high: 1100 })));
    let second = expect.of(1, &under(System::Book));
    assert_eq!((second.prints, second.exits), (generated.clone(), Some(vec![0])));
    let second = expect.of(1, &under(System::Linux));
    assert_eq!((second.prints, second.exits), (generated, Some(vec![1])));
}

#[test]
fn a_host_says_what_it_runs_out_of_and_how_it_is_made() {
    let scenario = parse(
        "x.toml",
        r#"
        name = "Hosts (UNP 5.18)"
        [set]
        how = "waitpid"
        [host.a]
        run = "echo-server --reap=$how"
        byte_order = "big"
        long = 4
        grace = "5s"
        limits = { descriptors = 6, processes = 20 }
        stdin = { lines = 2 }
        mtu = 1400
        [host.b]
        "#,
    )
    .unwrap();
    let [a, b] = &scenario.hosts[..] else { panic!("two hosts") };
    assert_eq!(a.abi, Abi { byte_order: ByteOrder::Big, long: 4 });
    assert_eq!((a.grace, a.mtu), (Duration::from_secs(5), Some(1400)));
    assert_eq!((a.limits.descriptors, a.limits.processes), (6, 20));
    assert_eq!(a.file().as_deref(), Some(&b"line 1\nline 2\n"[..]));
    assert_eq!((b.abi, b.grace, b.mtu, b.file()), (Abi::TODAY, Duration::from_secs(10), None, None));
    assert_eq!(scenario.setting("how"), Some("waitpid"));
    let mut changed = scenario.clone();
    changed.set("how", "none").unwrap();
    assert_eq!(changed.setting("how"), Some("none"));
    assert!(changed.set("how", "never").unwrap_err().to_string().contains("expected none, wait or waitpid"));
}

#[test]
fn a_rule_takes_all_that_match_or_the_one_that_nth_names() {
    let scenario = scenario(
        r#"
        [[rule]]
        do = "reject"
        answer = "rst"
        to = "server"
        flags = "S"
        port = 9877
        since = "10s"
        until = "20s"
        [[rule]]
        do = "delay"
        by = "300ms"
        from = "client"
        longer = 500
        shorter = 1_500
        connection = 2
        idle = "1min"
        probability = "20%"
        nth = 3
        "#,
    );
    let reject = RuleConfig {
        action: Action::Reject(Refusal::Reset),
        to: Some("server".to_owned()),
        flags: Flags::from_letters("S"),
        port: Some(9877),
        since: SimTime::ZERO + Duration::from_secs(10),
        until: Some(SimTime::ZERO + Duration::from_secs(20)),
        ..RuleConfig::default()
    };
    let delay = RuleConfig {
        action: Action::Delay(Duration::from_millis(300)),
        from: Some("client".to_owned()),
        longer: Some(500),
        shorter: Some(1_500),
        connection: Some(2),
        idle: Some(Duration::from_secs(60)),
        probability: 0.2,
        nth: 3,
        count: 1,
        ..RuleConfig::default()
    };
    assert_eq!(configs(&scenario), [reject, delay]);
}

/// What every rule of a scenario is.
fn configs(scenario: &Scenario) -> Vec<RuleConfig<String>> {
    scenario.rules.iter().map(|rule| rule.config.clone()).collect()
}
