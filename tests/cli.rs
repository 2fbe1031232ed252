//! The command as a shell sees it: what it writes where, and its exit code.
#![cfg(feature = "cli")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a command left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn echosim(args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_echosim")).args(args).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Refused: exit code 2, nothing on standard output, the message on standard error.
fn refused(args: &[&str]) -> String {
    let ran = echosim(args);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    ran.err
}

/// A scenario's file of one's own, in the tests' own directory.
fn file(name: &str, text: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn list_shows_every_scenario_with_its_sentence() {
    let ran = echosim(&["--list"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(ran.out.lines().count(), echosim::scenario::BUILT_IN.len());
    let sentence = "  The server host crashes and reboots; then the client sends a line (UNP 5.15)";
    let is_reboot = |line: &str| line.starts_with("reboot ") && line.ends_with(sentence);
    assert!(ran.out.lines().any(is_reboot), "{}", ran.out);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let ran = echosim(&["--help"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for word in ["Examples:", "--scenario reboot --trace", "Exit codes:", "Keys of --set:", "  latency "] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
}

#[test]
fn version_is_the_packages() {
    let ran = echosim(&["--version"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), concat!("echosim ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn nothing_asked_for_is_a_usage_error() {
    let message = refused(&[]);
    assert!(message.contains("--scenario <NAME|FILE>") && message.contains("Usage:"), "{message}");
}

#[test]
fn an_unknown_scenario_lists_the_near_ones() {
    assert_eq!(
        refused(&["--scenario", "rebot"]),
        "error: no scenario \"rebot\"; did you mean \"reboot\" or \"reboot-idle\"? \
         --list shows them all; a file's name ends in .toml or has a / in it\n"
    );
}

#[test]
fn a_picture_that_cannot_be_written_is_an_error_with_its_name_and_reason() {
    let ran = echosim(&["--scenario", "reboot", "--svg", "/no/such/folder/reboot.svg"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.starts_with("error: /no/such/folder/reboot.svg: No such file"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_told_with_its_name() {
    for picture in ["--svg", "--html", "--mermaid", "--pcapng"] {
        let ran = echosim(&["--scenario", "reboot", picture, "/dev/full"]);
        assert_eq!(ran.code, Some(2), "{picture}");
        assert!(ran.err.starts_with("error: /dev/full: No space left on device"), "{}", ran.err);
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_echosim"));
    let output =
        command.args(["--scenario", "reboot", "--trace"]).stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.starts_with("error: standard output: No space left on device"), "{complaint}");
}

#[test]
fn several_pictures_come_of_one_run() {
    let path = |name: &str| file(name, b"");
    let (svg, html, pcapng) = (path("run.svg"), path("run.html"), path("run.pcapng"));
    let args = ["--scenario", "reboot", "--ladder", "--svg", &svg, "--html", &html, "--pcapng", &pcapng];
    let ran = echosim(&args);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.contains("crash server"), "{}", ran.out);
    for (file, begins) in [(svg, &b"<svg"[..]), (html, b"<!DOCTYPE"), (pcapng, b"\x0a\x0d\x0d\x0a")] {
        let written = fs::read(&file).unwrap();
        assert!(written.to_ascii_lowercase().starts_with(&begins.to_ascii_lowercase()), "{file}");
    }
}

#[test]
fn explain_names_the_cause() {
    let ran = echosim(&["explain", "reboot"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.contains("because the server host forgot the connection"), "{}", ran.out);
}

#[test]
fn a_seed_is_a_number() {
    for seed in ["one", "-1", "1.5", ""] {
        let message = refused(&["--scenario", "crash", &format!("--seed={seed}")]);
        assert!(message.starts_with("error: ") && message.contains("'--seed <N>'"), "{message}");
    }
}

#[test]
fn a_stack_is_one_of_four() {
    let message = refused(&["--scenario", "crash", "--stack", "windows"]);
    assert!(message.contains("[possible values: book, linux, bsd, rfc]"), "{message}");
}

#[test]
fn times_say_what_was_expected() {
    for option in ["--until=soon", "--netstat=soon"] {
        let message = refused(&["--scenario", "crash", option]);
        assert!(message.contains("expected a time such as \"2.5ms\""), "{message}");
    }
}

#[test]
fn an_unknown_key_lists_the_near_ones() {
    let message = refused(&["--scenario", "crash", "--set", "latncy=1ms"]);
    assert!(
        message.starts_with("error: --set: no key \"latncy\"; did you mean \"latency\"? keys are "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1);
}

#[test]
fn a_value_says_what_was_expected() {
    assert_eq!(
        refused(&["--scenario", "crash", "--set", "loss=lots"]),
        "error: --set: loss: \"lots\" will not do: expected a share from 0 to 1, such as \"5%\" or 0.05\n"
    );
    assert!(refused(&["--scenario", "crash", "--set", "loss"]).contains("expected KEY=VALUE"));
}

#[cfg(unix)]
#[test]
fn no_other_systems_tcp_is_asked_of_a_kernel() {
    let what = "the hosts' TCP is this machine's, so --stack can be linux only\n";
    let real = ["--scenario", "startup", "--real", "--stack", "book"];
    assert_eq!(refused(&real), format!("error: --real: {what}"));
    assert_eq!(refused(&["compare", "startup", "--stack", "rfc"]), format!("error: compare: {what}"));
}

#[test]
fn numbers_of_a_profile_have_to_go_with_each_other() {
    let expected = "error: --set: rto_min: \"50s\" will not do: no more than rto_max, 40s\n";
    for command in [&["--scenario"][..], &["explain"]] {
        let set = ["crash", "--set", "rto_min=50s", "--set", "rto_max=40s"];
        assert_eq!(refused(&[command, &set].concat()), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_server_without_children_is_refused() {
    let serve = ["serve", "--real", "--listen", "127.0.0.1:0", "--max-children", "0"];
    assert!(refused(&serve).contains("'--max-children <N>': expected a number, 1 or more"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_standard_output_is_told() {
    let closed = format!("exec {} --scenario crash >&-", env!("CARGO_BIN_EXE_echosim"));
    let output = Command::new("sh").args(["-c", &closed]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(told, "error: standard output: Bad file descriptor (os error 9)\n");
}

#[test]
fn text_does_not_go_into_json() {
    assert_eq!(
        refused(&["--scenario", "crash", "--trace=json", "--netstat"]),
        "error: --netstat writes text, which is not for whoever reads --trace=json\n"
    );
}

#[test]
fn a_mistake_in_a_file_names_file_line_and_key() {
    let text = b"name = \"x\"\n[host.server]\n[[fault]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"sever\"\n";
    let path = file("mistake.toml", text);
    assert_eq!(
        refused(&["--scenario", &path]),
        format!("error: {path}:6: fault.host: no host \"sever\"; hosts are \"server\"\n")
    );
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    let path = file("binary.toml", &[0xff, 0xfe, 0x00]);
    assert_eq!(
        refused(&["--scenario", &path]),
        format!("error: {path}: invalid utf-8 sequence of 1 bytes from index 0\n")
    );
    let path = file("large.toml", &vec![b'#'; (4 << 20) + 1]);
    assert_eq!(
        refused(&["--scenario", &path]),
        format!("error: {path}: larger than the limit of 4194304 octets (4 MiB)\n")
    );
    assert_eq!(
        refused(&["--scenario", "no/such.toml"]),
        "error: no/such.toml: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_echosim"));
    let output = command.arg("--list").stdout(Stdio::from(writer)).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn hosts_are_looked_at_when_asked_even_after_the_last_event() {
    let ran = echosim(&["--scenario", "normal", "--ps=100s", "--netstat=300s"]);
    for (view, sight) in [("server at 100.000000", "<defunct>"), ("server at 300.000000", "LISTEN")] {
        let (_, rest) = ran.out.split_once(view).expect(view);
        assert!(rest.contains(sight), "{}", ran.out);
    }
    // What --until cuts short cannot be looked at later.
    let cut = echosim(&["--scenario", "crash", "--until", "20s", "--netstat=30s"]);
    assert!(cut.out.contains("client at 20.000000"), "{}", cut.out);
}

#[test]
fn ps_shows_who_sleeps_on_what() {
    let ran = echosim(&["--scenario", "startup", "--ps"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let child = "102  101 S    echo-server wait_woken      tcp_data_wait    str_echo";
    assert!(ran.out.lines().any(|line| line == child), "{}", ran.out);
    assert_eq!(
        refused(&["--scenario", "crash", "--trace=json", "--ps"]),
        "error: --ps writes text, which is not for whoever reads --trace=json\n"
    );
}

#[test]
fn a_scenarios_own_settings_are_set_and_repeated_in_the_command() {
    let ran = echosim(&["--scenario", "zombies", "--set", "reap=waitpid", "--trace"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let command = "# echosim --scenario zombies --stack book --seed 1 --set reap=waitpid";
    assert!(ran.out.lines().any(|line| line == command), "{}", ran.out);
    let refusal = refused(&["--scenario", "zombies", "--set", "reap=never"]);
    assert!(refusal.contains("expected none, wait or waitpid"), "{refusal}");
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = echosim(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}");
        assert!(ran.out.contains("scenario") && ran.out.contains("netstat"), "{shell}: {}", ran.out);
    }
    assert_eq!(echosim(&["completions", "command.com"]).code, Some(2));
}

#[test]
fn the_manual_page_is_roff() {
    let ran = echosim(&["man"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains(".TH echosim 1") && ran.out.contains("\\-\\-scenario"), "{}", ran.out);
}

#[test]
fn the_manual_page_has_every_subcommand_with_its_options() {
    let page = echosim(&["man"]).out;
    for (name, its) in [
        ("EXPLAIN", "NAME|FILE"),
        ("STEP", "Step through a run"),
        ("COMPARE", "\\-\\-tolerance"),
        ("SERVE", "\\-\\-backlog"),
        ("CONNECT", "HOST:PORT"),
        ("COMPLETIONS", "zsh"),
        ("MAN", "in roff"),
    ] {
        let (_, section) = page.split_once(&format!(".SH \"ECHOSIM {name}\"")).expect(name);
        let section = section.split("\n.SH ").next().expect("the section itself");
        assert!(section.contains(its), "{name}: {section}");
    }
}

/// `for s in crash reboot unreachable; do echosim --scenario $s --svg docs/$s.svg; done`
#[test]
fn the_pictures_in_the_readme_are_what_the_command_draws() {
    for name in ["crash", "reboot", "unreachable"] {
        let drawn = file(&format!("readme-{name}.svg"), b"");
        assert_eq!(echosim(&["--scenario", name, "--svg", &drawn]).code, Some(0));
        let shown = format!("{}/docs/{name}.svg", env!("CARGO_MANIFEST_DIR"));
        assert!(fs::read(&drawn).unwrap() == fs::read(&shown).unwrap(), "{shown} is not up to date");
    }
}

#[test]
fn a_page_about_all_scenarios_wants_a_folder_before_anything_is_run() {
    let err = refused(&["compare", "--all", "--output", "no/such/fidelity.md"]);
    assert_eq!(
        err,
        "error: no/such/fidelity.md: there is no folder no/such here; --output FILE names another\n"
    );
}

#[test]
fn compare_takes_one_scenario_or_all() {
    assert!(refused(&["compare"]).contains("<NAME|FILE>"));
    assert!(refused(&["compare", "reboot", "--all"]).contains("cannot be used with"));
    assert!(refused(&["compare", "reboot", "--output", "page.md"]).contains("cannot be used with"));
    assert!(refused(&["compare", "--all", "--everything"]).contains("cannot be used with"));
}
