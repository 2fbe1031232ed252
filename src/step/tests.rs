//! What keys do, and what is on the screen after them.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::errno::Errno;
use crate::scenario;
use crate::timeline::{Kind, TcpState};

fn session(name: &str) -> Session {
    let scenario = scenario::load(name).expect("a scenario of the library");
    let info = RunInfo::from(&scenario);
    Session::new(&info, &scenario).expect("it runs to its end")
}

fn press(debugger: &mut Debugger<'_>, code: KeyCode) {
    debugger.press(KeyEvent::new(code, KeyModifiers::NONE));
}

/// Presses the keys of `line` one after the other; `\n` is Enter.
fn keys(debugger: &mut Debugger<'_>, line: &str) {
    for key in line.chars() {
        press(debugger, if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) });
    }
}

fn screen(debugger: &Debugger<'_>, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory is a terminal");
    terminal.draw(|frame| draw(frame, debugger)).expect("memory takes it");
    terminal.backend().to_string()
}

fn snapshot(name: &str, screen: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

#[test]
fn every_event_has_its_line() {
    let session = session("server-killed");
    assert_eq!(session.lines.len(), session.events.len());
    for (line, event) in session.lines.iter().zip(&session.events) {
        assert!(line.trim_start().starts_with(&event.t.to_string()), "{line}");
    }
}

#[test]
fn steps_go_on_and_back_and_stop_at_both_ends() {
    let session = session("normal");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, "p");
    assert_eq!((debugger.at(), debugger.message()), (0, "this is the first event"));
    keys(&mut debugger, "nnnp");
    assert_eq!(debugger.at(), 2);
    keys(&mut debugger, "G");
    assert_eq!(debugger.at(), session.events.len() - 1);
    keys(&mut debugger, "n");
    assert_eq!((debugger.at(), debugger.message()), (session.events.len() - 1, "this is the last event"));
    keys(&mut debugger, "g");
    assert_eq!(debugger.at(), 0);
}

#[test]
fn packets_are_stepped_to_over_everything_else() {
    let session = session("normal");
    let mut debugger = Debugger::new(&session);
    let is_packet = |nth: usize| matches!(session.events[nth].kind, Kind::Segment(_));
    let packets: Vec<usize> = (0..session.events.len()).filter(|nth| is_packet(*nth)).collect();
    for packet in &packets {
        keys(&mut debugger, "]");
        assert_eq!(debugger.at(), *packet);
    }
    keys(&mut debugger, "]");
    assert_eq!(debugger.message(), "no packet from here on");
    keys(&mut debugger, "[");
    assert_eq!(debugger.at(), packets[packets.len() - 2]);
}

#[test]
fn a_breakpoint_on_an_errno_stops_at_the_call_that_failed() {
    let session = session("crash");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":break errno ETIMEDOUT\nc");
    assert_eq!(debugger.message(), "breakpoint 1: errno ETIMEDOUT");
    match &session.events[debugger.at()].kind {
        Kind::Call(call) => assert_eq!(call.result, Err(Errno::ETIMEDOUT)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn conditions_of_one_breakpoint_hold_together() {
    let session = session("reboot");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":b host client flag R\n");
    keys(&mut debugger, "c");
    let event = &session.events[debugger.at()];
    assert_eq!(&*event.host, "client");
    assert!(matches!(&event.kind, Kind::Segment(segment) if segment.flags.to_string() == "R"));
}

#[test]
fn breakpoints_are_met_backwards_too() {
    let session = session("server-killed");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":break state close_wait\nGC");
    let to = match session.events[debugger.at()].kind {
        Kind::State { to, .. } => to,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(to, TcpState::CloseWait);
    keys(&mut debugger, "C");
    assert_eq!((debugger.at(), debugger.message()), (0, "no breakpoint was met before this"));
}

#[test]
fn a_deleted_breakpoint_stops_nothing() {
    let session = session("crash");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":break flag S\n:break errno ETIMEDOUT\n:delete 1\n");
    assert_eq!(debugger.breakpoints().len(), 1);
    keys(&mut debugger, ":delete all\nc");
    assert_eq!(debugger.at(), 0);
    assert!(debugger.message().starts_with("no breakpoint is set"), "{}", debugger.message());
}

#[test]
fn what_means_nothing_is_answered_and_changes_nothing() {
    let session = session("crash");
    for (typed, answer) in [
        ("frob", "no command frob: break, delete, go, help, quit"),
        ("break", "break where? host NAME, flag LETTERS, errno NAME or state NAME"),
        ("break errno", "errno what?"),
        ("break errno EFROB", "no errno EFROB"),
        ("break host mars", "no host mars"),
        ("break flag X", "no flags X: letters of S F R P ."),
        ("break state OPEN", "no state OPEN: as netstat has it, CLOSE_WAIT"),
        ("break colour red", "no colour: host, flag, errno or state"),
        ("delete 3", "no breakpoint 3"),
        ("delete", "delete takes one word"),
    ] {
        let mut debugger = Debugger::new(&session);
        keys(&mut debugger, &format!(":{typed}\n"));
        assert_eq!(
            (debugger.message(), debugger.at(), debugger.breakpoints()),
            (answer, 0, &[][..]),
            "{typed}"
        );
        assert_eq!(*debugger.mode(), Mode::Stepping);
    }
}

#[test]
fn a_command_can_be_mended_and_left() {
    let session = session("normal");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":gx");
    press(&mut debugger, KeyCode::Backspace);
    assert_eq!(*debugger.mode(), Mode::Typing("g".to_owned()));
    press(&mut debugger, KeyCode::Esc);
    assert_eq!(*debugger.mode(), Mode::Stepping);
    keys(&mut debugger, ":go 20ms\n");
    assert_eq!(session.time(debugger.at()).to_string(), "0.020000");
}

#[test]
fn q_and_control_c_end_it_and_a_q_in_a_command_does_not() {
    let session = session("normal");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":q");
    assert!(!debugger.is_done());
    debugger.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert!(debugger.is_done());
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, "q");
    assert!(debugger.is_done());
}

#[test]
fn the_screen_shows_events_sockets_timers_processes_and_terminals() {
    let session = session("crash");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":break errno ETIMEDOUT\n:go 20s\n");
    snapshot("step-crash", screen(&debugger, (100, 30)));
}

#[test]
fn the_help_lies_over_it() {
    let session = session("server-killed");
    let mut debugger = Debugger::new(&session);
    keys(&mut debugger, ":go 5s\n?");
    snapshot("step-help", screen(&debugger, (80, 24)));
    keys(&mut debugger, "n");
    assert_eq!(*debugger.mode(), Mode::Stepping);
}

#[test]
fn no_terminal_is_too_small_to_draw_on() {
    let session = session("crowd");
    let mut debugger = Debugger::new(&session);
    for size in [(1, 1), (2, 3), (20, 5), (40, 14), (300, 100)] {
        for typed in ["g", "G", ":", "?"] {
            keys(&mut debugger, typed);
            screen(&debugger, size);
            press(&mut debugger, KeyCode::Esc);
        }
    }
}
