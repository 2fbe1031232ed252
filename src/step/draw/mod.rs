//! The state as panes: the events above, the hosts below them side by side, and
//! a line to talk on at the foot.

mod events;
mod help;
mod host;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::{Debugger, Mode};
use crate::report::RunInfo;

/// What explains, and is not to be looked at first.
const SOFT: Style = Style::new().add_modifier(Modifier::DIM);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

/// Nothing can be told on fewer columns and rows than these.
const LEAST: (u16, u16) = (40, 14);

/// Draws the debugger on the whole terminal.
pub fn draw(frame: &mut Frame<'_>, debugger: &Debugger<'_>) {
    let Rect { width, height, .. } = frame.area();
    if width < LEAST.0 || height < LEAST.1 {
        return too_small(frame);
    }
    let rows = [
        Constraint::Length(1),
        Constraint::Percentage(42),
        Constraint::Length(2),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [head, events, detail, hosts, stops, foot] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(title(debugger), head);
    events::draw(frame, events, debugger);
    frame.render_widget(detail_of(debugger), detail);
    draw_hosts(frame, hosts, debugger);
    frame.render_widget(breakpoints(debugger), stops);
    talk(frame, foot, debugger);
    if *debugger.mode() == Mode::Reading {
        help::draw(frame);
    }
}

/// Keys go on working: a larger terminal shows what they did.
fn too_small(frame: &mut Frame<'_>) {
    let Rect { width, height, .. } = frame.area();
    let (columns, rows) = LEAST;
    let text =
        format!("The terminal is {width} × {height}; it takes {columns} × {rows} to show a run. q quits.");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), frame.area());
}

/// Which run, when, and how far through it.
fn title<'a>(debugger: &Debugger<'a>) -> Paragraph<'a> {
    let session = debugger.session();
    let RunInfo { scenario, stack, seed, .. } = &session.info;
    let place = format!("  {} of {} events", debugger.at() + 1, session.events.len());
    let line = Line::from(vec![
        Span::styled(format!(" {scenario} "), STRONG),
        Span::raw(format!(" stack {stack}, seed {seed} ")),
        Span::styled(format!(" {} s ", session.time(debugger.at())), STRONG),
        Span::raw(place),
    ]);
    Paragraph::new(line).style(Style::new().add_modifier(Modifier::REVERSED))
}

/// The event in full, however narrow the terminal is.
fn detail_of(debugger: &Debugger<'_>) -> Paragraph<'static> {
    let line = debugger.session().lines.get(debugger.at()).map(String::as_str).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    Paragraph::new(words.join(" ")).wrap(Wrap { trim: true })
}

fn breakpoints(debugger: &Debugger<'_>) -> Paragraph<'static> {
    let named = debugger.breakpoints().iter().enumerate();
    let named: Vec<String> = named.map(|(n, breakpoint)| format!("{} {breakpoint}", n + 1)).collect();
    let line = match named.as_slice() {
        [] => Span::styled(" no breakpoints", SOFT),
        named => Span::styled(format!(" breakpoints: {}", named.join(", ")), Style::new().fg(Color::Magenta)),
    };
    Paragraph::new(line)
}

fn draw_hosts(frame: &mut Frame<'_>, area: Rect, debugger: &Debugger<'_>) {
    let hosts = debugger.session().hosts();
    let columns = Layout::horizontal(vec![Constraint::Fill(1); hosts.len()]).split(area);
    for (history, area) in hosts.zip(columns.iter()) {
        host::draw(frame, *area, debugger, history);
    }
}

/// The command that is being typed, or what there is to say.
fn talk(frame: &mut Frame<'_>, area: Rect, debugger: &Debugger<'_>) {
    match debugger.mode() {
        Mode::Typing(line) => {
            frame.render_widget(Paragraph::new(format!(":{line}")), area);
            let column = u16::try_from(Line::raw(line).width() + 1).unwrap_or(u16::MAX);
            let cursor = area.x.saturating_add(column).min(area.right().saturating_sub(1));
            frame.set_cursor_position((cursor, area.y));
        }
        Mode::Stepping | Mode::Reading => {
            let message = match debugger.message() {
                "" => {
                    Span::styled(" ← → event   [ ] packet   c continue   : command   ? help   q quit", SOFT)
                }
                message => Span::raw(format!(" {message}")),
            };
            frame.render_widget(Paragraph::new(message), area);
        }
    }
}
