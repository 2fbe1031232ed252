//! The keys and commands, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

const HELP: [&str; 20] = [
    "→ ↓ Space n      the next event",
    "← ↑ p            the event before",
    "]  Shift + →     the next packet",
    "[  Shift + ←     the packet before",
    "PgDn  PgUp       ten events",
    "Home g  End G    the first, the last event",
    "c  C             on, back to a breakpoint",
    "q                quit",
    "",
    ":break host client",
    ":break flag R",
    ":break errno ETIMEDOUT",
    ":break state CLOSE_WAIT",
    ":break host client flag F",
    "                 stop where all of it holds",
    ":delete 1  :delete all",
    ":go 20.5s        go to a moment",
    "",
    "A run is its seed: going back shows the same run.",
    "Any key ends this.",
];

pub(super) fn draw(frame: &mut Frame<'_>) {
    let width = HELP.iter().map(|line| Line::raw(*line).width()).max().unwrap_or(0) as u16 + 4;
    let height = HELP.len() as u16 + 2;
    let [area] = Layout::horizontal([Constraint::Max(width)]).flex(Flex::Center).areas(frame.area());
    let [area] = Layout::vertical([Constraint::Max(height)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    let lines: Vec<Line<'_>> = HELP.iter().map(|line| Line::raw(format!(" {line}"))).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys and commands ")), area);
}
