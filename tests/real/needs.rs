//! What a laboratory needs, and what it leaves: nothing.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use crate::claims;
use crate::laboratory::alone;
use crate::machine::{Copy, eventually};

pub(crate) const TESTS: &[(&str, fn())] = claims![
    laboratory_needs_no_root,
    laboratory_says_what_is_missing_where_namespaces_are_forbidden,
    laboratory_says_what_is_missing_where_there_is_no_tun,
    laboratory_leaves_nothing_when_it_is_interrupted,
    laboratory_leaves_nothing_whenever_it_is_killed,
    laboratory_ends_at_until,
];

const ECHOSIM: &str = env!("CARGO_BIN_EXE_echosim");

/// The command in a user namespace of its own, after what a shell says.
fn contained(namespaces: &[&str], first: &str) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user"]).args(namespaces).args(["sh", "-c"]);
    command.arg(format!("{first} && exec {ECHOSIM} --scenario mtu --real"));
    command.output().expect("unshare of util-linux")
}

/// One line that says what there is not, and how it is got.
fn assert_is_refused(output: &Output, reason: &str, remedy: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(output.stdout.is_empty());
    let [line] = told.lines().collect::<Vec<_>>()[..] else { panic!("not one line: {told}") };
    assert!(line.starts_with(&format!("error: {reason}")) && line.contains(remedy), "{line}");
}

/// What root does before it becomes `nobody`. udev opens the TUN device to all users, but in a container it is
/// often root's alone: then the run gets a device of its own, in a mount namespace of its own.
const BECOME_NOBODY: &str = r#"
set -e
if test "$(stat --format %a /dev/net/tun)" != 666; then
    mount -t tmpfs none /dev/net
    mknod --mode 666 /dev/net/tun c 10 200
fi
cd /
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"#;

fn laboratory_needs_no_root() {
    let _alone = alone();
    // `nobody` may not read the folder this is built in.
    let copy = Copy::of(Path::new(ECHOSIM), "nobody");
    let mut command;
    if Uid::current().is_root() {
        command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", BECOME_NOBODY, "sh"]).arg(&copy.0);
    } else {
        command = Command::new(&copy.0);
    }
    command.args(["--scenario", "mtu", "--real"]);
    let output = command.output().expect("a process");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

fn laboratory_says_what_is_missing_where_namespaces_are_forbidden() {
    let _alone = alone();
    // These limits are the new user namespace's own.
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces";
    assert_is_refused(&contained(&[], forbid), "no network namespace: ", "user.max_user_namespaces");
}

fn laboratory_says_what_is_missing_where_there_is_no_tun() {
    let _alone = alone();
    let output = contained(&["--mount"], "mount -t tmpfs none /dev/net");
    assert_is_refused(&output, "no TUN device: ", "modprobe tun");
}

fn laboratory_leaves_nothing_when_it_is_interrupted() {
    let _alone = alone();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mut command = Command::new(ECHOSIM);
        command.args(["--scenario", "reboot", "--real"]).process_group(0);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
        // The director, the client, the server and its child.
        let mut family = Vec::new();
        eventually("the run is on", || {
            family = descendants(run.id());
            family.len() >= 4
        });
        kill(Pid::from_raw(run.id() as i32), signal).expect("it runs");
        assert!(!wait(&mut run).success(), "{signal}");
        eventually(&format!("nothing is left after {signal}"), || !family.iter().any(|pid| lives(*pid)));
    }
}

/// What is killed of a run.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Command,
    Director,
    Both,
}

fn laboratory_leaves_nothing_whenever_it_is_killed() {
    let _alone = alone();
    for victim in [Victim::Command, Victim::Director, Victim::Both] {
        for millis in (0..10).chain((10..200).step_by(19)) {
            leaves_nothing("zombies", victim, millis);
        }
    }
    // By now there is more to tell of the run than a pipe holds.
    leaves_nothing("mtu", Victim::Command, 700);
}

/// Runs a scenario, and kills after a while.
fn leaves_nothing(scenario: &str, victim: Victim, millis: u64) {
    // What a run forks inherits its environment.
    let mark = format!("ECHOSIM_TEST_MARK={}-{scenario}-{victim:?}-{millis}", std::process::id());
    let (name, value) = mark.split_once('=').expect("it has one");
    let mut command = Command::new(ECHOSIM);
    command.args(["--scenario", scenario, "--real"]).env(name, value);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
    std::thread::sleep(Duration::from_millis(millis));
    let director = children(run.id());
    if matches!(victim, Victim::Director | Victim::Both) {
        director.iter().for_each(|pid| _ = kill(Pid::from_raw(*pid as i32), Signal::SIGKILL));
    }
    if !matches!(victim, Victim::Director) || director.is_empty() {
        kill(Pid::from_raw(run.id() as i32), Signal::SIGKILL).expect("it runs");
    }
    assert!(!wait(&mut run).success(), "{mark}");
    eventually(&format!("nothing is left: {mark}"), || marked(&mark).is_empty());
}

/// The processes that live and have this in their environment.
fn marked(mark: &str) -> Vec<u32> {
    let has_it = |pid: &u32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|octet| *octet == 0).any(|entry| entry == mark.as_bytes())
    };
    let pids = fs::read_dir("/proc")
        .expect("procfs")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(has_it).filter(|pid| lives(*pid)).collect()
}

fn laboratory_ends_at_until() {
    let _alone = alone();
    let start = Instant::now();
    let args = ["--scenario", "crash", "--real", "--until", "1s"];
    let output = Command::new(ECHOSIM).args(args).output().expect("a process");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.starts_with("stopped by --until at 1.0"), "{told}");
    assert!(start.elapsed() < Duration::from_secs(5), "of the fifteen minutes nothing is waited for");
}

fn wait(run: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually("the run ends", || {
        status = run.try_wait().expect("our child");
        status.is_some()
    });
    status.unwrap()
}

/// Its children, and theirs.
fn descendants(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn children(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether it is there and no zombie that its parent will wait for.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
