//! Scenarios as processes on the loopback.

use std::process::{Command, Output, Stdio};

use echosim::errno::Errno;
use echosim::timeline::{Event, Kind, ProcessChange, Stream};
use libtest_mimic::Trial;

use crate::claims;
use crate::programs::program;
use crate::runs::{calls, ends, events_of, printed};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    a_real_run_is_recorded_as_a_simulated_one_is,
    a_refused_connection_is_told,
    a_killed_child_is_noticed_with_the_next_line,
    a_killed_child_is_noticed_at_once_in_poll,
    a_batch_loses_nothing,
    a_crowd_is_served,
    a_shutdown_is_noticed_with_the_next_line,
    a_network_fault_takes_a_laboratory,
    ps_shows_who_sleeps_on_what,
    netstat_shows_both_ends_and_the_listener,
    netstat_shows_time_wait_where_the_close_was_begun,
    ps_shows_the_zombies_that_nobody_waited_for,
    what_nobody_can_see_here_is_refused,
    the_command_that_repeats_a_real_run_is_real,
];

/// Scenarios that need no network fault, with what is set in them: each is held against what it expects.
const SCENARIOS: &[&[&str]] = &[
    &["abort-before-accept"],
    &["addresses"],
    &["addresses", "ip=6"],
    &["batch"],
    &["close-trap"],
    &["close-trap-listener"],
    &["close-unread"],
    &["connect-refused"],
    &["crowd"],
    &["half-close"],
    &["nagle"],
    &["normal"],
    &["normal", "ip=6"],
    &["server-killed"],
    &["server-killed-poll"],
    &["shutdown", "last_typed=7s"],
    &["shutdown", "sigterm=catch", "grace=2s", "last_typed=9s"],
    &["shutdown-poll"],
    &["shutdown-poll", "sigterm=catch", "grace=4s"],
    &["sigchld"],
    &["sigchld", "eintr=retry"],
    &["sigchld", "sa_restart=on"],
    &["sigpipe"],
    &["sigpipe", "sigpipe=ignore"],
    &["startup"],
    &["sum-binary"],
    &["sum-text"],
    &["termination"],
    &["zombies"],
    &["zombies", "reap=none"],
    &["zombies", "reap=waitpid"],
];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    SCENARIOS.iter().map(|scenario| {
        Trial::test(format!("scenario::{}", scenario.join("::")), move || {
            let output = program(&[&["scenario"], *scenario].concat()).stdin(Stdio::null()).output()?;
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(format!("{}\n{told}", output.status).into()) }
        })
    })
}

fn a_real_run_is_recorded_as_a_simulated_one_is() {
    let events = events_of("normal", "loopback");
    assert!(events.is_sorted_by_key(|event| event.t));
    assert_eq!(printed(&events, "client", Stream::Stdin), ["hello"]);
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 0 }]);
    assert_eq!(ends(&events, "server"), [ProcessChange::Exit { status: 0 }], "the child");
    assert_eq!(calls(&events, "client", "connect"), [Ok(0)]);
    let reads = events.iter().filter_map(|event| match &event.kind {
        Kind::Call(call) if call.name() == "read" && *event.host == *"client" => {
            Some((call.within?, call.result))
        }
        _ => None,
    });
    let expected = [("fgets", Ok(6)), ("readline", Ok(6)), ("fgets", Ok(0))];
    assert_eq!(reads.collect::<Vec<_>>(), expected);
    let is_zombie =
        |event: &Event| matches!(&event.kind, Kind::Process(p) if p.what == ProcessChange::Zombie);
    assert!(events.iter().any(is_zombie), "the book's server waits for nobody");
}

fn a_refused_connection_is_told() {
    let events = events_of("connect-refused", "loopback");
    assert_eq!(calls(&events, "client", "connect"), [Err(Errno::ECONNREFUSED)]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["connect error: Connection refused"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
}

fn a_killed_child_is_noticed_with_the_next_line() {
    let events = events_of("server-killed", "loopback");
    assert_eq!(ends(&events, "server"), [ProcessChange::Killed { signal: "SIGKILL" }]);
    assert_eq!(printed(&events, "client", Stream::Stdout), ["hello"]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
    let at = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let typed = at(&|event| matches!(&event.kind, Kind::Line(line) if line.text == "another line"));
    let told = at(&|event| matches!(&event.kind, Kind::Line(line) if line.stream == Stream::Stderr));
    assert!(typed < told);
}

fn a_killed_child_is_noticed_at_once_in_poll() {
    let events = events_of("server-killed-poll", "loopback");
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 1 }]);
}

fn a_batch_loses_nothing() {
    let events = events_of("batch", "loopback");
    let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
    assert_eq!(printed(&events, "client", Stream::Stdout), lines);
    assert_eq!(ends(&events, "client"), [ProcessChange::Exit { status: 0 }]);
}

fn a_crowd_is_served() {
    let events = events_of("crowd", "loopback");
    assert_eq!(printed(&events, "client", Stream::Stdout), vec!["hello"; 50]);
    assert_eq!(ends(&events, "client"), vec![ProcessChange::Exit { status: 0 }; 50]);
}

fn a_shutdown_is_noticed_with_the_next_line() {
    let events = events_of("shutdown", "loopback");
    assert_eq!(ends(&events, "server"), vec![ProcessChange::Killed { signal: "SIGTERM" }; 2]);
    assert_eq!(printed(&events, "client", Stream::Stderr), ["str_cli: server terminated prematurely"]);
}

fn a_network_fault_takes_a_laboratory() {
    let output = program(&["run", "crash", "loopback"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("crash takes a laboratory"), "{told}");
}

fn echosim(words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echosim"));
    command.args(words.split_whitespace()).stdin(Stdio::null()).output().unwrap()
}

/// What a run as expected shows; the words of each line.
fn shown(words: &str) -> Vec<Vec<String>> {
    let output = echosim(words);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The lines behind `host at …`, without their heading, up to an empty one.
fn of_host<'a>(lines: &'a [Vec<String>], host: &str) -> Vec<Vec<&'a str>> {
    let heading =
        lines.iter().position(|line| line.len() >= 3 && line[0] == host && line[1] == "at").unwrap();
    let rows = lines[heading + 1..].iter().take_while(|line| !line.is_empty()).skip(1);
    rows.map(|line| line.iter().map(String::as_str).collect()).collect()
}

/// UNP 5.6: "PID PPID … WCHAN".
fn ps_shows_who_sleeps_on_what() {
    let lines = shown("--scenario startup --real --ps");
    let server = of_host(&lines, "server");
    let [parent, child] = &server[..] else { panic!("{lines:?}") };
    assert_eq!(child[1], parent[0], "the child's parent");
    assert_eq!((parent[2], parent[5..].to_vec()), ("S", vec!["wait_for_connect"]));
    assert_eq!((child[2], child[5..].to_vec()), ("S", vec!["tcp_data_wait", "str_echo"]));
    let client = of_host(&lines, "client");
    assert_eq!((client.len(), client[0][5..].to_vec()), (1, vec!["read_chan", "fgets"]));
    let functions = [parent[4], child[4], client[0][4]];
    // The kernel's own words, where it gives them.
    let today = ["inet_csk_accept", "wait_woken", "wait_woken"];
    assert!(functions.iter().zip(today).all(|(word, today)| [today, "-"].contains(word)), "{functions:?}");
}

/// UNP 5.6: netstat -a.
fn netstat_shows_both_ends_and_the_listener() {
    let lines = shown("--scenario startup --real --netstat");
    let (server, client) = (of_host(&lines, "server"), of_host(&lines, "client"));
    assert_eq!((server[0][0], server[0][4]), ("LISTEN", "*:*"));
    assert_eq!((server[1][0], client[0][0]), ("ESTABLISHED", "ESTABLISHED"));
    assert_eq!(server[0][3], server[1][3], "the child's port is the listener's");
    assert_eq!((server[1][3], server[1][4]), (client[0][4], client[0][3]));
    let has = |what: &str| client[1].iter().any(|word| word.starts_with(what));
    assert!(["rto:", "rtt:", "cwnd:", "pmtu:65535"].into_iter().all(has), "{client:?}");
    assert_eq!((server.len(), client.len()), (3, 2));
}

/// UNP 5.7.
fn netstat_shows_time_wait_where_the_close_was_begun() {
    for ip in ["4", "6"] {
        let lines = shown(&format!("--scenario termination --real --netstat --set ip={ip}"));
        let states = |host| of_host(&lines, host).iter().map(|row| row[0].to_owned()).collect::<Vec<_>>();
        assert_eq!((states("server"), states("client")), (vec!["LISTEN".into()], vec!["TIME_WAIT".into()]));
    }
}

/// UNP 5.7: `ps` after the end of the client.
fn ps_shows_the_zombies_that_nobody_waited_for() {
    let lines = shown("--scenario zombies --real --ps --set reap=none");
    let server = of_host(&lines, "server");
    let states: Vec<&str> = server.iter().map(|row| row[2]).collect();
    assert_eq!(states, ["S", "Z", "Z", "Z", "Z", "Z"]);
    assert!(server[1..].iter().all(|row| row[1] == server[0][0] && row[4] == "<defunct>"));
    assert!(lines.iter().any(|line| line.join(" ").ends_with("no processes") && line[0] == "client"));
}

fn what_nobody_can_see_here_is_refused() {
    let refusals = [
        ("--html page.html", "--html shows the insides of hosts at every moment"),
        ("--ladder", "--ladder shows packets"),
        ("--mermaid a.md", "--mermaid shows packets"),
        ("--svg a.svg", "--svg shows packets"),
        ("--pcapng a.pcapng", "--pcapng shows packets"),
        ("--stack bsd", "--real: the hosts' TCP is this machine's"),
    ];
    for (option, why) in refusals {
        let output = echosim(&format!("--scenario normal --real {option}"));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}: {told}");
        assert!(told.starts_with(&format!("error: {why}")) && output.stdout.is_empty(), "{option}: {told}");
    }
}

fn the_command_that_repeats_a_real_run_is_real() {
    let output = echosim("--scenario startup --real --trace");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("# echosim --scenario startup --stack linux --seed 1 --real\n"), "{text}");
    assert!(text.contains("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3"), "{text}");
}
