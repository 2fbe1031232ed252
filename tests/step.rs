//! `echosim step` on a pseudo-terminal: what is drawn, what keys do, and that the terminal is given back.
#![cfg(all(feature = "cli", unix))]

use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use echosim::step;
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{InputModes, LocalModes, OutputModes, tcgetattr};

const ECHOSIM: &str = env!("CARGO_BIN_EXE_echosim");
const TIME_LIMIT: Duration = Duration::from_secs(30);
const ROWS: u16 = 30;
const COLUMNS: u16 = 110;

const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
const SHIFT_RIGHT: &str = "\x1b[1;2C";
const SHIFT_LEFT: &str = "\x1b[1;2D";
const CONTROL_C: &str = "\x03";

/// A terminal with a program on it.
struct Screen {
    child: Child,
    keyboard: Arc<Pty>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Screen {
    fn of(command: Command, rows: u16, columns: u16) -> Screen {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(Size::new(rows, columns)).expect("it has a size");
        let command = command.env("TERM", "xterm-256color").env("RUST_BACKTRACE", "0");
        let child = command.spawn(pts).expect("the program starts");
        let keyboard = Arc::new(pty);
        let reader = keyboard.clone();
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            // When no process has the terminal open any more, Linux answers EIO.
            while let Ok(len @ 1..) = (&*reader).read(&mut buf) {
                if sender.send(buf[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Screen { child, keyboard, output, screen: parser(rows, columns), raw: Vec::new() }
    }

    /// The debugger on a scenario, once it has drawn itself.
    fn step(words: &[&str]) -> Screen {
        let mut screen = Screen::of(Command::new(ECHOSIM).arg("step").args(words), ROWS, COLUMNS);
        screen.shows("1 of ");
        screen
    }

    /// Waits until `text` stands on the screen.
    fn shows(&mut self, text: &str) {
        let deadline = Instant::now() + TIME_LIMIT;
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

    fn resize(&mut self, rows: u16, columns: u16) {
        self.screen = parser(rows, columns);
        self.keyboard.resize(Size::new(rows, columns)).expect("it has a size");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Waits for the end; the terminal then reads lines and echoes them again, and shows what it showed before.
    fn is_given_back(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIME_LIMIT;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it does not end:\n{}", self.screen.screen().contents())
                }
            }
        }
        let status = self.child.wait().expect("it ends");
        assert!(!self.screen.screen().alternate_screen(), "the screen is the shell's");
        assert!(!self.screen.screen().hide_cursor(), "the cursor is seen");
        let modes = tcgetattr(&*self.keyboard).expect("a terminal has modes");
        assert!(modes.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        assert!(modes.input_modes.contains(InputModes::ICRNL));
        assert!(modes.output_modes.contains(OutputModes::OPOST));
        status
    }

    /// The same of one that was asked to end.
    fn quits(mut self) {
        let status = self.is_given_back();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After a failure it may still run.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn parser(rows: u16, columns: u16) -> vt100::Parser {
    let size = |n| NonZero::new(n).expect("a terminal has room");
    vt100::Parser::new(size(rows), size(columns), 0)
}

#[test]
fn a_run_is_stepped_through_on_and_back() {
    let mut screen = Screen::step(&["crash"]);
    screen.shows("crash  stack book, seed 1  0.000000 s   1 of ");
    screen.press(RIGHT);
    screen.shows("2 of ");
    screen.press(LEFT);
    screen.shows("1 of ");
    screen.press(SHIFT_RIGHT);
    screen.shows("Flags [S], seq 0");
    screen.press("]");
    screen.shows("0.005000 s");
    screen.press(SHIFT_LEFT);
    screen.shows("0.000000 s");
    screen.press("G");
    screen.shows("552.505000 s");
    screen.press(" ");
    screen.shows("this is the last event");
    screen.press("g");
    screen.shows("0.000000 s   1 of ");
    screen.press("?");
    screen.shows("keys and commands");
    screen.press("xq");
    screen.quits();
}

#[test]
fn breakpoints_stop_it_by_host_flag_errno_and_state() {
    let mut screen = Screen::step(&["crash"]);
    screen.press(":break errno ETIMEDOUT\rc");
    screen.shows("breakpoint 1: errno ETIMEDOUT");
    screen.shows("-1 ETIMEDOUT (Connection timed out)");
    screen.shows("552.500000 s");
    screen.press(":delete 1\rg:break state ESTABLISHED\rc");
    screen.shows("breakpoint 1: state ESTABLISHED");
    screen.shows("0.010000 s");
    screen.press(":delete all\r:break host server flag F\rc");
    screen.shows("no breakpoint was met from here on");
    screen.press(":break flag R\rgc");
    screen.shows("breakpoint 2: flag R");
    screen.press(":break state ESTABLISHED\rC");
    screen.shows("breakpoint 3: state ESTABLISHED");
    screen.press(":break colour red\r");
    screen.shows("no colour: host, flag, errno or state");
    screen.press("q");
    screen.quits();
}

#[test]
fn sockets_timers_processes_and_screens_are_those_of_the_moment() {
    let mut screen = Screen::step(&["crash"]);
    screen.press(":go 20s\r");
    screen.shows("14.505000 s");
    screen.shows("ESTABLISHED");
    screen.shows("retransmits in 5.995 s fired 2");
    screen.shows("server ─ down");
    screen.shows("echo-client[101] S readline");
    screen.shows("> world");
    screen.press(":go 1s\r");
    screen.shows("LISTEN");
    screen.shows("echo-server[102] S");
    screen.press("q");
    screen.quits();
}

#[test]
fn the_run_is_the_one_that_was_asked_for() {
    let mut screen = Screen::step(&["crash", "--stack", "linux", "--seed", "7"]);
    screen.shows("crash  stack linux, seed 7");
    screen.press("q");
    screen.quits();
}

#[test]
fn a_resized_terminal_is_drawn_anew_and_one_too_small_says_so() {
    let mut screen = Screen::step(&["normal"]);
    screen.resize(8, 30);
    screen.shows("The terminal is 30 × 8");
    // Keys work all the same.
    screen.press(RIGHT);
    screen.resize(40, 150);
    screen.shows("2 of ");
    screen.shows("no breakpoints");
    screen.press("q");
    screen.quits();
}

#[test]
fn control_c_ends_it() {
    let mut screen = Screen::step(&["normal"]);
    screen.press(CONTROL_C);
    screen.quits();
}

#[test]
fn a_signal_gives_the_terminal_back_and_ends_it() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut screen = Screen::step(&["normal"]);
        screen.signal(signal);
        let status = screen.is_given_back();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
    }
}

/// This test is both processes: as the child, on the terminal, it panics.
#[test]
fn a_panic_gives_the_terminal_back_before_its_message() {
    const CHILD: &str = "ECHOSIM_PANIC_ON_TERMINAL";
    if std::env::var_os(CHILD).is_some() {
        step::on_terminal(|_| panic!("what a pity")).expect("there is a terminal");
    }
    let this = std::env::current_exe().expect("this program has a name");
    let name = "a_panic_gives_the_terminal_back_before_its_message";
    let command = Command::new(this).args(["--exact", name, "--nocapture"]).env(CHILD, "yes");
    let mut screen = Screen::of(command, ROWS, COLUMNS);
    assert!(!screen.is_given_back().success());
    let raw = String::from_utf8_lossy(&screen.raw);
    let left = raw.find("\x1b[?1049l").expect("the alternate screen is left");
    let said = raw.find("what a pity").expect("the message is written");
    assert!(left < said, "the message is not lost with the screen");
}

#[test]
fn without_a_terminal_it_is_an_error() {
    let output = std::process::Command::new(ECHOSIM).args(["step", "normal"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.starts_with("error: step needs a terminal"), "{complaint}");
    assert!(output.stdout.is_empty(), "nothing is drawn");
}
