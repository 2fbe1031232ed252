//! `echosim explain`: the story, its causes, and what other runs would have seen.
#![cfg(feature = "cli")]

use std::time::Duration;

use echosim::errno::Errno;
use echosim::report::explain::{Chain, causes, story};
use echosim::report::{Notice, Remedy, RunInfo, Waiting, explain, summary};
use echosim::scenario::{self, Outcome, Scenario};
use echosim::stack::System;

fn load(name: &str, system: System) -> Scenario {
    let mut scenario = scenario::load(name).expect("a scenario of the library");
    scenario.stack = system;
    scenario
}

fn run(scenario: &Scenario) -> Outcome {
    scenario.run().expect("it runs to its end")
}

fn waiting(outcome: &Outcome) -> Vec<Waiting<'_>> {
    let waiting = outcome.waiting.iter();
    waiting.map(|it| Waiting { host: &it.host, pid: it.pid, process: &it.process, on: it.on() }).collect()
}

fn why(name: &str, system: System) -> Vec<Chain> {
    let outcome = run(&load(name, system));
    causes(&outcome.events, &waiting(&outcome), outcome.end)
}

/// The chains in a line each.
fn said(name: &str, system: System) -> Vec<String> {
    let joined =
        |chain: &Chain| chain.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(", because ");
    why(name, system).iter().map(joined).collect()
}

fn notices(name: &str, system: System) -> Vec<(String, Notice)> {
    let runs = scenario::remedies(&load(name, system)).into_iter();
    runs.filter_map(|(what, scenario)| Some((what, Notice::of(&run(&scenario).events)?))).collect()
}

fn page(name: &str, system: System) -> String {
    let scenario = load(name, system);
    let outcome = run(&scenario);
    let info = RunInfo::from(&scenario);
    let notices = notices(name, system);
    let remedies: Vec<Remedy<'_>> = notices.iter().map(|(what, notice)| Remedy::new(what, *notice)).collect();
    let mut out = Vec::new();
    explain(&mut out, &info, &outcome.events, (&waiting(&outcome), outcome.end), &remedies)
        .expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

fn snapshot(name: &str, system: System) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let title = format!("{name}-{}-explain", system.name());
    settings.bind(|| insta::assert_snapshot!(title, page(name, system)));
}

#[test]
fn pages_read_as_they_are_meant_to() {
    for name in [
        "reboot",
        "reboot-idle",
        "crash",
        "unreachable",
        "server-killed",
        "close-unread",
        "lossy",
        "crowd",
        "mtu",
        "sum-binary",
        "zero-window",
        "zombies",
    ] {
        snapshot(name, System::Book);
    }
    snapshot("unreachable", System::Linux);
}

#[test]
fn a_reset_goes_back_to_the_reboot() {
    let expected = "readline failed with ECONNRESET at 20.01 s, \
                    because the RST of 20.005 s answered the segment of 20 s, \
                    because the server host forgot the connection when it rebooted at 15 s";
    for system in System::ALL {
        assert_eq!(said("reboot", system), [expected], "{}", system.name());
    }
}

#[test]
fn silence_goes_back_to_the_crash() {
    let expected = "readline failed with ETIMEDOUT at 552.5 s, \
                    because nothing answered the segment of 10 s nor any of its 12 retransmissions, \
                    the last at 488.5 s, because the server host was down since 5 s";
    assert_eq!(said("crash", System::Book), [expected]);
}

#[test]
fn what_a_host_itself_refuses_is_no_peer_s_doing() {
    for (name, expected) in [
        (
            "close-trap",
            "accept failed with EMFILE at 1.015 s, because it had accepted 2 connections and closed none of them",
        ),
        (
            "close-trap-listener",
            "bind failed with EADDRINUSE at 10 s, \
             because echo-server[102], forked at 1.015 s, still had the listening socket open",
        ),
        (
            "sigchld",
            "accept failed with EINTR at 1.005 s, because SIGCHLD came at 1.005 s, \
             because the child echo-server[102] ended at 1.005 s",
        ),
    ] {
        assert_eq!(said(name, System::Book)[0], expected);
    }
}

/// The client's child goes on serving it when the server's parent is killed.
#[test]
fn a_client_that_is_still_served_has_nothing_to_notice() {
    assert_eq!(said("close-trap-listener", System::Book).len(), 1);
    assert!(!page("close-trap-listener", System::Book).contains("What the client could have done"));
}

#[test]
fn who_sends_nothing_is_told_nothing() {
    let said = said("reboot-idle", System::Book);
    assert!(said[0].ends_with("and who sends nothing is told nothing"), "{said:?}");
}

#[test]
fn all_bad_news_has_a_cause_and_everything_said_rests_on_events() {
    for built_in in scenario::BUILT_IN {
        for system in System::ALL {
            let scenario = load(built_in.name, system);
            let outcome = run(&scenario);
            let place = format!("{} under {}", built_in.name, system.name());
            let chains = causes(&outcome.events, &waiting(&outcome), outcome.end);
            for chain in &chains {
                assert!(chain.len() > 1, "{place}: {chain:#?}");
            }
            for sentence in story(&outcome.events).iter().chain(chains.iter().flatten()) {
                assert!(!sentence.events.is_empty(), "{place}: {sentence:?}");
                assert!(sentence.events.iter().all(|&at| at < outcome.events.len()), "{place}: {sentence:?}");
            }
            // Every client that fails is explained.
            let failed = |it: &echosim::timeline::Event| {
                matches!(&it.kind, echosim::timeline::Kind::Process(process)
                if matches!(process.what, echosim::timeline::ProcessChange::Exit { status } if status != 0))
            };
            assert!(!outcome.events.iter().any(failed) || !chains.is_empty(), "{place}");
        }
    }
}

/// How a client with these options learns of it.
fn noticed(name: &str, system: System, options: &str) -> Notice {
    let mut notices = notices(name, system).into_iter();
    notices.find(|(what, _)| what == options).expect("a remedy").1
}

/// How long after the fault a call failed with `errno`.
fn failed(notice: Notice, errno: Errno) -> Duration {
    match notice {
        Notice::After { span, errno: Some(it) } if it == errno => span,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keepalive_is_worth_nothing_to_a_client_that_only_waits_for_its_user() {
    let noticed = |options| noticed("reboot-idle", System::Linux, options);
    assert_eq!(noticed(""), Notice::Never);
    assert_eq!(noticed("--keepalive=2s,1s,3"), Notice::Never);
    // Three probes into the void, a second apart, the first at most two seconds after the crash.
    let span = failed(noticed("--keepalive=2s,1s,3 --poll"), Errno::ETIMEDOUT);
    assert!(span <= Duration::from_secs(5), "{span:?}");
}

#[test]
fn a_user_timeout_ends_a_wait_of_minutes() {
    let noticed = |options| noticed("crash", System::Linux, options);
    let span = |options| failed(noticed(options), Errno::ETIMEDOUT);
    assert!(span("") > Duration::from_secs(900));
    // The line is typed 5 s after the crash, and may go unacknowledged for 5 s more.
    let timeout = span("--user-timeout=5s");
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&timeout), "{timeout:?}");
    assert!(span("--keepalive=2s,1s,3 --poll") <= Duration::from_secs(5));
}

#[test]
fn where_nothing_goes_wrong_there_is_nothing_to_notice() {
    assert_eq!(Notice::of(&run(&load("normal", System::Book)).events), None);
    assert!(why("normal", System::Book).is_empty());
}

/// A client of `near`, with `far` beside it, to which it never speaks; and what goes wrong.
fn beside(faults: &[(&str, &str, &str)]) -> Scenario {
    let mut text = String::from(
        "name = \"Two servers\"\nuntil = \"1000s\"\n\
         [host.near]\nrun = \"echo-server\"\n[host.far]\nrun = \"echo-server\"\n\
         [host.client]\nrun = \"echo-client near\"\n\
         type = [{ at = \"0s\", line = \"hello\" }, { at = \"20s\", line = \"world\" }]\n",
    );
    for (at, what, host) in faults {
        text.push_str(&format!("[[fault]]\nat = \"{at}\"\n{what}\nhost = \"{host}\"\n"));
    }
    Scenario::parse("beside.toml", &text).expect("it is well-formed")
}

/// What the summary says of the client, and the causes that the explanation gives.
fn told(scenario: &Scenario) -> (String, String) {
    let outcome = run(scenario);
    let mut out = Vec::new();
    summary(&mut out, &outcome.events, &waiting(&outcome), outcome.end).expect("memory takes it");
    let summary = String::from_utf8(out).expect("UTF-8");
    let chains = causes(&outcome.events, &waiting(&outcome), outcome.end);
    let texts: Vec<&str> = chains.iter().flatten().map(|it| it.text.as_str()).collect();
    (summary.lines().next().unwrap_or_default().to_owned(), texts.join(", because "))
}

#[test]
fn of_two_servers_that_crash_the_one_that_the_client_spoke_to_is_the_cause() {
    for hosts in [["near", "far"], ["far", "near"]] {
        let [first, second] = hosts.map(|host| ("do = \"crash\"", host));
        let faults = [("10s", first.0, first.1), ("12s", second.0, second.1)];
        let (summary, causes) = told(&beside(&faults));
        let when = if hosts[0] == "near" { "10 s" } else { "12 s" };
        assert!(summary.ends_with(&format!(": near crashed at {when}")), "{summary}");
        assert!(causes.contains(&format!("the near host was down since {when}")), "{causes}");
        assert!(!causes.contains("far"), "{causes}");
    }
}

#[test]
fn what_happens_to_a_host_that_the_client_never_spoke_to_is_no_cause() {
    let partition = "do = \"partition\"";
    for what in ["do = \"crash\"", partition, "do = \"hold\"", "do = \"kill\"", "do = \"shutdown\""] {
        let scenario = beside(&[("10s", what, "far")]);
        let (summary, causes) = told(&scenario);
        assert!(summary.ends_with("; 2 lines echoed"), "{what}: {summary}");
        assert_eq!(causes, "", "{what}");
        let (summary, causes) = told(&beside(&[("10s", partition, "near"), ("12s", what, "far")]));
        assert!(summary.ends_with("near was cut off at 10 s"), "{what}: {summary}");
        assert!(causes.contains("the network was cut at near since 10 s"), "{what}: {causes}");
    }
}

#[test]
fn a_held_link_is_the_cause_and_its_release_the_mending() {
    let hold = ("10s", "do = \"hold\"", "near");
    let (summary, causes) = told(&beside(&[hold]));
    assert!(summary.ends_with("packets of near were held from 10 s on"), "{summary}");
    assert!(causes.contains("because packets of near were held since 10 s"), "{causes}");
    let (summary, causes) = told(&beside(&[hold, ("30s", "do = \"release\"", "near")]));
    assert!(summary.ends_with("; 2 lines echoed"), "{summary}");
    assert_eq!(causes, "");
}

#[test]
fn a_boot_mends_a_crash_for_connections_made_after_it() {
    let mut scenario = beside(&[("0s", "do = \"crash\"", "near"), ("1s", "do = \"boot\"", "near")]);
    let client = scenario.hosts.iter_mut().find(|host| host.name == "client").expect("there is one");
    client.start = Duration::from_secs(5);
    let (summary, causes) = told(&scenario);
    assert!(summary.ends_with("; 2 lines echoed"), "{summary}");
    assert_eq!(causes, "");
}

#[test]
fn a_fault_of_one_direction_is_worded_so_in_every_report() {
    let (summary, causes) = told(&beside(&[("10s", "do = \"hold\"\nway = \"from\"", "near")]));
    assert!(summary.ends_with("packets from near were held from 10 s on"), "{summary}");
    assert!(causes.contains("because packets from near were held since 10 s"), "{causes}");
}

#[test]
fn a_tail_loss_probe_is_no_retransmission_in_any_report() {
    let mut scenario = beside(&[("10s", "do = \"crash\"", "near")]);
    scenario.stack = System::Linux;
    let (summary, causes) = told(&scenario);
    let attempts = "1 tail loss probe and 15 retransmissions";
    assert!(summary.contains(&format!("ETIMEDOUT after {attempts}, ")), "{summary}");
    assert!(causes.contains(&format!(" nor its {attempts}, ")), "{causes}");
}

/// A host that is back would have answered; what was sent in vain was sent before.
#[test]
fn a_reboot_is_not_what_silence_comes_of() {
    let mut scenario = beside(&[("1s", "do = \"crash\"", "near"), ("100s", "do = \"boot\"", "near")]);
    scenario.stack = System::Linux;
    let client = scenario.hosts.iter_mut().find(|host| host.name == "client").expect("there is one");
    // The last SYN leaves at 73.7 s.
    client.start = Duration::from_secs(5);
    let (summary, causes) = told(&scenario);
    assert!(summary.contains("connect failed: ETIMEDOUT after 10 retransmissions of the SYN"), "{summary}");
    assert!(summary.ends_with(": near crashed at 1 s"), "{summary}");
    assert!(causes.contains("the near host was down since 1 s"), "{causes}");
}

/// A program in fgets does not look at its socket: what its TCP found out it hears of with the next line.
#[test]
fn it_is_said_when_tcp_gave_up_and_when_the_program_asked() {
    let text = "name = \"A program in fgets\"\n\
        [host.server]\nrun = \"echo-server\"\n\
        [host.client]\nrun = \"echo-client --keepalive=30s,10s,3 server\"\n\
        type = [{ at = \"0s\", line = \"hello\" }, { at = \"300s\", line = \"world\" }]\n\
        [[fault]]\nat = \"5s\"\ndo = \"crash\"\nhost = \"server\"\n";
    let mut scenario = Scenario::parse("fgets.toml", text).expect("it is well-formed");
    // Berkeley's write looks at the closed socket before its error.
    let (summary, causes) = told(&scenario);
    let gave_up = "TCP gave up at 60.02 s after 3 keepalive probes: server crashed at 5 s";
    assert_eq!(summary, format!("echo-client[101] was killed by SIGPIPE at 300 s; {gave_up}"));
    let chain = "SIGPIPE killed the process at 300 s, because TCP had given up at 60.02 s, because none of";
    assert!(causes.starts_with(chain), "{causes}");

    scenario.stack = System::Linux;
    let (summary, causes) = told(&scenario);
    let both =
        "30.72 s after the first; TCP gave up at 61.44 s, and the program asked at 300 s: server crashed";
    assert!(summary.contains(&format!("ETIMEDOUT after 3 keepalive probes, {both}")), "{summary}");
    let chain = "writen failed with ETIMEDOUT at 300 s, because TCP had given up at 61.44 s, because none of";
    assert!(causes.starts_with(chain), "{causes}");
}
