//! The trace around the event that has just happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::SOFT;
use crate::step::Debugger;
use crate::timeline::{Event, Kind, ProcessChange, SegmentEvent};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, debugger: &Debugger<'_>) {
    let block = Block::new().borders(Borders::TOP | Borders::BOTTOM).border_style(SOFT);
    let rows = usize::from(block.inner(area).height);
    let (session, at) = (debugger.session(), debugger.at());
    // What has happened fills the greater part; of what is to come a few lines are enough.
    let first = (at + 1).saturating_sub(rows * 2 / 3).min(session.events.len().saturating_sub(rows));
    let last = session.events.len().min(first + rows);
    let lines = (first..last).map(|nth| {
        let (mark, style) = match nth.cmp(&at) {
            std::cmp::Ordering::Less => (' ', style(&session.events[nth])),
            std::cmp::Ordering::Equal => ('▶', style(&session.events[nth]).add_modifier(Modifier::REVERSED)),
            std::cmp::Ordering::Greater => (' ', SOFT),
        };
        Line::from(Span::styled(format!("{mark}{}", session.lines[nth]), style))
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

/// What stands out in a trace stands out here.
fn style(event: &Event) -> Style {
    let plain = Style::new();
    match &event.kind {
        Kind::Fault { .. } => plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
        Kind::Lost { .. } => plain.fg(Color::Red),
        Kind::Icmp(_) | Kind::Segment(SegmentEvent { retransmission: Some(_), .. }) => {
            plain.fg(Color::Yellow)
        }
        Kind::Segment(_) | Kind::Neighbour(_) => plain.fg(Color::Cyan),
        Kind::State { .. } => plain.fg(Color::Green),
        Kind::Call(call) if call.result.is_err() => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
        Kind::Process(process) if matches!(process.what, ProcessChange::Killed { .. }) => {
            plain.fg(Color::Red)
        }
        Kind::Call(_) | Kind::Process(_) | Kind::Signal { .. } | Kind::Line(_) => plain,
    }
}
