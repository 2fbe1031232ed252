//! What is said about a bad file.

use super::{refused, refused_file};

#[test]
fn toml_mistakes_name_line_key_and_what_was_expected() {
    assert_eq!(refused("[host.client"), "x.toml:6: unclosed table, expected `]`");
    assert_eq!(
        refused("type = [{ at = \"1s\", lin = \"x\" }]"),
        "x.toml:6: host.client.type: unknown field `lin`, expected one of `at`, `line`, `lines`, `eof`"
    );
    assert_eq!(
        refused("start = 1"),
        "x.toml:6: host.client.start: invalid type: integer `1`, \
         expected a time such as \"2.5ms\", \"10s\" or \"2h 11min 15s\""
    );
    assert_eq!(
        refused("start = \"soon\""),
        "x.toml:6: host.client.start: \"soon\" is not a time such as \"2.5ms\", \"10s\" or \"2h 11min 15s\""
    );
    assert_eq!(
        refused_file("name = \"x\"\nlatency = 3"),
        "x.toml:2: latency: unknown field `latency`, expected one of \
         `name`, `stack`, `seed`, `ip`, `lan`, `until`, `may_miss`, `set`, `host`, `link`, `middlebox`, `rule`, `fault`, \
         `expect`"
    );
    assert_eq!(refused_file("name = \"x\"\nname = \"y\""), "x.toml:2: name: duplicate key");
    assert_eq!(refused_file(""), "x.toml:1: missing field `name`");
    assert_eq!(
        refused_file("name = \"x\"\nseed = \"one\""),
        "x.toml:2: seed: invalid type: string \"one\", expected u64"
    );
    assert_eq!(
        refused_file("name = \"x\"\nstack = \"windows\""),
        "x.toml:2: stack: \"windows\" is not \"book\", \"linux\", \"bsd\" or \"rfc\""
    );
    assert_eq!(
        refused_file("name = \"x\"\nip = 5"),
        "x.toml:2: ip: invalid type: integer `5`, expected 4 or 6"
    );
}

#[test]
fn a_scenario_says_what_it_shows_and_has_a_host() {
    assert_eq!(
        refused_file("# nothing\nname = \" \""),
        "x.toml:2: name: expected a sentence that says what is shown"
    );
    assert_eq!(refused_file("name = \"x\""), "x.toml:1: host: expected at least one host");
    assert_eq!(
        refused_file("name = \"x\"\n[host.router]"),
        "x.toml:2: host: \"router\" stands between the hosts already"
    );
    assert_eq!(
        refused_file("name = \"x\"\n[host.\"a b\"]"),
        "x.toml:2: host: a host's name is made of letters, digits, - and _"
    );
}

#[test]
fn an_unknown_host_is_refused_wherever_it_is_named() {
    let hosts = "no host \"sever\"; hosts are \"server\", \"client\"";
    let fault = "[[fault]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"sever\"";
    assert_eq!(refused(fault), format!("x.toml:9: fault.host: {hosts}"));
    let when = "[[fault]]\nwhen = \"sever accepts\"\ndo = \"crash\"\nhost = \"server\"";
    assert_eq!(refused(when), format!("x.toml:7: fault.when: {hosts}"));
    let after = "[[fault]]\nafter = \"sever's 1st retransmission\"\ndo = \"crash\"\nhost = \"server\"";
    assert_eq!(refused(after), format!("x.toml:7: fault.after: {hosts}"));
    assert_eq!(refused("[link.sever]"), format!("x.toml:6: link: {hosts}"));
    let drop = "[link.server]\nloss = 0\ndrop = { from = \"sever\" }";
    assert_eq!(refused(drop), format!("x.toml:8: link.server.drop.from: {hosts}"));
    assert_eq!(refused("[expect.sever]"), format!("x.toml:6: expect: {hosts}"));
    assert_eq!(
        refused("[host.x]\nrun = \"echo-client sever\""),
        format!("x.toml:7: host.x.run: no host \"sever\"; hosts are \"server\", \"client\", \"x\"")
    );
}

#[test]
fn of_many_hosts_an_error_shows_a_few() {
    let hosts: String = (0..20).map(|n| format!("[host.h{n}]\n")).collect();
    let message = refused_file(&format!("name = \"x\"\n{hosts}[link.x]"));
    assert!(message.ends_with("hosts are \"h0\", \"h1\", \"h2\", \"h3\", \"h4\", \"h5\", \"h6\", \"h7\" …"));
}

#[test]
fn time_that_runs_backwards_is_refused() {
    assert_eq!(
        refused("type = [\n{ at = \"10s\", line = \"a\" },\n{ at = \"5s\", line = \"b\" }]"),
        "x.toml:8: host.client.type: time runs backwards: 5s after 10s"
    );
    let crash = |at: &str| format!("[[fault]]\nat = \"{at}\"\ndo = \"crash\"\nhost = \"server\"\n");
    assert_eq!(
        refused(&(crash("10s") + &crash("500ms"))),
        "x.toml:11: fault.at: time runs backwards: 500ms after 10s"
    );
    assert_eq!(
        refused("type = [{ eof = true }, { line = \"b\" }]"),
        "x.toml:6: host.client.type: nothing can be typed after the end of file"
    );
}

#[test]
fn a_typed_entry_is_one_thing() {
    let one = "x.toml:6: host.client.type: expected one of line = \"TEXT\", lines = NUMBER and eof = true";
    for entry in
        ["{ at = \"1s\" }", "{ line = \"a\", eof = true }", "{ lines = 2, line = \"a\" }", "{ eof = false }"]
    {
        assert_eq!(refused(&format!("type = [{entry}]")), one, "{entry}");
    }
    assert_eq!(
        refused("type = [{ line = \"a\\nb\" }]"),
        "x.toml:6: host.client.type: line is one line, without its newline"
    );
    assert_eq!(
        refused("[host.idle]\ntype = [{ line = \"a\" }]"),
        "x.toml:7: host.idle.type: nothing runs here that could read it"
    );
}

#[test]
fn a_fault_says_when_once_and_has_no_key_that_means_nothing_to_it() {
    let fault = |keys: &str| refused(&format!("[[fault]]\nhost = \"server\"\n{keys}"));
    assert_eq!(fault("do = \"crash\""), "x.toml:8: fault: expected one of at, when and after");
    assert_eq!(
        fault("do = \"crash\"\nat = \"1s\"\nwhen = \"server accepts\""),
        "x.toml:8: fault: expected one of at, when and after"
    );
    assert_eq!(
        fault("do = \"crash\"\nat = \"1s\"\ndelay = \"1s\""),
        "x.toml:10: fault.delay: only when and after take a delay"
    );
    assert_eq!(
        fault("at = \"1s\"\ndo = \"crsh\""),
        "x.toml:9: fault.do: unknown variant `crsh`, expected one of `crash`, `boot`, `shutdown`, `kill`, \
         `partition`, `repair`, `hold`, `release`, `unreachable`, `reachable`, `link-down`, `link-up`, `pause`, `resume`, `forget`, `reset`"
    );
    let crash = |key: &str| fault(&format!("at = \"1s\"\ndo = \"crash\"\n{key}"));
    assert_eq!(
        crash("way = \"to\""),
        "x.toml:10: fault.way: only partition, repair, hold and release have a way"
    );
    assert_eq!(crash("code = \"net\""), "x.toml:10: fault.code: only unreachable has a code");
    assert_eq!(crash("process = \"child\""), "x.toml:10: fault.process: only kill has a process");
    assert_eq!(crash("signal = \"SIGTERM\""), "x.toml:10: fault.signal: only kill has a signal");
    assert_eq!(
        fault("at = \"1s\"\ndo = \"unreachable\"\ncode = \"rain\""),
        "x.toml:10: fault.code: \"rain\" is not \"net\", \"host\", \"protocol\", \"port\", \"prohibited\" or \
         \"time-exceeded\""
    );
    assert_eq!(
        fault("at = \"1s\"\ndo = \"kill\"\nsignal = \"SIGNAL\""),
        "x.toml:10: fault.signal: no signal \"SIGNAL\"; signals are SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, \
         SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTOP, SIGCONT"
    );
    assert_eq!(
        refused("[host.idle]\n[[fault]]\nat = \"1s\"\ndo = \"kill\"\nhost = \"idle\""),
        "x.toml:10: fault.host: nothing runs on \"idle\" that could be killed"
    );
    assert_eq!(
        fault("do = \"crash\"\nwhen = \"client wriets 'world'\""),
        "x.toml:9: fault.when: \"client wriets 'world'\" is not an event: HOST writes|reads|prints ['TEXT'], \
         HOST connects|accepts, HOST sends|receives [FLAGS], and \"the 2nd time\" behind it if it is not the first"
    );
    assert_eq!(
        fault("do = \"crash\"\nafter = \"three retransmissions\""),
        "x.toml:9: fault.after: \"three retransmissions\" is not \"3rd retransmission\" or \
         \"client's 3rd retransmission\""
    );
}

#[test]
fn link_values_have_to_make_sense() {
    assert_eq!(
        refused("[link.client]\nloss = \"110%\""),
        "x.toml:7: link.client.loss: \"110%\" is not a share from 0 to 1, such as \"5%\" or 0.05"
    );
    assert_eq!(
        refused("[link.client]\nbandwidth = \"fast\""),
        "x.toml:7: link.client.bandwidth: \"fast\" is not a rate such as \"64kbit/s\", \"10Mbit/s\" or \"1Gbit/s\""
    );
    assert_eq!(
        refused("[link.client]\nmtu = 60"),
        "x.toml:7: link.client.mtu: expected an MTU from 68 to 65535 octets, as IPv4 needs it"
    );
    assert_eq!(
        refused_file("name = \"x\"\nip = 6\n[host.a]\n[link.a]\nmtu = 576"),
        "x.toml:5: link.a.mtu: expected an MTU from 1280 to 65535 octets, as IPv6 needs it"
    );
    assert_eq!(
        refused("[link.client]\ndrop = { nth = 0 }"),
        "x.toml:7: link.client.drop: nth and count start at 1"
    );
}

#[test]
fn expectations_have_to_make_sense() {
    assert_eq!(
        refused("[expect.client]\nfails = { call = \"read\", errno = \"ENOSUCH\" }"),
        "x.toml:7: expect.client.fails.errno: \"ENOSUCH\" is not the name of an error, such as \"ETIMEDOUT\""
    );
    assert_eq!(
        refused("[expect.client]\nretransmissions = \"a few\""),
        "x.toml:7: expect.client.retransmissions: \"a few\" is not a number such as 12, or a range such as \
         \"1000..1100\""
    );
    assert_eq!(
        refused("[expect.client.linux.bsd]\nexits = 0"),
        "x.toml:6: expect.client.linux.bsd: a run has one system; it is named already"
    );
    assert_eq!(
        refused("[expect.client.process.2]\nexits = 0"),
        "x.toml:6: expect.client.process.2: expected the number of a process, 1 to 1"
    );
    assert_eq!(
        refused("[expect.client.process.1]\nsegments = 7"),
        "x.toml:7: expect.client.process.1.segments: segments are counted by host, not by process"
    );
    assert_eq!(
        refused("[expect.client.linux.process.1]\nexits = 0"),
        "x.toml:6: expect.client.linux.process.1: expected directly under [expect.HOST]"
    );
    assert!(
        refused("[expect.client]\nkilled = \"SIGNAL\"")
            .starts_with("x.toml:7: expect.client.killed: no signal \"SIGNAL\"; signals are SIGHUP, ")
    );
}

#[test]
fn a_name_in_set_stands_for_something_in_a_run() {
    assert_eq!(refused("[set]\nreap = \"wait\""), "x.toml:7: set.reap: no run has $reap");
    assert_eq!(
        refused("[set]\n\"re ap\" = 1"),
        "x.toml:7: set.re ap: a name is made of letters, digits and _"
    );
    assert_eq!(
        refused("[set]\nloss = \"5%\""),
        "x.toml:7: set.loss: a key of the simulator: it is set in [link.HOST] or [host.HOST.set]"
    );
    let run = |run: &str| refused(&format!("[set]\nreap = \"never\"\n[host.a]\nrun = \"{run}\""));
    assert_eq!(run("echo-server $reap $raep"), "x.toml:9: host.a.run: no `$raep`: [set] has reap");
    assert_eq!(
        run("echo-server --reap=$reap"),
        "x.toml:9: host.a.run: `echo-server`: `--reap=never`: expected none, wait or waitpid"
    );
}

#[test]
fn a_host_has_its_limits_its_grace_and_its_long() {
    let host = |keys: &str| refused(&format!("[host.a]\nrun = \"echo-server\"\n{keys}"));
    assert_eq!(host("long = 5"), "x.toml:8: host.a.long: expected 4 or 8 octets");
    assert_eq!(
        host("byte_order = \"middle\""),
        "x.toml:8: host.a.byte_order: unknown variant `middle`, expected `little` or `big`"
    );
    assert_eq!(host("grace = \"1h\""), "x.toml:8: host.a.grace: expected 5 to 20 s (UNP 5.16)");
    assert_eq!(
        host("limits = { descriptors = 2 }"),
        "x.toml:8: host.a.limits: expected 3 to 1048576 descriptors, and 1 to 65536 processes"
    );
    assert!(host("limits = { zombies = 2 }").contains("unknown field `zombies`"));
    assert_eq!(
        host("mtu = 20"),
        "x.toml:8: host.a.mtu: expected an MTU from 68 to 65535 octets, as IPv4 needs it"
    );
}

#[test]
fn standard_input_is_a_file_or_a_terminal() {
    let host = |keys: &str| refused(&format!("[host.a]\nrun = \"echo-client server\"\n{keys}"));
    assert_eq!(
        host("stdin = { lines = 100001 }"),
        "x.toml:8: host.a.stdin: more lines than the limit of 100000"
    );
    assert_eq!(host("stdin = { lines = \"1..2\" }"), "x.toml:8: host.a.stdin: expected one number of lines");
    assert_eq!(
        host("stdin = [\"x\"]\ntype = [{ eof = true }]"),
        "x.toml:8: host.a.stdin: standard input is a file or a terminal to type at, not both"
    );
    assert_eq!(
        refused("[host.a]\nstdin = [\"x\"]"),
        "x.toml:7: host.a.stdin: nothing runs here that could read it"
    );
}

#[test]
fn an_address_is_one_that_its_host_has() {
    let run = |run: &str| refused(&format!("[host.a]\nrun = \"{run}\""));
    assert_eq!(
        run("echo-client server.2"),
        "x.toml:7: host.a.run: no address \"server.2\"; \"server\" has 1, counted from 1"
    );
    assert!(run("echo-client sever.1").contains("no host \"sever\""));
}

#[test]
fn unknown_programs_processes_and_signals_are_refused_with_their_line() {
    assert!(
        refused("[host.a]\nrun = \"telnet server\"")
            .starts_with("x.toml:7: host.a.run: unknown program `telnet`")
    );
    let kill =
        |keys: &str| refused(&format!("[[fault]]\nhost = \"server\"\ndo = \"kill\"\nat = \"1s\"\n{keys}"));
    assert_eq!(
        kill("process = \"uncle\""),
        "x.toml:10: fault.process: unknown variant `uncle`, expected `child` or `parent`"
    );
    assert!(kill("signal = \"SIGSEGV\"").starts_with("x.toml:10: fault.signal: no signal \"SIGSEGV\""));
}

#[test]
fn what_is_expected_with_a_setting_names_one_that_there_is() {
    assert_eq!(
        refused("[expect.client.with.\"reap=wait\"]\nexits = 0"),
        "x.toml:6: expect.client.with.\"reap=wait\": expected \"KEY=VALUE\" of a name in [set] or a key of --set"
    );
    assert_eq!(
        refused("[expect.client.with.\"ip=6\".with.\"ip=4\"]\nexits = 0"),
        "x.toml:6: expect.client.with.\"ip=6\".with.\"ip=4\": one setting at a time"
    );
    assert!(
        refused("[expect.client]\nstates = [\"LISTENING\"]")
            .contains("\"LISTENING\" is not a state of a connection, such as \"FIN_WAIT_2\"")
    );
}

#[test]
fn a_rule_says_what_it_does_and_to_which_packets() {
    let rule = |keys: &str| refused(&format!("[[rule]]\n{keys}"));
    assert_eq!(
        rule("do = \"lose\""),
        "x.toml:7: rule.do: unknown variant `lose`, expected one of `drop`, `delay`, `duplicate`, `corrupt`, `reject`"
    );
    assert_eq!(rule("do = \"delay\""), "x.toml:7: rule.by: expected how much later, such as by = \"100ms\"");
    assert_eq!(rule("do = \"drop\"\nby = \"1s\""), "x.toml:8: rule.by: only delay has a by");
    assert_eq!(rule("do = \"drop\"\nanswer = \"rst\""), "x.toml:8: rule.answer: only reject has an answer");
    assert_eq!(rule("do = \"drop\"\nnth = 0"), "x.toml:8: rule.nth: expected 1 or more");
    assert_eq!(
        rule("do = \"drop\"\nsince = \"5s\"\nuntil = \"5s\""),
        "x.toml:9: rule.until: expected a time after since"
    );
    assert!(rule("do = \"drop\"\nto = \"nobody\"").starts_with("x.toml:8: rule.to: no host \"nobody\""));
    assert!(rule("do = \"drop\"\nprobability = 2").starts_with("x.toml:8: rule.probability: \"2\" is not"));
    assert!(rule("do = \"reject\"\nanswer = \"no\"").contains("is not \"rst\" or an ICMP code"));
}
