//! The state, and what a key does to it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Breakpoint, Command, Session};
use crate::timeline::Event;

/// How many events a page is.
const PAGE: isize = 10;

/// Where the user is in a run.
#[derive(Clone, Debug)]
pub struct Debugger<'a> {
    session: &'a Session,
    at: usize,
    breakpoints: Vec<Breakpoint>,
    mode: Mode,
    message: String,
    done: bool,
}

/// What keys mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Steps.
    #[default]
    Stepping,
    /// A command, as far as it has been typed.
    Typing(String),
    /// The help is shown; any key ends it.
    Reading,
}

/// Which way through the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    On,
    Back,
}

impl<'a> Debugger<'a> {
    /// At the first event of a run.
    pub fn new(session: &'a Session) -> Debugger<'a> {
        Debugger {
            session,
            at: 0,
            breakpoints: Vec::new(),
            mode: Mode::Stepping,
            message: "? shows the keys".to_owned(),
            done: false,
        }
    }

    /// The run.
    pub fn session(&self) -> &'a Session {
        self.session
    }

    /// The event that has just happened.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The breakpoints, the first of which is number 1.
    pub fn breakpoints(&self) -> &[Breakpoint] {
        &self.breakpoints
    }

    /// What keys mean now.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// What there is to say about the last key.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether enough has been seen.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// A key is pressed.
    pub fn press(&mut self, key: KeyEvent) {
        self.message.clear();
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            self.done |= matches!(key.code, KeyCode::Char('c' | 'd'));
            return;
        }
        match &mut self.mode {
            Mode::Stepping => self.step(key),
            Mode::Reading => self.mode = Mode::Stepping,
            Mode::Typing(line) => match key.code {
                KeyCode::Char(letter) => line.push(letter),
                KeyCode::Backspace if line.pop().is_none() => self.mode = Mode::Stepping,
                KeyCode::Esc => self.mode = Mode::Stepping,
                KeyCode::Enter => {
                    let line = std::mem::take(line);
                    self.mode = Mode::Stepping;
                    self.carry_out(&line);
                }
                _ => {}
            },
        }
    }

    fn step(&mut self, key: KeyEvent) {
        let packets = key.modifiers.contains(KeyModifiers::SHIFT);
        match key.code {
            KeyCode::Right | KeyCode::Down if packets => self.go_to_packet(Way::On),
            KeyCode::Left | KeyCode::Up if packets => self.go_to_packet(Way::Back),
            KeyCode::Right | KeyCode::Down | KeyCode::Char(' ' | 'n' | 'j' | 'l') => self.go_by(1),
            KeyCode::Left | KeyCode::Up | KeyCode::Backspace | KeyCode::Char('p' | 'k' | 'h') => {
                self.go_by(-1)
            }
            KeyCode::Char(']') => self.go_to_packet(Way::On),
            KeyCode::Char('[') => self.go_to_packet(Way::Back),
            KeyCode::PageDown => self.go_by(PAGE),
            KeyCode::PageUp => self.go_by(-PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.at = 0,
            KeyCode::End | KeyCode::Char('G') => self.at = self.last(),
            KeyCode::Char('c') => self.go_to_breakpoint(Way::On),
            KeyCode::Char('C') => self.go_to_breakpoint(Way::Back),
            KeyCode::Char(':') => self.mode = Mode::Typing(String::new()),
            KeyCode::Char('?') => self.mode = Mode::Reading,
            KeyCode::Char('q') => self.done = true,
            _ => {}
        }
    }

    fn last(&self) -> usize {
        self.session.events.len().saturating_sub(1)
    }

    fn go_by(&mut self, events: isize) {
        let to = self.at.saturating_add_signed(events).min(self.last());
        if to == self.at {
            self.message =
                if events > 0 { "this is the last event" } else { "this is the first event" }.to_owned();
        }
        self.at = to;
    }

    fn go_to_packet(&mut self, way: Way) {
        match self.find(way, |event| event.kind.is_packet()) {
            Some(nth) => self.at = nth,
            None => self.message = format!("no packet {}", way.words()),
        }
    }

    fn go_to_breakpoint(&mut self, way: Way) {
        if self.breakpoints.is_empty() {
            self.message = "no breakpoint is set; :break errno ETIMEDOUT sets one".to_owned();
            return;
        }
        let meets = |event: &Event| self.breakpoints.iter().position(|it| it.stops_at(event));
        match self.find(way, |event| meets(event).is_some()) {
            Some(nth) => {
                let met = meets(&self.session.events[nth]).expect("that is why it stops here");
                self.message = format!("breakpoint {}: {}", met + 1, self.breakpoints[met]);
                self.at = nth;
            }
            None => {
                self.message = format!("no breakpoint was met {}", way.words());
                self.at = if way == Way::On { self.last() } else { 0 };
            }
        }
    }

    /// The nearest event on the way from here that is asked for.
    fn find(&self, way: Way, is_it: impl Fn(&Event) -> bool) -> Option<usize> {
        let events = &self.session.events;
        match way {
            Way::On => (self.at + 1..events.len()).find(|nth| is_it(&events[*nth])),
            Way::Back => (0..self.at).rev().find(|nth| is_it(&events[*nth])),
        }
    }

    fn carry_out(&mut self, line: &str) {
        match Command::parse(line, self.session) {
            Err(complaint) => self.message = complaint,
            Ok(Command::Nothing) => {}
            Ok(Command::Break(breakpoint)) => {
                self.breakpoints.push(breakpoint);
                self.message = format!("breakpoint {} is set; c goes on to it", self.breakpoints.len());
            }
            Ok(Command::Delete(nth)) if (1..=self.breakpoints.len()).contains(&nth) => {
                self.breakpoints.remove(nth - 1);
            }
            Ok(Command::Delete(nth)) => self.message = format!("no breakpoint {nth}"),
            Ok(Command::DeleteAll) => self.breakpoints.clear(),
            Ok(Command::Go(t)) => {
                let after = self.session.events.partition_point(|event| event.t <= t);
                self.at = after.saturating_sub(1);
            }
            Ok(Command::Help) => self.mode = Mode::Reading,
            Ok(Command::Quit) => self.done = true,
        }
    }
}

impl Way {
    fn words(self) -> &'static str {
        match self {
            Way::On => "from here on",
            Way::Back => "before this",
        }
    }
}
