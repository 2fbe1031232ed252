//! The debugger on a pseudo-terminal: what is drawn, what keys do, and that the terminal is given back.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use echosim::report::RunInfo;
use echosim::{scenario, step};
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

/// What the other tests run on their pseudo-terminals: this program again, as the debugger.
const DEBUGGER: &str = "the_debugger_itself";

/// What it is to do there.
const ROLE: &str = "ECHOSIM_STEP_ROLE";

const PATIENCE: Duration = Duration::from_secs(30);
const ROWS: NonZero<u16> = NonZero::new(30).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(110).unwrap();

#[test]
#[ignore = "the other tests run it, on a pseudo-terminal"]
fn the_debugger_itself() {
    match std::env::var(ROLE).as_deref() {
        Ok("panic") => step::on_terminal(|_| panic!("what a pity")).expect("there is a terminal"),
        Ok(name) => {
            let scenario = scenario::load(name).expect("a scenario of the library");
            let stack = scenario.stack.name().to_owned();
            let info =
                RunInfo { scenario: name.to_owned(), stack, seed: scenario.seed, ..RunInfo::default() };
            step::run(&info, &scenario).expect("there is a terminal");
        }
        // Nobody has given it a terminal.
        Err(_) => {}
    }
}

/// A terminal with a shell's worth of a debugger in it: what it is like afterwards, `stty` tells.
struct Screen {
    child: Child,
    keyboard: Arc<Pty>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Screen {
    fn new(role: &str) -> Screen {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(Size::new(ROWS.get(), COLUMNS.get())).expect("it has a size");
        let this = std::env::current_exe().expect("this program has a name");
        let script = format!("\"$0\" --exact {DEBUGGER} --ignored --nocapture; stty -a");
        let shell =
            Command::new("sh").arg("-c").arg(script).arg(this).env(ROLE, role).env("TERM", "xterm-256color");
        let child = shell.env("RUST_BACKTRACE", "0").spawn(pts).expect("there is a shell");
        let keyboard = Arc::new(pty);
        let reader = keyboard.clone();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            // At the end of the shell Linux answers EIO.
            while let Ok(len @ 1..) = (&*reader).read(&mut buf) {
                if sender.send(buf[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Screen { child, keyboard, output, screen: vt100::Parser::new(ROWS, COLUMNS, 0), raw: Vec::new() }
    }

    /// Waits until `text` stands on the screen.
    fn shows(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen.screen().contents().contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("no {text:?} on the screen:\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.raw.extend_from_slice(bytes);
    }

    fn press(&mut self, keys: &str) {
        (&*self.keyboard).write_all(keys.as_bytes()).expect("the keyboard works");
    }

    /// Everything that is written until the shell ends.
    fn end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(bytes) = self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.take(&bytes);
        }
        assert!(self.child.wait().expect("the shell ends").success());
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After a failure it may still run.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The terminal reads lines and echoes them again, and shows what it showed before.
fn is_given_back(mut terminal: Screen) {
    terminal.end();
    let (screen, raw) = (terminal.screen.screen(), terminal.raw());
    assert!(!screen.alternate_screen(), "the screen is the shell's");
    assert!(!screen.hide_cursor(), "the cursor is seen");
    let (_, modes) = raw.split_once("speed ").expect("stty says what it is like");
    for mode in ["icanon", "echo", "isig", "opost", "icrnl"] {
        assert!(modes.split_whitespace().any(|it| it == mode), "{mode} is on again:\n{modes}");
    }
}

#[test]
fn a_run_is_stepped_through_to_its_breakpoint_and_back() {
    let mut screen = Screen::new("crash");
    screen.shows("crash  stack book, seed 1  0.000000 s   1 of ");
    screen.press(":break errno ETIMEDOUT\rc");
    screen.shows("breakpoint 1: errno ETIMEDOUT");
    screen.shows("-1 ETIMEDOUT (Connection timed out)");
    screen.press("\x1b[D");
    screen.shows("552.500000 s");
    screen.press("g\x1b[C");
    screen.shows("0.000000 s   2 of ");
    screen.press("?");
    screen.shows("keys and commands");
    screen.press("xq");
    is_given_back(screen);
}

#[test]
fn sockets_and_their_timers_are_those_of_the_moment() {
    let mut screen = Screen::new("crash");
    screen.shows("1 of ");
    screen.press(":go 20s\r");
    screen.shows("14.505000 s");
    screen.shows("retransmits in 5.995 s fired 2");
    screen.shows("server ─ down");
    screen.press("q");
    is_given_back(screen);
}

#[test]
fn control_c_ends_it() {
    let mut screen = Screen::new("normal");
    screen.shows("1 of ");
    screen.press("\x03");
    is_given_back(screen);
}

#[test]
fn a_panic_gives_the_terminal_back_before_its_message() {
    let mut screen = Screen::new("panic");
    screen.end();
    let raw = screen.raw();
    let left = raw.find("\x1b[?1049l").expect("the alternate screen is left");
    let said = raw.find("what a pity").expect("the message is written");
    assert!(left < said, "the message is not lost with the screen");
    is_given_back(screen);
}

#[test]
fn without_a_terminal_it_is_an_error() {
    let this = std::env::current_exe().expect("this program has a name");
    let mut command = std::process::Command::new(this);
    let output = command.args(["--exact", DEBUGGER, "--ignored", "--nocapture"]).env(ROLE, "normal").output();
    let output = output.expect("it runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("NoTerminal"));
    assert!(!output.stdout.contains(&0x1b), "nothing is drawn");
}
